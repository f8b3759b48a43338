"""Topics ``cases`` and ``deviations``: the proof's own data, replayed when the documentation is built.

The cases that a real QEMU recorded are run on our machine in both profiles; the result is kept beside what is built and made anew when a case or a source of
the core changes.  A difference that is on no list ends the build.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from ringscope_core.conform.deviations import PATTERNS, load_deviations, shipped_deviations
from ringscope_core.conform.report import Options, Report, case_files, run_paths

from .blocks import Block, Section, Table, Text, code
from .wording import w

ROOT: Final = Path(__file__).resolve().parents[3]
CASES: Final = ROOT / "tests" / "oracle"
KEPT: Final = ROOT / "docs" / "_build" / "proof"
PROFILES: Final = ("7.2", "4.1")

WHAT: Final = {
    "types": "QOM types: parents, interfaces, whether abstract",
    "properties": "properties of every type: names, types, defaults, order",
    "instances": "devices of many options: their values as the monitor tells them",
    "errors": "options and command lines that QEMU refuses, word for word",
    "pci_config": "PCI configuration space, byte for byte",
    "registers": "sequences of register accesses",
    "datapath": "rings, well-formed and hostile: memory, frames, interrupts",
    "config": "configuration space of the device, failover",
    "hdr": "headers of frames, announcements",
    "hostile": "what a driver must not do",
    "live": "found by random sequences, shrunk",
    "rsc": "receive coalescing",
    "rss": "receive side scaling, hashes",
    "random_command_lines": "command lines made at random",
    "random_instances": "devices of options made at random",
    "random_pci_config": "configuration spaces of options made at random",
}
"""What each file of cases is about, by its name."""


def subject(path: str) -> str:
    """A case file's name without folder and endings."""
    return Path(path).name.partition(".")[0]


def _digest() -> str:
    made = hashlib.sha256()
    for path in [*case_files([CASES]), shipped_deviations(), *sorted((ROOT / "core").rglob("*.py"))]:
        made.update(path.relative_to(ROOT).as_posix().encode() if path.is_relative_to(ROOT) else path.name.encode())
        made.update(path.read_bytes())
    return made.hexdigest()[:24]


@cache
def proof() -> dict[str, Any]:
    """The result by profile: ``files`` (the five numbers each) and ``used`` (differences that each deviation explained).

    Raises RuntimeError when a case differs in a way that is on no list, and for an entry of the list that no case needs.
    """
    kept = KEPT / f"{_digest()}.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text())
        return found
    made = {profile: _run(profile) for profile in PROFILES}
    needless = [name for name in made[PROFILES[0]]["used"] if not any(made[profile]["used"][name] for profile in PROFILES)]
    if needless:
        raise RuntimeError(f"deviations that no case has any more: {', '.join(needless)}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(made, indent=1))
    return made


def _run(profile: str) -> dict[str, Any]:
    report, deviations = Report(), load_deviations()
    run_paths([CASES], Options(profile=profile), deviations, report, lambda _: None)
    total = report.total
    if total.different:
        wrong = next(one for one in report.files if one.different)
        raise RuntimeError(
            f"profile {profile}: {total.different} cases differ from QEMU in a way that is on no list, the first in {wrong.path}: {wrong.different[0][0].case}"
        )
    files = {subject(one.path): one.counts.to_json() for one in report.files}
    return {"files": files, "total": total.to_json(), "used": {one.name: one.used for one in deviations.entries}}


def cases() -> list[Block]:
    """How many cases there are by what they are about, and what came of them in each profile."""
    numbers = proof()
    header = (w("cases of"), w("cases"), *(f"{profile}: {w(what)}" for profile in PROFILES for what in ("equal", "on the list", "skipped")))
    rows = [
        _row(w(WHAT.get(name, name)), counts["cases"], [numbers[profile]["files"][name] for profile in PROFILES])
        for name, counts in numbers["7.2"]["files"].items()
    ]
    rows.append(_row(f"**{w('in all')}**", numbers["7.2"]["total"]["cases"], [numbers[profile]["total"] for profile in PROFILES]))
    return [Table(header, tuple(rows), (34, 9, 10, 9, 10, 10, 9, 9))]


def _row(about: str, count: int, results: list[dict[str, int]]) -> tuple[str, ...]:
    return about, str(count), *(str(one[name]) for one in results for name in ("equal", "deviations", "skipped"))


def deviations() -> list[Block]:
    """The list of deliberate differences: why, and how many differences each explained; then the patterns that find them."""
    entries = load_deviations().entries
    numbers = proof()
    rows = tuple((one.name, one.profile or w("every"), one.why, str(sum(numbers[profile]["used"][one.name] for profile in PROFILES))) for one in entries)
    found = tuple((one.name, "; ".join(f"{name} {code(one.patterns[name].pattern)}" for name in PATTERNS if name in one.patterns)) for one in entries)
    return [
        Table((w("difference"), w("profile"), w("why ours is right"), w("found")), rows, (26, 10, 54, 10)),
        Section(w("How they are recognised"), "fidelity-patterns", (Text(w("patterns words")), Table((w("difference"), w("patterns")), found, (28, 72)))),
    ]
