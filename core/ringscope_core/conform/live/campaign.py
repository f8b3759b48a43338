"""Many random sequences: counted, compared, and shrunk where they differ."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ringscope_core.conform.case import Case, CaseConfig, Op
from ringscope_core.conform.deviations import Deviations
from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.conform.live.layout import layout_of
from ringscope_core.conform.live.option_sets import random_config
from ringscope_core.conform.live.pair import Pair, Places
from ringscope_core.conform.live.qemu_process import qemu_path, qemu_version
from ringscope_core.conform.live.sequence import make_sequence
from ringscope_core.conform.live.shrink import forget_answers, shrink, with_syncs
from ringscope_core.conform.live.tap_shim import compiler
from ringscope_core.conform.outcome import Difference, Outcome
from ringscope_core.conform.target import TargetError
from ringscope_core.scenario.errors import InputError

GROUP: Final = 24
"""Sequences in a row on one board with one netdev."""
SAME_DEVICE: Final = 3
"""Sequences in a row on one device."""
_NUMBERS: Final = re.compile(r"0x[0-9a-f]+|\d+|[0-9a-f]{4,}")
SHRINK_TRIALS: Final = 200


@dataclass
class Found:
    """A difference in its shortest form."""

    signature: str
    case: Case
    differences: list[Difference]
    count: int = 1
    """Sequences that showed it."""
    original: int = 0
    """Operations before it was shrunk."""
    path: Path | None = None


@dataclass
class LiveReport:
    """What was done so far."""

    seed: int
    profile: str
    version: str
    sequences: int = 0
    operations: int = 0
    equal: int = 0
    different: int = 0
    deviations: int = 0
    aborted: int = 0
    """Sequences in which QEMU itself ended."""
    unusable: dict[str, int] = field(default_factory=dict)
    """Sequences that could not be compared, by reason."""
    shaky: int = 0
    """Differences that a fresh QEMU did not show again."""
    seconds: float = 0.0
    found: dict[str, Found] = field(default_factory=dict)

    def add(self, other: LiveReport) -> None:
        """Count what another worker did at the same time."""
        self.sequences += other.sequences
        self.operations += other.operations
        self.equal += other.equal
        self.different += other.different
        self.deviations += other.deviations
        self.aborted += other.aborted
        self.shaky += other.shaky
        self.seconds = max(self.seconds, other.seconds)
        for reason, count in other.unusable.items():
            self.unusable[reason] = self.unusable.get(reason, 0) + count
        for signature, found in other.found.items():
            known = self.found.get(signature)
            if known is None:
                self.found[signature] = dataclasses.replace(found)
            else:
                known.count += found.count

    @property
    def rate(self) -> float:
        """Sequences a second."""
        return self.sequences / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """As an object."""
        skipped = sum(self.unusable.values())
        return {
            "cases": self.sequences,
            "equal": self.equal,
            "different": self.different,
            "deviations": self.deviations,
            "skipped": skipped,
            "files": [],
            "live": {
                "seed": self.seed,
                "profile": self.profile,
                "qemu": self.version,
                "operations": self.operations,
                "aborted": self.aborted,
                "shaky": self.shaky,
                "skipped_because": self.unusable,
                "seconds": round(self.seconds, 1),
                "rate": round(self.rate, 1),
                "found": [
                    {
                        "signature": one.signature,
                        "count": one.count,
                        "differences": [str(difference) for difference in one.differences],
                        "case": one.case.to_json(),
                    }
                    for one in self.found.values()
                ],
            },
        }


@dataclass(frozen=True)
class LiveOptions:
    """What was asked for."""

    count: int
    seed: int
    seconds: float = 0.0
    """Stop after so long, 0 for never."""
    profile: str = ""
    save: Path | None = None
    shrink: bool = True
    start: int = 0
    """Number of the first sequence."""


def signature_of(difference: Difference) -> str:
    """What kind of difference it is, without its numbers."""
    where = re.sub(r"^op \d+ ", "", difference.where)
    where = re.sub(r"^mem .*", "mem", where)
    if where.startswith("final vq"):
        return _NUMBERS.sub("#", where)
    if where.startswith(("stderr", "died", "config", "peer", "stuck")):
        return _NUMBERS.sub("#", f"{where}: {difference.expected} / {difference.got}")[:240]
    return where


class Campaign:
    """Runs sequences one after another."""

    def __init__(self, options: LiveOptions, deviations: Deviations) -> None:
        """Raises InputError when there is no QEMU that a profile describes."""
        if qemu_path() is None:
            raise InputError(
                "--live", "qemu-system-x86_64", "a QEMU in the search path (Debian: apt-get install qemu-system-x86), or the path of one in RINGSCOPE_QEMU"
            )
        version = qemu_version()
        profile = options.profile or next((one for one in ("7.2", "4.1") if version.startswith(one + ".")), "")
        if not profile:
            raise InputError("--live", version or "a QEMU that does not tell its version", "QEMU 7.2 or 4.1, or --profile to compare all the same")
        self.options: LiveOptions = options
        self.deviations: Deviations = deviations
        self.report: LiveReport = LiveReport(options.seed, profile, version)
        self.with_tap: bool = compiler() is not None
        self.pair: Pair = Pair(profile, GROUP)

    def run(self, progress: Callable[[LiveReport], None], worker: int = 0, workers: int = 1) -> None:
        """Until the count or the time is reached, or somebody interrupts; the report is right at any moment.

        Of several workers each does its share of the groups of sequences.
        """
        options, report = self.options, self.report
        begun = time.monotonic()
        try:
            for number in range(options.start, options.start + options.count):
                if number // GROUP % workers != worker:
                    continue
                report.seconds = time.monotonic() - begun
                if options.seconds and report.seconds >= options.seconds:
                    return
                self._one(number)
                report.seconds = time.monotonic() - begun
                progress(report)
        finally:
            report.seconds = time.monotonic() - begun
            self.pair.close()

    def config(self, number: int) -> CaseConfig:
        """The device of a sequence."""
        seed = self.options.seed
        board = random.Random(f"board-{seed}-{number // GROUP}")
        return random_config(board, random.Random(f"device-{seed}-{number // SAME_DEVICE}"), self.report.profile, self.with_tap)

    def _one(self, number: int) -> None:
        report = self.report
        config = self.config(number)
        report.sequences += 1
        try:
            layout = layout_of(config, report.profile)
        except TargetError as error:
            self._refused(config, str(error))
            return
        plan = make_sequence(self.options.seed, number, config, layout)
        places = Places(layout.isr_at, layout.status_at)
        report.operations += len(plan.ops)
        try:
            case = self.pair.record(plan.name, config, places, plan.ops)
            if (number + 1) % GROUP and number + 1 < self.options.start + self.options.count:
                self.pair.prepare(self.config(number + 1))
            outcome = self.pair.compare(case)
            if not self._is_different(case, outcome):
                return
            # a process that ran other sequences before may be at fault
            case = self.pair.record(plan.name, config, places, plan.ops, fresh=True)
        except HarnessError as error:
            self._skip(str(error))
            return
        except TargetError as error:
            self._count_difference(Case(plan.name, config, [], {}), [Difference("config", f"QEMU refuses: {error}", "the device is made")], 0)
            return
        outcome = self.pair.compare(case)
        unlisted = self.deviations.unlisted(outcome, "live", report.profile)
        if not unlisted:
            report.shaky += 1
            report.equal += 1
            return
        signature = signature_of(unlisted[0])
        if self.options.shrink and signature not in report.found:
            original = len(case.ops)
            case, unlisted = self._shrunk(case, places, unlisted, signature)
            self._count_difference(case, unlisted, original, signature)
        else:
            self._count_difference(case, unlisted, len(case.ops), signature)

    def _is_different(self, case: Case, outcome: Outcome) -> bool:
        """Count an equal one, or one that is on the list; otherwise True."""
        report = self.report
        report.aborted += case.died
        if not outcome.differences:
            report.equal += 1
            return False
        if self.deviations.unlisted(outcome, "live", report.profile):
            return True
        report.deviations += 1
        return False

    def _skip(self, reason: str) -> None:
        reason = _NUMBERS.sub("#", reason)[:100]
        self.report.unusable[reason] = self.report.unusable.get(reason, 0) + 1

    def _refused(self, config: CaseConfig, reason: str) -> None:
        """Ours refuses the device: QEMU must too, and for the same reason."""
        nowhere = Places((0, 0x13), (0, 0x12))
        try:
            self.pair.record("refused", config, nowhere, [], fresh=True)
        except HarnessError as error:
            self._skip(str(error))
            return
        except TargetError as error:
            if reason.split(": ", 1)[-1] in str(error):
                self.report.equal += 1
            else:
                self._count_difference(Case("refused", config, [], {}), [Difference("config", str(error), reason)], 0)
            return
        self._count_difference(Case("refused", config, [], {}), [Difference("config", "QEMU makes the device", reason)], 0)

    def _count_difference(self, case: Case, differences: list[Difference], original: int, signature: str = "") -> None:
        report = self.report
        report.different += 1
        signature = signature or signature_of(differences[0])
        known = report.found.get(signature)
        if known is not None:
            known.count += 1
            return
        found = Found(signature, case, differences, original=original)
        report.found[signature] = found
        if self.options.save is not None:
            found.path = save_case(self.options.save, case, report.version)

    def _shrunk(self, case: Case, places: Places, differences: list[Difference], signature: str) -> tuple[Case, list[Difference]]:
        best: list[tuple[Case, list[Difference]]] = [(case, differences)]

        def still_differs(ops: list[Op]) -> bool:
            try:
                again = self.pair.record(case.id, case.config, places, with_syncs(forget_answers(ops)), fresh=True)
            except (HarnessError, TargetError):
                return False
            unlisted = self.deviations.unlisted(self.pair.compare(again), "live", self.report.profile)
            if any(signature_of(one) == signature for one in unlisted):
                best.append((again, unlisted))
                return True
            return False

        shrink(forget_answers(case.ops), still_differs, SHRINK_TRIALS)
        return best[-1]


def save_case(folder: Path, case: Case, version: str) -> Path:
    """Write a case file that `conform` reads; raises InputError when it cannot be written."""
    path = folder / f"{case.id}.json"
    named = dataclasses.replace(case, title=case.title or "found by --live")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"head": {"format": "oracle-live-1", "qemu": version}, "cases": [named.to_json()]}, indent=1) + "\n")
    except OSError as error:
        raise InputError("--save", str(folder), f"a directory that can be written: {error.strerror}") from None
    return path
