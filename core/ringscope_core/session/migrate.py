"""Files of older versions, one step a version.

``STEPS[n]`` turns a database of version n into one of version n + 1, in a transaction on a copy: the file that a person
opens is never changed.  Version 1 is the first, so there is no step yet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from ringscope_core.session.schema import VERSION

Step = Callable[[sqlite3.Connection], None]
STEPS: Final[dict[int, Step]] = {}


def migrate(database: sqlite3.Connection, version: int) -> None:
    """Bring `database` (a copy, writable) from `version` to `VERSION`.

    Raises LookupError when a step is missing, which means that the file is not one of ours.
    """
    while version < VERSION:
        step = STEPS.get(version)
        if step is None:
            raise LookupError(f"no way from version {version} to {VERSION}")
        with database:
            step(database)
            version += 1
            database.execute(f"PRAGMA user_version = {version:d}")
