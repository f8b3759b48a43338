"""A thread beside the window's for what may take a while: jobs go in, answers come back on the window's own thread, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Qt, Signal

Done = Callable[[object], None]
"""Takes what the job returned, or the exception that it raised."""


class _Job(NamedTuple):
    ticket: int
    work: Callable[[], object]
    done: Done


class BackThread(QObject):
    """One thread, started with the first job.  What a job opens it keeps: jobs never meet another thread's database."""

    _answered = Signal(object, object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._next = 1
        self._wanted: set[int] = set()
        self._answered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._wanted)

    def submit(self, work: Callable[[], Any], done: Done) -> None:
        """Have the thread do `work`; `done` gets the answer."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._main, name=self._name, daemon=True)
            self._thread.start()
        job = _Job(self._next, work, done)
        self._next += 1
        self._wanted.add(job.ticket)
        self._jobs.put(job)

    def forget(self) -> bool:
        """Nobody waits any more for what was asked so far; false when nobody did."""
        was = self.busy
        self._wanted.clear()
        return was

    def close(self, last: Callable[[], object] | None = None) -> None:
        """End the thread after what it is at and `last`, which closes what jobs opened; does not wait for long."""
        self.forget()
        if self._thread is None:
            return
        if last is not None:
            self._jobs.put(_Job(0, last, lambda _: None))
        self._jobs.put(None)
        self._thread.join(1.0)
        self._thread = None

    def _main(self) -> None:
        while (job := self._jobs.get()) is not None:
            answer: object
            try:
                answer = job.work() if job.ticket == 0 or job.ticket in self._wanted else None
            except Exception as error:
                answer = error
            if job.ticket:
                self._answered.emit(job, answer)

    def _deliver(self, job: _Job, answer: object) -> None:
        if job.ticket in self._wanted:
            self._wanted.discard(job.ticket)
            job.done(answer)
