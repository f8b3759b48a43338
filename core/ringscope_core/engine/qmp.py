"""A QMP server: JSON lines on a local socket, as QEMU speaks it, so that QEMU's tools work on us.

The server knows the protocol; what the commands do is a `Handler`'s. Each client has a thread that waits for lines; events
go to all clients.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ringscope_core import __version__

MAX_LINE: Final = 4 << 20
"""A longer request ends the connection."""

_SEND_LIMIT: Final = struct.pack("@ll", 5, 0)
"""Seconds and microseconds after which a client that does not read is dropped."""

GENERIC: Final = "GenericError"
NOT_FOUND: Final = "CommandNotFound"
DEVICE_NOT_FOUND: Final = "DeviceNotFound"


class QmpError(Exception):
    """A command failed: the error's class and its description."""

    def __init__(self, text: str, kind: str = GENERIC) -> None:
        super().__init__(text)
        self.kind: str = kind


def version_of(v7_2: bool) -> dict[str, object]:
    """What query-version and the greeting say: the modelled QEMU, and us as its package."""
    qemu = {"major": 7, "minor": 2, "micro": 22} if v7_2 else {"major": 4, "minor": 1, "micro": 0}
    return {"qemu": qemu, "package": f"Ringscope {__version__}"}


class Handler:
    """Carries out commands.  Called in a client's thread."""

    version: dict[str, object] = version_of(False)

    def execute(self, command: str, arguments: dict[str, Any]) -> object:
        """The command's return value, as plain data; raises QmpError."""
        raise QmpError(f"The command {command} has not been found", NOT_FOUND)


class _Client:
    """One connection: requests in, replies and events out."""

    def __init__(self, server: QmpServer, connection: socket.socket) -> None:
        self._server: QmpServer = server
        self._connection: socket.socket = connection
        self._lock: threading.Lock = threading.Lock()
        self.negotiated: bool = False
        self.thread: threading.Thread = threading.Thread(target=self._main, name="qmp-client", daemon=True)

    def send(self, message: dict[str, object]) -> None:
        """One message; a client that is gone or does not read for seconds is dropped."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\r\n"
        try:
            with self._lock:
                self._connection.sendall(data)
        except OSError:
            self.close()

    def close(self) -> None:
        """End the connection; its thread follows."""
        self.negotiated = False
        # the other side may have gone first
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _main(self) -> None:
        self.send({"QMP": {"version": self._server.handler.version, "capabilities": []}})
        try:
            # a connection that breaks ends like one that is closed
            with suppress(OSError):
                self._serve()
        finally:
            self._connection.close()
            self._server.forget(self)

    def _serve(self) -> None:
        pending = b""
        while True:
            line, newline, rest = pending.partition(b"\n")
            if newline:
                pending = rest
                if line.strip():
                    self.send(self._reply(line))
                continue
            data = self._connection.recv(65536)
            if not data or len(pending) + len(data) > MAX_LINE:
                return
            pending += data

    def _reply(self, line: bytes) -> dict[str, object]:
        reply: dict[str, object] = {}
        try:
            request = _parse(line)
            if "id" in request:
                reply["id"] = request["id"]
            reply["return"] = self._execute(request)
        except QmpError as error:
            reply["error"] = {"class": error.kind, "desc": str(error)}
        return reply

    def _execute(self, request: dict[str, Any]) -> object:
        command, arguments = request["execute"], request.get("arguments", {})
        if command == "qmp_capabilities":
            if self.negotiated:
                raise QmpError("Capabilities negotiation is already complete, command ignored", NOT_FOUND)
            self.negotiated = True
            return {}
        if not self.negotiated:
            raise QmpError("Expecting capabilities negotiation with 'qmp_capabilities'", NOT_FOUND)
        return self._server.handler.execute(command, arguments)


def _parse(line: bytes) -> dict[str, Any]:
    """A request, checked as QEMU does; raises QmpError."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        raise QmpError("Invalid JSON syntax") from None
    if not isinstance(request, dict):
        raise QmpError("QMP input must be a JSON object")
    for key in request:
        if key not in ("execute", "arguments", "id"):
            raise QmpError(f"QMP input member '{key}' is unexpected")
    if "execute" not in request:
        raise QmpError("QMP input lacks member 'execute'")
    if not isinstance(request["execute"], str):
        raise QmpError("QMP input member 'execute' must be a string")
    if not isinstance(request.get("arguments", {}), dict):
        raise QmpError("QMP input member 'arguments' must be an object")
    return request


class QmpServer:
    """Listens on `address`: a path for a unix socket, or HOST:PORT on the loopback (port 0 picks one)."""

    def __init__(self, address: str, handler: Handler) -> None:
        self.handler: Handler = handler
        self.clients: list[_Client] = []
        self.ever_connected: bool = False
        self._lock: threading.Lock = threading.Lock()
        self._path: Path | None = None
        self._listener: socket.socket = self._listen(address)
        self._thread: threading.Thread = threading.Thread(target=self._accept, name="qmp-listen", daemon=True)
        self._thread.start()

    def _listen(self, address: str) -> socket.socket:
        host, colon, port = address.rpartition(":")
        if colon and port.isdigit() and os.sep not in address:
            if host not in ("127.0.0.1", "localhost"):
                raise OSError(f"{host} is not the loopback")
            if int(port) > 65535:
                raise OSError(f"socket '{address}': a port from 0 to 65535 is needed")
            listener = socket.create_server(("127.0.0.1", int(port)))
            self.address: str = f"127.0.0.1:{listener.getsockname()[1]}"
            return listener
        self._path = Path(address)
        if self._path.is_socket():
            self._path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(address)
            os.chmod(address, 0o600)
            listener.listen(64)
        except OSError as error:
            listener.close()
            raise OSError(f"socket '{address}': {error.strerror or error}") from None
        self.address = address
        return listener

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(None)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_LIMIT)
            client = _Client(self, connection)
            with self._lock:
                self.clients.append(client)
            self.ever_connected = True
            client.thread.start()

    def forget(self, client: _Client) -> None:
        """A client is gone."""
        with self._lock:
            if client in self.clients:
                self.clients.remove(client)

    def event(self, name: str, data: dict[str, object] | None = None) -> None:
        """Tell every client that has finished the negotiation."""
        now = time.time_ns() // 1000
        message: dict[str, object] = {"timestamp": {"seconds": now // 1_000_000, "microseconds": now % 1_000_000}, "event": name}
        if data is not None:
            message["data"] = data
        with self._lock:
            clients = list(self.clients)
        for client in clients:
            if client.negotiated:
                client.send(message)

    def close(self) -> None:
        """Stop listening and end every connection."""
        # wakes the thread in accept; not every system lets a listening socket be shut down
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            clients = list(self.clients)
        for client in clients:
            client.close()
        for client in clients:
            if client.thread is not threading.current_thread():
                client.thread.join(2.0)
        self._thread.join(2.0)
        if self._path is not None:
            self._path.unlink(missing_ok=True)
