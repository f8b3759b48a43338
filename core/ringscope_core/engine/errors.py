"""What ends a run that is made again before it is there."""

from __future__ import annotations


class CancelledError(Exception):
    """The replay was told to end."""
