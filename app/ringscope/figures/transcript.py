"""Text figures: what the commands of a `TextSpec` print, at a moment of a recording, without Qt; or the table twin of its view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.figures.focusing import aim_of
from ringscope.figures.moments import parse_at
from ringscope_core.engine.monitor_at import MonitorAt
from ringscope_core.gdb.transcript import MARKS, MONITOR, Entry, run_lines
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.figures.spec import TextSpec
    from ringscope_core.session.reader import SessionReader

__all__ = ["Entry", "transcript"]


def transcript(spec: TextSpec, reader: SessionReader) -> list[Entry]:
    """The entries of `spec`'s commands, begun at its moment, as `gdb.transcript.run_lines` says; or of its view.

    Without a moment they begin at the first event, as a debugger does; where only the monitor is asked, at the end, when there is a machine.
    Raises InputError for a moment, a focus or a command that is wrong; a command's says its place in the list, from 1.
    """
    if spec.view:
        # only a view needs Qt
        from ringscope.figures.view_tables import view_entries

        if any(line.strip() for line in spec.commands):
            raise InputError("view", spec.view, "a view or commands, not both")
        return view_entries(spec, reader)
    if not any(line.strip() for line in spec.commands):
        raise InputError("text", "", "at least one command, such as bt")
    recording = Recording(reader)
    seq = parse_at(reader, spec.at) if spec.at.strip() else _begin(spec, reader)
    focus = aim_of(recording, spec.focus, seq).oid if spec.focus.strip() else 0
    return run_lines(recording, spec.commands, seq, focus, MonitorAt(reader))


def _begin(spec: TextSpec, reader: SessionReader) -> int:
    lines = [line.strip().lstrip(MARKS).strip() for line in spec.commands if line.strip() and not line.strip().startswith("#")]
    return reader.last_seq if all(line.startswith(MONITOR) for line in lines) else max(reader.first_seq, 0)
