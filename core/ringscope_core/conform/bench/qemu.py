"""The real QEMU as one side of the benchmark (Linux): driven through qtest, guest RAM shared, used elements watched from outside.

Its virtual CPU is halted for ever, so every access of the device is ours.  Time runs from the moment the first chain of a batch shows
up as used until the last one does, as seen in shared memory: neither the kick nor the wake-up of the main loop is in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ringscope_core.conform.bench.case import BACKEND, NIC, NOBODY, UDP, Case
from ringscope_core.conform.bench.driver import BROADCAST, FOREIGN, Nic, PreparedQueue, make_frame

PROGRAM: Final = "qemu-system-x86_64"
MACHINE: Final = "pc-i440fx-4.1"
RAM: Final = 16 << 20
TRACED: Final = "virtqueue_*"
_TIMEOUT: Final = 20.0
_LATE: Final = 6
"""Chains that may be used already when the first one is noticed; a round seen later is left out."""
_PR_SET_PDEATHSIG: Final = 1
_READ: Final = {1: "readb", 2: "readw", 4: "readl"}
_WRITE: Final = {1: "writeb", 2: "writew", 4: "writel"}
_IN: Final = {1: "inb", 2: "inw", 4: "inl"}
_OUT: Final = {1: "outb", 2: "outw", 4: "outl"}


class QemuMissing(RuntimeError):
    """There is no QEMU to compare with; the text says which program was looked for."""


class QemuFailed(RuntimeError):
    """QEMU ended or does not answer."""


def version() -> str:
    """Which QEMU this computer has.  Raises QemuMissing."""
    if shutil.which(PROGRAM) is None:
        raise QemuMissing(f"{PROGRAM} is not installed")
    text = subprocess.run([PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout
    return text.split("version", 1)[1].split()[0]


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Process:
    """One QEMU and its qtest connection; a `Bus`."""

    def __init__(self, arguments: Sequence[str], inherited: Sequence[int], cpu: int | None) -> None:
        bios = os.memfd_create("bios")
        os.write(bios, b"\xf4" * 65536)  # hlt
        ram = os.memfd_create("ram")
        os.ftruncate(ram, RAM)
        self._errors = os.memfd_create("stderr")
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        command = [
            *(PROGRAM, "-M", f"{MACHINE},memory-backend=m", "-accel", "tcg", "-bios", f"/proc/self/fd/{bios}", "-m", f"{RAM >> 20}M"),
            *("-object", f"memory-backend-file,id=m,size={RAM},mem-path=/proc/self/fd/{ram},share=on", "-nodefaults", "-display", "none"),
            *("-chardev", f"socket,id=qtc,fd={theirs.fileno()}", "-object", "qtest,id=qt0,chardev=qtc,log=none"),
            *arguments,
        ]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[bios, ram, theirs.fileno(), *inherited],
                preexec_fn=_die_with_parent,
            )
        except FileNotFoundError:
            raise QemuMissing(f"{PROGRAM} is not installed") from None
        finally:
            os.close(bios)
            theirs.close()
        self._socket.settimeout(_TIMEOUT)
        self._rest = b""
        self._map = mmap.mmap(ram, RAM)
        os.close(ram)
        self._view = memoryview(self._map)
        self.settle()
        if cpu is not None:
            for task in os.listdir(f"/proc/{self.process.pid}/task"):
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(int(task), {cpu})

    @property
    def view(self) -> memoryview:
        """Guest RAM."""
        return self._view

    # -- qtest --------------------------------------------------------------------------------------------------------
    def post(self, line: bytes) -> None:
        """Send a command without waiting for its answer."""
        self._socket.sendall(line)

    def answer(self) -> str:
        """The next answer's value."""
        while True:
            line, separator, rest = self._rest.partition(b"\n")
            if not separator:
                self._receive()
                continue
            self._rest = rest
            if line.startswith(b"OK"):
                return line[2:].strip().decode()
            if not line.startswith(b"IRQ"):
                raise QemuFailed(f"qtest: {line.decode()}")

    def _receive(self) -> None:
        try:
            data = self._socket.recv(65536)
        except (TimeoutError, ConnectionError):
            data = b""
        if not data:
            size = os.fstat(self._errors).st_size
            said = os.pread(self._errors, size, 0).decode(errors="replace").strip()
            raise QemuFailed(f"QEMU does not answer: {said[-400:]}")
        self._rest += data

    def _ask(self, command: str) -> str:
        self.post(command.encode() + b"\n")
        return self.answer()

    def _select(self, slot: int, offset: int) -> None:
        self._ask(f"outl 0xcf8 {0x80000000 | slot << 11 | (offset & 0xFC):#x}")

    def config_read(self, slot: int, offset: int, size: int) -> int:
        self._select(slot, offset)
        return int(self._ask(f"{_IN[size]} {0xCFC + (offset & 3):#x}"), 0)

    def config_write(self, slot: int, offset: int, size: int, value: int) -> None:
        self._select(slot, offset)
        self._ask(f"{_OUT[size]} {0xCFC + (offset & 3):#x} {value:#x}")

    def read(self, address: int, size: int) -> int:
        return int(self._ask(f"{_READ[size]} {address:#x}"), 0)

    def write(self, address: int, size: int, value: int) -> None:
        self._ask(f"{_WRITE[size]} {address:#x} {value:#x}")

    def settle(self, rounds: int = 4) -> None:
        for _ in range(rounds):
            self._ask("readb 0x0")

    def close(self) -> None:
        """End the process and let go of everything."""
        self.process.kill()
        self.process.wait(10)
        self._socket.close()
        self._view.release()
        self._map.close()
        os.close(self._errors)


