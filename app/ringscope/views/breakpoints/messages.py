"""What breakpoints say that only log: what the engine recorded of a live run, and over a recording what they would have said, searched beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from PySide6.QtCore import QObject, Signal

from ringscope.back_thread import BackThread
from ringscope_core.query.breakpoints import log_lines, parse_breakpoint
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader

if TYPE_CHECKING:
    from ringscope.store import Store

MOST: Final = 500
"""Messages of one breakpoint that are searched for, the first ones."""


class Message(NamedTuple):
    """One message: event, virtual ns, breakpoint, text."""

    seq: int
    vt: int
    point: int
    text: str


Key = tuple[object, ...]


class Messages(QObject):
    """`changed` when a search brought more."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = BackThread("messages", self)
        self._known: dict[Key, list[Message]] = {}
        self._asked: set[Key] = set()
        self._path: Path | None = None

    def lines(self, store: Store, points: Sequence[Mapping[str, Any]], running: bool) -> list[Message]:
        """Messages in the order of their events; `running` when an engine keeps the breakpoints and records what they say."""
        recorded = [Message(row.seq, row.vt, row.breakpoint, row.text) for row in store.reader.logs()]
        if running:
            return recorded
        if self._path != store.reader.path:
            self._path, self._known, self._asked = store.reader.path, {}, set()
        logging = [point for point in points if point.get("log") and point.get("enabled", True)]
        found = [message for point in logging for message in self._of(store, point)]
        ids = {point["id"] for point in points}
        return sorted([*found, *(message for message in recorded if message.point not in ids)])

    def _of(self, store: Store, point: Mapping[str, Any]) -> list[Message]:
        key = (*(point.get(name) for name in ("id", "what", "where", "condition", "oid", "ignore", "every", "since", "log")), store.last_seq)
        if key not in self._known and key not in self._asked:
            self._asked.add(key)
            path, plain = store.reader.path, dict(point)
            self._thread.submit(lambda: _search(path, plain), lambda answer: self._take(key, answer))
        return self._known.get(key, [])

    def _take(self, key: Key, answer: object) -> None:
        self._known[key] = answer if isinstance(answer, list) else []
        self.changed.emit()

    def close(self) -> None:
        """End the thread."""
        self._thread.close()


def _search(path: Path, plain: dict[str, Any]) -> list[Message]:
    reader = SessionReader(path)
    try:
        recording = Recording(reader)
        point = parse_breakpoint(plain, recording)
        return [Message(seq, vt, point.id, text) for seq, vt, text in log_lines(recording, point, reader.first_seq, reader.last_seq, MOST)]
    finally:
        reader.close()
