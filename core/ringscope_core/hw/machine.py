"""Machine: the emulated PC around the device.  It builds the board, takes ``-netdev`` and ``-device``, and carries every access of the guest."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.board import build_board
from ringscope_core.hw.context import HwContext
from ringscope_core.hw.monitor import info_qtree
from ringscope_core.hw.pci.address_space import IO_SPACE_SIZE, AddressSpace
from ringscope_core.hw.pci.bridge import pci_find_bus_nr
from ringscope_core.hw.pci.bus import PCIBus
from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.hw.pci.realize import pci_init_bus_master
from ringscope_core.hw.ports import GuestPorts, IrqSink
from ringscope_core.hw.qdev.add import find_device_state, qdev_device_add, qdev_unplug
from ringscope_core.hw.qdev.bus import BusState
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.qdev.opts import DeviceOpts, device_opts_of, parse_device_opts
from ringscope_core.hw.qdev.realize import qbus_reset_all
from ringscope_core.hw.savevm.machine_state import load_machine, save_machine
from ringscope_core.hw.types import register_all_types
from ringscope_core.memory.ram import pc_ram
from ringscope_core.net.announce import AnnounceParameters, SelfAnnouncer, qemu_announce_self
from ringscope_core.net.backends import netdev_add
from ringscope_core.net.client import NetClientState
from ringscope_core.net.net import qmp_set_link
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.profile import DEFAULT_MACHINE, PROFILE_4_1
from ringscope_core.qom.visitor import PropValue
from ringscope_core.qom.world import GlobalProperty, World
from ringscope_core.trace.bits import ones
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.kinds import EV_CFG_READ, EV_CFG_WRITE
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

FN_MAIN = declare("main", "argc:unknown argv:unknown envp:unknown")
FN_OPTS_FOREACH = declare("qemu_opts_foreach", "list:unknown func:unknown opaque:ptr errp:unknown")
FN_DEVICE_INIT = declare("device_init_func", "opaque:ptr opts:unknown errp:unknown")
FN_QMP_DEVICE_ADD = declare("qmp_device_add", "qdict:unknown ret_data:unknown errp:unknown")
FN_QMP_DEVICE_DEL = declare("qmp_device_del", "id:str errp:unknown")
FN_CREATION_DONE = declare("qdev_machine_creation_done")
FN_MACHINE_DONE = declare("pcibus_machine_done", "notifier:unknown data:unknown")

MSI_FIRST: Final[i64] = 0xFEE00000
MSI_LAST: Final[i64] = 0xFEEFFFFF
"""Writes here are interrupt messages."""
CONFIG_ADDRESS: Final[i64] = 0xCF8
CONFIG_DATA: Final[i64] = 0xCFC
"""Ports of configuration mechanism 1."""


def _piece(port: i64, size: i64) -> i64:
    """How much of an access of `size` bytes the bus takes at once at `port`: the largest aligned power of two."""
    piece: i64 = 4
    while piece > size or port % piece:
        piece //= 2
    return piece


@final
class MachinePorts(GuestPorts):
    """The guest's view of a machine."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.memory, machine.log, machine.loop)
        self.machine: Machine = machine

    def cfg_read(self, bdf: i64, offset: i64, size: i64) -> i64:
        return self.machine.cfg_read(bdf, offset, size)

    def cfg_write(self, bdf: i64, offset: i64, size: i64, value: i64) -> None:
        self.machine.cfg_write(bdf, offset, size, value)

    def io_read(self, port: i64, size: i64) -> i64:
        return self.machine.io_read(port, size)

    def io_write(self, port: i64, size: i64, value: i64) -> None:
        self.machine.io_write(port, size, value)

    def mmio_read(self, gpa: i64, size: i64) -> i64:
        return self.machine.mmio_read(gpa, size)

    def mmio_write(self, gpa: i64, size: i64, value: i64) -> None:
        self.machine.mmio_write(gpa, size, value)

    def set_irq_sink(self, sink: IrqSink) -> None:
        self.machine.irq_sink = sink

    def counters(self, oid: i64) -> RingCounters:
        return self.machine.ring_counters(oid)


def warn_of_short_forms(world: World, opts: DeviceOpts) -> None:
    """7.2 warns of options given by a word alone."""
    for word, meaning in opts.short_forms:
        world.warn_report(f"short-form boolean option '{word}' deprecated")
        world.error_printf(f"Please use {meaning} instead")


