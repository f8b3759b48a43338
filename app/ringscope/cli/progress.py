"""A line that says how far a long verb is, on a terminal only; Ctrl-C asks it to stop."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import IO, Any, Final

_AFTER_S: Final = 0.7
"""What is done sooner needs no line."""
_EVERY_S: Final = 0.2


class Meter:
    """Called with done and total; answers whether to go on."""

    def __init__(self, what: str, stream: IO[str]) -> None:
        self._what = what
        self._stream = stream
        self._shown = False
        self._began = self._last = time.monotonic()
        self._stop = False
        self._before: Any = signal.signal(signal.SIGINT, self._on_interrupt)

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True

    def __call__(self, done: int, total: int) -> bool:
        """Show it; false when the person wants to stop."""
        now = time.monotonic()
        if self._stream.isatty() and now - self._began > _AFTER_S and now - self._last > _EVERY_S:
            self._last, self._shown = now, True
            share = 100 * done // total if total else 100
            self._stream.write(f"\r{share:3d} %  {done:,} of {total:,} {self._what}\x1b[K")
            self._stream.flush()
        return not self._stop

    def done(self) -> None:
        """Take the line away."""
        signal.signal(signal.SIGINT, self._before)
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
