"""Every error that the oracle recorded, in 4.1's words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ringscope_core.net.backends import net_check_clients
from tests.core.machines import Bench
from tests.oracle.cases import NEWER_PROPERTIES, load

SHORT_FORM = re.compile(r"short-form boolean option|^Please use ")
SIGNED = ("speed", "x-txburst", "bootindex")


def in_words_of_4_1(line: str) -> list[str]:
    """What 4.1 prints where 7.2 printed `line` (facts, sections 1.3 and 3.7)."""
    if SHORT_FORM.search(line):
        return []
    line = re.sub(r"Property '[a-z-]+\.([^']+)' not found", r"Property '.\1' not found", line)
    line = re.sub(r"Parameter '([^']+)' expects 'on' or 'off'", r"Invalid parameter type for '\1', expected: boolean", line)
    line = re.sub(r"Parameter '([^']+)' expects integer", lambda m: f"Parameter '{m[1]}' expects {'int64' if m[1] in SIGNED else 'uint64'}", line)
    line = re.sub(r"Parameter 'disable-legacy' does not accept value '([^']+)'", r"Invalid parameter '\1'", line)
    line = line.replace("expects a non-abstract device type", "expects non-abstract device type").replace(",id=(null)", "")
    # 7.2 printed the next message on the line of a text without a newline
    return line.split("qemu-system-x86_64: ")


def device_cases() -> list[dict[str, Any]]:
    """Cases of plain -netdev and -device options that 4.1 and our backends know."""
    found: list[dict[str, Any]] = []
    for case in load("errors.json")["cases"]:
        args = case["args"]
        text = " ".join(args)
        if case["machine"] != "pc-i440fx-4.1" or set(args[::2]) - {"-netdev", "-device"}:
            continue
        if re.search(r"\{TAP|\{\"|(stream|socket|tap),|ide\.0", text) or any(f"{name}=" in text for name in NEWER_PROPERTIES):
            continue
        if case["id"] in ("err-mq=True", "err-duplex-bad+speed-bad", "err-netdev-bad-id"):
            # 4.1 takes any case of "true"; it aborts on the second error; the third is the command line's to print
            continue
        found.append(case)
    return found


CASES = device_cases()
EVERY = 4
"""One case in so many runs in the fast part."""


@pytest.mark.parametrize("case", CASES[::EVERY], ids=lambda case: str(case["id"]))
def test_messages_equal_the_oracle_s(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.slow
def test_every_message_equals_the_oracle_s() -> None:
    assert len(CASES) > 100
    for case in CASES:
        check(case)


def check(case: dict[str, Any]) -> None:
    """Messages and failure are those recorded."""
    bench = Bench()
    bench.log.set_level(0)
    machine = bench.machine
    failed = False
    args = list(zip(case["args"][::2], case["args"][1::2], strict=True))
    for option, text in args:
        if option == "-netdev":
            try:
                machine.netdev_add(text)
            except Exception as error:
                machine.world.messages.append(f"-netdev {text}: {error}")
                failed = True
    for option, text in args:
        if option == "-device" and not failed:
            failed = machine.device_add(text) is None
    if not failed:
        for warning in net_check_clients(machine.net):
            machine.world.warn_report(warning)
    expected = [part for line in case["stderr"] for part in in_words_of_4_1(line)]
    assert machine.world.messages == expected
    assert failed == (case["rc"] != 0)


def test_two_errors_of_one_realize_are_both_told() -> None:
    bench = Bench()
    assert bench.machine.device_add("virtio-net-pci,duplex=maybe,speed=-7") is None
    assert sorted(text.rsplit(": ", 1)[1] for text in bench.machine.world.messages) == [
        "'duplex' must be 'half' or 'full'",
        "'speed' must be between 0 and INT_MAX",
    ]


def test_the_monitor_asks_for_the_error_itself() -> None:
    machine = Bench().machine
    machine.system_reset()
    assert machine.device_add("virtio-net-pci,bogus=1", errp_report=False) is None
    assert (machine.last_error, machine.world.messages) == ("Property '.bogus' not found", [])
    assert machine.device_add("virtio-net-pci,id=net0", errp_report=False) is not None
    assert machine.last_error == ""
    assert machine.device_add("virtio-net-pci,id=net0", errp_report=False) is None
    assert machine.last_error == "Duplicate ID 'net0' for device"


def test_hints_follow_the_message() -> None:
    bench = Bench()
    assert bench.machine.device_add("virtio-net-pci,disable-modern=on,disable-legacy=on") is None
    assert bench.machine.world.messages == [
        "-device virtio-net-pci,disable-modern=on,disable-legacy=on: device cannot work as neither modern nor legacy mode is enabled",
        "Set either disable-modern or disable-legacy to off",
    ]


def test_the_first_word_may_be_an_alias_and_driver_may_be_missing() -> None:
    bench = Bench()
    found = bench.machine.device_add("virtio-net,id=a")
    assert found is not None and found.typename == "virtio-net-pci"
    assert bench.machine.device_add("id=b") is None
    assert bench.machine.world.messages == ["-device id=b: Parameter 'driver' is missing"]
    assert bench.machine.device_add("PIIX4_PM") is None
    assert bench.machine.world.messages[-1] == "-device PIIX4_PM: Parameter 'driver' expects pluggable device type"
