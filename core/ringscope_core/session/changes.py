"""What a person may change of a session: its marks and the entries of its notebook, in a form that goes over the control socket too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from ringscope_core.scenario.errors import InputError

TABLES: Final = ("mark", "note")
MAX_NAME: Final = 200
"""Characters of a mark's name."""
MAX_TEXT: Final = 100_000
"""Characters of a note."""
_LIMIT: Final = 1 << 63


class Put(NamedTuple):
    """A mark (`name`, and `text` as its note) or a note (`text` and `place`) at event `seq`; `id` 0 makes a new one."""

    table: str
    id: int
    seq: int
    vt: int
    name: str
    text: str
    place: dict[str, Any]

    def values(self) -> tuple[Any, ...]:
        """The row behind its number, as `rows.MarkRow` and `rows.NoteRow` have it."""
        return (self.seq, self.vt, self.name, self.text) if self.table == "mark" else (self.seq, self.vt, self.place, self.text)

    def row(self, number: int) -> tuple[object, ...]:
        """The row of the table."""
        if self.table == "mark":
            return (number, *self.values())
        return (number, self.seq, self.vt, msgspec.json.encode(self.place).decode(), self.text)

    def to_plain(self) -> dict[str, object]:
        """A form for JSON."""
        return {"put": self.table, "id": self.id, "seq": self.seq, "vt": self.vt, "name": self.name, "text": self.text, "place": self.place}


class Remove(NamedTuple):
    """A mark or a note goes."""

    table: str
    id: int

    def to_plain(self) -> dict[str, object]:
        """A form for JSON."""
        return {"remove": self.table, "id": self.id}


Change = Put | Remove


def put_mark(seq: int, vt: int, name: str, note: str = "", number: int = 0) -> Put:
    """A mark at event `seq`, virtual time `vt` ns; `number` is that of one to change.  Raises InputError."""
    return _checked(Put("mark", number, seq, vt, name.strip(), note, {}))


def put_note(seq: int, vt: int, place: Mapping[str, Any], text: str, number: int = 0) -> Put:
    """An entry of the notebook; `place` is plain data.  Raises InputError."""
    return _checked(Put("note", number, seq, vt, "", text, dict(place)))


def _checked(change: Put) -> Put:
    if change.table == "mark" and not 0 < len(change.name) <= MAX_NAME:
        raise InputError("name", change.name, f"1 to {MAX_NAME} characters")
    if len(change.text) > MAX_TEXT:
        raise InputError("text", change.text, f"at most {MAX_TEXT} characters")
    for field, value in (("seq", change.seq), ("vt", change.vt), ("id", change.id)):
        if not -1 <= value < _LIMIT:
            raise InputError(field, str(value), "a number of 63 bits")
    try:
        encoded = msgspec.json.encode(change.place)
    except (TypeError, ValueError):
        raise InputError("place", repr(change.place), "plain data") from None
    if len(encoded) > MAX_TEXT:
        raise InputError("place", "", f"at most {MAX_TEXT} bytes")
    return change


def change_from(plain: Mapping[str, Any]) -> Change:
    """The inverse of `to_plain`; raises InputError."""
    table = plain.get("put", plain.get("remove"))
    if table not in TABLES or ("put" in plain) == ("remove" in plain):
        raise InputError("change", str(table), "an object with put or remove: mark or note")
    number = _number(plain, "id", 0)
    if "remove" in plain:
        return Remove(str(table), number)
    place = plain.get("place", {})
    name, text = plain.get("name", ""), plain.get("text", "")
    if not isinstance(place, dict) or not isinstance(name, str) or not isinstance(text, str):
        raise InputError("change", str(table), "name and text as texts, place as an object")
    return _checked(Put(str(table), number, _number(plain, "seq"), _number(plain, "vt"), name.strip(), text, place))


def _number(plain: Mapping[str, Any], field: str, default: int | None = None) -> int:
    value = plain.get(field, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(field, str(value), "a whole number")
    return value
