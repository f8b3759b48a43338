"""A Perfetto trace: call frames as nested slices, each ring with its buffers' ways, notifications with the arrows of their causes, counters.

The clock is the virtual one, the host's, or the events themselves (a microsecond each): a call takes no virtual time, so its nest is seen best there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from ringscope_core.export import perfetto_packets as pp
from ringscope_core.export.event_columns import TEXT, Texts, sort_of
from ringscope_core.export.perfetto_rings import KINDS as RING_KINDS
from ringscope_core.export.perfetto_rings import RingSlices
from ringscope_core.export.tables import counter_samples, pci_name
from ringscope_core.query.decode import ARGS
from ringscope_core.trace import kinds as k
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.oids import is_ring, ring_bdf

if TYPE_CHECKING:
    from ringscope_core.export.job import Job
    from ringscope_core.session.rows import Events

_PROCESS: Final = 1
_CALLS: Final = 2
_MACHINE: Final = 3
_OBJECTS: Final = 1 << 32
_HEADS: Final = 1 << 40
_COUNTERS: Final = 2 << 40
_ARROWS: Final = frozenset(
    map(int, (k.EV_KICK, k.EV_NOTIFY, k.EV_MSI, k.EV_INTX, k.EV_GUEST_IRQ, k.EV_NAPI, k.EV_BH, k.EV_TIMER, k.EV_FRAME_TX, k.EV_FRAME_RX))
)
"""Kinds whose causes are shown as arrows, and that may be causes themselves."""
_CALL_KINDS: Final = frozenset(map(int, (k.EV_FRAME_ENTER, k.EV_FRAME_AT, k.EV_FRAME_LEAVE)))
_LEFT_OUT: Final = frozenset(("call", "object", "field", "register", "ring"))
"""Groups that are no instants unless everything is asked for."""


def steps(job: Job) -> int:
    """A step is an event, then a sample."""
    reader = job.recording.reader
    return job.selection.size + len(reader.counters(job.selection.first_vt, job.selection.last_vt, most=0).vt)


def write(job: Job, path: Path) -> None:
    """Write the trace."""
    with path.open("wb") as file:
        _Writer(job, file).run()


class _Writer:
    """One trace: tracks are described when they are first needed."""

    def __init__(self, job: Job, file: BinaryIO) -> None:
        self._job, self._file = job, file
        self._clock: str = job.options["time"]
        self._all: bool = job.options["instants"] == "all"
        self._kinds = job.recording.kinds
        self._texts = Texts(job.recording, str)
        self._heads: dict[tuple[int, int], bytes] = {}
        self._args: dict[int, list[tuple[str, str, bool]]] = {}
        self._described: set[int] = set()
        self._fresh: list[bytes] = []
        """Descriptions that go before what comes next."""
        self._rings: dict[int, RingSlices] = {}
        self._open: list[bool] = []
        """The call frames that are open, and whether the filter took them."""
        self._depth: int = 0
        self._shown: list[int] = [*_CALL_KINDS, *RING_KINDS, *(n for n, spec in self._kinds.items() if self._all or spec.group not in _LEFT_OUT)]
        """Kinds of events that show in the trace."""

    def run(self) -> None:
        """Everything, in the order of the events."""
        meta = self._job.recording.reader.meta
        name = str(meta.get("title") or meta.get("scenario") or self._job.recording.reader.path.stem)
        self._file.write(pp.first() + pp.process_track(_PROCESS, f"{name} ({meta.get('scenario', '')})" if meta.get("scenario") else name))
        self._file.write(pp.thread_track(_CALLS, _PROCESS, "call frames"))
        self._file.write(pp.track(_MACHINE, _PROCESS, "machine"))
        self._open_calls()
        for rows in self._job.selection.pieces(self._job.meter):
            mask = self._job.selection.mask(rows)
            self._job.summary.count("events", int(mask.sum()))
            shown = np.isin(rows["kind"], self._shown)
            self._file.write(b"".join(self._rows(rows[shown], mask[shown])))
        if self._clock != "events":
            self._counters()
        else:
            self._job.summary.remark("counters have no place on the clock of events and are left out")

    def _time(self, seq: int, vt: int, wall: int) -> int:
        return vt if self._clock == "virtual" else wall if self._clock == "wall" else seq * 1000

    # -- calls --------------------------------------------------------------------------------------------------------
    def _open_calls(self) -> None:
        """Frames that are open where the range begins."""
        selection = self._job.selection
        reader = self._job.recording.reader
        if selection.first <= reader.first_seq or not selection.size:
            return
        rows = reader.events(selection.first, selection.first)
        if not len(rows):
            return
        time_ns = self._time(selection.first, int(rows["vt"][0]), int(rows["wall"][0]))
        for frame in reader.state_at(selection.first - 1).stack:
            self._open.append(True)
            self._depth += 1
            self._file.write(pp.event(time_ns, pp.event_head(pp.BEGIN, _CALLS, self._job.recording.decoder.function(int(frame[0])), "call")))

    def _call(self, time_ns: int, kind: int, seq: int, cause: int, args: list[int], taken: bool) -> bytes:
        if kind == k.EV_FRAME_ENTER:
            self._open.append(taken)
            if not taken:
                return b""
            self._depth += 1
            head = self._call_head(args[0])
            rest = pp.annotation_int("line", args[1])
            for name, text, _ in self._job.recording.decoder.call_arguments(args[0], args[2:]):
                rest += pp.annotation_text(name, text)
            if self._depth == 1 and cause >= 0:
                rest += pp.flow(cause + 1)
            return pp.event(time_ns, head, rest)
        if kind == k.EV_FRAME_LEAVE and self._open and self._open.pop():
            self._depth -= 1
            return pp.event(time_ns, pp.event_head(pp.END, _CALLS))
        return b""

    def _call_head(self, function: int) -> bytes:
        key = (int(k.EV_FRAME_ENTER), function)
        found = self._heads.get(key)
        if found is None:
            name = self._job.recording.decoder.function(function)
            found = self._heads[key] = pp.event_head(pp.BEGIN, _CALLS, name, "call")
        return found

    # -- events -------------------------------------------------------------------------------------------------------
    def _rows(self, rows: Events, mask: Any) -> list[bytes]:
        parts: list[bytes] = []
        columns = [rows[name].tolist() for name in ("seq", "vt", "wall", "kind", "obj", "cause")]
        arguments = zip(*(rows[name].tolist() for name in ARGS), strict=True)
        for seq, vt, wall, kind, oid, cause, args, taken in zip(*columns, arguments, mask.tolist(), strict=True):
            if kind in _CALL_KINDS:
                made = self._call(self._time(seq, vt, wall), kind, seq, cause, list(args), taken)
            elif not taken:
                continue
            else:
                made = self._event(self._time(seq, vt, wall), seq, kind, oid, cause, list(args))
            if made:
                if self._fresh:
                    parts += self._fresh
                    self._fresh = []
                parts.append(made)
        return parts

    def _event(self, time_ns: int, seq: int, kind: int, oid: int, cause: int, args: list[int]) -> bytes:
        made = b""
        if kind in RING_KINDS and is_ring(oid):
            made = self._ring(oid).event(time_ns, kind, args)
        spec = self._kinds.get(kind)
        if spec is None or (spec.group in _LEFT_OUT and not self._all):
            return made
        rest = b""
        for (name, unit, text), value in zip(self._arguments(kind), args, strict=False):
            rest += pp.annotation_text(name, self._texts.of(unit, value)) if text else pp.annotation_int(name, value)
        rest += pp.annotation_int("event", seq)
        if kind in _ARROWS:
            rest += pp.flow(seq + 1) + (pp.flow(cause + 1) if cause >= 0 else b"")
        return made + pp.event(time_ns, self._event_head(kind, oid), rest)

    def _arguments(self, kind: int) -> list[tuple[str, str, bool]]:
        """Name, unit, and whether it is text, of each argument."""
        found = self._args.get(kind)
        if found is None:
            found = self._args[kind] = [(arg.name, arg.unit, sort_of(arg.unit) == TEXT) for arg in self._kinds[kind].args]
        return found

    def _event_head(self, kind: int, oid: int) -> bytes:
        key = (kind, oid)
        found = self._heads.get(key)
        if found is None:
            spec = self._kinds[kind]
            found = self._heads[key] = pp.event_head(pp.INSTANT, self._track(oid), spec.name, spec.group)
        return found

    # -- tracks -------------------------------------------------------------------------------------------------------
    def _track(self, oid: int) -> int:
        """The track of an object, described when it is new."""
        if oid == 0:
            return _MACHINE
        uuid = _OBJECTS + oid
        if uuid not in self._described:
            self._described.add(uuid)
            names = self._job.recording.names
            name = f"{pci_name(int(ring_bdf(oid)))} {names.ring_name(oid)}" if is_ring(oid) else names.path(oid) or names.name(oid)
            self._fresh.append(pp.track(uuid, _PROCESS, name, names.type_name(oid)))
        return uuid

    def _ring(self, oid: int) -> RingSlices:
        found = self._rings.get(oid)
        if found is None:
            reader = self._job.recording.reader
            resets = reader.find_events([int(k.EV_RING_RESET)], reader.first_seq, self._job.selection.first, 1, True, [oid])
            found = RingSlices(bool(len(resets) and int(resets[-1]["a4"])), lambda head: self._head_track(oid, head))
            self._rings[oid] = found
        return found

    def _head_track(self, oid: int, head: int) -> int:
        parent = self._track(oid)
        uuid = _HEADS + (oid << 16) + (head & 0xFFFF)
        self._fresh.append(pp.track(uuid, parent, f"descriptor {head & 0xFFFF}"))
        return uuid

    # -- counters -----------------------------------------------------------------------------------------------------
    def _counters(self) -> None:
        heads: dict[tuple[int, int], bytes] = {}
        last: dict[tuple[int, int], int] = {}
        number = 0
        for vt, wall, oid, values, _ in counter_samples(self._job.selection, self._job.meter):
            time_ns = vt if self._clock == "virtual" else wall
            parts: list[bytes] = []
            for place, value in enumerate(values):
                key = (oid, place)
                if last.get(key) == value:
                    continue
                if key not in heads:
                    heads[key] = self._counter_track(oid, place)
                    parts += self._fresh
                    self._fresh = []
                last[key] = value
                parts.append(pp.event(time_ns, heads[key], pp.counter_value(value)))
            self._file.write(b"".join(parts))
            number += 1
        self._job.summary.count("counters", number)

    def _counter_track(self, oid: int, place: int) -> bytes:
        name = COUNTER_NAMES[place]
        uuid = _COUNTERS + (oid << 8) + place
        parent = self._track(oid)
        unit = pp.UNIT_BYTES if "bytes" in name else pp.UNIT_COUNT
        self._fresh.append(pp.counter_track(uuid, parent, f"{self._job.recording.names.name(oid)} {name}", unit))
        return pp.event_head(pp.COUNTER, uuid)
