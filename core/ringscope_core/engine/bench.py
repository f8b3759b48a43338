"""What the machine costs on this computer: the device alone, device and driver together, compiled against uncompiled.

The device is driven as a driver would, through memory and registers, but everything is prepared once: a round only publishes the
same chains again, so what is timed is the device's own work.  Best and median of many rounds are given, because other programs
run meanwhile.  ``python -m ringscope_core.engine.bench`` prints the numbers as JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from ringscope_core import PURE
from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.run import Run
from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.pci import PciBus
from ringscope_core.guest.transport import STATUS_ACKNOWLEDGE, STATUS_DRIVER, STATUS_DRIVER_OK, STATUS_FEATURES_OK, VIRTIO_VENDOR
from ringscope_core.guest.virtio_pci import C_Q_AVAIL, C_Q_DESC, C_Q_ENABLE, C_Q_NOFF, C_Q_SELECT, C_Q_SIZE, C_Q_USED, VirtioPciDevice
from ringscope_core.hw.machine import Machine
from ringscope_core.net.backends.backend import Backend
from ringscope_core.scenario.load import load
from ringscope_core.trace import log as log_module
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_FULL
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

NUM: Final = 256
BATCH: Final = 128
FRAME: Final = 64
HEADER: Final = 12
_RAM: Final = 16 << 20
_BUFFERS: Final = 0x200000
_RINGS: Final = 0x10000
_FEATURES: Final = 1 << 32 | 1 << 15
"""VERSION_1 and MRG_RXBUF."""
_LAYOUT: Final = ((C_Q_DESC, 0), (C_Q_AVAIL, 0x1000), (C_Q_USED, 0x2000))


class Timing(NamedTuple):
    """ns a packet: the best round, and the median."""

    best_ns: float
    median_ns: float


def compiled() -> bool:
    """Whether the core's compiled modules are in use."""
    return not str(log_module.__file__).endswith(".py")


class Rig:
    """A device with prepared rings.  `queue` 0 receives, 1 transmits; `backend` "" leaves the device without a peer."""

    def __init__(self, queue: int, backend: str, level: int) -> None:
        log = EventLog(Clock())
        log.level = level
        self.loop: MainLoop = MainLoop(log.clock)
        self.machine: Machine = Machine(log, self.loop, _RAM)
        options = "virtio-net-pci,id=net0,x-txburst=256,romfile="
        if backend:
            self.machine.netdev_add(f"{backend},id=n0")
            options += ",netdev=n0"
        assert self.machine.device_add(options) is not None, self.machine.world.messages
        self.machine.system_reset()
        self.machine.cont()
        self.queue: int = queue
        self.device: VirtioPciDevice = self._probe()
        self._published: int = 0
        self._view: memoryview = self.machine.memory.view
        self._fill()

    def _probe(self) -> VirtioPciDevice:
        bus = PciBus(self.machine.ports)
        bus.scan()
        function = next(f for f in bus.functions if f.vendor == VIRTIO_VENDOR)
        device = VirtioPciDevice(self.machine.ports, function, PageAllocator(self.machine.memory))
        device.enable()
        device.reset()
        device.add_status(STATUS_ACKNOWLEDGE | STATUS_DRIVER)
        device.write_features(device.device_features() & _FEATURES)
        device.add_status(STATUS_FEATURES_OK)
        for queue in (0, 1):
            device.common.write(C_Q_SELECT, 2, queue)
            device.common.write(C_Q_SIZE, 2, NUM)
            for register, offset in _LAYOUT:
                device.common.write(register, 4, _RINGS * (queue + 1) + offset)
                device.common.write(register + 4, 4, 0)
            device.common.write(C_Q_ENABLE, 2, 1)
        device.add_status(STATUS_DRIVER_OK)
        device.common.write(C_Q_SELECT, 2, self.queue)
        self._notify: int = int(device.common.read(C_Q_NOFF, 2) * device.notify_multiplier)
        return device

    def _fill(self) -> None:
        """A chain of one descriptor for every ring entry: a frame to send, or a buffer to receive into."""
        base = _RINGS * (self.queue + 1)
        length, flags = (HEADER + FRAME, 0) if self.queue else (2048, 2)
        for i in range(NUM):
            struct.pack_into("<QIHH", self._view, base + 16 * i, _BUFFERS + 2048 * i, length, flags, 0)
            struct.pack_into("<H", self._view, base + 0x1000 + 4 + 2 * i, i)
            self._view[_BUFFERS + 2048 * i + HEADER : _BUFFERS + 2048 * i + HEADER + 14] = b"\xff" * 6 + b"\x52\x54\0\0\0\1\x08\0"
        # no interrupts: nobody would take them
        struct.pack_into("<H", self._view, base + 0x1000, 1)

    def publish(self, count: int) -> None:
        """Make `count` more chains available and notify the device."""
        self._published = (self._published + count) & 0xFFFF
        struct.pack_into("<H", self._view, _RINGS * (self.queue + 1) + 0x1000 + 2, self._published)
        self.device.notify.write(self._notify, 2, self.queue)

    def used(self) -> int:
        """The used ring's index."""
        return int(struct.unpack_from("<H", self._view, _RINGS * (self.queue + 1) + 0x2000 + 2)[0])

    def check(self) -> None:
        """Raises AssertionError when the device has not done all of it."""
        assert self.used() == self._published, f"used {self.used()} of {self._published}"


