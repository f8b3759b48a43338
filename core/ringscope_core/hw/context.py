"""What every device of one machine shares: log, main loop, guest memory, packet log, counters, interrupt delivery."""

from __future__ import annotations

from mypy_extensions import i64, mypyc_attr

from ringscope_core.memory.ram import GuestMemory
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import net_vm_change_state
from ringscope_core.qom.errp import Errp
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop
from ringscope_core.trace.packets import PacketLog
from ringscope_core.trace.state import MachineState


class Instrument:
    """A part of the machine that shows itself in keyframes and counter samples beside the QOM objects."""

    def sample(self) -> None:
        """Bring the level columns of its counters up to date."""

    def snapshot(self, state: MachineState) -> None:
        """Put what the part's events would have put into `state`, from the part itself."""


class VmStateHandler:
    """Hears when the machine stops and goes on (VMChangeStateEntry)."""

    def change(self, running: bool) -> None:
        """The machine runs now, or no longer."""


class DeviceListener:
    """Hears of devices before they are made (DeviceListener)."""

    def hide_device(self, options: dict[str, str], errp: Errp) -> bool:
        """Whether the device of these options shall not be made now."""
        return False


class MemoryListener:
    """Hears that the layout of memory changed (MemoryListener)."""

    def commit(self) -> None:
        """A change is complete (memory_region_transaction_commit)."""


@mypyc_attr(allow_interpreted_subclasses=True)
class HwContext:
    """The part of a machine that devices see.  The machine itself subclasses it."""

    def __init__(self, log: EventLog, loop: MainLoop, memory: GuestMemory) -> None:
        self.clock: Clock = log.clock
        self.log: EventLog = log
        self.loop: MainLoop = loop
        self.memory: GuestMemory = memory
        self.packets: PacketLog = PacketLog(log.clock)
        self.counters: dict[int, RingCounters] = {}
        """Counters by ring id (`trace.oids.ring_oid`)."""
        self.instruments: list[Instrument] = []
        self.net: NetHost = NetHost(log, loop)
        """Network clients, MAC addresses; its `vm_running` is runstate_is_running() for the network."""
        self.vm_running: bool = True
        """runstate_is_running(); changes together with ``net.vm_running`` in `set_vm_running`."""
        self.vm_state_handlers: list[VmStateHandler] = []
        self.device_listeners: list[DeviceListener] = []
        self.memory_listeners: list[MemoryListener] = []

    def set_vm_running(self, running: bool) -> None:
        """Stop the machine or let it go on (vm_state_notify): devices first, then the frames that wait."""
        if running == self.vm_running:
            return
        self.vm_running = running
        if running:
            self.net.vm_running = True
        for handler in self.vm_state_handlers:
            handler.change(running)
        net_vm_change_state(self.net, running)

    def memory_commit(self) -> None:
        """A region came, went, or was switched: whoever has looked up addresses looks again."""
        for listener in self.memory_listeners:
            listener.commit()

    def add_device(self, options: dict[str, str], errp: Errp) -> None:
        """Make a device as the monitor's device_add would (qdev_device_add_from_qdict)."""

    def msi_send(self, address: i64, data: i64) -> None:
        """An MSI or MSI-X message: a 4 byte write of `data` to `address` on the system bus."""

    def irq_set(self, pin: i64, level: i64) -> None:
        """The level of a PCI interrupt pin (0 = INTA) changed."""

    def ring_counters(self, oid: i64) -> RingCounters:
        """The counters of ring `oid`, made at first use."""
        found = self.counters.get(oid)
        if found is None:
            found = RingCounters()
            self.counters[oid] = found
        return found
