"""Files of older versions, one step a version.

``STEPS[n]`` makes a database of version n look like one of version n + 1.  A step writes nothing into the file, which is open
read-only: it makes temporary tables and views, in memory, that stand before the file's own of the same name.  So an old file of
any size opens as fast as a new one, needs no room on the disk, and is never changed.  A step reads ``main.TABLE`` where the file
itself is meant; the next step finds what the step before has made under the plain name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from ringscope_core.session.schema import VERSION

STEPS: Final[dict[int, Sequence[str]]] = {
    1: (
        "CREATE TEMP VIEW block AS SELECT first_seq, count, first_vt, last_vt, last_wall, kinds FROM main.block",
        "CREATE TEMP VIEW block_data AS SELECT first_seq, data FROM main.block",
        "CREATE TEMP VIEW keyframe AS SELECT seq, vt, wall FROM main.keyframe",
        "CREATE TEMP VIEW keyframe_data AS SELECT seq, data FROM main.keyframe",
        # frames stay as they are, a row each: `packet_reader` knows both forms
        "CREATE TEMP TABLE control (id INTEGER PRIMARY KEY, seq INTEGER, vt INTEGER, name TEXT, arguments TEXT)",
        "CREATE TEMP TABLE breakpoint (id INTEGER PRIMARY KEY, spec TEXT)",
        "CREATE TEMP TABLE log (id INTEGER PRIMARY KEY, seq INTEGER, vt INTEGER, breakpoint INTEGER, text TEXT)",
        "CREATE TEMP TABLE note (id INTEGER PRIMARY KEY, seq INTEGER, vt INTEGER, place TEXT, text TEXT)",
        "CREATE TEMP TABLE gap (id INTEGER PRIMARY KEY, first_seq INTEGER, last_seq INTEGER, events INTEGER, packets INTEGER, reason TEXT)",
    ),
}


def migrate(database: sqlite3.Connection, version: int) -> None:
    """Make `database`, a connection to a file of `version`, read as one of `VERSION`.

    Raises LookupError when a step is missing, which means that the file is not one of ours.
    """
    database.execute("PRAGMA temp_store = MEMORY")
    while version < VERSION:
        step = STEPS.get(version)
        if step is None:
            raise LookupError(f"no way from version {version} to {VERSION}")
        for statement in step:
            database.execute(statement)
        version += 1
