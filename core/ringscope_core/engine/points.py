"""The breakpoints of a run: changed by the control thread, matched in the run's.

What no breakpoint wants is sorted out in native code (`EventLog.wanted_kinds`, `wanted_firsts`); what is left comes here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from typing import Final, NamedTuple

from ringscope_core.engine.words import LiveVocabulary
from ringscope_core.query.breakpoints import Bound, Breakpoint, Message, parse_breakpoint
from ringscope_core.query.matching import ENDS_OF_TIME, FIELD
from ringscope_core.query.names_at import CHILD, NEW
from ringscope_core.query.row_filter import A0, KIND, OBJ, SEQ, VT, Row
from ringscope_core.query.writes import value_in
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.log import KINDS_MOST, WANT_ALL, WANT_FIRST, WANT_NONE, EventLog
from ringscope_core.trace.state import MachineState

MOST_POINTS: Final = 1000
"""Breakpoints that a run may have."""
_RESTARTS: Final = ("what", "where", "condition", "oid", "enabled", "ignore", "every")
"""What, changed, has the matches counted from now on."""

Said = Callable[[int, int, Breakpoint, str], None]
"""Takes (seq, virtual ns, breakpoint, text) of a message."""


class Wants(NamedTuple):
    """What the breakpoints want to see, as `EventLog` takes it."""

    kinds: bytes
    firsts: bytes


NOTHING_WANTED: Final = Wants(bytes([WANT_NONE]) * KINDS_MOST, b"")
"""A kind looked up in it is always there: the run's thread may look while the control thread changes what is wanted."""


class _Live:
    """A breakpoint at work in the run's thread."""

    def __init__(self, bound: Bound) -> None:
        self.bound: Bound = bound
        self.message: Message | None = Message(bound.point.log, bound) if bound.point.log else None
        self.values: dict[int, int] = {}
        """Object -> the watched value, where it is known."""
        self.old: int = 0
        """The value before the last write looked at."""

    def old_of(self, bound: Bound, row: Row) -> int:
        """The value before a write, remembered from the last one."""
        oid = row[OBJ]
        self.old = row[A0 + 2] if row[KIND] == FIELD else self.values.get(oid, 0)
        new = bound.written(row)
        if new is not None:
            self.values[oid] = new
        return self.old