class QemuSide:
    """One case on a real QEMU.  `trace` has QEMU log its virtqueue events to a file."""

    def __init__(self, case: Case, cpu: int | None, trace: bool = False) -> None:
        self.case = case
        self._files: list[socket.socket] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stream: socket.socket | None = None
        self._queues: list[PreparedQueue] = []
        options = f"virtio-net-pci,ioeventfd=off,x-txburst=256,romfile={',packed=on' if case.packed else ''}"
        arguments, inherited = self._peer_arguments(options)
        if trace:
            self._folder = tempfile.TemporaryDirectory(prefix="ringscope-bench-")
            arguments += ["-trace", TRACED, "-D", str(Path(self._folder.name, "trace.log"))]
        self._bus = _Process(arguments, inherited, cpu)
        self._taker: PreparedQueue | None = None
        queue = 0 if case.direction == "rx" else 1
        if case.peer == NIC:
            taker = Nic(self._bus, 5, case, (0,), promiscuous=True)
            self._taker = PreparedQueue(taker, 0, case)
            self._queues.append(self._taker)
        nic = Nic(self._bus, 4, case, (queue,), promiscuous=queue == 1)
        self._queue = PreparedQueue(nic, queue, case)
        self._queues.append(self._queue)
        self._kick = f"writew {nic.notify_address(queue):#x} {queue:#x}\n".encode()
        self._bus.settle()

    def _peer_arguments(self, options: str) -> tuple[list[str], list[int]]:
        """QEMU's options for the device and its peer, and the descriptors that it inherits."""
        first = ["-device", f"{options},addr=04.0"]
        if self.case.peer == NOBODY:
            return first, []
        first = ["-device", f"{options},addr=04.0,netdev=n0"]
        if self.case.peer == NIC:
            hub = ["-netdev", "hubport,id=n0,hubid=0", "-netdev", "hubport,id=n1,hubid=0"]
            return [*hub, *first, "-device", f"{options},addr=05.0,netdev=n1,mac=52:54:00:12:34:57"], []
        if self.case.peer == UDP:
            here, there = udp_pair()
            self._files += [here, there]
            return ["-netdev", f"dgram,id=n0,local.type=fd,local.str={here.fileno()}", *first], [here.fileno()]
        assert self.case.peer == BACKEND
        self._stream, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._files += [self._stream, theirs]
        for end in (self._stream, theirs):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        self._stream.setblocking(False)
        return ["-netdev", f"socket,id=n0,fd={theirs.fileno()}", *first], [theirs.fileno()]

    # -- rounds -------------------------------------------------------------------------------------------------------
    def round(self) -> float:
        """One batch; ns a packet, nan when its beginning was missed."""
        return self._receive_round(BROADCAST) if self.case.direction == "rx" else self._transmit_round()

    def filtered_round(self) -> float:
        """A receive batch that the device filters out."""
        return self._receive_round(FOREIGN)

    def _transmit_round(self) -> float:
        queue = self._queue
        if self._taker is not None:
            self._taker.publish(queue.batch)
        queue.publish(queue.batch)
        ns = self._span(0) / (queue.batch - 1)
        if self._taker is not None and not self._taker.done():
            raise QemuFailed(f"{self.case.name}: the second NIC did not take every frame")
        return ns

    def _receive_round(self, destination: bytes) -> float:
        """One frame that finds no buffer stops the socket; the others wait behind it until the kick hands out buffers."""
        queue, stream = self._queue, self._stream
        assert stream is not None
        count = queue.batch - 3
        last = _on_wire(make_frame(BROADCAST, 60))
        stream.send(last)
        self._bus.settle(8)
        data = last + _on_wire(make_frame(destination, self.case.length)) * count + last
        if stream.send(data) != len(data):
            raise QemuFailed(f"{self.case.name}: the socket is full")
        queue.publish(count + 3 if destination == BROADCAST else 3)
        return self._span(1) / (count + 1)

    def _span(self, first: int) -> float:
        """ns from the moment chain `first` of the batch is used until the last one is."""
        queue = self._queue
        packed = queue.case.packed
        words, a, b, want_a, want_b = queue.mark(first)
        clock = time.perf_counter_ns
        limit = time.monotonic() + _TIMEOUT
        self._bus.post(self._kick)
        if packed:
            while words[a] & 0x8080 != want_a:
                pass
            start = clock()
            late = queue.is_used(first + _LATE)
            while words[b] & 0x8080 != want_b:
                pass
        else:
            while words[a] == want_a:
                pass
            start = clock()
            late = queue.is_used(first + _LATE)
            while words[b] == want_b:
                pass
        end = clock()
        while not queue.done():
            if time.monotonic() > limit:
                raise QemuFailed(f"{self.case.name}: the batch is not used")
        self._bus.answer()
        self._bus.settle(1)
        return math.nan if late else float(end - start)

    def close(self) -> None:
        """End QEMU."""
        for queue in self._queues:
            queue.release()
        self._bus.close()
        for file in self._files:
            file.close()
        if self._folder is not None:
            self._folder.cleanup()


def udp_pair() -> tuple[socket.socket, socket.socket]:
    """Two sockets on loopback, the first connected to the second, which nobody reads: the kernel drops when it is full."""
    there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    there.bind(("127.0.0.1", 0))
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind(("127.0.0.1", 0))
    here.connect(there.getsockname())
    return here, there


def _on_wire(frame: bytes) -> bytes:
    """A frame as ``-netdev socket`` expects it."""
    return struct.pack(">I", len(frame)) + frame
