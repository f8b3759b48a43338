"""The notebook in words: each note with its moment, what was looked at there, and what a person wrote, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ringscope_core.query.decode import format_clock
from ringscope_core.session.errors import SessionError
from ringscope_core.trace.oids import is_ring
from ringscope_core.trace.slot_states import SLOT_NAMES
from ringscope_core.trace.slots import slot_states

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording
    from ringscope_core.session.rows import NoteRow

FIELDS: Final = 60
"""Fields of an object that are told of."""
_SPECIAL: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#"})


def number_in(place: dict[str, Any], name: str, default: int = 0) -> int:
    """A number of a note's place; what is none counts as `default`."""
    value = place.get(name, default)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else default


def where(recording: Recording, place: dict[str, Any]) -> str:
    """What was looked at, on one line: ``tx0 descriptor 5``."""
    oid, head, field, packet = (number_in(place, name, default) for name, default in (("oid", 0), ("head", -1), ("field", -1), ("packet", 0)))
    subject = place.get("subject")
    if subject == "packet" and packet:
        return f"packet {packet}"
    if subject == "type" and place.get("type_name"):
        return f"type {place['type_name']}"
    if not oid or subject == "event":
        return ""
    name = recording.names.name(oid)
    if head >= 0 and subject == "descriptor":
        return f"{name} descriptor {head}"
    return f"{name} {recording.decoder.field_name(field)}" if field >= 0 else name


def event_words(recording: Recording, seq: int) -> str:
    """Event `seq` on one line, empty when it is not recorded."""
    rows = recording.reader.events(seq, seq)
    if not len(rows):
        return ""
    row = rows[0]
    spec = recording.kinds.get(int(row["kind"]))
    name = recording.names.name(int(row["obj"]))
    return "  ".join(part for part in (spec.name if spec else str(int(row["kind"])), name, recording.describe(row)) if part)


def notebook_markdown(recording: Recording) -> str:
    """The whole notebook: a heading a note, its text, the event, and the state of what was looked at."""
    meta = recording.reader.meta
    lines = [f"# {_plain(str(meta.get('title') or meta.get('scenario') or recording.reader.path.name))}", ""]
    lines += [
        f"{label}: {_plain(str(meta[key]))}  "
        for key, label in (("scenario", "Scenario"), ("profile", "Profile"), ("seed", "Seed"), ("started", "Recorded"))
        if key in meta
    ]
    for number, note in enumerate(recording.notes(), 1):
        lines += ["", *_entry(recording, number, note)]
    if not recording.notes():
        lines += ["", "The notebook is empty."]
    return "\n".join(lines) + "\n"


def _entry(recording: Recording, number: int, note: NoteRow) -> list[str]:
    looked = where(recording, note.place)
    lines = [f"## {number}. {format_clock(note.vt)} s, event {note.seq}{f': {_plain(looked)}' if looked else ''}", ""]
    lines += [f"{line}  " if line else "" for line in note.text.splitlines()] + [""] if note.text else []
    try:
        words = event_words(recording, note.seq)
        lines += [f"`{words.replace('`', chr(39))}`", ""] if words else ["This moment is not in the recording.", ""]
        lines += _state(recording, note)
    except SessionError as error:
        lines += [f"(not readable: {error.problem if hasattr(error, 'problem') else error})", ""]
    return lines


def _state(recording: Recording, note: NoteRow) -> list[str]:
    """The state of the object that was looked at."""
    oid = number_in(note.place, "oid")
    reader = recording.reader
    if not oid or not reader.first_seq <= note.seq <= reader.last_seq:
        return []
    state = reader.state_at(note.seq)
    lines: list[str] = []
    ring = state.rings.get(oid)
    if ring is not None:
        slots = slot_states(ring, state.fields.get(oid, {}))
        counts = {name: bytes(slots.state).count(place) for place, name in enumerate(SLOT_NAMES)}
        sort = "packed" if ring.packed else "split"
        lines += [
            f"{recording.names.name(oid)}: {sort} ring of {ring.num}, " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()),
            "",
        ]
        head = number_in(note.place, "head", -1)
        if 0 <= head < ring.num:
            lines += [f"Descriptor {head}: {SLOT_NAMES[slots.state[head]].replace('_', ' ')}", ""]
    elif oid in state.objects:
        found = state.objects[oid]
        lines += [f"{_plain(recording.names.path(oid) or recording.names.name(oid))}: {recording.names.type_name(oid)}, {found.ref} references", ""]
    elif not is_ring(oid):
        return [f"{_plain(recording.names.name(oid))} does not exist at this moment.", ""]
    values = state.fields.get(oid, {})
    if values:
        lines += ["| field | value |", "|---|---|"]
        for field, value in sorted(values.items())[:FIELDS]:
            lines.append(f"| {_plain(recording.decoder.field_name(field))} | {_plain(recording.decoder.field_value(field, value))} |")
        if len(values) > FIELDS:
            lines.append(f"| ... | {len(values) - FIELDS} more |")
        lines.append("")
    return lines


def _plain(text: str) -> str:
    """Text that Markdown takes as it is."""
    return " ".join(text.split()).translate(_SPECIAL)
