"""Moves committed pages from the write-ahead log into the database, from a thread and a connection of its own.

A commit that checkpoints by itself takes 60 ms now and then; one that does not takes a few.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Final

INTERVAL_S: Final = 0.5
_WORTH_BYTES: Final = 4 << 20


class Checkpointer:
    """Runs PRAGMA wal_checkpoint whenever the log of `path` has grown past a few megabytes."""

    def __init__(self, path: Path) -> None:
        self._path: Path = path
        self._log: Path = path.with_name(path.name + "-wal")
        self._stop: threading.Event = threading.Event()
        self.failure: str = ""
        """Why the last checkpoint failed; the session stays whole in its log all the same."""
        self._thread: threading.Thread = threading.Thread(target=self._main, name="session-checkpoint", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns when its connection is closed."""
        self._stop.set()
        self._thread.join()

    def _main(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None, timeout=1.0)
        try:
            while not self._stop.wait(INTERVAL_S):
                self._checkpoint(database)
        finally:
            database.close()

    def _checkpoint(self, database: sqlite3.Connection) -> None:
        try:
            if self._log.stat().st_size >= _WORTH_BYTES:
                database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                self.failure = ""
        except (OSError, sqlite3.Error) as error:
            self.failure = str(error)
