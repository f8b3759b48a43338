"""Calls of a recording as a tree: what the nested timeline, the checkpoints and the field tables are drawn from.  No Qt here."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope_core.gdb.backtrace import backtrace
from ringscope_core.trace.functions import FunctionSpec
from ringscope_core.trace.kinds import EV_ERROR_SET, EV_FIELD, EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_LEAVE, EV_MESSAGE

if TYPE_CHECKING:
    from ringscope.store import Store

Row = tuple[int, ...]
"""An event as `find_events` gives it: seq, vt, wall, kind, object, cause, a0 to a5."""
_KIND: Final = 3
_OBJ: Final = 4
_A0: Final = 6
_A1: Final = 7
_A2: Final = 8
KINDS: Final = tuple(int(kind) for kind in (EV_ERROR_SET, EV_MESSAGE, EV_FRAME_ENTER, EV_FRAME_AT, EV_FRAME_LEAVE, EV_FIELD))
MAX_EVENTS: Final = 40_000
"""Call events that are read; a realize has some hundred.  What comes later is not drawn, and the view says so."""
_BATCH: Final = 8192
ROOTS: Final = ("qdev_device_add",)
"""Functions whose calls the view offers as chapters."""


class Checkpoint(NamedTuple):
    """A statement that a call reached."""

    seq: int
    line: int


class FieldWrite(NamedTuple):
    """A field that was written while the call was innermost."""

    seq: int
    oid: int
    field: int
    old: int
    new: int


class Trouble(NamedTuple):
    """An error set or a message printed while the call was innermost."""

    seq: int
    text: str


class Call:
    """One call: from event `seq` to event `end` (-1 while it is open)."""

    def __init__(self, number: int, parent: Call | None, row: Row) -> None:
        self.number: int = number
        self.parent: Call | None = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.seq, self.vt, self.wall = row[0], row[1], row[2]
        self.fn: int = row[_A0]
        self.values: tuple[int, int, int, int] = (row[_A2], row[_A2 + 1], row[_A2 + 2], row[_A2 + 3])
        self.end: int = -1
        self.end_vt: int = -1
        self.end_wall: int = -1
        self.ret: int = 0
        self.children: list[Call] = []
        self.checkpoints: list[Checkpoint] = [Checkpoint(self.seq, row[_A1])]
        self.fields: list[FieldWrite] = []
        self.troubles: list[Trouble] = []

    def line_at(self, seq: int) -> int:
        """The line the call stood on after event `seq`."""
        line = self.checkpoints[0].line
        for point in self.checkpoints:
            if point.seq > seq:
                break
            line = point.line
        return line

    def covers(self, seq: int) -> bool:
        """Whether the call was open after event `seq`."""
        return self.seq <= seq and (self.end < 0 or seq < self.end)

    def inside(self) -> list[Call]:
        """The call and everything it called, in order."""
        out = [self]
        for child in self.children:
            out.extend(child.inside())
        return out


class CallTree:
    """Grows with the recording; `calls` are in the order in which they began."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.starts: list[int] = []
        """The event that began each call: ascending."""
        self.roots: list[Call] = []
        self.max_depth: int = 0
        self.last_seq: int = -1
        """The newest call event read."""
        self.events_read: int = 0
        self.complete: bool = True
        """False when there are more call events than `MAX_EVENTS`."""
        self._open: list[Call] = []
        self._next_seq: int = 0

    def extend(self, store: Store) -> bool:
        """Read what came since the last call, `_BATCH` events at most; true when there was any."""
        last = store.last_seq
        if self._next_seq > last or self.events_read >= MAX_EVENTS:
            self.complete = self._next_seq > last
            return False
        rows: list[Row] = store.reader.find_events(KINDS, self._next_seq, last, _BATCH).tolist()
        for row in rows:
            self._note(row, store)
        self.events_read += len(rows)
        self.last_seq = rows[-1][0] if rows else self.last_seq
        self._next_seq = rows[-1][0] + 1 if len(rows) == _BATCH else last + 1
        self.complete = self._next_seq > last
        return bool(rows)

    def _note(self, row: Row, store: Store) -> None:
        kind = row[_KIND]
        if kind == EV_FRAME_ENTER:
            self._enter(row)
        elif not self._open:
            return
        elif kind == EV_FRAME_AT:
            self._open[-1].checkpoints.append(Checkpoint(row[0], row[_A1]))
        elif kind == EV_FRAME_LEAVE:
            call = self._open.pop()
            call.end, call.end_vt, call.end_wall, call.ret = row[0], row[1], row[2], row[_A1]
        elif kind == EV_FIELD:
            self._open[-1].fields.append(FieldWrite(row[0], row[_OBJ], row[_A0], row[_A2], row[_A1]))
        elif kind == EV_ERROR_SET:
            self._open[-1].troubles.append(Trouble(row[0], f"error_setg: {store.text(row[_A0])}"))
        else:
            self._open[-1].troubles.append(Trouble(row[0], f"message: {store.text(row[_A1])}"))

    def _enter(self, row: Row) -> None:
        parent = self._open[-1] if self._open else None
        call = Call(len(self.calls), parent, row)
        self.calls.append(call)
        self.starts.append(call.seq)
        (parent.children if parent is not None else self.roots).append(call)
        self._open.append(call)
        self.max_depth = max(self.max_depth, call.depth)

    # -- questions ----------------------------------------------------------------------------------------------------------
    def innermost_at(self, seq: int) -> Call | None:
        """The innermost call open after event `seq`: the last one begun, or the nearest around it that is still open."""
        place = bisect_right(self.starts, seq) - 1
        call = self.calls[place] if place >= 0 else None
        while call is not None and not call.covers(seq):
            call = call.parent
        return call

    def between(self, first: float, last: float) -> list[Call]:
        """The calls open at some time between two events, outer ones before inner ones."""
        out: list[Call] = []
        call = self.innermost_at(int(first))
        while call is not None:
            out.append(call)
            call = call.parent
        out.reverse()
        begin = bisect_right(self.starts, int(first))
        return out + self.calls[begin : bisect_right(self.starts, int(last) + 1)]

    def named(self, functions: dict[int, FunctionSpec], names: tuple[str, ...]) -> list[Call]:
        """Calls of the functions `names`."""
        numbers = {number for number, spec in functions.items() if spec.name in names}
        return [call for call in self.calls if call.fn in numbers]

    def span_of(self, call: Call) -> tuple[int, int]:
        """First and last event of the outermost call around `call` that has ended: a realize with its way in and out."""
        outer = call
        while outer.parent is not None and outer.parent.end >= 0:
            outer = outer.parent
        first = outer
        while first.parent is not None:
            first = first.parent
        last = outer.end if outer.end >= 0 else self.last_seq
        return min(first.seq, outer.seq) if outer.seq - first.seq < 64 else outer.seq, max(last, call.seq + 1)


