"""Our machine as one side of the benchmark: in this process, compiled unless ``RINGSCOPE_PURE`` is set.

What is timed is the whole bottom half (transmit) or the backend's whole turn (receive) with everything that a batch costs once; of QEMU
only the time between the first and the last packet is.  The comparison errs in QEMU's favour by that.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from mypy_extensions import i64

from ringscope_core.conform.bench.case import BACKEND, NIC, NOBODY, UDP, Case
from ringscope_core.conform.bench.driver import BROADCAST, FOREIGN, Nic, PreparedQueue, make_frame
from ringscope_core.conform.bench.qemu import MACHINE, RAM, udp_pair
from ringscope_core.hw.machine import Machine
from ringscope_core.net.backends.backend import Backend
from ringscope_core.qom.profile import PROFILE_7_2
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_FULL
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.mainloop import MainLoop


class FileSink(BlockSink):
    """Writes every block of events to a file as it is: what a log costs."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.written = 0

    def on_block(self, first_seq: i64, rows: bytes) -> None:
        """Append the rows."""
        self.written += os.write(self._file, rows)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class _OurBus:
    """Our machine's buses; a `Bus`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @property
    def view(self) -> memoryview:
        """Guest RAM."""
        return self._machine.memory.view

    def config_read(self, slot: int, offset: int, size: int) -> int:
        return int(self._machine.ports.cfg_read(slot << 3, offset, size))

    def config_write(self, slot: int, offset: int, size: int, value: int) -> None:
        self._machine.ports.cfg_write(slot << 3, offset, size, value)

    def read(self, address: int, size: int) -> int:
        return int(self._machine.ports.mmio_read(address, size))

    def write(self, address: int, size: int, value: int) -> None:
        self._machine.memory.turn += 1
        self._machine.ports.mmio_write(address, size, value)

    def settle(self) -> None:
        self._machine.loop.run_bottom_halves()


class OurSide:
    """One case on our machine.  `trace` records every event at level full, to a file."""

    def __init__(self, case: Case, trace: bool = False) -> None:
        self.case = case
        log = EventLog(Clock())
        log.level = LEVEL_FULL if trace else LEVEL_COUNTERS
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._sink: FileSink | None = None
        if trace:
            self._folder = tempfile.TemporaryDirectory(prefix="ringscope-bench-")
            self._sink = FileSink(Path(self._folder.name, "events"))
            log.sink = self._sink
        self._log = log
        self._loop = MainLoop(log.clock)
        self._machine = machine = Machine(log, self._loop, RAM, PROFILE_7_2, MACHINE)
        self._add_devices()
        machine.system_reset()
        machine.cont()
        self._bus = _OurBus(machine)
        self._taker: PreparedQueue | None = None
        self._queues: list[PreparedQueue] = []
        queue = 0 if case.direction == "rx" else 1
        if case.peer == NIC:
            taker = Nic(self._bus, 5, case, (0,), promiscuous=True)
            self._taker = PreparedQueue(taker, 0, case)
            self._queues.append(self._taker)
        nic = Nic(self._bus, 4, case, (queue,), promiscuous=queue == 1)
        self._queue = PreparedQueue(nic, queue, case)
        self._queues.append(self._queue)
        self._notify = nic.notify_address(queue)
        backends = [nc for nc in machine.net.clients if isinstance(nc, Backend)]
        self._backend = backends[0] if backends else None

    def _add_devices(self) -> None:
        case, machine = self.case, self._machine
        options = f"virtio-net-pci,ioeventfd=off,x-txburst=256,romfile={',packed=on' if case.packed else ''}"
        lines = [f"{options},addr=04.0"]
        if case.peer == NIC:
            machine.netdev_add("hubport,id=n0,hubid=0")
            machine.netdev_add("hubport,id=n1,hubid=0")
            lines = [f"{lines[0]},netdev=n0", f"{options},addr=05.0,netdev=n1,mac=52:54:00:12:34:57"]
        elif case.peer == UDP:
            here, there = udp_pair()
            self._far_end = there
            machine.netdev_add(f"dgram,id=n0,local.type=fd,local.str={here.fileno()}")
            here.close()
            lines = [f"{lines[0]},netdev=n0"]
        elif case.peer == BACKEND:
            machine.netdev_add("responder,id=n0")
            lines = [f"{lines[0]},netdev=n0"]
        else:
            assert case.peer == NOBODY
        for line in lines:
            if machine.device_add(line) is None:
                raise RuntimeError(machine.last_error)

    # -- rounds -------------------------------------------------------------------------------------------------------
    def round(self) -> float:
        """One batch; ns a packet."""
        return self._receive_round(BROADCAST) if self.case.direction == "rx" else self._transmit_round()

    def filtered_round(self) -> float:
        """A receive batch that the device filters out."""
        return self._receive_round(FOREIGN)

    def _transmit_round(self) -> float:
        queue = self._queue
        if self._taker is not None:
            self._taker.publish(queue.batch)
        queue.publish(queue.batch)
        self._bus.write(self._notify, 2, 1)
        start = time.perf_counter_ns()
        self._loop.run_bottom_halves()
        end = time.perf_counter_ns()
        if not queue.done() or (self._taker is not None and not self._taker.done()):
            raise RuntimeError(f"{self.case.name}: the batch is not used")
        return (end - start) / queue.batch

    def _receive_round(self, destination: bytes) -> float:
        """Buffers wait, then a batch of frames comes; filtered ones leave the buffers where they are."""
        queue, backend = self._queue, self._backend
        assert backend is not None
        count = queue.batch - 3
        frame = make_frame(destination, self.case.length)
        # filtered or not, a frame waits while the device has no buffer
        queue.publish(count if destination == BROADCAST else 1)
        for _ in range(count):
            backend.push(frame)
        self._bus.write(self._notify, 2, 0)
        start = time.perf_counter_ns()
        backend.poll()
        end = time.perf_counter_ns()
        if destination != BROADCAST:
            backend.push(make_frame(BROADCAST, 60))
            backend.poll()
        if not backend.done() or not queue.done():
            raise RuntimeError(f"{self.case.name}: the batch is not used")
        return (end - start) / count

    # -- what tests look at -------------------------------------------------------------------------------------------
    def sent_frame(self, chain: int) -> bytes:
        """The frame that chain `chain` sends."""
        return self._queue.frame_in_buffer(chain, self.case.length)

    def taken_frame(self, chain: int) -> bytes:
        """The frame in the second NIC's buffer of chain `chain`."""
        assert self._taker is not None
        return self._taker.frame_in_buffer(chain, self.case.length)

    def log_bytes(self) -> int:
        """Bytes of events that were written to the file."""
        return 0 if self._sink is None else self._sink.written

    def close(self) -> None:
        """Let go of everything."""
        for queue in self._queues:
            queue.release()
        for nc in self._machine.net.clients:
            nc.cleanup()
        if self.case.peer == UDP:
            self._far_end.close()
        if self._sink is not None:
            self._sink.close()
        if self._folder is not None:
            self._folder.cleanup()
