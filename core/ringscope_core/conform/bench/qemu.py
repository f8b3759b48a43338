"""The real QEMU as one side of the benchmark (Linux): driven through qtest, guest RAM shared, used elements watched from outside.

Its virtual CPU is halted for ever, so every access of the device is ours.  Time runs from the moment the first chain of a batch shows
up as used until the last one does, as seen in shared memory: neither the kick nor the wake-up of the main loop is in it.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path
from typing import Final

from ringscope_core.conform.bench.case import BACKEND, NIC, NOBODY, UDP, Case
from ringscope_core.conform.bench.driver import BROADCAST, FOREIGN, Nic, PreparedQueue, make_frame
from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.conform.live.line_socket import LineSocket
from ringscope_core.conform.live.qemu_process import BIOS, PROGRAM, die_with_parent, qemu_path
from ringscope_core.conform.target import TargetDied

MACHINE: Final = "pc-i440fx-4.1"
RAM: Final = 16 << 20
TRACED: Final = "virtqueue_*"
_TIMEOUT: Final = 20.0
_SPINS: Final = 20_000_000
"""Looks at a word before giving up: about a second."""
_LATE: Final = 6
"""Chains that may be used already when the first one is noticed; a round seen later is left out."""
_READ: Final = {1: "readb", 2: "readw", 4: "readl"}
_WRITE: Final = {1: "writeb", 2: "writew", 4: "writel"}
_IN: Final = {1: "inb", 2: "inw", 4: "inl"}
_OUT: Final = {1: "outb", 2: "outw", 4: "outl"}


class _Process:
    """One QEMU and its qtest connection; a `Bus`."""

    def __init__(self, arguments: Sequence[str], inherited: Sequence[int], cpu: int | None) -> None:
        path = qemu_path()
        if path is None:
            raise HarnessError(f"{PROGRAM} is not installed")
        bios = os.memfd_create("bios")
        os.write(bios, BIOS)
        ram = os.memfd_create("ram")
        os.ftruncate(ram, RAM)
        self._errors = os.memfd_create("stderr")
        self._qtest = LineSocket("qtest", _TIMEOUT)
        theirs = self._qtest.theirs
        command = [
            *(path, "-M", f"{MACHINE},memory-backend=m", "-accel", "tcg", "-bios", f"/proc/self/fd/{bios}", "-m", f"{RAM >> 20}M"),
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
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call; no lock is taken
            )
        finally:
            os.close(bios)
        theirs.close()
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
    def post(self, command: str) -> None:
        """Send a command without waiting for its answer."""
        self._qtest.send(command)

    def answer(self) -> str:
        """The next answer's value."""
        try:
            line = self._qtest.line()
            while line.startswith(b"IRQ"):
                line = self._qtest.line()
        except TargetDied:
            said = os.pread(self._errors, os.fstat(self._errors).st_size, 0).decode(errors="replace").strip()
            raise HarnessError(f"QEMU ended: {said[-400:]}") from None
        if not line.startswith(b"OK"):
            raise HarnessError(f"qtest: {line.decode()}")
        return line[2:].strip().decode()

    def _ask(self, command: str) -> str:
        self.post(command + "\n")
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
        self._qtest.close()
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
        self._kick = f"writew {nic.notify_address(queue):#x} {queue:#x}\n"
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
            raise HarnessError(f"{self.case.name}: the second NIC did not take every frame")
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
            raise HarnessError(f"{self.case.name}: the socket is full")
        queue.publish(count + 3 if destination == BROADCAST else 3)
        return self._span(1) / (count + 1)

    def _span(self, first: int) -> float:
        """ns from the moment chain `first` of the batch is used until the last one is."""
        queue = self._queue
        packed = queue.case.packed
        words, a, b, want_a, want_b = queue.mark(first)
        clock = time.perf_counter_ns
        self._bus.post(self._kick)
        # two loops for each kind: what is watched is seen after some 30 ns
        if packed:
            for _ in repeat(None, _SPINS):
                if words[a] & 0x8080 == want_a:
                    break
            start = clock()
            late = queue.is_used(first + _LATE)
            for _ in repeat(None, _SPINS):
                if words[b] & 0x8080 == want_b:
                    break
        else:
            for _ in repeat(None, _SPINS):
                if words[a] != want_a:
                    break
            start = clock()
            late = queue.is_used(first + _LATE)
            for _ in repeat(None, _SPINS):
                if words[b] != want_b:
                    break
        end = clock()
        self._bus.answer()
        limit = time.monotonic() + _TIMEOUT
        while not queue.done():
            if time.monotonic() > limit:
                raise HarnessError(f"{self.case.name}: the batch is not used")
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
