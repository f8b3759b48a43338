"""A datagram socket, one frame a datagram: QEMU 7.2's ``-netdev dgram`` (UDP, multicast, unix, an open descriptor).

Not compiled: its time goes to system calls.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import stat
import struct
from pathlib import Path
from typing import Final

from mypy_extensions import i64

from ringscope_core.net.backends.backend import BURST, Backend
from ringscope_core.net.backends.options import NetdevOptions, VnetHdrOption
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import NET_BUFSIZE, qemu_begin_burst, qemu_end_burst, qemu_flush_queued_packets

Address = tuple[str, int] | str

UNIX_PATH_MAX: Final = 107
WANT_BUFFER: Final = 4 << 20
"""Bytes of socket buffer asked for, so that a burst fits."""


class DgramPort(Backend):
    """The socket's client.  It never waits: `poll` takes what has come, a full socket stops the device's transmit queue."""

    def __init__(self, host: NetHost, name: str, sock: socket.socket, remote: Address | None, info: str) -> None:
        """`remote` None: the socket is connected."""
        super().__init__(host, "dgram", name)
        self.info_str = info
        self.sock: socket.socket = sock
        self.remote: Address | None = remote
        self.unlink_path: str = ""
        """Socket file that is ours to remove."""
        self.send_errors: int = 0
        self.empty_datagrams: int = 0
        self.write_poll: bool = False
        """The socket was full: watch for room."""
        self.unsent: list[bytes] = []
        """Pieces of a frame the first of which have gone; the rest goes before anything else."""
        sock.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):  # only less room
                sock.setsockopt(socket.SOL_SOCKET, option, WANT_BUFFER)

    def receive(self, frame: bytes) -> i64:
        """Send `frame`, finished when it has a header: 0 when the socket is full, below 0 when it failed."""
        if self.unsent:
            return 0
        if self.vnet is not None:
            return self.receive_unfinished(frame)
        return self.take(frame)

    def receive_unfinished(self, frame: bytes) -> i64:
        """Send the pieces of a frame, each once: when the socket fills up, those that are left are kept."""
        self.unsent = self.plain_frames(frame)
        self._send_unsent()
        return len(frame) if frame else -1

    def _send_unsent(self) -> None:
        while self.unsent:
            piece = self.unsent[0]
            if self.take(piece) == 0 and piece:
                return
            del self.unsent[0]

    def receive_raw(self, frame: bytes) -> i64:
        """A frame without a header."""
        return 0 if self.unsent else self.take(frame)

    def take(self, frame: bytes) -> i64:
        """Send a plain frame as a datagram (net_dgram_receive)."""
        try:
            if self.remote is None:
                sent = self.sock.send(frame)
            else:
                sent = self.sock.sendto(frame, self.remote)
        except (BlockingIOError, InterruptedError):
            self.write_poll = True
            return 0
        except OSError as error:
            # a unix socket's full receiver; everything else loses the frame, as on a wire
            if error.errno == errno.ENOBUFS:
                self.write_poll = True
                return 0
            self.send_errors += 1
            return -1
        self.rx_frames += 1
        self.rx_bytes += sent
        return sent

    def poll(self) -> i64:
        """Go on sending when there is room again, then hand over what came."""
        if self.write_poll and select.select([], [self.sock], [], 0)[1]:
            self.write_poll = False
            self._send_unsent()
            if not self.unsent:
                qemu_flush_queued_packets(self)
        if self.awaiting:
            return 0
        frame = self._take()
        if frame is None:
            return 0
        moved = 0
        qemu_begin_burst(self)
        while frame is not None:
            moved += 1
            if not self.send(frame) or moved >= BURST:
                break
            frame = self._take()
        qemu_end_burst(self)
        return moved

    def _take(self) -> bytes | None:
        """The next datagram; None when there is none."""
        while True:
            try:
                frame = self.sock.recv(int(NET_BUFSIZE))
            except (BlockingIOError, InterruptedError):
                return None
            except OSError:
                # an ICMP error for something we sent earlier: says nothing of what comes
                self.send_errors += 1
                return None
            if frame:
                return frame
            self.empty_datagrams += 1

    def done(self) -> bool:
        """Never: something may always come."""
        return False

    def cleanup(self) -> None:
        """Close the socket and remove its file."""
        self.sock.close()
        if self.unlink_path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.unlink_path)

    def drops(self) -> dict[str, int]:
        """Frames lost here, by reason."""
        found = super().drops()
        if self.send_errors:
            found["socket error"] = self.send_errors
        return found


# -- options ----------------------------------------------------------------------------------------------------------
def make_dgram(host: NetHost, options: NetdevOptions) -> DgramPort:
    """A client as ``local.*`` and ``remote.*`` ask for (net_init_dgram).  Raises NetOptionError in QEMU's words."""
    local = _end(options, "local")
    remote = _end(options, "remote")
    vnet = VnetHdrOption(options).make()
    options.finish()
    port = _make_port(host, options, local, remote)
    port.vnet = vnet
    return port


