"""Steps over a recording, both ways, as the live debugger makes them (`engine.debugger`).

A stop is an event.  Call depth is that after the event.  Forwards:

    event   the next event
    into    the next call or checkpoint; outside calls any event
    over    the next checkpoint of this function or of a caller's, or the return from it; outside calls the next event outside
    out     the return from this function
    packet  the next frame that passed the device
    kick    the next notification from the driver

Backwards each goes to where the same step would have come from: ``over`` does not enter functions that were called and returned since (but
from a return goes to the function's last line), ``into`` does, ``out`` goes to the caller's line that made the call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringscope_core.scenario.errors import InputError
from ringscope_core.session.peek import ANY, Wanted
from ringscope_core.trace import kinds as k

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.reader import SessionReader
    from ringscope_core.session.rows import Events, Ints

STEP_KINDS: Final = ("event", "over", "into", "out", "packet", "kick")
PACKET_KINDS: Final = (int(k.EV_FRAME_TX), int(k.EV_FRAME_RX))
"""A frame passed the device."""
KICK_KINDS: Final = (int(k.EV_KICK),)
FORWARD: Final = 1
BACKWARD: Final = -1
_ENTER: Final = int(k.EV_FRAME_ENTER)
_AT: Final = int(k.EV_FRAME_AT)
_LEAVE: Final = int(k.EV_FRAME_LEAVE)
_CALLS: Final = frozenset({_ENTER, _AT, _LEAVE})


class _Piece(NamedTuple):
    """Events with the call depth after each."""

    seq: Ints
    kind: NDArray[np.int32]
    depth: Ints


_Test = Callable[[_Piece], NDArray[np.bool_]]


def step(recording: Recording, seq: int, kind: str, count: int = 1, direction: int = FORWARD) -> int | None:
    """Where `count` steps of `kind` (of `STEP_KINDS`) from event `seq` end; None when the recording ends before.

    `direction` is `FORWARD` or `BACKWARD`.  Raises InputError for a step that there is not.
    """
    if kind not in STEP_KINDS:
        raise InputError("step", kind, ", ".join(STEP_KINDS))
    if not 1 <= count <= 1_000_000_000:
        raise InputError("count", str(count), "1 to 1000000000")
    if kind == "event":
        return _events_on(recording.reader, seq, count, direction)
    if kind in ("packet", "kick"):
        return _nth(recording.reader, PACKET_KINDS if kind == "packet" else KICK_KINDS, seq, count, direction)
    at: int | None = seq
    for _ in range(count):
        if at is None:
            break
        at = _Calls(recording.reader, at).step(kind, direction)
    return at


def next_event(recording: Recording, seq: int, direction: int = FORWARD, kind: int | Collection[int] | None = None, oid: int | None = None) -> int | None:
    """The nearest event after `seq` (before it: `BACKWARD`) of a kind (or kinds) and an object, each where given; None for none."""
    reader = recording.reader
    if kind is None and oid is None:
        return _events_on(reader, seq, 1, direction)
    kinds = [kind] if isinstance(kind, int) else list(reader.event_counts() if kind is None else kind)
    back = direction < 0
    first, last = (reader.first_seq, seq - 1) if back else (seq + 1, reader.last_seq)
    wanted = [Wanted(number, oid) for number in ((ANY,) if kind is None else kinds)] if oid is not None else ()
    for rows in reader.pieces_with(kinds, first, last, back, wanted):
        mask = np.ones(len(rows), bool) if kind is None else np.isin(rows["kind"], kinds)
        if oid is not None:
            mask &= rows["obj"] == oid
        places = np.flatnonzero(mask)
        if len(places):
            return int(rows["seq"][places[-1 if back else 0]])
    return None


def _nth(reader: SessionReader, kinds: Collection[int], seq: int, count: int, direction: int) -> int | None:
    """The `count`th event of `kinds` from `seq`: blocks on the way are counted by the index alone."""
    back = direction < 0
    first, last = (reader.first_seq, seq - 1) if back else (seq + 1, reader.last_seq)
    left = count
    for rows in reader.pieces_with(kinds, first, last, back):
        places = np.flatnonzero(np.isin(rows["kind"], list(kinds)))
        if len(places) >= left:
            return int(rows["seq"][places[-left if back else left - 1]])
        left -= len(places)
    return None


def _events_on(reader: SessionReader, seq: int, count: int, direction: int) -> int | None:
    """`count` recorded events on; lost ones do not count."""
    if direction > 0:
        at = max(seq, reader.first_seq - 1)
        for before, after in reader.holes():
            if before >= at:
                if at + count <= before:
                    break
                count -= before - at
                at = after - 1
            elif at < after:
                at = after - 1
        return at + count if at + count <= reader.last_seq else None
    at = min(seq, reader.last_seq + 1)
    for before, after in reversed(reader.holes()):
        if after <= at:
            if at - count >= after:
                break
            count -= at - after
            at = before + 1
        elif at > before:
            at = before + 1
    return at - count if at - count >= reader.first_seq and reader.first_seq >= 0 else None


class _Calls:
    """One step among call frames."""

    def __init__(self, reader: SessionReader, seq: int) -> None:
        self._reader: SessionReader = reader
        self._seq: int = seq
        known = reader.first_seq <= seq <= reader.last_seq
        self._depth: int = len(reader.state_at(seq).stack) if known else 0
        self._kind: int = _kind_of(reader, seq)

    def step(self, kind: str, direction: int) -> int | None:
        depth = self._depth
        if direction > 0:
            if kind == "into":
                return self._first(_into)
            if kind == "over":
                return self._first(lambda p: _over(p, depth), skip=depth > 0)
            return self._first(lambda p: (p.kind == _LEAVE) & (p.depth < depth), skip=True) if depth > 0 else None
        if kind == "into":
            return self._last(_into)
        if kind == "out":
            return self._call_of() if depth > 0 else None
        # where a step over from there comes to here
        if self._kind == _LEAVE:
            depth += 1
        elif self._kind == _ENTER:
            depth -= 1
        return self._last(lambda p: _lines(p, depth), skip=depth > 0)

    def _call_of(self) -> int | None:
        """The caller's line that made the call we are in."""
        outer = self._depth - 1
        opened = self._reader.state_at(self._seq).stack[-1][6]
        return _Calls._before(self._reader, opened, outer)

    @staticmethod
    def _before(reader: SessionReader, seq: int, depth: int) -> int | None:
        return _Calls(reader, seq)._last(lambda p: _lines(p, depth), skip=depth > 0)

    def _first(self, test: _Test, skip: bool = False) -> int | None:
        for piece in self._forward(skip):
            places = np.flatnonzero(test(piece))
            if len(places):
                return int(piece.seq[places[0]])
        return None

    def _last(self, test: _Test, skip: bool = False) -> int | None:
        for piece in self._backward(skip):
            places = np.flatnonzero(test(piece))
            if len(places):
                return int(piece.seq[places[-1]])
        return None

    def _forward(self, skip: bool) -> Iterator[_Piece]:
        """The events after; with `skip` blocks without calls are left out, as nothing in them can be a stop."""
        reader = self._reader
        depth, at = self._depth, self._seq
        for rows in reader.pieces_with(_CALLS if skip else reader.event_counts(), self._seq + 1, reader.last_seq):
            first = int(rows["seq"][0])
            if first != at + 1 and self._lost(at, first):
                depth = len(reader.state_at(first).stack) - int(_change(rows[:1])[0])
            moved = depth + np.cumsum(_change(rows))
            yield _Piece(rows["seq"], rows["kind"], moved)
            depth, at = int(moved[-1]), int(rows["seq"][-1])

    def _backward(self, skip: bool) -> Iterator[_Piece]:
        """The events before, the last piece first."""
        reader = self._reader
        depth = self._depth - (int(_change(reader.events(self._seq, self._seq))[0]) if self._kind else 0)
        at = self._seq
        for rows in reader.pieces_with(_CALLS if skip else reader.event_counts(), reader.first_seq, self._seq - 1, True):
            last = int(rows["seq"][-1])
            if last != at - 1 and self._lost(last, at):
                depth = len(reader.state_at(last).stack)
            change = _change(rows)
            # the depth after an event is that after the last one less what came in between
            moved = depth - (int(change.sum()) - np.cumsum(change))
            yield _Piece(rows["seq"], rows["kind"], moved)
            depth, at = int(moved[0] - change[0]), int(rows["seq"][0])

    def _lost(self, before: int, after: int) -> bool:
        """Whether events between two numbers are missing: then only a keyframe tells the depth."""
        return any(before <= low and high <= after for low, high in self._reader.holes())


