"""An export or an import in a thread of its own, with a reader of its own, so that the window goes on whatever it takes."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QThread, Signal

from ringscope_core.export.request import Cancelled, Summary
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

if TYPE_CHECKING:
    from ringscope_core.export.request import Request


SWITCH_S: Final = 0.0005


class Work(QThread):
    """`moved` tells (done, total) some times a second; then one of `ended` (a Summary), `failed` (one line) or `cancelled`.

    The thread still runs when it says so: only after `finished` may it, or what it belongs to, go.
    """

    moved = Signal(int, int)
    ended = Signal(object)
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop = threading.Event()
        self._shown = -1

    def cancel(self) -> None:
        """End soon; nothing of what was written stays."""
        self._stop.set()

    @property
    def given_up(self) -> bool:
        """Whether it was cancelled, be it too late to matter."""
        return self._stop.is_set()

    def give_up(self) -> None:
        """Cancel and wait for the end: a thread must not outlive its window."""
        self.cancel()
        self.wait()

    def run(self) -> None:
        """The thread's body."""
        before = sys.getswitchinterval()
        # the window's thread shall not wait long for the interpreter
        sys.setswitchinterval(SWITCH_S)
        try:
            self._do()
        finally:
            sys.setswitchinterval(before)

    def _do(self) -> None:
        try:
            summary = self.work()
        except Cancelled:
            self.cancelled.emit()
        except (InputError, SessionError) as error:
            self.failed.emit(str(error))
        except Exception as error:
            # a defect of ours ends this work, not the window
            self.failed.emit(f"{type(error).__name__}: {error}")
        else:
            self.ended.emit(summary)

    def work(self) -> Summary:
        """What is to be done."""
        raise NotImplementedError

    def progress(self, done: int, total: int) -> bool:
        """What an export calls now and then: one signal a thousandth."""
        place = 1000 * done // max(total, 1)
        if place != self._shown:
            self._shown = place
            self.moved.emit(place, 1000)
        return not self._stop.is_set()


class ExportWork(Work):
    """One export of the session at `session`, which may still grow: what is there at the beginning is exported."""

    def __init__(self, session: Path, request: Request, target: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._request, self._target = session, request, target

    def work(self) -> Summary:
        """Read and write."""
        from ringscope_core.export.formats import export
        from ringscope_core.query.recording import Recording
        from ringscope_core.session.salvage import open_session

        with open_session(self._session) as reader:
            return export(Recording(reader), self._request, self._target, self.progress)


class ImportWork(Work):
    """One import of `source` as the session `target`."""

    def __init__(self, source: Path, target: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source, self._target = source, target

    def work(self) -> Summary:
        """Read and write."""
        from ringscope_core.export.imports import import_file

        return import_file(self._source, self._target, True, self.progress)
