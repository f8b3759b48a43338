"""Where a run stops: a function, a line, a kind of event, a moment of virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.function_lines import FUNCTION_LINES
from ringscope_core.trace.functions import fn
from ringscope_core.trace.kinds import EV_FRAME_AT, EV_FRAME_ENTER, KIND_BY_NAME

_ENTER: Final = int(EV_FRAME_ENTER)
_AT: Final = int(EV_FRAME_AT)


@dataclass
class Breakpoint:
    """One breakpoint.  `what` is function, checkpoint, kind or time; `where` is what a person wrote."""

    id: int
    what: str
    where: str
    fn: int = -1
    line: int = -1
    kind: int = -1
    oid: int = -1
    vt: int = -1
    hits: int = 0

    def to_plain(self) -> dict[str, object]:
        """A form for JSON."""
        return {"id": self.id, "what": self.what, "where": self.where, "hits": self.hits}


def _function(name: str) -> int:
    if name not in FUNCTION_LINES:
        raise InputError("function", name, "the name of a QEMU function that the model has")
    return int(fn(name))


def parse(number: int, what: str, where: str, oid: int = -1) -> Breakpoint:
    """A breakpoint from words: function NAME, checkpoint NAME:LINE, kind NAME, time NS.  Raises InputError."""
    if what == "function":
        return Breakpoint(number, what, where, fn=_function(where))
    if what == "checkpoint":
        name, _, line = where.partition(":")
        if not line.isdigit():
            raise InputError("checkpoint", where, "FUNCTION:LINE")
        return Breakpoint(number, what, where, fn=_function(name), line=int(line))
    if what == "kind":
        spec = KIND_BY_NAME.get(where)
        if spec is None:
            raise InputError("kind", where, ", ".join(KIND_BY_NAME))
        return Breakpoint(number, what, where, kind=spec.number, oid=oid)
    if what == "time":
        if not where.isdigit():
            raise InputError("time", where, "virtual time in ns")
        return Breakpoint(number, what, where, vt=int(where))
    raise InputError("break", what, "function, checkpoint, kind, time")


@dataclass
class BreakpointTable:
    """All breakpoints of a run.  Changed by the control thread, read by the run's: each list is replaced, never edited."""

    _next: int = 1
    points: tuple[Breakpoint, ...] = field(default_factory=tuple)

    def add(self, what: str, where: str, oid: int = -1) -> Breakpoint:
        """Add one; raises InputError."""
        point = parse(self._next, what, where, oid)
        self._next += 1
        self.points = (*self.points, point)
        return point

    def remove(self, number: int) -> bool:
        """Remove one; false when there is none of that number."""
        before = len(self.points)
        self.points = tuple(point for point in self.points if point.id != number)
        return len(self.points) < before

    def hit(self, kind: int, obj: int, a0: int, a1: int, vt: int) -> Breakpoint | None:
        """The breakpoint that an event hits.  One on a time hits once."""
        for point in self.points:
            if point.vt >= 0:
                if vt >= point.vt:
                    self.remove(point.id)
                    return _count(point)
            elif point.kind >= 0:
                if kind == point.kind and point.oid in (-1, obj):
                    return _count(point)
            elif a0 == point.fn and (kind == _ENTER and point.line in (-1, a1) or kind == _AT and a1 == point.line):
                return _count(point)
        return None


def _count(point: Breakpoint) -> Breakpoint:
    point.hits += 1
    return point
