"""The list of deliberate differences: what differs, and why ours is right."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ringscope_core.conform.outcome import Difference, Outcome
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.resources import resource_root

PATTERNS: Final = ("case", "where", "expected", "got")
KEYS: Final = ("name", "profile", *PATTERNS, "rest", "why")


@dataclass
class Deviation:
    """One entry; empty patterns match anything."""

    name: str
    why: str
    profile: str = ""
    """It holds in this profile only, "" for every one."""
    patterns: dict[str, re.Pattern[str]] = field(default_factory=dict)
    rest: bool = False
    """Whatever else differs in the same case is a consequence."""
    used: int = 0
    """Differences that it explained."""

    def matches(self, outcome: Outcome, family: str, difference: Difference, profile: str) -> bool:
        """Whether this entry is about `difference`."""
        if self.profile and self.profile != profile:
            return False
        texts = {
            "case": f"{outcome.case}\n{family}\n{outcome.title}",
            "where": difference.where,
            "expected": difference.expected,
            "got": difference.got,
        }
        return all(pattern.search(texts[key]) for key, pattern in self.patterns.items())


class Deviations:
    """The entries of a file, in their order."""

    def __init__(self, entries: list[Deviation]) -> None:
        self.entries: list[Deviation] = entries

    def unlisted(self, outcome: Outcome, family: str, profile: str) -> list[Difference]:
        """The differences that no entry explains; entries that explain one count it."""
        left: list[Difference] = []
        whole = False
        for difference in outcome.differences:
            entry = next((one for one in self.entries if one.matches(outcome, family, difference, profile)), None)
            if entry is None:
                left.append(difference)
                continue
            entry.used += 1
            whole = whole or entry.rest
        return [] if whole else left

    def unused(self, profiles: set[str]) -> list[str]:
        """Names of entries that could have matched something and did not."""
        return [one.name for one in self.entries if not one.used and (not one.profile or one.profile in profiles)]


def shipped_deviations() -> Path:
    """The file that ships."""
    return resource_root() / "conform" / "deviations.toml"


def load_deviations(path: Path | None = None) -> Deviations:
    """Read `path`, or the list that ships; raises InputError."""
    path = path or shipped_deviations()
    try:
        data = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("deviations", str(path), f"a readable TOML file is needed: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError("deviations", str(path), f"TOML is needed: {error}") from None
    rows = data.get("deviation", [])
    if not isinstance(rows, list):
        raise InputError(f"{path}: deviation", rows, "a list of tables")
    return Deviations([_entry(f"{path}: deviation.{index}", row) for index, row in enumerate(rows)])


def _entry(where: str, row: Any) -> Deviation:
    if not isinstance(row, dict):
        raise InputError(where, row, "a table")
    for key, value in row.items():
        if key not in KEYS:
            raise InputError(f"{where}.{key}", value, f"one of {', '.join(KEYS)}")
        if not isinstance(value, bool if key == "rest" else str):
            raise InputError(f"{where}.{key}", value, "true or false" if key == "rest" else "a string")
    for key in ("name", "why"):
        if not row.get(key):
            raise InputError(f"{where}.{key}", row.get(key), "a text is needed")
    patterns: dict[str, re.Pattern[str]] = {}
    for key in PATTERNS:
        if key in row:
            try:
                patterns[key] = re.compile(row[key])
            except re.error as error:
                raise InputError(f"{where}.{key}", row[key], f"a regular expression is needed: {error}") from None
    if not patterns:
        raise InputError(where, row["name"], f"at least one of {', '.join(PATTERNS)} is needed")
    return Deviation(row["name"], row["why"], row.get("profile", ""), patterns, row.get("rest", False))
