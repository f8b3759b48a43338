"""All that a guest may touch of the machine: memory, configuration space, I/O ports, memory-mapped registers, interrupts."""

from __future__ import annotations

from mypy_extensions import i64, mypyc_attr

from ringscope_core.memory.ram import GuestMemory
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop


@mypyc_attr(allow_interpreted_subclasses=True)
class IrqSink:
    """The interrupt controller's side of the guest.  Called while the device runs: note it, handle it in the guest's own turn."""

    def msi(self, vector: i64) -> None:
        """An MSI or MSI-X message arrived; `vector` is the low byte of its data."""

    def intx(self, pin: i64, level: i64) -> None:
        """The level of PCI interrupt pin `pin` (0 = INTA) changed."""


@mypyc_attr(allow_interpreted_subclasses=True)
class GuestPorts:
    """What the machine gives the guest.  `bdf` is bus << 8 | devfn; sizes are in bytes; values are unsigned, little-endian."""

    def __init__(self, memory: GuestMemory, log: EventLog, loop: MainLoop) -> None:
        self.memory: GuestMemory = memory
        self.log: EventLog = log
        self.clock: Clock = log.clock
        self.loop: MainLoop = loop

    def cfg_read(self, bdf: i64, offset: i64, size: i64) -> i64:
        """Read 1, 2 or 4 bytes of a function's configuration space; all ones where there is no function."""
        raise NotImplementedError

    def cfg_write(self, bdf: i64, offset: i64, size: i64, value: i64) -> None:
        """Write 1, 2 or 4 bytes of a function's configuration space."""
        raise NotImplementedError

    def io_read(self, port: i64, size: i64) -> i64:
        """Read 1, 2 or 4 bytes of I/O space; all ones where nothing answers."""
        raise NotImplementedError

    def io_write(self, port: i64, size: i64, value: i64) -> None:
        """Write 1, 2 or 4 bytes of I/O space."""
        raise NotImplementedError

    def mmio_read(self, gpa: i64, size: i64) -> i64:
        """Read 1, 2, 4 or 8 bytes of memory space; zeros where nothing answers.  8 bytes come as a signed number."""
        raise NotImplementedError

    def mmio_write(self, gpa: i64, size: i64, value: i64) -> None:
        """Write 1, 2, 4 or 8 bytes of memory space."""
        raise NotImplementedError

    def set_irq_sink(self, sink: IrqSink) -> None:
        """Where interrupts go from now on."""
        raise NotImplementedError

    def counters(self, oid: i64) -> RingCounters:
        """The counters of ring `oid`, of which the driver keeps its half."""
        raise NotImplementedError
