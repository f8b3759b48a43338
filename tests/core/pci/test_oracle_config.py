"""Configuration space of every option set the oracle recorded: ids, capabilities, BARs, write masks, and what lies behind them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.cases import full_entries
from tests.oracle.target import BAR_ADDRESSES, BDF, RingscopeTarget

ENTRIES = full_entries("pci_config.json.gz")
EVERY = 4
"""One option set in so many runs in the fast part."""


class Probed(RingscopeTarget):
    """Keeps the configuration space of before anything was written."""

    at_reset: str = ""

    def place_bars(self) -> None:
        dev = self.machine.pci_bus.functions[BDF]
        assert dev is not None
        self.at_reset = bytes(dev.space.config[:256]).hex()
        super().place_bars()


def dump(target: RingscopeTarget) -> str:
    """The 256 bytes as a guest reads them."""
    return b"".join(target.cfg_read(at, 4).to_bytes(4, "little") for at in range(0, 256, 4)).hex()


def write_masks(target: RingscopeTarget, recorded: dict[str, Any]) -> tuple[str, str]:
    """What each dword reads after ones and after zeros were written."""
    initial = bytes.fromhex(recorded["initial"])
    ones, zeros = b"", b""
    for at in range(0, 256, 4):
        if at in recorded["not_written"]:
            value = target.cfg_read(at, 4).to_bytes(4, "little")
            ones, zeros = ones + value, zeros + value
            continue
        target.cfg_write(at, 4, 0xFFFFFFFF)
        ones += target.cfg_read(at, 4).to_bytes(4, "little")
        target.cfg_write(at, 4, 0)
        zeros += target.cfg_read(at, 4).to_bytes(4, "little")
        target.cfg_write(at, 4, int.from_bytes(initial[at : at + 4], "little"))
    return ones.hex(), zeros.hex()


def check(key: str) -> None:
    """Everything that the entry tells."""
    entry = ENTRIES[key]
    target = Probed(entry["config"], level=0)
    assert target.at_reset == entry["config_space_at_reset"]
    assert dump(target) == entry["config_space_after_probe"]
    dev = target.machine.pci_bus.functions[BDF]
    assert dev is not None
    bars = {str(n): bar for n, bar in enumerate(dev.io_regions) if bar.size and n != 6}
    assert {n: (bar.is_io, int(bar.addr), int(bar.size)) for n, bar in bars.items()} == {
        n: (bar["kind"] == "io", bar["address"], bar["size"]) for n, bar in entry["bars"].items()
    }
    check_device(target, entry)
    assert write_masks(target, entry["write_masks"]) == (entry["write_masks"]["after_ones"], entry["write_masks"]["after_zero"])


def check_device(target: RingscopeTarget, entry: dict[str, Any]) -> None:
    """Features, device configuration and queue sizes through the BARs."""
    if "4" in entry["bars"]:
        features = 0
        for select in (1, 0):
            target.bar_write(4, 0, 4, select)
            features |= target.bar_read(4, 4, 4) << (32 * select)
        assert features == int(entry["device_features"], 16)
        recorded = bytes.fromhex(entry["device_cfg"])
        assert bytes(target.bar_read(4, 0x2000 + at, 1) for at in range(len(recorded))) == recorded
        sizes = []
        for number in range(entry["num_queues"]):
            target.bar_write(4, 22, 2, number)
            sizes.append(target.bar_read(4, 24, 2))
        if entry["config"]["peer"].get("queues", 1) == 1:
            # 7.2 makes further pairs when multiqueue is negotiated, 4.1 at realize
            assert sizes == [queue["queue_size"] for queue in entry["queues"]]
            assert target.bar_read(4, 18, 2) == entry["num_queues"]
    if entry.get("legacy_host_features"):
        assert f"{target.bar_read(0, 0, 4):#010x}" == entry["legacy_host_features"]


@pytest.mark.parametrize("key", list(ENTRIES)[::EVERY])
def test_some_option_sets(key: str) -> None:
    check(key)


@pytest.mark.slow
def test_every_option_set() -> None:
    assert len(ENTRIES) == 44
    for key in ENTRIES:
        check(key)


def test_places_are_those_of_the_readme() -> None:
    assert BAR_ADDRESSES == {0: 0xC000, 1: 0xFEB00000, 2: 0xC100, 4: 0xFE000000}
