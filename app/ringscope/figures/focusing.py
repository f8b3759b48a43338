"""What a figure is about, in words: an object, a ring, a descriptor, a field, a packet, an event, a type; and the words for a focus.

Several words with commas between them add up, and the last one is the subject: ``net0.tx0[5], packet:7``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope.figures.parse import did_you_mean
from ringscope_core.gdb.moment import Moment, TypeTable
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.oids import is_ring, ring_bdf

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

FORMS: Final = "a QOM path or its end, an id such as net0, a ring such as net0.tx0 or net0.tx0[5], OBJECT.Struct.field, a type, packet:N or event:N"
_PACKET: Final = re.compile(r"packet:\s*#?(\d+)", re.ASCII)
_EVENT: Final = re.compile(r"(?:event|seq):\s*#?(\d+)", re.ASCII)
_RING: Final = re.compile(r"(?:(.+)[. ])?((?:rx|tx)\d+|ctrl)(?:\[(\d+)\])?", re.ASCII)
_FIELD: Final = re.compile(r"(.+?)\.([A-Za-z_]\w*\.\w+)", re.ASCII)
_FLAT: Final = re.compile(r"[A-Za-z_]\w*\.\w+", re.ASCII)


class Aim(NamedTuple):
    """Where a figure looks, as far as it was said; what was not is as in a fresh window."""

    oid: int = 0
    field: int = -1
    head: int = -1
    packet: int = 0
    type_name: str = ""
    subject: str = ""
    """Of `ringscope.focus.SUBJECTS`, "" when nothing was said."""
    seq: int = -1
    """The moment that goes with it, -1 for any."""


def aim_of(recording: Recording, text: str, seq: int = -1) -> Aim:
    """What the words `text` are about (see `FORMS`); names are those of event `seq`, -1 for the end.  Raises InputError for ``focus``."""
    aim = Aim()
    for word in text.split(","):
        if word.strip():
            aim = _and(aim, _one(recording, text, word.strip(), recording.reader.last_seq if seq < 0 else seq))
    return aim


def _and(aim: Aim, more: Aim) -> Aim:
    kept = aim._replace(field=-1, head=-1) if more.oid and more.oid != aim.oid else aim
    return kept._replace(**{name: value for name, value in more._asdict().items() if value != Aim._field_defaults[name]})


def _one(recording: Recording, text: str, word: str, seq: int) -> Aim:
    if match := _PACKET.fullmatch(word):
        return _packet(recording, text, int(match[1]))
    if match := _EVENT.fullmatch(word):
        return _event(recording, text, int(match[1]))
    if word.startswith("type:"):
        return _type(recording, text, word[5:].strip())
    oid = _object(recording, word)
    if oid:
        return Aim(oid=oid, type_name="" if is_ring(oid) else recording.names.type_name(oid), subject="object")
    if match := _RING.fullmatch(word):
        return _ring(recording, text, match, seq)
    if _FIELD.fullmatch(word) or _FLAT.fullmatch(word):
        found = _field(recording, word, seq)
        if found is not None:
            return found
    if word in _types(recording):
        return Aim(type_name=word, subject="type")
    raise _unknown(recording, text, word)


def _packet(recording: Recording, text: str, number: int) -> Aim:
    reader = recording.reader
    rows = reader.packets(number, number) if 1 <= number <= reader.packet_count else []
    if not rows:
        raise InputError("focus", text, f"packet:1 to packet:{reader.packet_count}" if reader.packet_count else "no packet: this recording has none")
    return Aim(packet=number, subject="packet", seq=max(rows[0].seq, reader.first_seq))


def _event(recording: Recording, text: str, number: int) -> Aim:
    reader = recording.reader
    if not reader.first_seq <= number <= reader.last_seq:
        raise InputError("focus", text, f"event:{reader.first_seq} to event:{reader.last_seq}")
    return Aim(subject="event", seq=number)


def _type(recording: Recording, text: str, name: str) -> Aim:
    known = _types(recording)
    if name not in known:
        raise InputError("focus", text, f"type:NAME of a QOM type of this recording{did_you_mean(name, known, 'type:')}")
    return Aim(type_name=name, subject="type")


def _types(recording: Recording) -> set[str]:
    return {str(row["name"]) for row in recording.reader.types}


def _objects(recording: Recording) -> list[int]:
    return list(dict.fromkeys(recording.names.known()))


def _object(recording: Recording, word: str) -> int:
    """The object called so: its whole path, its number, or the end of its path; of several the one with the shortest path."""
    names = recording.names
    if word.startswith("#") and word[1:].isascii() and word[1:].isdigit():
        number = int(word[1:])
        return number if names.knows(number) else 0
    if word.startswith("/"):
        path = word.rstrip("/") or "/"
        return next((oid for oid in _objects(recording) if names.path(oid) == path), 0)
    found = [oid for oid in _objects(recording) if not is_ring(oid) and f"/{names.path(oid)}".endswith(f"/{word}")]
    return min(found, key=lambda oid: (len(names.path(oid)), oid), default=0)


# -- rings and fields ---------------------------------------------------------------------------------------------------
def _ring(recording: Recording, text: str, match: re.Match[str], seq: int) -> Aim:
    device, name, head = match[1] or "", match[2], match[3]
    oid = next((oid for oid in _rings(recording, device, seq) if recording.names.name(oid) == name), 0)
    if not oid:
        raise _unknown(recording, text, f"{device}.{name}" if device else name)
    if head is None:
        return Aim(oid=oid, subject="object")
    return Aim(oid=oid, head=int(head), subject="descriptor")


def _rings(recording: Recording, device: str, seq: int) -> list[int]:
    """The rings of the device called `device`, or all, by number."""
    rings = sorted(oid for oid in _objects(recording) if is_ring(oid))
    if not device:
        return rings
    slot = [oid for oid in rings if recording.names.path(oid).split(" ")[0] == device]
    if slot:
        return slot
    return rings_of(recording, _object(recording, device), seq)


def rings_of(recording: Recording, device: int, seq: int) -> list[int]:
    """The rings of the device that object `device` is or belongs to, by number; names are those of event `seq`."""
    bdf = _bdf(recording, device, seq)
    return sorted(oid for oid in _objects(recording) if is_ring(oid) and ring_bdf(oid) == bdf)


def _bdf(recording: Recording, device: int, seq: int) -> int:
    if not device:
        return -1
    for at in (seq, recording.reader.last_seq):
        bdf = Moment(recording, at, TypeTable(recording.reader.types)).bdf_of(device)
        if bdf >= 0:
            return bdf
    return -1


def _field(recording: Recording, word: str, seq: int) -> Aim | None:
    """``OBJECT.Struct.field``, or ``Struct.field`` of the first object that has it."""
    match = _FIELD.fullmatch(word)
    name = match[2] if match is not None else word
    number = recording.field_id(name)
    if number < 0:
        return None
    if match is None:
        fields = recording.reader.state_at(seq).fields
        oid = next((oid for oid, values in fields.items() if number in values), 0)
    else:
        ring = _RING.fullmatch(match[1])
        oid = _object(recording, match[1])
        if not oid and ring is not None:
            oid = next((oid for oid in _rings(recording, ring[1] or "", seq) if recording.names.name(oid) == ring[2]), 0)
    if not oid:
        return None
    return Aim(oid=oid, field=number, type_name="" if is_ring(oid) else recording.names.type_name(oid), subject="object")


def _unknown(recording: Recording, text: str, word: str) -> InputError:
    known = known_words(recording)
    rings = [name for name in known if _RING.fullmatch(name)]
    said = did_you_mean(word, known) or (f" (rings: {', '.join(rings[:12])})" if rings and _RING.fullmatch(word) else "")
    return InputError("focus", text, f"{FORMS}; {word} is none of this recording{said}")


# -- words for a focus --------------------------------------------------------------------------------------------------
def known_words(recording: Recording) -> list[str]:
    """Words that mean something: short names and paths of objects, rings, types."""
    names = recording.names
    found: dict[str, None] = {}
    for oid in _objects(recording):
        if is_ring(oid):
            found[ring_word(recording, oid)] = None
        else:
            found[names.name(oid)] = found[names.path(oid)] = None
    found.update(dict.fromkeys(sorted(_types(recording))))
    return [word for word in found if word]


def ring_word(recording: Recording, oid: int) -> str:
    """``net0.tx0``: the id of the ring's device, where it has one, and the ring's name."""
    names = recording.names
    moment = Moment(recording, recording.reader.last_seq, TypeTable(recording.reader.types))
    for device in _objects(recording):
        path = names.path(device)
        if path.startswith("/machine/peripheral/") and path.count("/") == 3 and moment.bdf_of(device) == ring_bdf(oid):
            return f"{names.name(device)}.{names.name(oid)}"
    return names.path(oid).replace(" ", ".")


def object_word(recording: Recording, oid: int) -> str:
    """A word by which `aim_of` finds object or ring `oid` again."""
    if is_ring(oid):
        return ring_word(recording, oid)
    path = recording.names.path(oid)
    return path if path and "," not in path and _object(recording, path) == oid else f"#{oid}"


def words_of(recording: Recording, aim: Aim) -> str:
    """The words for `aim`, such that `aim_of` gives the same again."""
    parts: list[tuple[str, str]] = []
    if aim.type_name and (aim.subject == "type" or aim.type_name != (recording.names.type_name(aim.oid) if aim.oid else "")):
        parts.append(("type", f"type:{aim.type_name}"))
    if aim.oid:
        word = object_word(recording, aim.oid)
        spec = recording.fields.get(aim.field)
        if aim.head >= 0 and is_ring(aim.oid):
            parts.append(("descriptor", f"{word}[{aim.head}]"))
        elif spec is not None:
            parts.append(("object", f"{word}.{spec.struct}.{spec.name}"))
        else:
            parts.append(("object", word))
    if aim.packet:
        parts.append(("packet", f"packet:{aim.packet}"))
    if aim.seq >= 0 and aim.subject == "event":
        parts.append(("event", f"event:{aim.seq}"))
    # the last one is the subject; where the sort is stable the rest keeps its order
    parts.sort(key=lambda part: part[0] == aim.subject)
    return ",".join(word for _, word in parts)
