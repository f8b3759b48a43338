"""Command lines and what QEMU printed of them: exit code and error output, compared line by line."""

from __future__ import annotations

import re
from typing import Any, Final

from ringscope_core.conform.command_line import CommandLine, Unsupported
from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.static_compare import Comparer, shown
from ringscope_core.conform.static_machine import NEWER_PROPERTIES
from ringscope_core.conform.words_4_1 import asks_in_another_order, in_words_of_4_1, newer_than_4_1
from ringscope_core.qom.profile import PROFILE_4_1

NO_ROM: Final = "failed to find romfile"
NOT_OF_4_1: Final = "came after QEMU 4.1"
STEERING: Final = "TUNSETSTEERINGEBPF"
_DESCRIPTORS: Final = re.compile(r"(fds?=)(?:\{TAP:\d+\}|N|\d+)(?::\d+)*")
_NUMBER: Final = re.compile(r"(file descriptor |with fd: |descriptor number ')(?:\{TAP:\d+\}|N|\d+)(?::\d+)*")


def recognize(data: Any) -> bool:
    """An object whose cases have arguments, an exit code and error output."""
    rows = data.get("cases") if isinstance(data, dict) else None
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) and {"args", "rc", "stderr"} <= set(row) for row in rows)


def _rows(data: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """Cases by id, with the machine of each; other machines of a case follow it."""
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for number, row in enumerate(data["cases"]):
        name = str(row.get("id", number))
        found[name] = (row, str(row.get("machine", "pc-i440fx-4.1")))
        for key, other in row.items():
            if key.startswith("on_") and isinstance(other, dict):
                found[f"{name} {key}"] = ({**row, **other}, key.removeprefix("on_"))
    return found


def cases(data: Any) -> list[str]:
    """The ids; a case that another machine answered differently is a case of its own."""
    return list(_rows(data))


def run(data: Any, case_id: str, profile: str) -> Outcome:
    """Give the command line to ours."""
    row, machine_type = _rows(data)[case_id]
    args: list[str] = [str(arg) for arg in row["args"]]
    comparer = Comparer(case_id, " ".join(args))
    expected: list[str] = list(row["stderr"])
    if row["rc"] < 0:
        return comparer.skip(f"QEMU died of signal {-row['rc']}")
    if profile == PROFILE_4_1:
        why = newer_than_4_1(args, NEWER_PROPERTIES)
        if why:
            return comparer.skip(why)
        expected = in_words_of_4_1(expected)
    try:
        rc, lines = CommandLine(args, machine_type, profile).run()
    except Unsupported as error:
        return comparer.skip(str(error) if NOT_OF_4_1 in str(error) else f"{error} is not modelled")
    if not any(STEERING in line for line in expected):
        # the recorder of some files left out what its look-alike of a tap says
        lines = [line for line in lines if STEERING not in line]
    if any(NO_ROM in line for line in lines) and not any(NO_ROM in line for line in expected):
        return comparer.skip("a ROM file of the recorder's is not here")
    comparer.equal("exit code", row["rc"], rc)
    left, right = [_plain(line) for line in expected], [_plain(line) for line in lines]
    if left != right:
        if profile == PROFILE_4_1 and left and right and asks_in_another_order(args, left[0], right[0]):
            return comparer.skip("4.1 comes to another of the bad options first")
        comparer.lines("stderr", left, right)
        assert comparer.outcome.differences, shown([left, right])
    return comparer.outcome


def _plain(line: str) -> str:
    """Without the numbers of file descriptors."""
    return _NUMBER.sub(r"\1N", _DESCRIPTORS.sub(r"\1N", line))
