"""Virtual time (QEMU_CLOCK_VIRTUAL) and wall time, both in ns since the run began."""

from __future__ import annotations

import time
from typing import final

from mypy_extensions import i64


@final
class Clock:
    """Two times that the run thread moves and everyone else reads.

    Reading the host's clock costs more than an event, so wall time is refreshed once a turn of the main loop and all
    events of the turn share it.
    """

    def __init__(self) -> None:
        self.now_ns: i64 = 0
        """Virtual time: what timers and traffic go by."""
        self.wall_ns: i64 = 0
        """Wall time at the last refresh."""
        self._origin_ns: i64 = time.monotonic_ns()

    def refresh_wall(self) -> i64:
        """Read the host's clock; returns the new wall time."""
        self.wall_ns = time.monotonic_ns() - self._origin_ns
        return self.wall_ns

    def advance_to(self, deadline_ns: i64) -> None:
        """Move virtual time forward; it never goes back."""
        if deadline_ns > self.now_ns:
            self.now_ns = deadline_ns
