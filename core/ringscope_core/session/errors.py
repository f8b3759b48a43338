"""What can go wrong with a session file, as one exception with one clear line."""

from __future__ import annotations


class SessionError(Exception):
    """A session file cannot be read or written: missing, foreign, damaged, hostile, or of a newer version."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"session {path}: {reason}")
        self.path: str = path
        self.reason: str = reason


class DamagedSession(SessionError):
    """A session whose contents are not what was written; `session.salvage` opens what of it is whole."""