def _kind_of(reader: SessionReader, seq: int) -> int:
    """The kind of event `seq`, 0 when it is not recorded."""
    rows = reader.events(seq, seq)
    return int(rows[0]["kind"]) if len(rows) else 0


def _change(rows: Events) -> Ints:
    """What each event does to the call depth."""
    kinds = rows["kind"]
    found: Ints = (kinds == _ENTER).astype(np.int64) - (kinds == _LEAVE).astype(np.int64)
    return found


def _into(piece: _Piece) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (piece.kind == _ENTER) | (piece.kind == _AT) | (piece.depth == 0)
    return found


def _over(piece: _Piece, depth: int) -> NDArray[np.bool_]:
    line = (piece.kind == _ENTER) | (piece.kind == _AT)
    found: NDArray[np.bool_] = (piece.kind == _LEAVE) & (piece.depth < depth) | (piece.depth <= depth) & line
    return found | (piece.depth == 0) if depth == 0 else found


def _lines(piece: _Piece, depth: int) -> NDArray[np.bool_]:
    """Lines of a function at `depth` and of those that called it; outside calls every event."""
    found: NDArray[np.bool_] = ((piece.kind == _ENTER) | (piece.kind == _AT)) & (piece.depth <= depth)
    return piece.depth == 0 if depth <= 0 else found