class PointTable:
    """All breakpoints of a run.  The methods above the line may be called from any thread."""

    def __init__(self, log: EventLog) -> None:
        self._log: EventLog = log
        self.vocabulary: LiveVocabulary = LiveVocabulary(log)
        self.state_of: Callable[[], MachineState | None] = lambda: None
        """The machine's state at present, for values that were there before a watch was set; may be unknown."""
        self.said: Said | None = None
        """Hears what breakpoints with a message say, in the run's thread."""
        self.changed: Callable[[list[dict[str, object]]], None] | None = None
        """Hears of every change: the plain forms of all breakpoints."""
        self.armed: Callable[[], None] = lambda: None
        """Called when there is something to take up."""
        self.points: tuple[Breakpoint, ...] = ()
        self.stale: bool = False
        """The run's thread has to take up changes."""
        self.time_due: int = ENDS_OF_TIME
        """Virtual time of the next breakpoint on a time."""
        self._lock: threading.RLock = threading.RLock()
        self._next: int = 1
        self._momentary: count[int] = count(-1, -1)
        self._told: int = 0
        """All matches when the breakpoints were last told."""
        self._fresh: set[int] = set()
        """Breakpoints whose matches count from the next event on."""
        self._ordinals: dict[int, int] = {}
        """Breakpoint -> matches since it counts."""
        self._live: list[_Live] = []
        self._by_kind: dict[int, list[_Live]] = {}
        self._late: list[tuple[_Live, Row]] = []
        self._named: bool = False
        self._spent: set[int] = set()
        """Breakpoints on a time that has come."""

    # -- any thread ---------------------------------------------------------------------------------------------------
    def add(self, plain: object, momentary: bool = False) -> Breakpoint:
        """Set a breakpoint from its plain form; gives it a number of its own.  Raises InputError.

        A `momentary` one is gone at the next stop, whatever stops: nobody lists it, and its number is below 0.
        """
        point = parse_breakpoint(plain, self.vocabulary)
        with self._lock:
            if len(self.points) >= MOST_POINTS:
                raise InputError("breakpoint", point.title(), f"at most {MOST_POINTS} breakpoints")
            point = replace(point, id=next(self._momentary) if momentary else self._next, hits=0, since=int(self._log.seq))
            self._next += not momentary
            self._put((*self.points, point), point)
        return point

    def restore(self, specs: Iterable[object]) -> None:
        """Set the breakpoints of another run, with their numbers, to be counted anew.  Raises InputError."""
        points = [parse_breakpoint(plain, self.vocabulary) for plain in specs]
        with self._lock:
            for point in points[:MOST_POINTS]:
                number = max(point.id, self._next)
                fresh = replace(point, id=number, hits=0, since=int(self._log.seq))
                self._next = number + 1
                self._put((*self.points, fresh), fresh)

    def update(self, number: int, plain: dict[str, object]) -> Breakpoint | None:
        """Change some of a breakpoint's fields; None when there is none of that number.  Raises InputError."""
        with self._lock:
            found = next((point for point in self.points if point.id == number), None)
            if found is None:
                return None
            for name in ("hits", "since"):
                if name in plain:
                    raise InputError("breakpoint", name, "what the run itself does not count")
            point = parse_breakpoint({**found.to_plain(), **plain, "id": number}, self.vocabulary)
            restart = any(getattr(point, name) != getattr(found, name) for name in _RESTARTS)
            if restart:
                point.since = int(self._log.seq)
            self._put(tuple(point if old is found else old for old in self.points), point if restart else None)
        return point

    def remove(self, number: int) -> bool:
        """Remove one; false when there is none of that number."""
        with self._lock:
            left = tuple(point for point in self.points if point.id != number)
            if len(left) == len(self.points):
                return False
            self._put(left, None)
        return True

    def clear(self) -> None:
        """Remove all, without telling anybody."""
        with self._lock:
            self.points, self.stale = (), True

    def to_plain(self) -> list[dict[str, object]]:
        """All breakpoints that have a number, with their hits so far."""
        with self._lock:
            return [point.to_plain() for point in self.points if point.id > 0]

    @property
    def enabled(self) -> bool:
        """Whether any breakpoint is to be looked at."""
        return any(point.enabled for point in self.points)

    def _put(self, points: tuple[Breakpoint, ...], fresh: Breakpoint | None) -> None:
        self.points = points
        if fresh is not None:
            self._fresh.add(fresh.id)
        self.stale = True
        self.armed()
        self._tell()

    def _tell(self) -> None:
        if self.changed is not None:
            self._told = self._hits()
            self.changed(self.to_plain())

    def _hits(self) -> int:
        return sum(point.hits for point in self.points)

    def tell_counts(self) -> None:
        """Tell who hears of changes when something was counted since."""
        if self._hits() != self._told:
            self._tell()

    # ------------------------------------------------------------------------------------------------------------------
    # -- the run's thread ---------------------------------------------------------------------------------------------
    def take_up(self, seq: int, vt: int) -> Wants:
        """Heed changes before event `seq` is looked at (the next one, between events)."""
        with self._lock:
            self.stale = False
            before = {live.bound.point.id: live for live in self._live}
            self._live = []
            for point in self.points:
                if point.id in self._fresh:
                    point.since = seq
                    self._ordinals[point.id] = 0
                    self._spent.discard(point.id)
                    before.pop(point.id, None)
                    if point.what == "time" and Bound(point, self.vocabulary).vt <= vt:
                        self._spent.add(point.id)
                if not point.enabled:
                    continue
                live = _Live(Bound(point, self.vocabulary))
                former = before.get(point.id)
                live.values = former.values if former is not None else live.values
                self._live.append(live)
            fresh, self._fresh = self._fresh, set()
        self._learn(fresh)
        self._set_time()
        return self._wants()

    def _learn(self, fresh: set[int]) -> None:
        """Names as they are now, and the values of what is watched from now on."""
        self._named = any(live.bound.uses_names or live.message is not None for live in self._live)
        if self._named:
            self.vocabulary.refresh()
        new = [live for live in self._live if live.bound.name and live.bound.writes and live.bound.point.id in fresh]
        state = self.state_of() if new else None
        for live in new if state is not None else ():
            assert state is not None
            for oid in {*state.fields, *state.rings, *state.objects, 0}:
                live.values[oid] = value_in(state, live.bound.name, live.bound.field_id, oid)

    def _set_time(self) -> None:
        due = (live.bound.vt for live in self._live if live.bound.vt >= 0 and live.bound.point.id not in self._spent)
        self.time_due = min(due, default=ENDS_OF_TIME)

    def _wants(self) -> Wants:
        self._by_kind = {}
        kinds = bytearray([WANT_NONE]) * KINDS_MOST
        firsts: set[int] = set()
        for live in self._live:
            bound = live.bound
            for kind in bound.kinds:
                self._by_kind.setdefault(kind, []).append(live)
                by_first = bound.firsts is not None or (kind == FIELD and bound.name)
                kinds[kind] = WANT_FIRST if by_first and kinds[kind] != WANT_ALL else WANT_ALL
            firsts |= bound.firsts or set()
            if bound.name and bound.field_id >= 0:
                firsts.add(bound.field_id)
        if self._named:
            kinds[NEW] = kinds[CHILD] = WANT_ALL
            if kinds[FIELD] == WANT_NONE:
                kinds[FIELD] = WANT_FIRST
            firsts.add(self.vocabulary.names.pairs_field)
        table = bytearray(max(firsts, default=-1) + 1)
        for first in firsts:
            if first >= 0:
                table[first] = 1
        return Wants(bytes(kinds), bytes(table))

    @property
    def waits(self) -> bool:
        """Whether a breakpoint stops at the next event, whatever it is."""
        return bool(self._late)

    def match(self, row: Row) -> Breakpoint | None:
        """Count an event and say what is to be said of it; returns the breakpoint that stops the run there, the first of several."""
        if self._named:
            self.vocabulary.names.take(row[KIND], row[OBJ], row[A0], row[A0 + 1], self._log.strings.texts)
        found: list[tuple[_Live, Row]] = self._late
        self._late = []
        for live in self._by_kind.get(row[KIND], ()):
            if live.bound.matches(row, live.old_of):
                (self._late if live.bound.is_late(row) else found).append((live, row))
        return self._counted(found, row[SEQ], row[VT]) if found else None

    def time_came(self, seq: int, vt: int) -> Breakpoint | None:
        """Virtual time has reached `time_due`; `seq` is the last event."""
        come = [live for live in self._live if 0 <= live.bound.vt <= vt and live.bound.point.id not in self._spent]
        self._spent |= {live.bound.point.id for live in come}
        self._set_time()
        return self._counted([(live, live.bound.time_row(seq)) for live in come], seq, vt)

    def stopped(self) -> None:
        """The run stands: those that one move set for itself are gone."""
        with self._lock:
            if any(point.id < 0 for point in self.points):
                self.points, self.stale = tuple(point for point in self.points if point.id > 0), True

    def _counted(self, found: list[tuple[_Live, Row]], seq: int, vt: int) -> Breakpoint | None:
        stop: Breakpoint | None = None
        with self._lock:
            # a person's before those of a move: it is hit, wherever the move was to end
            for live, row in sorted(found, key=lambda entry: (entry[0].bound.point.id < 0, entry[0].bound.point.id)):
                # what was removed or disabled since stays quiet
                point = next((point for point in self.points if point.id == live.bound.point.id and point.enabled), None)
                if point is None:
                    continue
                point.hits += 1
                ordinal = self._ordinals[point.id] = self._ordinals.get(point.id, 0) + 1
                if not point.stops_at(ordinal):
                    continue
                if point.log:
                    self._say(live, row, seq, vt, point)
                elif stop is None:
                    stop = point
            if stop is not None and stop.temporary:
                self.points = tuple(point for point in self.points if point is not stop)
                self.stale = True
        return stop

    def _say(self, live: _Live, row: Row, seq: int, vt: int, point: Breakpoint) -> None:
        if self.said is None or live.message is None:
            return
        self.said(seq, vt, point, live.message.text(row, live.old, point.hits))