def _rounds(rounds: int, once: Callable[[], int]) -> Timing:
    for _ in range(5):
        once()
    times = [once() / BATCH for _ in range(rounds)]
    return Timing(min(times), statistics.median(times))


def transmit(backend: str, level: int, rounds: int) -> Timing:
    """The bottom half that empties a ring of 128 frames, into `backend` or to nobody."""
    rig = Rig(1, backend, level)

    def once() -> int:
        rig.publish(BATCH)
        start = time.perf_counter_ns()
        rig.loop.run_bottom_halves()
        return time.perf_counter_ns() - start

    timing = _rounds(rounds, once)
    rig.check()
    return timing


def receive(level: int, rounds: int) -> Timing:
    """A backend's burst of 128 frames into waiting buffers."""
    rig = Rig(0, "responder", level)
    backend = next(nc for nc in rig.machine.net.clients if isinstance(nc, Backend))
    frame = b"\xff" * 6 + b"\x52\x54\0\0\0\1\x08\0" + bytes(FRAME - 14)

    def once() -> int:
        rig.publish(BATCH)
        for _ in range(BATCH):
            backend.push(frame)
        start = time.perf_counter_ns()
        backend.poll()
        return time.perf_counter_ns() - start

    timing = _rounds(rounds, once)
    rig.check()
    return timing


def end_to_end(name: str, count: int, level: int) -> float:
    """Frames of 64 bytes a second through driver, device and backend, nothing paced."""
    scenario = load(name, [f"count={count}", f"size={FRAME}"])
    run = Run(scenario, trace_level=level, digests=False)
    assert run.build(), run.failures
    headless = Headless(run, Goal())
    headless.to_the_end()
    done = max(int(run.guest.sent_count()), int(run.guest.delivered_count()))
    assert done >= count, f"{done} of {count} frames"
    return done / headless.wall_s


def measure(rounds: int, count: int) -> dict[str, object]:
    """Every number, as plain data."""
    counters, full = int(LEVEL_COUNTERS), int(LEVEL_FULL)
    cases = {
        "tx_no_copy": transmit("", counters, rounds),
        "tx_copy": transmit("responder", counters, rounds),
        "rx_copy": receive(counters, rounds),
        "tx_no_copy_full": transmit("", full, rounds),
        "tx_copy_full": transmit("responder", full, rounds),
        "rx_copy_full": receive(full, rounds),
    }
    report: dict[str, object] = {"compiled": compiled(), "batch": BATCH, "frame_bytes": FRAME, "load": round(os.getloadavg()[0], 2)}
    report["ns_per_packet"] = {name: {"best": round(t.best_ns, 1), "median": round(t.median_ns, 1)} for name, t in cases.items()}
    report["trace_full_factor"] = {name: round(cases[name + "_full"].best_ns / cases[name].best_ns, 2) for name in ("tx_no_copy", "tx_copy", "rx_copy")}
    report["end_to_end_pps"] = {name: round(end_to_end(name, count, counters)) for name in ("bulk-tx", "bulk-rx")}
    return report


def measure_pure() -> dict[str, object]:
    """`measure` in a process of its own that runs the sources uncompiled."""
    environment = {**os.environ, "RINGSCOPE_PURE": "1"}
    done = subprocess.run([sys.executable, "-m", "ringscope_core.engine.bench", "20", "2000"], env=environment, capture_output=True, check=True, text=True)
    report: dict[str, object] = json.loads(done.stdout)
    return report


def compare(rounds: int = 400, count: int = 400_000) -> dict[str, object]:
    """`measure` here, and how many times faster it is than uncompiled; without compiled modules only one of them."""
    if PURE or not compiled():
        return {**measure(rounds // 10 or 1, count // 100 or 1), "note": "the core is not compiled: numbers are those of the plain sources"}
    report, pure = measure(rounds, count), measure_pure()
    here, there = report["ns_per_packet"], pure["ns_per_packet"]
    assert isinstance(here, dict)
    assert isinstance(there, dict)
    report["pure"] = pure
    report["compiled_speedup"] = {name: round(there[name]["best"] / here[name]["best"], 1) for name in here}
    return report


def main(rounds: int, count: int) -> None:
    """``python -m ringscope_core.engine.bench ROUNDS FRAMES``."""
    print(json.dumps(measure(rounds, count)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
