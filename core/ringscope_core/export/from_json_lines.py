"""JSON lines that `json_lines` wrote, as a session again: the same events, packets, counters, marks and keyframes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import numpy as np

import ringscope_core.hw.machine  # noqa: F401  the model declares what the arguments of calls are
from ringscope_core.export.incoming import described, session_writer, unreadable, wait_for_room
from ringscope_core.export.json_lines import FORMAT, VERSION
from ringscope_core.export.request import Meter, Progress, Summary
from ringscope_core.export.tables import DIRECTIONS
from ringscope_core.scenario.errors import InputError
from ringscope_core.session import keyframes
from ringscope_core.session.packing import PackingError, pack
from ringscope_core.session.rows import GAP_EXPORT, RAW_DTYPE, PacketRow
from ringscope_core.session.writer import RingSample, SessionWriter
from ringscope_core.trace.counters import BUCKETS, COUNTER_NAMES
from ringscope_core.trace.fields import field_table
from ringscope_core.trace.functions import function_table
from ringscope_core.trace.kinds import KIND_BY_NAME

MAX_LINE: Final = 256 << 20
"""No line is longer (bytes)."""
_BATCH: Final = 8192
_Word = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Id = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
_Number = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class _Header(msgspec.Struct, tag_field="type", tag="header"):
    format: str
    version: int
    meta: dict[str, Any]
    whats: list[str]
    filter: str
    kinds: dict[str, tuple[int, list[tuple[str, str]]]]
    functions: dict[int, str]
    fields: dict[int, str]
    strings: list[str]
    types: list[dict[str, Any]] = []


class _Event(msgspec.Struct, tag_field="type", tag="event"):
    seq: _Number
    vt: _Word
    wall: _Word
    kind: str
    oid: _Id
    cause: _Word
    raw: Annotated[list[_Word], msgspec.Meta(max_length=6)]


class _Packet(msgspec.Struct, tag_field="type", tag="packet"):
    packet: Annotated[int, msgspec.Meta(ge=1, lt=2**62)]
    seq: _Number
    vt_ns: _Word
    wall_ns: _Word
    direction: str
    queue: _Id | None
    head: _Id | None
    data: str
    virtio_net_hdr: str | None


class _Counter(msgspec.Struct, tag_field="type", tag="counter"):
    vt_ns: _Word
    wall_ns: _Word
    oid: _Id
    latency: dict[int, _Number]
    packets: _Number
    bytes: _Number
    drops: _Number
    kicks: _Number
    kicks_suppressed: _Number
    interrupts: _Number
    interrupts_suppressed: _Number
    batches: _Number
    inuse: _Number
    available: _Number
    num: _Number
    driver_packets: _Number
    driver_bytes: _Number
    ring_full: _Number


class _Mark(msgspec.Struct, tag_field="type", tag="mark"):
    seq: _Word
    vt_ns: _Word
    name: str
    note: str


class _State(msgspec.Struct, tag_field="type", tag="state"):
    pass


class _Keyframe(msgspec.Struct, tag_field="type", tag="keyframe"):
    seq: _Word
    vt: _Word
    wall: _Word
    state: str


_LINES: Final = msgspec.json.Decoder(_Header | _Event | _Packet | _Counter | _Mark | _State | _Keyframe)


def is_json_lines(head: bytes) -> bool:
    """Whether a file that begins so is one of `json_lines`."""
    return head.startswith(b'{"type":"header","format":"' + FORMAT.encode() + b'"')


def import_json_lines(source: Path, path: Path, force: bool = False, progress: Progress | None = None) -> Summary:
    """Make a session of the export `source` at `path`.

    Raises InputError for a line that is none of ours, or an export whose words this version does not have; `Cancelled` when `progress` says so.
    """
    summary = Summary()
    try:
        lines = _lines(source, Meter(progress, source.stat().st_size))
        _, header = next(lines, (1, None))
        if not isinstance(header, _Header):
            raise _wrong(source, 1, "the header line that an export begins with")
        _check(source, header)
        meta = {**header.meta, "imported": described(source, "json lines")}
        if header.filter:
            meta["fidelity"] = f"an export's events, those that the filter {header.filter} takes: states are not known"
        for key in ("closed", "id"):
            meta.pop(key, None)
        with session_writer(path, meta, force) as writer:
            writer.add_strings(0, header.strings)
            if header.types:
                writer.add_types(_types(source, header.types))
            builder = _Builder(writer, summary, source)
            for number, line in lines:
                builder.add(number, line)
            builder.finish()
            builder.say_what_is_not_here(bool(header.filter))
    except OSError as error:
        raise unreadable(source, error) from None
    return summary


def _wrong(source: Path, number: int, allowed: str) -> InputError:
    return InputError(f"line {number}", str(source), allowed)


def _lines(source: Path, meter: Meter) -> Iterator[tuple[int, Any]]:
    with source.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise _wrong(source, number, "a line of at most 256 MB")
            try:
                yield number, _LINES.decode(line)
            except (msgspec.DecodeError, UnicodeError) as error:
                raise _wrong(source, number, f"a line as ringscope export --to jsonl writes it ({error})") from None
            if number % _BATCH == 0:
                meter.at(file.tell())


def _types(source: Path, types: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    if not all(isinstance(row.get("name"), str) for row in types):
        raise _wrong(source, 1, "types that have names")
    return list(types)


def _check(source: Path, header: _Header) -> None:
    """The numbers in the file must mean here what they meant where it was written."""
    if header.format != FORMAT or header.version != VERSION:
        raise _wrong(source, 1, f"{FORMAT}, version {VERSION}")
    for name, (number, args) in header.kinds.items():
        known = KIND_BY_NAME.get(name)
        if known is None or known.number != number or [tuple(arg) for arg in args] != [tuple(arg) for arg in known.args]:
            raise _wrong(source, 1, f"an export of a version with the same events ({name} is another one here)")
    functions = {number: spec.name for number, spec in function_table().items()}
    fields = {number: f"{spec.struct}.{spec.name}" for number, spec in field_table().items()}
    for here, there in ((functions, header.functions), (fields, header.fields)):
        for number, name in there.items():
            if here.get(number) != name:
                raise _wrong(source, 1, f"an export of a version with the same functions and fields ({name} is another one here)")
    if header.strings[:1] != [""]:
        raise _wrong(source, 1, "a table of strings that begins with the empty one")


class _Builder:
    """Puts lines into a session."""

    def __init__(self, writer: SessionWriter, summary: Summary, source: Path) -> None:
        self._writer, self._summary, self._source = writer, summary, source
        self._first: int = 0
        self._start: int = -1
        """The first event's number."""
        self._next: int = -1
        self._events: list[tuple[int, ...]] = []
        self._rows: list[PacketRow] = []
        self._frames: list[bytes] = []
        self._headers: list[bytes] = []
        self._last_packet: int = 0
        self._sample: tuple[int, int] = (-1, -1)
        self._rings: list[RingSample] = []

    def add(self, number: int, line: Any) -> None:
        """One line.  Raises InputError for one out of order."""
        match line:
            case _Event():
                self._event(number, line)
            case _Packet():
                self._packet(number, line)
            case _Counter():
                self._counter(number, line)
            case _Mark():
                self._writer.add_mark(line.seq, line.vt_ns, line.name, line.note)
                self._summary.count("marks", 1)
            case _Keyframe():
                self._keyframe(number, line)
            case _Header():
                raise _wrong(self._source, number, "no second header")

    def _event(self, number: int, line: _Event) -> None:
        kind = KIND_BY_NAME.get(line.kind)
        if kind is None:
            raise _wrong(self._source, number, f"a kind of event that there is ({line.kind} is none)")
        if line.seq < self._next:
            raise _wrong(self._source, number, "events in the order of their numbers")
        if line.seq != self._next or len(self._events) >= _BATCH:
            self._hand_events()
            self._first = line.seq
        self._next = line.seq + 1
        if self._start < 0:
            self._start = line.seq
        raw = line.raw + [0] * (6 - len(line.raw))
        self._events.append((line.vt, line.wall, kind.number, line.oid, line.cause, *raw))

    def say_what_is_not_here(self, filtered: bool) -> None:
        """Events before a range, and those between what a filter took, are no damage."""
        count = self._summary.rows.get("events", 0)
        missing = self._next - count if filtered else self._start
        if count and missing > 0:
            self._writer.add_gap(0, self._next - 1 if filtered else self._start - 1, missing, 0, GAP_EXPORT)

    def _hand_events(self) -> None:
        if self._events:
            wait_for_room(self._writer)
            self._writer.add_block(self._first, np.array(self._events, RAW_DTYPE).tobytes())
            self._summary.count("events", len(self._events))
            self._events = []

    def _packet(self, number: int, line: _Packet) -> None:
        try:
            data = bytes.fromhex(line.data)
            header = bytes.fromhex(line.virtio_net_hdr) if line.virtio_net_hdr is not None else None
        except ValueError:
            raise _wrong(self._source, number, "bytes in hexadecimal") from None
        if line.packet <= self._last_packet:
            raise _wrong(self._source, number, "packets in the order of their numbers")
        if line.packet != self._last_packet + 1:
            # what is handed over at once has consecutive numbers
            self._hand_packets()
        self._last_packet = line.packet
        ways = {name: way for way, name in DIRECTIONS.items()}
        queue, head = -1 if line.queue is None else line.queue, -1 if line.head is None else line.head
        size = -1 if header is None else len(header)
        self._rows.append(PacketRow(line.packet, line.vt_ns, line.wall_ns, ways.get(line.direction, -1), queue, head, line.seq, len(data), size))
        self._frames.append(data)
        self._headers.append(header or b"")
        if len(self._rows) >= 1024:
            self._hand_packets()

    def _hand_packets(self) -> None:
        if self._rows:
            wait_for_room(self._writer)
            self._writer.add_packets(self._rows, self._frames, self._headers)
            self._summary.count("packets", len(self._rows))
            self._rows, self._frames, self._headers = [], [], []

    def _counter(self, number: int, line: _Counter) -> None:
        moment = (line.vt_ns, line.wall_ns)
        if moment != self._sample or any(ring.oid == line.oid for ring in self._rings):
            if moment < self._sample:
                raise _wrong(self._source, number, "counters in the order of their times")
            self._hand_counters()
            self._sample = moment
        counts = [0] * int(BUCKETS)
        for bucket, count in line.latency.items():
            if not 0 <= bucket < len(counts):
                raise _wrong(self._source, number, f"buckets from 0 to {len(counts) - 1}")
            counts[bucket] = count
        self._rings.append(RingSample(line.oid, [getattr(line, name) for name in COUNTER_NAMES], counts))

    def _hand_counters(self) -> None:
        if self._rings:
            self._writer.add_counters(*self._sample, self._rings)
            self._summary.count("counters", len(self._rings))
            self._rings = []

    def _keyframe(self, number: int, line: _Keyframe) -> None:
        try:
            state = keyframes.decode(pack(b64decode(line.state, validate=True)))
        except (ValueError, PackingError, msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as error:
            raise _wrong(self._source, number, f"a keyframe's state ({error})") from None
        wait_for_room(self._writer)
        self._writer.add_keyframe(line.seq, line.vt, line.wall, state.to_plain())
        self._summary.count("keyframes", 1)

    def finish(self) -> None:
        """Hand on what is left."""
        self._hand_events()
        self._hand_packets()
        self._hand_counters()
