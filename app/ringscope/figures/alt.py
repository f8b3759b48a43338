"""What a picture shows, in one to three sentences from the recording: for screen readers and documents.  Without Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from ringscope.figures.alt_rates import rates
from ringscope.figures.look import aim_at
from ringscope.views import TITLES
from ringscope.words import language, speaking, t
from ringscope_core.gdb.frames import frames_of
from ringscope_core.gdb.moment import Moment, TypeTable
from ringscope_core.gdb.ring_tables import RingTables
from ringscope_core.query.decode import format_clock
from ringscope_core.query.recording import Recording
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from ringscope.figures.spec import FigureSpec
    from ringscope_core.session.reader import SessionReader

_NAMED_FRAMES: Final = 4
"""Innermost frames that are named before the rest is only counted."""


def alt_text(spec: FigureSpec, reader: SessionReader) -> str:
    """One to three sentences in `spec.lang`: which view of what at which moment, and its essential numbers.  Raises InputError as drawing does."""
    with speaking(spec.lang):
        return _Facts(spec, reader).text()


class _Facts:
    """The recording at the moment of a figure."""

    def __init__(self, spec: FigureSpec, reader: SessionReader) -> None:
        self.spec: FigureSpec = spec
        self.reader: SessionReader = reader
        self.recording: Recording = Recording(reader)
        self.seq, self.aim, self._ring = aim_at(self.recording, spec)
        self.vt: int = reader.vt_at_seq(self.seq)
        """Of the event; a state of that moment may have been taken later."""
        self.moment: Moment = Moment(self.recording, self.seq, TypeTable(reader.types))

    def text(self) -> str:
        """All sentences."""
        sentences = [self._head(), *_VIEWS.get(self.spec.view, _nothing)(self)]
        # Chinese puts no space between sentences
        return (" " if language() == "en" else "").join(sentences)

    def _head(self) -> str:
        view = self.spec.view
        values = {
            "view": t("Ringscope's window") if view == "window" else t("The {view} view", view=_spaced(t(TITLES[view][0]))),
            "name": str(self.reader.meta.get("scenario") or PurePath(self.spec.source).stem),
            "time": format_clock(self.vt),
            "seq": self.seq,
        }
        frames = frames_of(self.moment)
        if frames and view not in ("types", "typetree", "throughput", "timeline"):
            return t("{view} of scenario {name} at {time} s of virtual time, event {seq}, in {function}.", **values, function=frames[0].shown.function)
        return t("{view} of scenario {name} at {time} s of virtual time, event {seq}.", **values)

    def ring(self) -> int:
        """The ring that is shown, 0 for none."""
        if is_ring(self.aim.oid):
            return self.aim.oid
        return self._ring or next(iter(self.moment.queues()), 0)


def _spaced(title: str) -> str:
    """A Latin word stands apart from the Chinese one behind it; in English the sentence has its own spaces."""
    return f"{title} " if title.isascii() and language() == "zh" else title


def _nothing(facts: _Facts) -> list[str]:
    return []


def _rings(facts: _Facts) -> list[str]:
    oid = facts.ring()
    if not oid:
        return [t("There is no queue at this moment.")]
    tables = RingTables(facts.moment, oid)
    if tables.image is None:
        return [t("The memory of queue {queue} is not known at this moment.", queue=tables.name)]
    free, available, in_flight, used = tables.counts()
    values = {"queue": tables.name, "size": tables.image.num, "free": free, "available": available, "in_flight": in_flight, "used": used}
    if tables.packed:
        said = t(
            "Queue {queue}, a packed ring of {size} descriptors: {available} available, {in_flight} in flight, {used} used, {free} free.",
            **values,
        )
    else:
        said = t(
            "Queue {queue}, a split ring of {size} descriptors: {available} available, {in_flight} in flight, {used} used, {free} free.",
            **values,
        )
    return [said, *_indices(tables)]


def _indices(tables: RingTables) -> list[str]:
    image = tables.image
    taken, back = tables.value("VirtQueue.last_avail_idx"), tables.value("vring_virtqueue.last_used_idx")
    if image is None or taken is None:
        return []
    if tables.packed:
        placed, used = tables.value("vring_virtqueue.next_avail_idx"), tables.value("VirtQueue.used_idx")
        if placed is None or used is None:
            return []
        return [
            t("The driver adds at slot {placed} next, the device takes slot {taken} next and gives back at slot {used}.", placed=placed, taken=taken, used=used)
        ]
    avail_idx, used_idx = int.from_bytes(image.avail[2:4], "little"), int.from_bytes(image.used[2:4], "little")
    if back is None:
        return [t("avail.idx is {avail}, last_avail_idx {taken}, used.idx {used}.", avail=avail_idx, taken=taken, used=used_idx)]
    return [t("avail.idx is {avail}, last_avail_idx {taken}, used.idx {used}, last_used_idx {back}.", avail=avail_idx, taken=taken, used=used_idx, back=back)]


def _realize(facts: _Facts) -> list[str]:
    frames = frames_of(facts.moment)
    if not frames:
        return [t("No call is open at this moment.")]
    names = [frame.shown.function for frame in frames]
    # frames that a tail call hides are open too, though gdb does not list them
    depth = len(facts.moment.state.stack)
    values = {"depth": depth, "names": t(", ").join(names[:_NAMED_FRAMES]), "last": names[-1]}
    if len(names) == 1:
        return [t("One call is open.")]
    if len(names) <= _NAMED_FRAMES + 1:
        return [t("{depth} calls are open, the innermost first: {names}.", depth=depth, names=t(", ").join(names))]
    return [t("{depth} calls are open, the innermost first: {names}, and so on out to {last}.", **values)]


def _throughput(facts: _Facts) -> list[str]:
    found = rates(facts.recording, facts.vt)
    if found is None:
        return [t("No counters were sampled up to this moment.")]
    return [
        t(
            "Sending: {tx_packets}, {tx_bits}; receiving: {rx_packets}, {rx_bits}; averages over the last {window} ms.",
            tx_packets=found.packets("tx"),
            tx_bits=found.bits("tx"),
            rx_packets=found.packets("rx"),
            rx_bits=found.bits("rx"),
            window=f"{found.elapsed_ns / 1e6:.3g}",
        )
    ]


def _types(facts: _Facts) -> list[str]:
    table = facts.moment.types.rows
    if not table:
        return [t("The recording does not tell of types.")]
    name = facts.aim.type_name
    if not name:
        roots = sorted(one for one, row in table.items() if not row.get("parent"))
        return [t("{count} QOM types below {roots}.", count=len(table), roots=t(", ").join(roots))]
    chain = facts.moment.types.chain(name)
    below = sum(name in facts.moment.types.chain(one) for one in table) - 1
    if len(chain) == 1:
        return [t("{count} QOM types; in focus {type}, a root with {below} types below it.", count=len(table), type=name, below=below)]
    return [
        t(
            "{count} QOM types; in focus {type}, whose parents are {parents}, with {below} types below it.",
            count=len(table),
            type=name,
            parents=t(", ").join(chain[1:]),
            below=below,
        )
    ]


def _objects(facts: _Facts) -> list[str]:
    oid, count = facts.aim.oid, sum(not is_ring(one) for one in facts.moment.state.objects)
    if not oid or is_ring(oid):
        return [t("{count} objects in the composition tree.", count=count)]
    names = facts.recording.names
    return [t("{count} objects; in focus {path} of type {type}.", count=count, path=names.path(oid) or names.name(oid), type=names.type_name(oid))]


def _events(facts: _Facts) -> list[str]:
    reader = facts.reader
    rows = reader.events(facts.seq, facts.seq)
    total = reader.last_seq - reader.first_seq + 1
    lines = [t("The recording holds {count} events, {first} to {last}.", count=total, first=reader.first_seq, last=reader.last_seq)]
    if facts.spec.filter:
        lines = [t("Those of {count} events that the filter {filter} takes.", count=total, filter=facts.spec.filter)]
    if len(rows):
        kind = facts.recording.kinds.get(int(rows[0]["kind"]))
        said = facts.recording.describe(rows[0])
        lines.append(t("Event {seq} is {kind}: {words}.", seq=facts.seq, kind=kind.name if kind else int(rows[0]["kind"]), words=said or "-"))
    return lines


def _timeline(facts: _Facts) -> list[str]:
    reader = facts.reader
    total = reader.last_seq - reader.first_seq + 1
    return [
        t("{count} events over {time} s of virtual time, {marks} marks.", count=total, time=format_clock(reader.last_vt), marks=len(facts.recording.marks()))
    ]


def _inspector(facts: _Facts) -> list[str]:
    aim, names = facts.aim, facts.recording.names
    if aim.subject == "packet":
        rows = facts.reader.packets(aim.packet, aim.packet)
        return [t("Packet {number}, {length} bytes.", number=aim.packet, length=rows[0].length)] if rows else []
    if aim.subject == "type" or not aim.oid:
        return _types(facts) if aim.type_name else _events(facts)[-1:]
    path = names.path(aim.oid) or names.name(aim.oid)
    known = len(facts.moment.state.fields.get(aim.oid, {}))
    return [t("{path} of type {type}, of which {count} fields are known.", path=path, type=names.type_name(aim.oid), count=known)]


def _breakpoints(facts: _Facts) -> list[str]:
    return [t("{count} breakpoints.", count=len(facts.reader.breakpoints()))]


def _notebook(facts: _Facts) -> list[str]:
    return [t("{count} notes.", count=len(facts.recording.notes()))]


def _window(facts: _Facts) -> list[str]:
    return _rings(facts)[:1] if facts.ring() else _events(facts)[:1]


_VIEWS: Final[dict[str, Callable[[_Facts], list[str]]]] = {
    "window": _window,
    "types": _types,
    "typetree": _types,
    "objects": _objects,
    "realize": _realize,
    "rings": _rings,
    "throughput": _throughput,
    "events": _events,
    "inspector": _inspector,
    "breakpoints": _breakpoints,
    "notebook": _notebook,
    "timeline": _timeline,
}
