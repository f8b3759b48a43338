"""A QMP client for programs: one command at a time, and events as they come.  It speaks to the engine as to QEMU itself."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final

from ringscope_core.engine.qmp import GENERIC, QmpError

__all__ = ["QmpClient", "QmpError"]

MAX_REPLY: Final = 256 << 20
"""A longer line is no reply of ours."""
_EVENTS_KEPT: Final = 10_000
GONE: Final = "ConnectionError"
"""The class of the `QmpError` raised when the other side is gone or does not answer."""


class QmpClient:
    """A connection to `address`: the path of a unix socket, or HOST:PORT.  For one thread at a time.

    Raises QmpError when there is nobody, or somebody who does not speak QMP.  A second thread may `close` it: what waits then ends.
    """

    def __init__(self, address: str, timeout: float = 10.0) -> None:
        """`timeout`: seconds to wait for the connection, and for the reply to a command."""
        self.timeout: float = timeout
        self.events: deque[dict[str, Any]] = deque(maxlen=_EVENTS_KEPT)
        """Events that nobody has waited for yet, oldest first."""
        self._lock: threading.Lock = threading.Lock()
        self._pending: bytes = b""
        self._number: int = 0
        self._socket: socket.socket = _connect(address, timeout)
        try:
            greeting = self._message(time.monotonic() + timeout)
            if not isinstance(greeting, dict) or "QMP" not in greeting:
                raise QmpError(f"{address}: does not speak QMP", GONE)
            self.greeting: dict[str, Any] = greeting["QMP"]
            self.execute("qmp_capabilities")
        except BaseException:
            self.close()
            raise

    def execute(self, command: str, **arguments: Any) -> Any:
        """A command's return value.  An underscore for a dash in a name that the command has; raises QmpError, also when no reply comes."""
        return self.request(command, {name.replace("_", "-") if name in _DASHED else name: value for name, value in arguments.items()})

    def request(self, command: str, arguments: dict[str, Any], timeout: float | None = None) -> Any:
        """A command with its arguments as they stand."""
        with self._lock:
            self._number += 1
            number = self._number
            request: dict[str, Any] = {"execute": command, "id": number}
            if arguments:
                request["arguments"] = arguments
            try:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
            except OSError as error:
                raise QmpError(f"the connection is gone ({error.strerror or error})", GONE) from None
            deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
            while True:
                message = self._message(deadline)
                if message is None:
                    raise QmpError(f"no reply to {command} within {self.timeout if timeout is None else timeout:g} s", GONE)
                if "event" in message:
                    self.events.append(message)
                elif message.get("id") == number:
                    return _result(message)

    def wait_event(self, name: str, timeout: float) -> dict[str, Any] | None:
        """The next event of that name with all that it says, or None when none comes within `timeout` seconds.

        Events before it stay to be waited for; raises QmpError when the connection is gone.
        """
        with self._lock:
            deadline = time.monotonic() + timeout
            while True:
                for event in self.events:
                    if event.get("event") == name:
                        self.events.remove(event)
                        return event
                message = self._message(deadline)
                if message is None:
                    return None
                if "event" in message:
                    self.events.append(message)

    def close(self) -> None:
        """End the connection."""
        # the other side may have gone first
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> QmpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _message(self, deadline: float) -> dict[str, Any] | None:
        """The next message, None when none comes in time."""
        while True:
            line, newline, rest = self._pending.partition(b"\n")
            if newline:
                self._pending = rest
                if line.strip():
                    return _parsed(line)
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            try:
                self._socket.settimeout(left)
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                return None
            except OSError as error:
                raise QmpError(f"the connection is gone ({error.strerror or error})", GONE) from None
            if not data:
                raise QmpError("the connection was closed by the other side", GONE)
            if len(self._pending) + len(data) > MAX_REPLY:
                raise QmpError("the other side sends a line without end", GONE)
            self._pending += data


_DASHED: Final = ("command_line", "cpu_index")


def _connect(address: str, timeout: float) -> socket.socket:
    host, colon, port = address.rpartition(":")
    try:
        if colon and port.isdigit() and os.sep not in address:
            return socket.create_connection((host, int(port)), timeout)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection
    except (OSError, OverflowError) as error:
        raise QmpError(f"{address}: nobody answers ({getattr(error, 'strerror', None) or error})", GONE) from None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise QmpError("the other side does not speak QMP", GONE) from None
    if not isinstance(message, dict):
        raise QmpError("the other side does not speak QMP", GONE)
    return message


def _result(message: dict[str, Any]) -> Any:
    error = message.get("error")
    if isinstance(error, dict):
        raise QmpError(str(error.get("desc", "")), str(error.get("class", GENERIC)))
    return message.get("return")
