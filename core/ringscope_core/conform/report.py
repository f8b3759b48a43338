"""Replaying files of cases: what is counted, and what is kept of what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ringscope_core.conform.case import Case
from ringscope_core.conform.case_file import CaseFile, UnknownForm, read_case_file
from ringscope_core.conform.deviations import Deviations
from ringscope_core.conform.machine_target import MachineTarget
from ringscope_core.conform.outcome import Difference, Outcome
from ringscope_core.conform.replay import replay
from ringscope_core.conform.static_files import static_cases, static_run
from ringscope_core.conform.static_machine import NEWER_PROPERTIES
from ringscope_core.qom.profile import ALIASES, MACHINES, PROFILE_4_1
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.levels import LEVEL_COUNTERS

SUFFIXES: Final = (".json", ".json.gz", ".jsonl", ".jsonl.gz")
"""What is looked for in a directory."""


@dataclass
class Counts:
    """The five numbers."""

    cases: int = 0
    equal: int = 0
    different: int = 0
    deviations: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        """Count `other`'s too."""
        self.cases += other.cases
        self.equal += other.equal
        self.different += other.different
        self.deviations += other.deviations
        self.skipped += other.skipped

    def to_json(self) -> dict[str, int]:
        """As an object."""
        return {"cases": self.cases, "equal": self.equal, "different": self.different, "deviations": self.deviations, "skipped": self.skipped}


@dataclass
class FileReport:
    """One file's result."""

    path: str
    counts: Counts = field(default_factory=Counts)
    reasons: dict[str, int] = field(default_factory=dict)
    """Why cases were skipped."""
    different: list[tuple[Outcome, list[Difference]]] = field(default_factory=list)
    """Cases with differences that are not listed."""
    listed: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    profile: str = ""
    """Force this one, "" for that of the QEMU that recorded a case."""
    only: str = ""
    """Only cases with this text in id, family or title."""
    level: int = int(LEVEL_COUNTERS)
    """How much our machine traces while it is compared."""


def case_files(paths: list[Path]) -> list[Path]:
    """The files of `paths`: those named, and those in the directories named."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.is_file() and one.name.endswith(SUFFIXES))
            if not inside:
                raise InputError("path", str(path), f"a directory with files {', '.join(SUFFIXES)}")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputError("path", str(path), "a file or directory that exists")
    return found


def why_not(case: Case, profile: str) -> str:
    """Why `profile` cannot run `case`, "" when it can."""
    if case.since and _release(case.since) > _release(profile):
        return f"needs QEMU {case.since}, and the profile is {profile}"
    if case.config.machine not in MACHINES[profile] and case.config.machine not in ALIASES:
        return f"profile {profile} has no machine {case.config.machine}"
    if profile == PROFILE_4_1:
        newer = [name for name in case.config.props if name in NEWER_PROPERTIES]
        if newer:
            return f"{newer[0]} came after QEMU 4.1"
    return ""


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def run_case(case: Case, profile: str, level: int = int(LEVEL_COUNTERS)) -> Outcome:
    """One case on our machine, of `profile`."""
    reason = why_not(case, profile)
    if reason:
        return Outcome(case.id, case.title, skipped=reason)
    return replay(case, lambda config: MachineTarget(config, profile, level))


def outcomes(file: CaseFile, options: Options) -> Iterator[tuple[str, str, Callable[[], Outcome]]]:
    """Every case of a file: its name, its family, and what runs it."""
    profile = options.profile or file.profile
    form = file.static
    if form is not None:
        for name in static_cases(form, file.path, file.data):
            if options.only in name:
                yield name, "", lambda name=name: static_run(form, file.path, file.data, name, profile)  # type: ignore[misc]
        return
    for case in file.cases:
        if any(options.only in text for text in (case.id, case.family, case.title)):
            yield case.id, case.family, lambda case=case: run_case(case, profile, options.level)  # type: ignore[misc]


def run_file(file: CaseFile, options: Options, deviations: Deviations, report: FileReport, progress: Callable[[FileReport], None]) -> None:
    """Replay every case of `file` into `report`, which is right after each one."""
    profile = options.profile or file.profile
    for _, family, run in outcomes(file, options):
        outcome = run()
        counts = report.counts
        counts.cases += 1
        if outcome.skipped:
            counts.skipped += 1
            report.reasons[outcome.skipped] = report.reasons.get(outcome.skipped, 0) + 1
        elif not outcome.differences:
            counts.equal += 1
        else:
            unlisted = deviations.unlisted(outcome, family, profile)
            if unlisted:
                counts.different += 1
                report.different.append((outcome, unlisted))
            else:
                counts.deviations += 1
                report.listed.append(outcome)
        progress(report)


@dataclass
class Report:
    """All files' results."""

    files: list[FileReport] = field(default_factory=list)
    profiles: set[str] = field(default_factory=set)

    @property
    def total(self) -> Counts:
        """All files together."""
        total = Counts()
        for one in self.files:
            total.add(one.counts)
        return total

    def to_json(self) -> dict[str, Any]:
        """The five numbers in all, and the same for each file."""
        return {
            **self.total.to_json(),
            "files": [
                {
                    "path": one.path,
                    **one.counts.to_json(),
                    "skipped_because": one.reasons,
                    "different_cases": [
                        {"case": outcome.case, "title": outcome.title, "differences": [str(difference) for difference in found]}
                        for outcome, found in one.different
                    ],
                    "deviation_cases": [outcome.case for outcome in one.listed],
                }
                for one in self.files
            ],
        }


def run_paths(paths: list[Path], options: Options, deviations: Deviations, report: Report, progress: Callable[[FileReport], None]) -> None:
    """Replay everything below `paths` into `report`; raises InputError before anything ran when a file is no case file."""
    files: list[CaseFile] = []
    for path in case_files(paths):
        try:
            files.append(read_case_file(path))
        except UnknownForm as error:
            if path in paths:
                raise
            # in a directory other documents may lie beside the cases
            report.files.append(FileReport(str(path), Counts(cases=1, skipped=1), {f"not a case file: {error.allowed} is needed": 1}))
    for file in files:
        one = FileReport(file.path)
        report.files.append(one)
        report.profiles.add(options.profile or file.profile)
        run_file(file, options, deviations, one, progress)