def signature(call: Call, functions: dict[int, FunctionSpec], strings: list[str], seq: int) -> str:
    """``function (arg=value, ...) at file:line`` in gdb's manner."""
    spec = functions.get(call.fn)
    if spec is None:
        return f"<function {call.fn}>"
    frame = backtrace([[call.fn, call.line_at(seq), *call.values, call.seq]], functions, strings)[0]
    args = ", ".join(f"{name}={value}" for name, value in frame.args)
    return f"{frame.function} ({args}) at {frame.path}:{frame.line}"


def subsystem(path: str) -> str:
    """The part of QEMU a source file belongs to: what the bars are coloured by."""
    for prefix, name in (("qom/", "qom"), ("hw/core/", "qdev"), ("hw/pci/", "pci"), ("hw/virtio/", "virtio"), ("hw/net/", "virtio-net"), ("net/", "net")):
        if path.startswith(prefix):
            return name
    return "qdev" if path.startswith("qdev-monitor") else "main"


SUBSYSTEM_MEANING: Final[dict[str, str]] = {
    "main": "group.run",
    "qdev": "group.call",
    "qom": "group.object",
    "pci": "group.register",
    "virtio": "group.ring",
    "virtio-net": "group.packet",
    "net": "group.notify",
}
"""The theme's meaning for each part of QEMU, in the order of the legend."""
