"""Where two sessions part: the first event that is not the same, and both states there.

Blocks are compared as arrays, so equal stretches cost a few ns an event.  What is compared: virtual time, kind, object, cause and
arguments of every event, by meaning (two sessions may number the same text differently), and the bytes of frames.  What is not: wall times, and
host addresses unless asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ringscope_core.query.canonical import Canon, Dictionary
from ringscope_core.query.decode import ARGS, format_clock
from ringscope_core.query.recording import Recording
from ringscope_core.query.state_diff import Difference, state_diff

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader
    from ringscope_core.session.rows import Events

_SPAN: Final = 65536
_PACKETS: Final = 4096
_META: Final = ("scenario", "profile", "seed", "trace", "time", "program")

Progress = Callable[[int, int], bool]
"""Called with events done and events in all; false cancels."""


@dataclass(frozen=True)
class Options:
    """What not to compare."""

    ignore: frozenset[str] = frozenset()
    """Names of kinds that are left out on both sides; causes are then not compared, for numbers differ."""
    times: bool = True
    """Compare virtual times."""
    addresses: bool = False
    """Compare host addresses too; otherwise one that is NULL differs from one that is not, and that is all."""
    packets: bool = True
    """Compare the bytes of frames."""


@dataclass
class Parting:
    """What came of comparing.

    `common` counts the events that are the same before the first that is not; `a` and `b` are that event's rows, None where the
    recording ends before it.  `why` says in one line what is different; "" for equal recordings.
    """

    common: int = 0
    why: str = ""
    a: Any = None
    b: Any = None
    states: list[Difference] = field(default_factory=list)
    """How the states after those two events differ."""
    before: list[Difference] = field(default_factory=list)
    """How the states before them differ already: what events do not tell."""
    about: list[Difference] = field(default_factory=list)
    """What the sessions say about themselves that is not the same; no reason to part."""
    not_compared: int = 0
    """Events that only one side has because the other lost them."""
    complete: bool = True

    @property
    def equal(self) -> bool:
        """No difference was found."""
        return not self.why


def diff(a: Recording, b: Recording, options: Options | None = None, progress: Progress | None = None) -> Parting:
    """Compare two recordings from their first common event on.  Raises SessionError."""
    found = _Comparison(a, b, options or Options(), progress).run()
    found.about = list(_about(a.reader, b.reader))
    return found


def _about(a: SessionReader, b: SessionReader) -> Iterator[Difference]:
    for key in _META:
        if a.meta.get(key) != b.meta.get(key):
            yield Difference(key, str(a.meta.get(key, "not said")), str(b.meta.get(key, "not said")))


class _Comparison:
    def __init__(self, a: Recording, b: Recording, options: Options, progress: Progress | None) -> None:
        self._a, self._b = a, b
        self._options = options
        self._progress = progress
        words = Dictionary()
        self._canons = (Canon(a, words, options.addresses), Canon(b, words, options.addresses))
        self._columns = [name for name in ("vt", "kind", "obj", "cause", *ARGS) if self._counts(name)]
        self._same_numbers = a.strings == b.strings and a.kinds == b.kinds and a.functions == b.functions and a.fields == b.fields

    def _counts(self, column: str) -> bool:
        if column == "vt":
            return self._options.times
        return column != "cause" or not self._options.ignore

    def run(self) -> Parting:
        result = self._events()
        if self._options.packets and result.complete:
            self._packets(result)
        if result.a is not None or result.b is not None:
            self._states(result)
        return result

    # -- events -------------------------------------------------------------------------------------------------------
    def _events(self) -> Parting:
        result = Parting()
        first = max(self._a.reader.first_seq, self._b.reader.first_seq, 0)
        total = max(self._a.reader.last_seq, self._b.reader.last_seq) + 1
        streams = (_Stream(self._a, first, self._options.ignore), _Stream(self._b, first, self._options.ignore))
        while True:
            left, right = streams[0].peek(), streams[1].peek()
            if not len(left) or not len(right):
                break
            left, right = self._aligned(left, right, streams, result)
            count = min(len(left), len(right))
            place = self._first_difference(left[:count], right[:count])
            result.common += place
            if place < count:
                result.a, result.b = left[place], right[place]
                result.why = self._words(result.a, result.b)
                return result
            streams[0].skip(count)
            streams[1].skip(count)
            if self._progress is not None and not self._progress(int(left["seq"][count - 1]) + 1 if count else first, total):
                result.complete = False
                return result
        if len(left) or len(right):
            result.a = left[0] if len(left) else None
            result.b = right[0] if len(right) else None
            which = "second" if len(left) else "first"
            result.why = f"the {which} recording ends after {result.common} common events, the other goes on"
        return result

    def _aligned(self, left: Events, right: Events, streams: tuple[_Stream, _Stream], result: Parting) -> tuple[Events, Events]:
        """Without ignored kinds events are compared by number: what one side has lost is left out of the other."""
        if self._options.ignore:
            return left, right
        top = min(int(left["seq"][-1]), int(right["seq"][-1]))
        parts = (left[left["seq"] <= top], right[right["seq"] <= top])
        if len(parts[0]) == len(parts[1]) and (parts[0]["seq"] == parts[1]["seq"]).all():
            return parts
        common = np.intersect1d(parts[0]["seq"], parts[1]["seq"])
        result.not_compared += len(parts[0]) + len(parts[1]) - 2 * len(common)
        out = []
        for part, stream in zip(parts, streams, strict=True):
            kept = part[np.isin(part["seq"], common)]
            stream.replace(len(part), kept)
            out.append(kept)
        return out[0], out[1]

    def _first_difference(self, left: Events, right: Events) -> int:
        """Place of the first pair that is not the same; the length when all are."""
        if self._same_numbers and self._equal(left, right) is None:
            return len(left)
        place = self._equal(self._canons[0].rows(left), self._canons[1].rows(right))
        return len(left) if place is None else place

    def _equal(self, left: Events, right: Events) -> int | None:
        wrong = np.zeros(len(left), bool)
        for name in self._columns:
            wrong |= left[name] != right[name]
        return int(np.argmax(wrong)) if wrong.any() else None

    def _words(self, a: Any, b: Any) -> str:
        one, two = self._canons[0].rows(np.array([a])), self._canons[1].rows(np.array([b]))
        if one["kind"][0] != two["kind"][0]:
            return "another event"
        wrong = [name for name in self._columns if one[name][0] != two[name][0]]
        spec = self._a.kinds.get(int(a["kind"]))
        names = {"vt": "time", "obj": "object", **{name: arg.name for name, arg in zip(ARGS, spec.args if spec else (), strict=False)}}
        return "the same event with another " + ", ".join(names.get(name, name) for name in wrong)

    # -- frames and states --------------------------------------------------------------------------------------------
    def _packets(self, result: Parting) -> None:
        """Frames whose bytes differ though the events before the parting are the same."""
        end = int(result.a["seq"]) if result.a is not None else int(result.b["seq"]) if result.b is not None else 1 << 62
        one, two = self._a.reader, self._b.reader
        count = min(one.packet_count, two.packet_count)
        for start in range(1, count + 1, _PACKETS):
            stop = min(start + _PACKETS - 1, count)
            others = {frame.row.id: frame for frame in two.frames(start, stop)}
            for row, _, frame in one.frames(start, stop):
                other = others.get(row.id)
                if other is None:
                    continue
                if row.seq >= end:
                    return
                if frame != other.data:
                    self._part_at(result, row.seq, other.row.seq, f"the frame of packet {row.id} has other bytes, {_bytes_words(frame, other.data)}")
                    return

    def _part_at(self, result: Parting, a_seq: int, b_seq: int, why: str) -> None:
        result.a, result.b = _row(self._a.reader, a_seq), _row(self._b.reader, b_seq)
        first = max(self._a.reader.first_seq, self._b.reader.first_seq, 0)
        result.common = min(result.common, max(a_seq - first, 0))
        result.why = why

    def _states(self, result: Parting) -> None:
        a, b = self._a.reader, self._b.reader
        seqs = [int(row["seq"]) if row is not None else reader.last_seq + 1 for row, reader in ((result.a, a), (result.b, b))]
        options: dict[str, Any] = {"other": self._b, "addresses": self._options.addresses}
        if min(seqs) > 0:
            result.before = state_diff(self._a, seqs[0] - 1, seqs[1] - 1, **options)
        if result.a is not None and result.b is not None:
            result.states = state_diff(self._a, seqs[0], seqs[1], **options)


class _Stream:
    """The events of one recording without the ignored kinds, some at a time."""

    def __init__(self, recording: Recording, first: int, ignore: Collection[str]) -> None:
        self._reader = recording.reader
        self._next = first
        self._skipped = [number for number, spec in recording.kinds.items() if spec.name in ignore]
        self._rows: Events = recording.reader.events(0, -1)

    def peek(self) -> Events:
        """What comes next; empty at the end."""
        while not len(self._rows) and self._next <= self._reader.last_seq:
            rows = self._reader.events(self._next, self._next + _SPAN - 1)
            self._next += _SPAN
            self._rows = rows[~np.isin(rows["kind"], self._skipped)] if self._skipped else rows
        return self._rows

    def skip(self, count: int) -> None:
        """These are done."""
        self._rows = self._rows[count:]

    def replace(self, count: int, kept: Events) -> None:
        """Put `kept` in the place of the next `count`."""
        self._rows = np.concatenate((kept, self._rows[count:]))


def _bytes_words(a: bytes, b: bytes) -> str:
    """The first byte that is not the same."""
    for place, (old, new) in enumerate(zip(a, b, strict=False)):
        if old != new:
            return f"the first at {place}: {old:02x} and {new:02x}"
    return f"{len(a)} and {len(b)} of them"


def _row(reader: SessionReader, seq: int) -> Any:
    rows = reader.events(seq, seq)
    return rows[0] if len(rows) else None


def event_words(recording: Recording, row: Any) -> str:
    """An event on one line: number, time, kind, object, arguments."""
    spec = recording.kinds.get(int(row["kind"]))
    name = recording.names.name(int(row["obj"]))
    what = f"{spec.name if spec else int(row['kind'])}{f' {name}' if name else ''}"
    return f"event {int(row['seq'])} at {format_clock(int(row['vt']))} s: {what}  {recording.describe(row)}".rstrip()
