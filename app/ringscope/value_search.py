"""Searches that are quick mostly, and long sometimes: at first on the window's own thread, and when that takes too long, in another."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from ringscope.back_thread import BackThread
from ringscope_core.query.recording import Recording
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader

if TYPE_CHECKING:
    from ringscope.store import Store

PATIENCE_S: Final = 0.03
"""So long the window waits for an answer."""

Tick = Callable[[int], None]
Question = Callable[[Recording, Tick], object]
"""Searches a recording and calls the tick with how far it is; what the tick raises ends it."""


class _TooLong(Exception):
    """The answer takes longer than a window may stand still."""


class ValueSearch(QObject):
    """Asks one question at a time; a new one, and `cancel`, make an old one count no more."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = BackThread("values", self)
        self._ticket = 0
        self._recording: Recording | None = None

    @property
    def busy(self) -> bool:
        """Whether a search goes on in the other thread."""
        return self._thread.busy

    def ask(self, store: Store, question: Question, answered: Callable[[object], None], failed: Callable[[str], None]) -> bool:
        """Have `answered` told the answer; true when it has been, false when that takes a while."""
        self.cancel()
        deadline = time.perf_counter() + PATIENCE_S

        def tick(_: int) -> None:
            if time.perf_counter() > deadline:
                raise _TooLong

        try:
            answer = question(store.recording, tick)
        except _TooLong:
            ticket, path = self._ticket, store.reader.path

            def told(late: object) -> None:
                if isinstance(late, SessionError):
                    failed(str(late))
                elif not isinstance(late, Exception):
                    answered(late)

            self._thread.submit(lambda: question(self._open(path), lambda _: self._go_on(ticket)), told)
            return False
        answered(answer)
        return True

    def cancel(self) -> bool:
        """Give up what is under way; false when nothing is."""
        self._ticket += 1
        return self._thread.forget()

    def close(self) -> None:
        """End the thread."""
        self.cancel()
        self._thread.close(self._shut)

    # -- the thread's side --------------------------------------------------------------------------------------------
    def _go_on(self, ticket: int) -> None:
        if ticket != self._ticket:
            raise _TooLong

    def _open(self, path: Path) -> Recording:
        if self._recording is None or self._recording.reader.path != path:
            self._shut()
            self._recording = Recording(SessionReader(path))
        else:
            self._recording.refresh()
        return self._recording

    def _shut(self) -> None:
        if self._recording is not None:
            self._recording.reader.close()
            self._recording = None