def _make_port(host: NetHost, options: NetdevOptions, local: dict[str, str] | None, remote: dict[str, str] | None) -> DgramPort:
    if remote is not None and remote["type"] == "inet" and _is_multicast(remote["host"]):
        return _multicast(host, options.id, local, remote)
    if local is None:
        raise NetOptionError("dgram requires local= parameter", "local")
    if remote is not None:
        if local["type"] == "fd":
            raise NetOptionError("don't set remote with local.fd", "remote")
        if remote["type"] != local["type"]:
            raise NetOptionError("remote and local types must be the same", "remote.type", remote["type"], local["type"])
    elif local["type"] != "fd":
        raise NetOptionError("type=inet or type=unix requires remote parameter", "remote")
    if local["type"] == "inet":
        return _inet(host, options.id, local, remote or {})
    if local["type"] == "unix":
        return _unix(host, options.id, local, remote or {})
    return _descriptor(host, options.id, local["str"])


def _end(options: NetdevOptions, name: str) -> dict[str, str] | None:
    """One end's options (SocketAddress), None when it was not given."""
    if not options.has(name):
        return None
    if options.optional(name):
        raise NetOptionError(f"Invalid parameter type for '{name}', expected: object", name)
    kind = options.required(f"{name}.type")
    if kind not in ("inet", "unix", "fd"):
        raise NetOptionError(f"Parameter 'type' does not accept value '{kind}'", f"{name}.type", kind, "inet, unix, fd")
    keys = {"inet": ("host", "port"), "unix": ("path",), "fd": ("str",)}[kind]
    end = {"type": kind} | {key: options.required(f"{name}.{key}") for key in keys}
    if kind == "inet":
        # of QEMU's schema, without effect on a datagram socket
        for key in ("to", "ipv4", "ipv6", "numeric", "keep-alive", "mptcp"):
            options.optional(f"{name}.{key}")
    return end


def _resolve(field: str, host: str, port: str) -> tuple[str, int]:
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else -1
    if not 0 <= number <= 65535:
        raise NetOptionError(f"port number '{port}' is invalid", f"{field}.port", port, "a number from 0 to 65535")
    if not host:
        return "0.0.0.0", number
    try:
        return socket.gethostbyname(host), number
    except (OSError, UnicodeError):
        raise NetOptionError(f"can't resolve host address '{host}'", f"{field}.host", host, "an IPv4 address or a host name") from None


def _is_multicast(host: str) -> bool:
    try:
        return 224 <= socket.inet_aton(host)[0] <= 239
    except (OSError, UnicodeError):
        return False


def _bind_error(field: str, shown: str, error: OSError) -> NetOptionError:
    return NetOptionError(f"can't bind {shown} to socket: {error.strerror}", field, shown)


def _inet(host: NetHost, name: str, local: dict[str, str], remote: dict[str, str]) -> DgramPort:
    here = _resolve("local", local["host"], local["port"])
    there = _resolve("remote", remote["host"], remote["port"])
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(here)
    except OSError as error:
        sock.close()
        raise _bind_error("local.host", f"ip={here[0]}", error) from error
    return DgramPort(host, name, sock, there, f"udp={here[0]}:{here[1]}/{there[0]}:{there[1]}")


def _unix(host: NetHost, name: str, local: dict[str, str], remote: dict[str, str]) -> DgramPort:
    for field, path in (("local.path", local["path"]), ("remote.path", remote["path"])):
        if len(os.fsencode(path)) > UNIX_PATH_MAX:
            raise NetOptionError(f"UNIX socket path '{path}' is too long", field, path, f"at most {UNIX_PATH_MAX} bytes")
    path = local["path"]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        # as QEMU does, a socket left over from before is replaced; a file of another kind never
        if path and Path(path).is_socket():
            os.unlink(path)
        sock.bind(path)
    except OSError as error:
        sock.close()
        raise _bind_error("local.path", f"unix={path}", error) from error
    port = DgramPort(host, name, sock, remote["path"], f"udp={path}:{remote['path']}")
    port.unlink_path = path
    return port


def _multicast(host: NetHost, name: str, local: dict[str, str] | None, remote: dict[str, str]) -> DgramPort:
    group, number = _resolve("remote", remote["host"], remote["port"])
    interface = "0.0.0.0"
    if local is not None:
        if local["type"] != "inet":
            raise NetOptionError("multicast only support inet type", "local.type", local["type"], "inet")
        interface = _resolve("local", local["host"], local["port"])[0]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((group, number))
        member = struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(interface))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        if local is not None:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    except OSError as error:
        sock.close()
        raise _bind_error("remote.host", f"ip={group}", error) from error
    return DgramPort(host, name, sock, (group, number), f"mcast={group}:{number}")


def _descriptor(host: NetHost, name: str, text: str) -> DgramPort:
    try:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
        sock = socket.socket(fileno=os.dup(number))
    except OSError as error:
        raise NetOptionError(
            f"{name}: Can't use file descriptor {text}: {error.strerror}", "local.str", text, "the number of an open datagram socket"
        ) from error
    if sock.type != socket.SOCK_DGRAM:
        sock.close()
        raise NetOptionError(f"{name}: Can't use file descriptor {text}: not a datagram socket", "local.str", text, "an open datagram socket")
    return DgramPort(host, name, sock, None, f"fd={number}")