@final
class Machine(HwContext):
    """The board of a machine type.  Made, it is a powered machine before its first reset: add netdevs and devices, then `system_reset`, then `cont`."""

    def __init__(
        self,
        log: EventLog,
        loop: MainLoop,
        ram_bytes: int,
        profile: str = PROFILE_4_1,
        machine_type: str = DEFAULT_MACHINE,
        global_props: list[GlobalProperty] | None = None,
    ) -> None:
        """`global_props` are those of ``-global``; one that the board's own devices refuse stands in ``world.fatal`` afterwards."""
        super().__init__(log, loop, pc_ram(ram_bytes))
        self.vm_running = False
        self.net.vm_running = False
        self.world: World = World(log, profile, machine_type)
        self.world.context = self
        if global_props is not None:
            self.world.globals.extend(global_props)
        register_all_types(self.world)
        # choosing the machine class lists all classes, so every class exists before the first device (vl.c:3857)
        self.world.types.initialize_all()
        self.io_space: AddressSpace = AddressSpace(log, True)
        self.mem_space: AddressSpace = AddressSpace(log, False)
        buses = build_board(self.world, self.io_space, self.mem_space)
        self.sysbus: BusState = buses[0]
        self.pci_bus: PCIBus = buses[1]
        self.netdevs: dict[str, list[NetClientState]] = {}
        """Backends by id, one client a queue."""
        self.irq_sink: IrqSink = IrqSink()
        self.config_address: i64 = 0
        self.last_error: str = ""
        """Why the last `device_add` failed, "" when it did not."""
        self.announcers: dict[str, SelfAnnouncer] = {}
        """announce-self's timers by id, "" for the one without."""
        self.ports: GuestPorts = MachinePorts(self)

    # -- command line and monitor -------------------------------------------------------------------------------------
    def netdev_add(self, text: str) -> list[NetClientState]:
        """``-netdev TEXT``; raises NetOptionError with QEMU's message."""
        clients = netdev_add(self.net, text)
        self.netdevs[clients[0].name] = clients
        return clients

    def device_add(self, text: str, errp_report: bool = True) -> DeviceState | None:
        """``-device TEXT``, through the calls that QEMU's main makes; after the first reset as the monitor's device_add.

        On failure the message goes to the world's messages as ``-device TEXT: MESSAGE`` (with `errp_report`), nothing of the
        device is left, and None comes back.
        """
        world = self.world
        errp = Errp()
        world.location = f"-device {text}: " if errp_report else ""
        opts = parse_device_opts(text, self.log, errp)
        if world.v7_2 and opts is not None:
            warn_of_short_forms(world, opts)
        return self.device_add_opts(opts, errp, errp_report)

    def device_add_json(self, text: str, values: dict[str, PropValue], errp_report: bool = True) -> DeviceState | None:
        """7.2's ``-device`` with a JSON object, whose members are `values`; as `device_add` otherwise."""
        self.world.location = f"-device {text}: " if errp_report else ""
        return self.device_add_opts(device_opts_of(text, values), Errp(), errp_report)

    def device_add_opts(self, opts: DeviceOpts | None, errp: Errp, errp_report: bool = True) -> DeviceState | None:
        """Add a device of options that have been parsed, None with an error in `errp` when that failed."""
        world = self.world
        dev: DeviceState | None = None
        if opts is not None:
            if opts.ident is not None and not opts.json and self._is_taken(opts.ident):
                errp.set(self.log, f"Duplicate ID '{opts.ident}' for device")
            else:
                dev = self._monitor_add(opts, errp) if world.qdev_hotplug else self._main_add(opts, errp)
        error = errp.error
        self.last_error = "" if error is None else error.text
        if error is not None and errp_report:
            world.error_report(error.text)
            if error.hint:
                world.error_printf(error.hint)
        world.location = ""
        return dev

    def _is_taken(self, ident: str) -> bool:
        return self.world.resolve_path(f"/machine/peripheral/{ident}") is not None

    def _main_add(self, opts: DeviceOpts, errp: Errp) -> DeviceState | None:
        """main -> qemu_opts_foreach -> device_init_func -> qdev_device_add."""
        log = self.log
        FN_MAIN.enter_at(log, 4372)
        FN_OPTS_FOREACH.enter_at(log, 1170)
        FN_DEVICE_INIT.enter_at(log, 2191)
        dev = qdev_device_add(self.world, self.sysbus, opts, errp)
        if dev is not None:
            dev.unref()
        log.leave(0 if dev is not None else -1)
        log.leave()
        log.leave()
        return dev

    def _monitor_add(self, opts: DeviceOpts, errp: Errp) -> DeviceState | None:
        """qmp_device_add -> qdev_device_add."""
        log = self.log
        FN_QMP_DEVICE_ADD.enter(log)
        dev = qdev_device_add(self.world, self.sysbus, opts, errp)
        if dev is not None:
            dev.unref()
        log.leave()
        return dev

    def add_device(self, options: dict[str, str], errp: Errp) -> None:
        """A device that a device wants: the primary of a failover pair."""
        opts = DeviceOpts(",".join(f"{name}={value}" for name, value in options.items()))
        opts.ident = options.get("id")
        opts.pairs = [(name, value) for name, value in options.items() if name != "id"]
        dev = qdev_device_add(self.world, self.sysbus, opts, errp)
        if dev is not None:
            dev.unref()

    def device_del(self, ident: str) -> str:
        """The monitor's device_del; returns QEMU's message, "" when the device is gone."""
        errp = Errp()
        FN_QMP_DEVICE_DEL.enter(self.log, self.log.text(ident))
        dev = find_device_state(self.world, ident, errp)
        if dev is not None:
            qdev_unplug(dev, errp)
        self.log.leave()
        error = errp.error
        return "" if error is None else error.text

    def set_link(self, name: str, up: bool) -> None:
        """QMP set_link: the cable of a NIC or a netdev; raises NetOptionError for a name that nobody has."""
        qmp_set_link(self.net, name, up)

    def announce_self(
        self, initial: int = 50, maximum: int = 550, rounds: int = 5, step: int = 100, interfaces: list[str] | None = None, ident: str = ""
    ) -> None:
        """QMP announce-self: every NIC, or those named, in `rounds` rounds; times in ms.  Announcements of different `ident` do not replace each other."""
        params = AnnounceParameters(initial, maximum, rounds, step)
        params.interfaces = interfaces
        announcer = self.announcers.get(ident)
        if announcer is None:
            announcer = SelfAnnouncer(self.net)
            self.announcers[ident] = announcer
        qemu_announce_self(announcer, params)

    def info_qtree(self) -> str:
        """The monitor's ``info qtree``."""
        return info_qtree(self.sysbus)

    # -- life ---------------------------------------------------------------------------------------------------------
    def creation_done(self) -> None:
        """Devices added from now on are hotplugged; functions may become bus masters (vl.c:4420 to 4425)."""
        world = self.world
        if world.qdev_hotplug:
            return
        FN_CREATION_DONE.enter(self.log)
        world.qdev_hotplug = True
        self.log.leave()
        FN_MACHINE_DONE.enter(self.log)
        for obj in list(world.objects.values()):
            if isinstance(obj, PCIDevice) and obj.realized:
                pci_init_bus_master(obj)
        self.log.leave()

    def system_reset(self) -> None:
        """qemu_system_reset: every bus and device, the deepest first.  The first one ends the building of the machine."""
        self.creation_done()
        qbus_reset_all(self.sysbus)

    def cont(self) -> None:
        """The machine runs (vm_start)."""
        self.creation_done()
        self.set_vm_running(True)

    def stop(self) -> None:
        """The machine stands still (vm_stop)."""
        self.set_vm_running(False)

    def save_state(self) -> bytes:
        """RAM and devices, as bytes.  A machine that runs stops for it and goes on."""
        running = self.vm_running
        self.stop()
        data = save_machine(self.memory, self.pci_bus)
        if running:
            self.cont()
        return data

    def load_state(self, data: bytes) -> str:
        """Take the state that `save_state` gave of a machine of the same options; the machine stands still afterwards.

        Returns "" or what is wrong with it; the devices are then as after a reset.
        """
        self.creation_done()
        self.stop()
        return load_machine(self.memory, self.pci_bus, data)

    # -- interrupts ---------------------------------------------------------------------------------------------------
    def msi_send(self, address: i64, data: i64) -> None:
        """A message of 4 bytes: to the interrupt controllers, or wherever else its address lies."""
        if address >= MSI_FIRST and address <= MSI_LAST:
            self.irq_sink.msi(data & 0xFF)
        elif address >= 0:
            self.memory.write(address, int(data & 0xFFFFFFFF).to_bytes(4, "little"))

    def irq_set(self, pin: i64, level: i64) -> None:
        """A PCI interrupt pin changed."""
        self.irq_sink.intx(pin, level)

    # -- the guest's accesses -----------------------------------------------------------------------------------------
    def function_at(self, bdf: i64) -> PCIDevice | None:
        """The function at a bus address, None where the bridges lead nowhere."""
        if bdf >= 0 and bdf < 256:
            return self.pci_bus.functions[bdf]
        bus = pci_find_bus_nr(self.pci_bus, bdf >> 8)
        return None if bus is None else bus.functions[bdf & 0xFF]

    def cfg_read(self, bdf: i64, offset: i64, size: i64) -> i64:
        """Read configuration space; all ones where there is no function."""
        dev = self.function_at(bdf)
        if dev is None or offset >= dev.config_limit():
            return ones(size)
        value = dev.config_read(offset, size)
        self.log.emit(EV_CFG_READ, dev.oid, offset, size, value)
        return value

    def cfg_write(self, bdf: i64, offset: i64, size: i64, value: i64) -> None:
        """Write configuration space."""
        dev = self.function_at(bdf)
        if dev is None or offset >= dev.config_limit():
            return
        log = self.log
        cause = log.cause
        log.cause = log.emit(EV_CFG_WRITE, dev.oid, offset, size, value)
        dev.config_write(offset, size, value)
        log.cause = cause

    def io_read(self, port: i64, size: i64) -> i64:
        """Read I/O space."""
        if port >= CONFIG_DATA and port < CONFIG_DATA + 4 and _piece(port, size) < size:
            # the bus takes an access that is not aligned in pieces; those past the register are nobody's
            first = _piece(port, size)
            rest = size - first
            return self.io_read(port, first) | (self.io_read(port + first, rest) & ones(rest)) << (8 * first)
        if port >= CONFIG_ADDRESS and port < CONFIG_DATA + 4:
            return self._config_port_read(port, size)
        return self.io_space.read(port & (IO_SPACE_SIZE - 1), size)

    def io_write(self, port: i64, size: i64, value: i64) -> None:
        """Write I/O space."""
        if port >= CONFIG_DATA and port < CONFIG_DATA + 4 and _piece(port, size) < size:
            first = _piece(port, size)
            self.io_write(port, first, value & ones(first))
            self.io_write(port + first, size - first, value >> (8 * first))
        elif port >= CONFIG_ADDRESS and port < CONFIG_DATA + 4:
            self._config_port_write(port, size, value)
        else:
            self.io_space.write(port & (IO_SPACE_SIZE - 1), size, value)

    def _config_port_read(self, port: i64, size: i64) -> i64:
        if port < CONFIG_DATA:
            return self.config_address if port == CONFIG_ADDRESS and size == 4 else ones(size)
        address = self.config_address
        if address & 0x80000000 == 0:
            return ones(size)
        return self.cfg_read(address >> 8 & 0xFFFF, (address & 0xFC) + (port & 3), size)

    def _config_port_write(self, port: i64, size: i64, value: i64) -> None:
        if port < CONFIG_DATA:
            if port == CONFIG_ADDRESS and size == 4:
                self.config_address = value
        elif self.config_address & 0x80000000:
            address = self.config_address
            self.cfg_write(address >> 8 & 0xFFFF, (address & 0xFC) + (port & 3), size, value)

    def mmio_read(self, gpa: i64, size: i64) -> i64:
        """Read memory space: RAM, or a BAR; 8 bytes come as a signed number."""
        memory = self.memory
        if gpa >= memory.base and size <= memory.end - gpa:
            return int.from_bytes(memory.read(gpa, size), "little", signed=size == 8)
        return self.mem_space.read(gpa, size)

    def mmio_write(self, gpa: i64, size: i64, value: i64) -> None:
        """Write memory space: RAM, or a BAR."""
        memory = self.memory
        if gpa >= memory.base and size <= memory.end - gpa:
            memory.write(gpa, int(value).to_bytes(int(size), "little", signed=value < 0))
            memory.turn += 1
        else:
            self.mem_space.write(gpa, size, value)
