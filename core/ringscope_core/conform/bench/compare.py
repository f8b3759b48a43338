"""Both sides in one run: rounds of QEMU and of ours take turns, so that noise of the computer hits both."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from ringscope_core.conform.bench.case import Case
from ringscope_core.conform.bench.ours import OurSide
from ringscope_core.conform.bench.qemu import QemuSide

CHUNKS: Final = 4
"""Turns of each side in a repetition."""
_WARM: Final = 20


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    repetitions: int = 5
    """Each on a fresh QEMU process and a fresh machine of ours."""
    rounds: int = 200
    """Batches a side in each repetition."""


QUICK: Final = Effort(2, 60)


@dataclass(frozen=True)
class Cost:
    """ns a packet: the best round, and the median over the repetitions' medians."""

    best_ns: float
    median_ns: float


@dataclass(frozen=True)
class Comparison:
    """What one case costs QEMU and us."""

    case: Case
    qemu: Cost
    ours: Cost

    @property
    def best_ratio(self) -> float:
        """Ours over QEMU's, best rounds."""
        return self.ours.best_ns / self.qemu.best_ns

    @property
    def median_ratio(self) -> float:
        """Ours over QEMU's, medians."""
        return self.ours.median_ns / self.qemu.median_ns


@dataclass(frozen=True)
class TraceCost:
    """What tracing adds to a packet: QEMU's own events to a log file, ours at level full to a file."""

    case: Case
    qemu_off: Cost
    qemu_on: Cost
    ours_off: Cost
    ours_on: Cost

    @property
    def qemu_extra_ns(self) -> float:
        """What QEMU's tracing adds, by the best rounds."""
        return self.qemu_on.best_ns - self.qemu_off.best_ns

    @property
    def ours_extra_ns(self) -> float:
        """What our tracing adds, by the best rounds."""
        return self.ours_on.best_ns - self.ours_off.best_ns


class _Samples:
    """The rounds of one side: of frames delivered, and where that is subtracted of frames filtered."""

    def __init__(self) -> None:
        self._rounds: list[list[float]] = []
        self._filtered: list[list[float]] = []

    def next_repetition(self) -> None:
        self._rounds.append([])
        self._filtered.append([])

    def take(self, side: QemuSide | OurSide, rounds: int) -> None:
        """Measure `rounds` batches."""
        subtract = side.case.direction == "rx"
        for _ in range(rounds):
            self._rounds[-1].append(side.round())
            if subtract:
                self._filtered[-1].append(side.filtered_round())

    def cost(self) -> Cost:
        """Best and median."""
        best, medians = math.inf, []
        for rounds, filtered in zip(self._rounds, self._filtered, strict=True):
            seen = [ns for ns in rounds if not math.isnan(ns)] or [math.nan]
            less = [ns for ns in filtered if not math.isnan(ns)]
            best = min(best, min(seen) - (min(less) if less else 0.0))
            medians.append(statistics.median(seen) - (statistics.median(less) if less else 0.0))
        usable = [ns for ns in medians if not math.isnan(ns)]
        return Cost(best, statistics.median(usable) if usable else math.nan)


def processors() -> tuple[int | None, int | None]:
    """The processor that both devices run on, and the one QEMU is watched from; None when there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def _pin(cpu: int | None) -> None:
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})


def _take_turns(sides: list[tuple[QemuSide | OurSide, _Samples]], rounds: int) -> None:
    device, watcher = processors_of_run()
    for place in range(-1, CHUNKS):
        for side, samples in sides:
            _pin(watcher if isinstance(side, QemuSide) else device)
            if place < 0:
                for _ in range(_WARM):
                    side.round()
            else:
                samples.take(side, rounds // CHUNKS or 1)


_PROCESSORS: Final[list[tuple[int | None, int | None]]] = []


def processors_of_run() -> tuple[int | None, int | None]:
    """`processors`, asked once: measuring narrows what this process may use."""
    if not _PROCESSORS:
        _PROCESSORS.append(processors())
    return _PROCESSORS[0]


def _measure(make: list[Callable[[], QemuSide | OurSide]], effort: Effort) -> list[Cost]:
    """The cost of each side, all taking turns."""
    allowed = os.sched_getaffinity(0)
    samples = [_Samples() for _ in make]
    try:
        for _ in range(effort.repetitions):
            sides: list[tuple[QemuSide | OurSide, _Samples]] = []
            try:
                for one, sample in zip(make, samples, strict=True):
                    sample.next_repetition()
                    sides.append((one(), sample))
                _take_turns(sides, effort.rounds)
            finally:
                for side, _ in sides:
                    side.close()
                os.sched_setaffinity(0, allowed)
    finally:
        os.sched_setaffinity(0, allowed)
    return [sample.cost() for sample in samples]


def compare(cases: list[Case], effort: Effort) -> Iterator[Comparison]:
    """Each case on both sides."""
    device, _ = processors_of_run()
    for case in cases:
        make: list[Callable[[], QemuSide | OurSide]] = [partial(QemuSide, case, device), partial(OurSide, case)]
        qemu, ours = _measure(make, effort)
        yield Comparison(case, qemu, ours)


def compare_traces(cases: list[Case], effort: Effort) -> Iterator[TraceCost]:
    """Each case on both sides without and with tracing."""
    device, _ = processors_of_run()
    for case in cases:
        make: list[Callable[[], QemuSide | OurSide]] = [
            partial(QemuSide, case, device),
            partial(QemuSide, case, device, trace=True),
            partial(OurSide, case),
            partial(OurSide, case, trace=True),
        ]
        yield TraceCost(case, *_measure(make, effort))
