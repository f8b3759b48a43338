"""A session with its words: names of objects, decoded values.  What the window's store, exports and the console read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringscope_core.query.decode import ARGS, Decoder
from ringscope_core.query.names import ObjectNames
from ringscope_core.session.annotate import Annotations

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader
    from ringscope_core.session.rows import MarkRow, NoteRow
    from ringscope_core.trace.fields import FieldSpec
    from ringscope_core.trace.functions import FunctionSpec
    from ringscope_core.trace.kinds import KindSpec


class Recording:
    """One session, growing or not.  A `Vocabulary`; the reader stays the caller's to close."""

    def __init__(self, reader: SessionReader) -> None:
        self.reader: SessionReader = reader
        self.names: ObjectNames = ObjectNames()
        self.decoder: Decoder = Decoder(reader.strings, reader.kinds, reader.functions, reader.fields, self.names.name)
        self._field_ids: dict[str, int] = {}
        self.kept: dict[str, object] = {}
        """What searches remember of this recording, by their names."""
        self._annotations: Annotations | None = None
        self.names.extend(reader)

    def refresh(self) -> bool:
        """Take what the writer has committed since; true when something is new."""
        reader, decoder = self.reader, self.decoder
        if not reader.refresh():
            return False
        decoder.strings, decoder.kinds, decoder.functions, decoder.fields = reader.strings, reader.kinds, reader.functions, reader.fields
        self._field_ids = {}
        self.names.extend(reader)
        return True

    # -- what people said ---------------------------------------------------------------------------------------------
    @property
    def annotations(self) -> Annotations:
        """Marks and notes, in the session or beside it, and how they are changed."""
        if self._annotations is None:
            self._annotations = Annotations(self.reader)
        return self._annotations

    def marks(self) -> list[MarkRow]:
        """Every mark, also those kept beside a session that cannot be written."""
        return self.annotations.marks()

    def notes(self) -> list[NoteRow]:
        """The notebook, also where it is kept beside the session."""
        return self.annotations.notes()

    # -- the vocabulary -----------------------------------------------------------------------------------------------
    @property
    def kinds(self) -> dict[int, KindSpec]:
        """Kinds of events, as this session declares them."""
        return self.reader.kinds

    @property
    def functions(self) -> dict[int, FunctionSpec]:
        """QEMU's functions."""
        return self.reader.functions

    @property
    def fields(self) -> dict[int, FieldSpec]:
        """Fields of structures."""
        return self.reader.fields

    @property
    def strings(self) -> list[str]:
        """Interned texts."""
        return self.reader.strings

    def event_counts(self) -> dict[int, int]:
        """Events by kind."""
        return self.reader.event_counts()

    # -- words --------------------------------------------------------------------------------------------------------
    def field_id(self, name: str) -> int:
        """The id of ``Struct.field`` in this recording, -1 when it has none."""
        if not self._field_ids:
            self._field_ids = {f"{spec.struct}.{spec.name}": number for number, spec in self.reader.fields.items()}
        return self._field_ids.get(name, -1)

    def describe(self, row: Any) -> str:
        """The arguments of an event row on one line."""
        return self.decoder.describe(int(row["kind"]), arguments_of(row))


def arguments_of(row: Any) -> list[int]:
    """a0..a5 of an event row as Python integers."""
    return [int(row[name]) for name in ARGS]
