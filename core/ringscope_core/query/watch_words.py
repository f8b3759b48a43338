"""Watches in words: what a person types for a value, and how a value is called.

    net0.VirtIODevice.status        a field; ``tx0.inuse`` when the structure goes without saying
    tx0.desc[5].addr                a descriptor's member; ``tx0.desc[5]`` the whole
    tx0.avail.idx  tx0.avail.ring[3]  tx0.used.ring[3].len
    tx0.indirect[7][0].addr         entry 0 of the indirect table of head 7
    tx0.counter.packets             a counter, at its samples
    net0.ref  net0.parent  net0.bus
    net0                            whether it exists
    run_state  trace_level

An object is its name, its path, ``#id``, or a ring's name (rx0, tx0, ctrl); of several of one name the path says which.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from ringscope_core.query.decode import MASK64
from ringscope_core.query.watch import (
    COUNTER,
    FIELD,
    OBJECT,
    OBJECT_MEMBERS,
    RING,
    RUN,
    RUN_MEMBERS,
    Value,
    Watch,
    counter_watch,
    field_watch,
    object_watch,
    ring_watch,
    run_watch,
    span_of,
)
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.kinds import ENUMS
from ringscope_core.trace.oids import is_ring
from ringscope_core.trace.state import RingImage

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

FORMS: Final = "OBJECT.Struct.field, RING.desc[N].addr, RING.avail.idx, RING.used.ring[N].len, RING.counter.NAME, OBJECT, run_state or trace_level"
_SLOT: Final = re.compile(r"(desc)\[([0-9]+)\](?:\.(addr|len|flags|next|id))?")
_ENTRY: Final = re.compile(r"(indirect)\[([0-9]+)\]\[([0-9]+)\](?:\.(addr|len|flags|next|id))?")
_AREA: Final = re.compile(r"(avail|used)\.(flags|idx|used_event|avail_event|off_wrap)")
_ELEMENT: Final = re.compile(r"(avail|used)\.ring\[([0-9]+)\](?:\.(id|len))?")


def parse_watch(text: str, recording: Recording) -> Watch:
    """The value that `text` names; raises InputError when this recording has none of that name."""
    words = text.strip()
    if words in RUN_MEMBERS:
        return run_watch(words)
    problem: InputError | None = None
    # object names have dots (pci.0), and so have fields (PCIDevice.msix.enabled): the longest object that is known
    for place in [len(words), *(m.start() for m in reversed(list(re.finditer(r"\.", words))))]:
        oids = _objects(words[:place], recording)
        if not oids:
            continue
        if len(oids) > 1:
            paths = ", ".join(recording.names.path(oid) or f"#{oid}" for oid in oids[:8])
            raise InputError("object", words[:place], f"there are several: {paths}")
        member = words[place + 1 :]
        if not member:
            return object_watch(oids[0])
        try:
            return _member(oids[0], member, recording)
        except InputError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    first = words.split(".", 1)[0]
    near = get_close_matches(first, _known_names(recording), 3, 0.5)
    raise InputError("watch", words, f"there is no object {first!r}" + (f"; near: {', '.join(near)}" if near else f"; {FORMS}"))


def _known_names(recording: Recording) -> list[str]:
    return sorted({recording.names.name(oid) for oid in recording.names.known()})


def _objects(name: str, recording: Recording) -> list[int]:
    names = recording.names
    # a ring may also be known as an object
    known = list(dict.fromkeys(names.known()))
    if re.fullmatch(r"#[0-9]+", name):
        oid = int(name[1:])
        return [oid] if oid in known or _fields_of(oid, recording) else []
    if name.startswith("/"):
        return [oid for oid in known if names.path(oid) == name]
    found = [oid for oid in known if names.name(oid) == name]
    return found or [oid for oid in known if is_ring(oid) and names.path(oid) == name]


def _member(oid: int, member: str, recording: Recording) -> Watch:
    if member in OBJECT_MEMBERS and not is_ring(oid):
        return object_watch(oid, member)
    if is_ring(oid):
        found = _ring_member(oid, member)
        if found is not None:
            return found
    number = recording.field_id(member)
    if number < 0 and "." not in member:
        number = _bare_field(oid, member, recording)
    if number >= 0:
        return field_watch(oid, number)
    has = [recording.fields[n] for n in _fields_of(oid, recording) if n in recording.fields]
    known = [*(spec.name for spec in has), *(f"{spec.struct}.{spec.name}" for spec in has or recording.fields.values()), *OBJECT_MEMBERS]
    near = get_close_matches(member, known, 3, 0.5)
    raise InputError("watch", f"{recording.names.name(oid)}.{member}", f"it has no such value; {'near: ' + ', '.join(near) if near else FORMS}")


def _ring_member(oid: int, member: str) -> Watch | None:
    if member.startswith("counter."):
        name = member.removeprefix("counter.")
        if name not in COUNTER_NAMES:
            raise InputError("counter", name, ", ".join(COUNTER_NAMES))
        return counter_watch(oid, name)
    if match := _SLOT.fullmatch(member):
        return ring_watch(oid, "desc", int(match[2]), match[3] or "")
    if match := _ENTRY.fullmatch(member):
        return ring_watch(oid, "indirect", int(match[2]), match[4] or "", int(match[3]))
    if match := _ELEMENT.fullmatch(member):
        if match[1] == "avail" and match[3]:
            raise InputError("watch", member, "an available ring's element is a head: avail.ring[N]")
        return ring_watch(oid, match[1], int(match[2]), match[3] or "ring")
    if match := _AREA.fullmatch(member):
        return ring_watch(oid, match[1], -1, match[2])
    return None


def _bare_field(oid: int, name: str, recording: Recording) -> int:
    """The field `name` of the structures that the object has values of, -1 for none."""
    found = [number for number in _fields_of(oid, recording) if number in recording.fields and recording.fields[number].name == name]
    if len(found) > 1:
        raise InputError("watch", name, "say which: " + ", ".join(f"{recording.fields[n].struct}.{name}" for n in found))
    return found[0] if found else -1


def _fields_of(oid: int, recording: Recording) -> list[int]:
    """The fields that the object has at the end of the recording."""
    reader = recording.reader
    return list(reader.state_at(reader.last_seq).fields.get(oid, {})) if reader.last_seq >= 0 else []


def watch_text(watch: Watch, recording: Recording) -> str:
    """The words that `parse_watch` reads back."""
    if watch.kind == RUN:
        return watch.member
    name = recording.names.name(watch.oid)
    if _objects(name, recording) != [watch.oid]:
        name = recording.names.path(watch.oid)
    if _objects(name, recording) != [watch.oid]:
        name = f"#{watch.oid}"
    if watch.kind == OBJECT:
        return f"{name}.{watch.member}" if watch.member else name
    if watch.kind == FIELD:
        return f"{name}.{recording.decoder.field_name(watch.number)}"
    if watch.kind == COUNTER:
        return f"{name}.counter.{COUNTER_NAMES[watch.number]}"
    member = f".{watch.member}" if watch.member else ""
    if watch.part == "desc":
        return f"{name}.desc[{watch.number}]{member}"
    if watch.part == "indirect":
        return f"{name}.indirect[{watch.number}][{watch.entry}]{member}"
    if watch.number < 0:
        return f"{name}.{watch.part}{member}"
    return f"{name}.{watch.part}.ring[{watch.number}]{member if watch.member != 'ring' else ''}"


def check_watch(watch: Watch, recording: Recording, ring: RingImage | None) -> None:
    """Raises InputError when `watch` names a place that `ring`, as it is now, does not have."""
    if watch.kind == RING and ring is not None and span_of(watch, ring.num, ring.packed) is None:
        sort = "packed" if ring.packed else "split"
        raise InputError("watch", watch_text(watch, recording), f"the ring is {sort} and has {ring.num} descriptors")


def value_text(watch: Watch, value: Value, recording: Recording) -> str:
    """A watch's value as it is printed; one that is not known is said to be."""
    if value is None:
        return "not known"
    if isinstance(value, bytes):
        return value.hex(" ")
    decoder = recording.decoder
    if watch.kind == FIELD:
        return decoder.field_value(watch.number, value)
    if watch.kind == RUN:
        names = ENUMS["run_state"] if watch.member == "run_state" else ("counters", "packets", "full")
        return names[value] if 0 <= value < len(names) else str(value)
    if watch.kind == OBJECT:
        return {"": "exists" if value else "does not exist", "ref": str(value), "name": f'"{decoder.text(value)}"'}.get(watch.member) or decoder.value(
            "oid", value
        )
    if watch.kind == RING and watch.member in ("addr", "flags"):
        return f"0x{value & MASK64:x}"
    return decoder.value("off_wrap", value) if watch.member == "off_wrap" else str(value)
