"""Whether a session says the same thing twice: folds all events and compares with every keyframe, and checks the rest.

A keyframe is made from the machine itself, never from the fold, so that both agree proves recorder, events and fold at once.  Long
sessions are checked in pieces that begin at keyframes, by several processes.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from ringscope_core.query.event_check import EventCheck, Finding
from ringscope_core.query.recording import Recording
from ringscope_core.query.state_diff import state_diff
from ringscope_core.query.verify_tables import check_counters, check_packets, check_places
from ringscope_core.session.condense import fold_events
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rows import Events
from ringscope_core.session.salvage import open_whole
from ringscope_core.trace.kinds import EV_DROPPED, EV_SAMPLE, EV_TRACE_LEVEL
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.state import MachineState

PIECE_EVENTS: Final = 1 << 20
"""One piece of work; a second or less."""
PARALLEL_EVENTS: Final = 4 << 20
"""A session of fewer events is checked in this process."""
_SPAN: Final = 65536
_LISTED: Final = 50
"""Findings that are kept; all are counted."""

Progress = Callable[[int, int], bool]
"""Called with events done and events in all; false cancels."""


@dataclass
class Report:
    """What `verify` saw.  `findings` holds the first ones in order, `wrong` counts all; `complete` is false when it was cancelled."""

    events: int = 0
    keyframes: int = 0
    compared: int = 0
    """Keyframes that were compared with the fold."""
    not_compared: Counter[str] = field(default_factory=Counter)
    """Keyframes that no fold reaches, by reason."""
    packets: int = 0
    samples: int = 0
    lost_events: int = 0
    """Numbers that are missing and said to be."""
    findings: list[Finding] = field(default_factory=list)
    wrong: int = 0
    complete: bool = True
    wall_s: float = 0.0

    @property
    def equal(self) -> bool:
        """Nothing wrong was found."""
        return self.wrong == 0

    def add(self, finding: Finding) -> None:
        """Keep or count a finding."""
        self.wrong += 1
        if len(self.findings) < _LISTED:
            self.findings.append(finding)

    def take(self, other: Report) -> None:
        """Add a piece's report to this one."""
        for name in ("events", "keyframes", "compared", "packets", "samples", "lost_events"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.not_compared.update(other.not_compared)
        self.wrong += other.wrong
        self.findings = sorted([*self.findings, *other.findings], key=lambda found: found.seq)[:_LISTED]


def verify(path: str | Path, *, jobs: int = 0, progress: Progress | None = None) -> Report:
    """Check the session at `path` with `jobs` processes (0: as many as help).  SessionError when it cannot even be opened."""
    began = time.monotonic()
    with open_whole(path) as reader:
        report = Report()
        pieces = list(_pieces(reader))
        total = reader.event_count
        workers = jobs or (1 if total < PARALLEL_EVENTS else min(os.cpu_count() or 1, 4))
        for finding in [*check_places(reader), *_lost_start(reader, report)]:
            report.add(finding)
        if workers > 1 and len(pieces) > 1:
            _spread(reader.path, pieces, workers, total, report, progress)
        else:
            _in_turn(reader, pieces, total, report, progress)
        if report.complete:
            _check_tables(reader, report)
    report.findings.sort(key=lambda found: found.seq)
    report.wall_s = time.monotonic() - began
    return report


def _check_tables(reader: SessionReader, report: Report) -> None:
    for finding in check_counters(reader):
        report.add(finding)
    for finding in check_packets(reader):
        report.add(finding)
    report.packets = reader.packet_count
    report.samples = reader.sample_count


def _pieces(reader: SessionReader) -> Iterator[tuple[int, int]]:
    """(first, last) numbers of pieces; all but the first begin after a keyframe."""
    if not reader.event_count:
        return
    seqs = reader.keyframes()["seq"]
    first, end = min(reader.first_seq, int(seqs[0]) + 1 if len(seqs) else reader.first_seq), reader.last_seq
    while first <= end:
        place = int(np.searchsorted(seqs, first + PIECE_EVENTS))
        last = int(seqs[place]) if place < len(seqs) else end
        yield first, min(max(last, first), end)
        first = max(last, first) + 1


def _in_turn(reader: SessionReader, pieces: list[tuple[int, int]], total: int, report: Report, progress: Progress | None) -> None:
    recording = Recording(reader)
    for first, last in pieces:
        report.take(_Piece(recording, first, last).report)
        if progress is not None and not progress(report.events, total):
            report.complete = False
            return


def _spread(path: Path, pieces: list[tuple[int, int]], workers: int, total: int, report: Report, progress: Progress | None) -> None:
    """The pieces in processes of their own; spawned, for a fork would copy threads and open databases."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _open_in_worker, (str(path),)) as pool:
        left: set[Future[Report]] = {pool.submit(_check_in_worker, first, last) for first, last in pieces}
        try:
            while left:
                done, left = wait(left, timeout=0.5, return_when=FIRST_COMPLETED)
                for one in done:
                    report.take(one.result())
                if progress is not None and not progress(report.events, total):
                    report.complete = False
                    return
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_RECORDING: list[Recording] = []
"""A worker's own."""


def _open_in_worker(path: str) -> None:
    _RECORDING.append(Recording(SessionReader(path)))


def _check_in_worker(first: int, last: int) -> Report:
    return _Piece(_RECORDING[0], first, last).report


class _Piece:
    """Events `first` to `last`, and the keyframes from the one before them to the last among them."""

    def __init__(self, recording: Recording, first: int, last: int) -> None:
        self._recording = recording
        self._reader = recording.reader
        self._checks = EventCheck(recording)
        self.report: Report = Report()
        self._state: MachineState | None = MachineState() if first == 0 else None
        """What the events so far fold to; None where that is not known."""
        self._why = "" if first == 0 else "the events before it are lost"
        self._expected = first
        seqs = self._reader.keyframes()["seq"]
        low, high = int(np.searchsorted(seqs, first - 1)), int(np.searchsorted(seqs, last, "right"))
        places = [int(seq) for seq in seqs[low:high]]
        if places and places[0] == first - 1:
            # the comparing belongs to the piece before; the first keyframe of all has none
            self._begin_at(places.pop(0), counted=low == 0)
        self._check_events(first, last)
        start = first
        for seq in places:
            self._stretch(start, seq)
            self._keyframe(seq)
            start = seq + 1
        self._stretch(start, last)

    def _check_events(self, first: int, last: int) -> None:
        """What holds of each event; many at a time, for keyframes may lie close together."""
        for start in range(first, last + 1, _SPAN):
            with suppress(SessionError):
                # what cannot be read is reported when it is folded
                for finding in self._checks.check(self._reader.events(start, min(start + _SPAN - 1, last))):
                    self.report.add(finding)

    def _begin_at(self, seq: int, counted: bool) -> None:
        """Fold on from this keyframe."""
        state = self._load(seq)
        if counted:
            self.report.keyframes += 1
            self.report.not_compared["no event before it"] += 1
        self._restart(state)

    def _load(self, seq: int) -> MachineState | None:
        try:
            return self._reader.keyframe_state(seq)
        except SessionError as error:
            self.report.add(Finding("keyframes", seq, f"keyframe after event {seq}: {error.reason}"))
            return None

    def _restart(self, told: MachineState | None) -> None:
        """Go on folding from what the machine told."""
        full = told is not None and told.level == LEVEL_FULL
        self._state = told if full else None
        self._why = "" if full else "the keyframe before it is damaged" if told is None else "below trace level full"

    def _keyframe(self, seq: int) -> None:
        self.report.keyframes += 1
        told = self._load(seq)
        folded = self._state
        if told is not None and folded is not None and told.level == LEVEL_FULL:
            self.report.compared += 1
            self._compare(folded, told, seq)
        elif told is not None:
            self.report.not_compared[self._why or "below trace level full"] += 1
        self._restart(told)

    def _compare(self, folded: MachineState, told: MachineState, seq: int) -> None:
        if told.vt < folded.vt:
            self.report.add(Finding("keyframes", seq, f"keyframe after event {seq}: its time {told.vt} ns lies before its last event's, {folded.vt} ns"))
        if _form(folded) == _form(told):
            return
        different = state_diff(self._recording, folded, told)
        if different:
            first = different[0]
            more = f" ({len(different) - 1} more differences)" if len(different) > 1 else ""
            words = f"{first.where}: the events say {first.old}, the machine said {first.new}{more}"
            self.report.add(Finding("keyframes", seq, f"keyframe after event {seq}: {words}"))
        else:
            self.report.add(Finding("keyframes", seq, f"keyframe after event {seq}: the events fold to another state"))

    def _stretch(self, first: int, last: int) -> None:
        """Check and fold events `first` to `last`."""
        for start in range(first, last + 1, _SPAN):
            stop = min(start + _SPAN - 1, last)
            try:
                rows = self._reader.events(start, stop)
            except SessionError as error:
                self.report.add(Finding("blocks", start, f"events {start} to {stop}: {error.reason}"))
                self._state, self._why, self._expected = None, "the events before it are damaged", stop + 1
                continue
            for part in _runs(rows):
                self._part(part)
        if self._expected <= last:
            self._missing(self._expected, last, None)
            self._expected = last + 1

    def _part(self, rows: Events) -> None:
        """Consecutive events."""
        first = int(rows["seq"][0])
        if first > self._expected:
            self._missing(self._expected, first - 1, rows[0])
        self._expected = int(rows["seq"][-1]) + 1
        self.report.events += len(rows)
        if self._state is None:
            return
        if np.isin(rows["kind"], (int(EV_SAMPLE), int(EV_TRACE_LEVEL))).any():
            self._state, self._why = None, "below trace level full"
            return
        try:
            fold_events(self._state, rows)
        except (ValueError, IndexError, KeyError, OverflowError) as error:
            self.report.add(Finding("fold", first, f"events {first} to {int(rows['seq'][-1])} cannot be folded ({error})"))
            self._state, self._why = None, "the events before it cannot be folded"

    def _missing(self, first: int, last: int, after: Any) -> None:
        """Numbers without events: said to be lost by a gap, or by the event that ends it; or wrong."""
        self._state, self._why = None, "events before it were lost"
        said = 0 if after is None or int(after["kind"]) != EV_DROPPED else int(after["a0"])
        if said == last - first + 1 or _declared(self._reader, first, last):
            self.report.lost_events += last - first + 1
        else:
            self.report.add(Finding("blocks", first, f"events {first} to {last} are missing, and no loss is declared"))


def _form(state: MachineState) -> dict[str, Any]:
    """A state without its two clocks: an event knows when it happened, a keyframe when it was made."""
    plain = state.comparable()
    del plain["vt"], plain["wall"]
    return plain


def _runs(rows: Events) -> Iterator[Events]:
    """Pieces without a gap."""
    breaks = np.flatnonzero(np.diff(rows["seq"]) != 1) + 1
    for part in np.split(rows, breaks):
        if len(part):
            yield part


def _declared(reader: SessionReader, first: int, last: int) -> bool:
    """Whether gaps, one or several, cover the numbers `first` to `last`."""
    for gap in sorted(reader.gaps(), key=lambda gap: gap.first_seq):
        if gap.first_seq <= first <= gap.last_seq:
            first = gap.last_seq + 1
    return first > last


def _lost_start(reader: SessionReader, report: Report) -> Iterator[Finding]:
    """A flight recorder lets go of the oldest events, and says so."""
    first = reader.first_seq
    if first <= 0:
        return
    if _declared(reader, 0, first - 1):
        report.lost_events += first
    else:
        yield Finding("blocks", 0, f"events 0 to {first - 1} are missing, and no loss is declared")
