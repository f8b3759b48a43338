"""Opens a session for looking at: of a damaged one what is whole, also when damage shows only as its names are read."""

from __future__ import annotations

from pathlib import Path

from ringscope_core.query.recording import Recording
from ringscope_core.session.errors import DamagedSession
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.salvage import open_session, salvage


def open_for_view(path: Path) -> SessionReader:
    """A reader of which a `Recording` can be made; `SessionReader.damage` says what is missing.  Raises SessionError."""
    reader = open_session(path)
    try:
        Recording(reader)
    except DamagedSession as error:
        reader.close()
        if reader.damage:
            raise
        return salvage(path, error.reason)
    except BaseException:
        reader.close()
        raise
    return reader
