"""What breakpoints with a message say: into the session, and to the control's clients now and then.

A breakpoint on the data path says more than anybody reads: clients get the newest lines a few times a second, the session keeps the first `MOST_KEPT`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from ringscope_core.query.breakpoints import Breakpoint
from ringscope_core.session.writer import SessionWriter

MOST_KEPT: Final = 100_000
"""Messages that a session keeps."""
MOST_TOLD: Final = 200
"""Lines of one event to the clients."""
NO_MORE: Final = f"after {MOST_KEPT} messages no more are kept"

Tell = Callable[[str, dict[str, object]], None]


class Messages:
    """Takes messages in the run's thread; `tell` may be called from any."""

    def __init__(self, writer: SessionWriter, tell: Tell) -> None:
        self._writer: SessionWriter = writer
        self._tell: Tell = tell
        self._lock: threading.Lock = threading.Lock()
        self._lines: deque[dict[str, object]] = deque(maxlen=MOST_TOLD)
        self._fresh: int = 0
        """Messages since clients were told."""
        self._kept: int = 0

    def said(self, seq: int, vt: int, point: Breakpoint, text: str) -> None:
        """A breakpoint says `text` at event `seq`, virtual time `vt` ns."""
        self._kept += 1
        if self._kept <= MOST_KEPT:
            self._writer.add_log(seq, vt, point.id, text if self._kept < MOST_KEPT else NO_MORE)
        with self._lock:
            self._lines.append({"seq": seq, "vt": vt, "breakpoint": point.id, "text": text})
            self._fresh += 1

    def tell(self) -> None:
        """Tell the clients what was said since the last time."""
        with self._lock:
            lines, self._fresh, fresh = list(self._lines), 0, self._fresh
            self._lines.clear()
        if lines:
            self._tell("X_RINGSCOPE_LOG", {"lines": lines, "missing": fresh - len(lines)})
