"""Text figures: what the commands of a `TextSpec` print, at a moment of a recording.  Without Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.figures.moments import parse_at
from ringscope_core.gdb.named import named
from ringscope_core.gdb.transcript import Entry, run_lines
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.figures.spec import TextSpec
    from ringscope_core.session.reader import SessionReader

__all__ = ["Entry", "transcript"]


def transcript(spec: TextSpec, reader: SessionReader) -> list[Entry]:
    """The entries of `spec`'s commands, begun at its moment (empty: the first event), as `gdb.transcript.run_lines` says.

    Raises InputError for a moment, a focus or a command that is wrong; a command's says its place in the list, from 1.
    """
    if not any(line.strip() for line in spec.commands):
        raise InputError("text", "", "at least one command, such as bt")
    recording = Recording(reader)
    seq = parse_at(reader, spec.at) if spec.at else max(reader.first_seq, 0)
    return run_lines(recording, spec.commands, seq, _object(recording, spec.focus, seq))


def _object(recording: Recording, name: str, seq: int) -> int:
    try:
        return named(recording, name, seq) if name else 0
    except InputError as error:
        raise InputError("focus", name, error.allowed) from None
