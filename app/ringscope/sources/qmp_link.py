"""A QMP client on Qt's event loop: JSON lines over a local socket, replies by number, no thread."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalSocket

MAX_LINE: Final = 16 << 20
"""A longer reply ends the connection."""

Reply = Callable[[object], None]


class QmpLink(QObject):
    """Negotiates by itself.  `ready` once commands may be sent, `told` for events, `refused` for an error, `lost` at the end."""

    ready = Signal()
    told = Signal(str, object)
    refused = Signal(str)
    lost = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._socket = QLocalSocket(self)
        self._socket.readyRead.connect(self._read)
        self._socket.disconnected.connect(self.lost)
        self._pending = bytearray()
        self._replies: dict[int, Reply | None] = {}
        self._next_id = 1
        self.negotiated: bool = False
        """Whether the other side takes commands."""

    def connect_to(self, address: str) -> None:
        """Connect to a unix socket's path."""
        self._socket.connectToServer(address)

    def send(self, command: str, arguments: Mapping[str, object] | None = None, reply: Reply | None = None) -> bool:
        """Send one command; `reply` gets what it returns.  False when nobody is connected."""
        if self._socket.state() != QLocalSocket.LocalSocketState.ConnectedState:
            return False
        message: dict[str, object] = {"execute": command, "id": self._next_id}
        if arguments:
            message["arguments"] = dict(arguments)
        self._replies[self._next_id] = reply
        self._next_id += 1
        self._socket.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        return True

    @property
    def waiting(self) -> int:
        """Commands without an answer so far."""
        return len(self._replies)

    def close(self) -> None:
        """End the connection without telling."""
        self.blockSignals(True)
        self._socket.abort()

    def _read(self) -> None:
        self._pending += self._socket.readAll().data()
        if len(self._pending) > MAX_LINE:
            self._socket.abort()
            return
        while True:
            line, newline, rest = self._pending.partition(b"\n")
            if not newline:
                return
            self._pending = bytearray(rest)
            if line.strip():
                self._take(bytes(line))

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self.refused.emit("the engine sent something that is not JSON")
            self._socket.abort()
            return
        if not isinstance(message, dict):
            return
        if "QMP" in message:
            self.send("qmp_capabilities", None, self._agreed)
        elif "event" in message:
            self.told.emit(str(message["event"]), message.get("data") or {})
        else:
            self._answer(message)

    def _agreed(self, _: object) -> None:
        self.negotiated = True
        self.ready.emit()

    def _answer(self, message: dict[str, Any]) -> None:
        reply = self._replies.pop(int(message.get("id") or 0), None)
        if "error" in message:
            self.refused.emit(str(message["error"].get("desc", "the engine refused")))
        elif reply is not None:
            reply(message.get("return"))
