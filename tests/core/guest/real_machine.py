"""Our guest on a real QEMU: the same driver, but its ports lead through qtest, and its memory is the real machine's.

Interrupt messages are words of guest memory here: the driver writes the local APIC's address into the MSI-X table, and what reaches the real
table is an address that can be watched.  The host at the other end is our responder, behind QEMU's netdev.
"""

from __future__ import annotations

import time

from mypy_extensions import i64

from ringscope_core.conform.case import CaseConfig
from ringscope_core.conform.live.qemu_process import QemuProcess
from ringscope_core.guest.config import ActionSpec, DriverConfig, TrafficSpec
from ringscope_core.guest.kernel import GuestKernel
from ringscope_core.guest.transport import MSI_ADDRESS
from ringscope_core.hw.ports import GuestPorts, IrqSink
from ringscope_core.memory.ram import GuestMemory, RamRegion
from ringscope_core.net.backends.responder import Responder, ResponderConfig
from ringscope_core.net.backends.vnet import VnetSide
from ringscope_core.net.client import NetClientState
from ringscope_core.net.host import NetHost
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

MESSAGES = 0x8000
"""Guest memory where interrupt messages arrive, a word for each table entry: below what the guest allocates."""
ENTRIES = 64
TURN_NS = 20_000
_READ = {1: "readb", 2: "readw", 4: "readl", 8: "readq"}
_WRITE = {1: "writeb", 2: "writew", 4: "writel", 8: "writeq"}
_IN = {1: "inb", 2: "inw", 4: "inl"}
_OUT = {1: "outb", 2: "outw", 4: "outl"}


class RealPorts(GuestPorts):
    """A real QEMU's machine."""

    def __init__(self, process: QemuProcess, log: EventLog, loop: MainLoop) -> None:
        super().__init__(GuestMemory([RamRegion(0, process.config.ram, memoryview(process.ram))]), log, loop)
        self.process = process
        self.sink = IrqSink()
        self.by_ring: dict[int, RingCounters] = {}
        self.entries: dict[int, int] = {}
        """Addresses of MSI-X table entries, and the message word each has."""
        self.functions: set[int] = set()

    def _ask(self, command: str) -> int:
        answer = self.process.batch([command])[0]
        return int(answer, 0) if answer else 0

    def cfg_read(self, bdf: i64, offset: i64, size: i64) -> i64:
        self._ask(f"outl 0xcf8 {0x80000000 | int(bdf) << 8 | int(offset) & 0xFC:#x}")
        return self._ask(f"{_IN[int(size)]} {0xCFC + int(offset) % 4:#x}")

    def cfg_write(self, bdf: i64, offset: i64, size: i64, value: i64) -> None:
        self._ask(f"outl 0xcf8 {0x80000000 | int(bdf) << 8 | int(offset) & 0xFC:#x}")
        self._ask(f"{_OUT[int(size)]} {0xCFC + int(offset) % 4:#x} {int(value) & (1 << 8 * int(size)) - 1:#x}")

    def io_read(self, port: i64, size: i64) -> i64:
        return self._ask(f"{_IN[int(size)]} {int(port):#x}")

    def io_write(self, port: i64, size: i64, value: i64) -> None:
        self._ask(f"{_OUT[int(size)]} {int(port):#x} {int(value) & (1 << 8 * int(size)) - 1:#x}")

    def mmio_read(self, gpa: i64, size: i64) -> i64:
        return self._ask(f"{_READ[int(size)]} {int(gpa):#x}")

    def mmio_write(self, gpa: i64, size: i64, value: i64) -> None:
        if size == 4 and value == MSI_ADDRESS:
            value = MESSAGES + 4 * self.entries.setdefault(int(gpa), len(self.entries) % ENTRIES)
        self._ask(f"{_WRITE[int(size)]} {int(gpa):#x} {int(value) & (1 << 8 * int(size)) - 1:#x}")

    def set_irq_sink(self, sink: IrqSink) -> None:
        self.sink = sink

    def counters(self, oid: i64) -> RingCounters:
        return self.by_ring.setdefault(int(oid), RingCounters())

    def deliver(self, bdf: int) -> None:
        """Messages that were written, and the interrupt pin of one function."""
        words = self.memory.read(MESSAGES, 4 * ENTRIES)
        if any(words):
            self.memory.write(MESSAGES, bytes(4 * ENTRIES))
            for at in range(0, len(words), 4):
                message = int.from_bytes(words[at : at + 4], "little")
                if message:
                    self.sink.msi(message)
        self.sink.intx(0, self.cfg_read(bdf, 6, 2) >> 3 & 1)


class Cable(NetClientState):
    """Where the responder's frames leave for the real netdev."""

    def __init__(self, host: NetHost, process: QemuProcess) -> None:
        super().__init__(host, "cable", "cable", "cable")
        self.process = process

    def receive(self, frame: bytes) -> i64:
        self.process.peer.send(0, frame)
        return len(frame)


class RealBox:
    """A real QEMU with our guest and our responder."""

    def __init__(self, config: CaseConfig, driver: DriverConfig, traffic: list[TrafficSpec], actions: list[ActionSpec] | None = None) -> None:
        self.process = QemuProcess(config)
        self.process.wait_ready()
        self.log = EventLog(Clock())
        self.loop = MainLoop(self.log.clock)
        self.ports = RealPorts(self.process, self.log, self.loop)
        self.guest = GuestKernel(self.ports, driver, traffic, actions=actions)
        host = NetHost(self.log, self.loop)
        host.vm_running = True
        self.responder = Responder(host, "host", ResponderConfig())
        if config.peer.vnet_hdr:
            self.responder.vnet = VnetSide(False)
            self.responder.using_vnet_hdr(True)
        cable = Cable(host, self.process)
        self.responder.peer, cable.peer = cable, self.responder

    def turn(self) -> int:
        """One turn: the real main loop, the cable, the guest."""
        self.process.sync(2)
        moved = 0
        for what, value in self.process.peer.told():
            if what == "0.hdrsz":
                self.responder.set_vnet_hdr_len(value)
            elif what == "0.offload":
                self.responder.set_offload(*(bool(value & bit) for bit in (1, 2, 4, 8, 16)))
        for _, frame in self.process.peer.receive():
            moved += 1
            self.responder.receive(frame)
        moved += int(self.responder.poll())
        self.process.sync(2)
        if self.guest.interfaces:
            self.ports.deliver(int(self.guest.interfaces[0].function.bdf))
        self.log.clock.advance_to(self.log.clock.now_ns + TURN_NS)
        return moved + int(self.loop.run_timers()) + int(self.guest.run())

    def run(self, seconds: float = 20.0) -> None:
        """Until the programs are done and the machine is quiet."""
        end, quiet = time.monotonic() + seconds, 0
        while quiet < 4 or not self.guest.finished():
            quiet = 0 if self.turn() else quiet + 1
            deadline = int(self.loop.next_deadline_ns())
            if quiet >= 4 and deadline > self.log.clock.now_ns:
                # nothing more comes from the real machine before our own time passes
                self.log.clock.advance_to(deadline)
                quiet = 0
            assert time.monotonic() < end, f"still busy: {self.guest.stats()} {self.guest.driver_stats()} {self.process.messages()}"

    def close(self) -> None:
        """End QEMU."""
        self.ports.memory.view.release()
        self.process.close()
