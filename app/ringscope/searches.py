"""The window's searches in a recording: steps at once, breakpoints in a thread with a reader of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ringscope.back_thread import BackThread
from ringscope.stepping import Found, Plain

if TYPE_CHECKING:
    from ringscope.store import Store
    from ringscope_core.query.recording import Recording


class Searches(QObject):
    """`stepping.Search` on the core's questions."""

    def __init__(self, failed: Callable[[str], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._failed = failed
        self._thread = BackThread("search", self)
        self._path: Path | None = None
        self._recording: Recording | None = None

    def step(self, store: Store, seq: int, kind: str, count: int, direction: int) -> int | None:
        """Where a step over the recording ends."""
        from ringscope_core.query.travel import step

        return step(store.recording, seq, kind, count, direction)

    def find_hit(self, store: Store, points: Sequence[Plain], seq: int, direction: int, found: Found) -> None:
        """Search in the thread; `found` is told on the window's."""
        self._thread.forget()
        path, plain = store.reader.path, [dict(point) for point in points]

        def told(answer: object) -> None:
            if isinstance(answer, Exception):
                self._failed(str(answer))
            else:
                found(answer if isinstance(answer, tuple) else None)

        self._thread.submit(lambda: self._find(path, plain, seq, direction), told)

    @property
    def busy(self) -> bool:
        """Whether a search is under way."""
        return self._thread.busy

    def cancel(self) -> bool:
        """What is under way counts no more."""
        return self._thread.forget()

    def close(self) -> None:
        """End the thread."""
        self._thread.close(self._close_reader)

    # -- the thread's side --------------------------------------------------------------------------------------------
    def _find(self, path: Path, plain: list[dict[str, object]], seq: int, direction: int) -> tuple[int, int] | None:
        from ringscope_core.query.breakpoints import find_hit, parse_breakpoint

        recording = self._open(path)
        points = [parse_breakpoint(point, recording) for point in plain]
        # given up: nobody waits any more
        hit = find_hit(recording, points, seq, direction, lambda: not self._thread.busy)
        return None if hit is None else (hit[0], hit[1].id)

    def _open(self, path: Path) -> Recording:
        from ringscope_core.query.recording import Recording
        from ringscope_core.session.reader import SessionReader

        if self._recording is None or self._path != path:
            self._close_reader()
            self._recording, self._path = Recording(SessionReader(path)), path
        else:
            self._recording.refresh()
        return self._recording

    def _close_reader(self) -> None:
        if self._recording is not None:
            self._recording.reader.close()
            self._recording = self._path = None
