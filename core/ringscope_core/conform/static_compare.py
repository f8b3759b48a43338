"""What the static comparers share: reading entries, and telling two values apart."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from ringscope_core.conform.outcome import Difference, Outcome

MAX_TEXT: Final = 400
"""Longer values are cut in the middle when they are shown."""
_FD: Final = re.compile(r"\bfd([=:] ?)\d+")


def resolve(data: dict[str, Any], key: str, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """The entry `key`, with what it takes over from the one it is like; raises ValueError for a ring of likes or a missing one."""
    if key in above or not isinstance(data.get(key), dict):
        raise ValueError(f"entry '{key}': it is like one that is missing, or like itself")
    entry: dict[str, Any] = data[key]
    if "like" not in entry:
        return entry
    return {**resolve(data, entry["like"], (*above, key)), **entry.get("differs", {})}


def machine_of_key(key: str, entry: dict[str, Any]) -> str:
    """The machine type of an entry: entries are called *option set* ``@`` *machine*, and one that is like another tells its machine nowhere else."""
    name, at, machine = key.rpartition("@")
    return machine if at and name else str(entry["config"]["machine"])


def placed_entry(data: dict[str, Any], key: str) -> dict[str, Any]:
    """The whole entry `key`, on the machine that its key names; raises ValueError as `resolve` does."""
    entry = resolve(data, key)
    return {**entry, "config": {**entry["config"], "machine": machine_of_key(key, entry)}}


def shown(value: object) -> str:
    """A value as JSON, cut when it is long."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT // 2]} ... {text[-MAX_TEXT // 2 :]}"


def without_fds(text: str) -> str:
    """The text without the numbers of file descriptors, which say nothing."""
    return _FD.sub(r"fd\1N", text)


class Comparer:
    """Collects the differences of one case."""

    def __init__(self, case: str, title: str = "") -> None:
        self.outcome: Outcome = Outcome(case, title)

    def equal(self, where: str, expected: object, got: object) -> bool:
        """Whether both are equal; noted when they are not."""
        if expected == got:
            return True
        self.outcome.differences.append(Difference(where, shown(expected), shown(got)))
        return False

    def members(self, where: str, expected: dict[str, Any], got: dict[str, Any]) -> None:
        """Compare two objects member by member, so that a difference says where it is."""
        for name in expected:
            if name not in got:
                self.equal(f"{where} {name}", expected[name], "nothing")
            elif isinstance(expected[name], dict) and isinstance(got[name], dict):
                self.members(f"{where} {name}", expected[name], got[name])
            else:
                self.equal(f"{where} {name}", expected[name], got[name])
        for name in got:
            if name not in expected:
                self.equal(f"{where} {name}", "nothing", got[name])

    def lines(self, where: str, expected: list[str], got: list[str]) -> None:
        """Compare texts line by line; of what differs the first line is noted."""
        for number in range(max(len(expected), len(got))):
            left = expected[number] if number < len(expected) else "nothing"
            right = got[number] if number < len(got) else "nothing"
            if not self.equal(f"{where} line {number + 1}", left, right):
                return

    def skip(self, reason: str) -> Outcome:
        """The case cannot be run."""
        self.outcome.skipped = reason
        return self.outcome
