"""The far end of a real QEMU's netdev: socket pairs whose other ends QEMU inherits."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
from typing import Final

from ringscope_core.conform.case import PeerSpec
from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.conform.live.tap_shim import shim_fd

BUFFER: Final = 4 << 20
LONGEST: Final = 1 << 17


class NetdevPeer:
    """No netdev at all; the other kinds derive from it."""

    def __init__(self, spec: PeerSpec) -> None:
        self.spec: PeerSpec = spec
        self.ours: list[socket.socket] = []
        self.theirs: list[socket.socket] = []

    def arguments(self) -> list[str]:
        """QEMU's -netdev."""
        return []

    def descriptors(self) -> list[int]:
        """What QEMU inherits."""
        return [one.fileno() for one in self.theirs]

    def environment(self) -> dict[str, str]:
        """What QEMU needs in its environment."""
        return {}

    def started(self) -> None:
        """QEMU has its own copies now."""
        for one in self.theirs:
            one.close()

    def send(self, queue: int, frame: bytes) -> None:
        """Send a frame to the device."""
        raise HarnessError(f"a netdev of kind {self.spec.kind} has no way in")

    def receive(self) -> list[tuple[int, bytes]]:
        """Frames from the device since the last call."""
        return []

    def unread(self) -> int:
        """Bytes that QEMU has not read yet."""
        return sum(struct.unpack("i", fcntl.ioctl(one, termios.TIOCOUTQ, b"\0\0\0\0"))[0] for one in self.ours)

    def told(self) -> list[tuple[str, int]]:
        """What the device told a tap since the last call, as ("queue.what", value)."""
        return []

    def close(self) -> None:
        """Let go of the sockets."""
        for one in (*self.ours, *self.theirs):
            one.close()

    def _pairs(self, count: int, kind: int) -> None:
        for _ in range(count):
            one, other = socket.socketpair(socket.AF_UNIX, kind)
            for end in (one, other):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            one.setblocking(False)
            self.ours.append(one)
            self.theirs.append(other)


class HubPeer(NetdevPeer):
    """A port alone on its hub: it takes no frame."""

    def arguments(self) -> list[str]:
        return ["-netdev", "hubport,id=n0,hubid=0"]


class StreamPeer(NetdevPeer):
    """-netdev stream or socket: four bytes of length, big-endian, before each frame."""

    def __init__(self, spec: PeerSpec) -> None:
        super().__init__(spec)
        self._pairs(1, socket.SOCK_STREAM)
        self._read: bytearray = bytearray()

    def arguments(self) -> list[str]:
        fd = self.theirs[0].fileno()
        return ["-netdev", f"stream,id=n0,server=off,addr.type=fd,addr.str={fd}" if self.spec.kind == "stream" else f"socket,id=n0,fd={fd}"]

    def send(self, queue: int, frame: bytes) -> None:
        data = struct.pack(">I", len(frame)) + frame
        if self.ours[0].send(data) != len(data):
            raise HarnessError("the netdev's socket is full")

    def receive(self) -> list[tuple[int, bytes]]:
        while True:
            try:
                data = self.ours[0].recv(1 << 20)
            except (BlockingIOError, ConnectionError):
                break
            if not data:
                break
            self._read += data
        frames: list[tuple[int, bytes]] = []
        while len(self._read) >= 4:
            end = 4 + int.from_bytes(self._read[:4], "big")
            if len(self._read) < end:
                break
            frames.append((0, bytes(self._read[4:end])))
            del self._read[:end]
        return frames


class DatagramPeer(NetdevPeer):
    """-netdev dgram: a datagram is a frame."""

    def __init__(self, spec: PeerSpec) -> None:
        super().__init__(spec)
        self._pairs(spec.queues, socket.SOCK_DGRAM)

    def arguments(self) -> list[str]:
        return ["-netdev", f"dgram,id=n0,local.type=fd,local.str={self.theirs[0].fileno()}"]

    def send(self, queue: int, frame: bytes) -> None:
        try:
            self.ours[queue].send(frame)
        except BlockingIOError:
            raise HarnessError("the netdev's socket is full") from None

    def receive(self) -> list[tuple[int, bytes]]:
        frames: list[tuple[int, bytes]] = []
        for queue, one in enumerate(self.ours):
            while True:
                try:
                    frames.append((queue, one.recv(LONGEST)))
                except (BlockingIOError, ConnectionError):
                    break
        return frames


class TapPeer(DatagramPeer):
    """-netdev tap on datagram pairs; `tap_shim` plays the TUN driver."""

    def __init__(self, spec: PeerSpec) -> None:
        super().__init__(spec)
        self._log_out, self._log_in = os.pipe()
        os.set_blocking(self._log_out, False)
        self._partial: str = ""

    def _fds(self) -> str:
        return ":".join(str(one.fileno()) for one in self.theirs)

    def arguments(self) -> list[str]:
        return ["-netdev", f"tap,id=n0,{'fd' if self.spec.queues == 1 else 'fds'}={self._fds()}"]

    def descriptors(self) -> list[int]:
        return [*super().descriptors(), self._log_in, shim_fd()]

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": f"/proc/self/fd/{shim_fd()}",
            "RINGSCOPE_TAP_FDS": self._fds(),
            "RINGSCOPE_TAP_LOG": str(self._log_in),
            "RINGSCOPE_TAP_VNET": str(int(self.spec.vnet_hdr)),
        }

    def started(self) -> None:
        super().started()
        os.close(self._log_in)
        self._log_in = -1

    def told(self) -> list[tuple[str, int]]:
        try:
            text = self._partial + os.read(self._log_out, 1 << 16).decode()
        except BlockingIOError:
            return []
        *lines, self._partial = text.split("\n")
        return [(f"{queue}.{what}", int(value)) for queue, what, value in (line.split() for line in lines)]

    def close(self) -> None:
        super().close()
        os.close(self._log_out)
        if self._log_in >= 0:
            os.close(self._log_in)


def make_netdev_peer(spec: PeerSpec) -> NetdevPeer:
    """The far end of a kind."""
    kinds: dict[str, type[NetdevPeer]] = {"none": NetdevPeer, "hub": HubPeer, "stream": StreamPeer, "socket": StreamPeer, "dgram": DatagramPeer, "tap": TapPeer}
    return kinds[spec.kind](spec)
