"""Lines over a socket to QEMU, with a time-out."""

from __future__ import annotations

import socket

from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.conform.target import TargetDied


class LineSocket:
    """Our end of a pair; the other one QEMU inherits."""

    def __init__(self, what: str, seconds: float) -> None:
        self.what: str = what
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.ours.settimeout(seconds)
        self._read: bytes = b""

    def send(self, text: str) -> None:
        """Send whole lines; raises TargetDied when nobody is there."""
        try:
            self.ours.sendall(text.encode())
        except TimeoutError:
            raise HarnessError(f"{self.what}: time-out") from None
        except ConnectionError:
            raise TargetDied(None, []) from None

    def line(self) -> bytes:
        """The next line."""
        while True:
            found = self._read.find(b"\n")
            if found >= 0:
                line, self._read = self._read[:found], self._read[found + 1 :]
                return line
            try:
                data = self.ours.recv(1 << 20)
            except TimeoutError:
                raise HarnessError(f"{self.what}: time-out") from None
            except ConnectionError:
                data = b""
            if not data:
                raise TargetDied(None, [])
            self._read += data

    def close(self) -> None:
        """Let go of both ends."""
        self.ours.close()
        self.theirs.close()
