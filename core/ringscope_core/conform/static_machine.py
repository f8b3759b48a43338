"""The machine of a static case: made from its configuration, its BARs placed as the recorder placed them."""

from __future__ import annotations

from typing import Any, Final

from ringscope_core.conform.case import BAR_ADDRESSES, PeerSpec
from ringscope_core.conform.peer import FifoPeer
from ringscope_core.conform.root_port import BEHIND_BDF, BRIDGE_SETUP, PORT_BDF, PORT_OPTION
from ringscope_core.hw.machine import Machine
from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.net.backends import net_check_clients
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_net_client_setup
from ringscope_core.qom.object import Object
from ringscope_core.qom.profile import ALIASES, MACHINES, PROFILE_4_1, PROFILE_7_2, machine_of, machine_version
from ringscope_core.qom.world import GlobalProperty, World
from ringscope_core.trace.bits import ones
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.levels import LEVEL_COUNTERS
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

SLOT: Final = 4
NEWER_PROPERTIES: Final = (
    "rss",
    "hash",
    "failover",
    "packed",
    "queue_reset",
    "use-disabled-flag",
    "x-disable-legacy-check",
    "x-ats-page-aligned",
    "x-pcie-flr-init",
    "aer",
    "romsize",
    "failover_pair_id",
    "acpi-index",
)
"""Properties that 4.1 lacks."""
INFO: Final = {"stream": "unix:", "socket": "socket: fd=N", "dgram": "fd=N unix", "tap": "fd=N"}
"""What ``info network`` tells of a peer, file descriptors without their numbers."""
NEWER_PEERS: Final = ("stream", "dgram")
"""Kinds of netdev that 4.1 lacks; to the device they are as a socket is."""


class CannotMake(Exception):
    """The configuration is nothing this profile has; the text says why."""


class NotOfProfile(CannotMake):
    """It is something of another QEMU than the profile's."""


class StaticPeer(FifoPeer):
    """A peer as QEMU's own of that kind shows itself."""

    machine: Machine

    def set_steering_ebpf(self, prog_fd: int) -> bool:
        """The look-alike that the recorder used refuses to be programmed."""
        if self.spec.kind != "tap":
            return False
        self.machine.world.error_report(f"Issue while setting TUNSETSTEERINGEBPF: Inappropriate ioctl for device with fd: N, prog_fd: {prog_fd}")
        return False


def add_peer(machine: Machine, host: NetHost, spec: PeerSpec, name: str) -> list[StaticPeer]:
    """A netdev called `name`: a client for each queue."""
    clients: list[StaticPeer] = []
    for index in range(spec.queues):
        peer = StaticPeer(host, spec, [])
        peer.machine = machine
        peer.name = name
        peer.info_str = INFO.get(spec.kind, "")
        peer.queue_index = index
        qemu_net_client_setup(peer, None)
        clients.append(peer)
    return clients


def new_machine(profile: str, machine_type: str, ram: int = 8 << 20, global_props: list[GlobalProperty] | None = None) -> Machine:
    """A bare machine that records nothing; raises CannotMake."""
    log = EventLog(Clock())
    log.set_level(int(LEVEL_COUNTERS))
    try:
        return Machine(log, MainLoop(log.clock), ram, profile, machine_type, global_props)
    except ValueError as error:
        raise CannotMake(str(error)) from None


def machine_for(profile: str, machine_type: str) -> str:
    """The machine type that a file means, or why the profile has none of it; the files are 7.2's."""
    if profile == PROFILE_4_1 and machine_type in ALIASES:
        raise NotOfProfile(f"{machine_of(PROFILE_7_2, machine_type)}, which '{machine_type}' stands for in the files, came after QEMU 4.1")
    try:
        return machine_of(profile, machine_type)
    except ValueError as error:
        if profile == PROFILE_4_1 and machine_type in MACHINES[PROFILE_7_2]:
            newer = machine_version(machine_type) > (4, 1)
            raise NotOfProfile(f"{machine_type} {'came after QEMU 4.1' if newer else 'is modelled in profile 7.2 only'}") from None
        raise CannotMake(str(error)) from None


def machine_warnings(world: World) -> list[str]:
    """What 7.2 says of machine types that it will drop."""
    if world.v7_2 and machine_version(world.machine_type) < (2, 0):
        return [f"Machine type '{world.machine_type}' is deprecated: old and unattended - use a newer version instead"]
    return []


def option_text(device: str, options: dict[str, object]) -> str:
    """``-device``'s argument, commas doubled."""
    return ",".join([device, *(f"{name}={str(value).replace(',', ',,')}" for name, value in options.items())])


class StaticMachine:
    """A machine with one device, in slot 04.0 of the root bus or behind a root port."""

    def __init__(self, entry: dict[str, Any], profile: str) -> None:
        """Raises CannotMake."""
        config = entry["config"]
        self.root_port: bool = bool(entry.get("root_port"))
        spec = config["peer"]
        peer = PeerSpec(spec["kind"], spec.get("queues", 1), bool(spec.get("vnet_hdr")))
        props = dict(config["props"])
        if profile == PROFILE_4_1:
            newer = [name for name in props if name in NEWER_PROPERTIES]
            if newer:
                raise NotOfProfile(f"{newer[0]} came after QEMU 4.1")
        machine = new_machine(profile, machine_for(profile, config["machine"]), config.get("ram") or 8 << 20)
        self.machine: Machine = machine
        for warning in machine_warnings(machine.world):
            machine.world.warn_report(warning)
        if peer.kind == "hub":
            machine.netdev_add("hubport,id=n0,hubid=0")
        elif peer.kind != "none":
            add_peer(machine, machine.net, peer, "n0")
        self._add_devices(config["device"], props, peer.kind)
        for warning in net_check_clients(machine.net):
            machine.world.warn_report(warning)
        machine.system_reset()
        machine.cont()
        self.messages: list[str] = list(machine.world.messages)
        self.bdf: int = BEHIND_BDF if self.root_port else SLOT << 3
        self.bars: dict[int, int] = {}
        """Where each BAR was placed."""

    def _add_devices(self, device: str, props: dict[str, object], peer: str) -> None:
        machine = self.machine
        options: dict[str, object] = {"id": "net0", **props}
        if peer != "none":
            options.setdefault("netdev", "n0")
        if self.root_port:
            if machine.device_add(PORT_OPTION) is None:
                raise CannotMake(f"the root port cannot be added: {machine.last_error}")
            options |= {"bus": "rp0", "addr": "00.0"}
        else:
            options.setdefault("addr", f"{SLOT:02x}.0")
        if machine.device_add(option_text(device, options)) is None:
            raise CannotMake(f"the device cannot be added: {machine.last_error}")

    def device(self) -> PCIDevice:
        """The function under test."""
        found = self.object("/machine/peripheral/net0")
        assert isinstance(found, PCIDevice)
        return found

    def object(self, path: str) -> Object | None:
        """The object at a path."""
        return self.machine.world.resolve_path(path)

    # -- the recorder's accesses --------------------------------------------------------------------------------------
    def cfg_read(self, offset: int, size: int, bdf: int = -1) -> int:
        """Of the function under test, or of another."""
        return int(self.machine.cfg_read(self.bdf if bdf < 0 else bdf, offset, size))

    def cfg_write(self, offset: int, size: int, value: int, bdf: int = -1) -> None:
        """To the function under test, or to another."""
        self.machine.cfg_write(self.bdf if bdf < 0 else bdf, offset, size, value)

    def dump(self, size: int) -> bytes:
        """Configuration space as dwords."""
        return b"".join(self.cfg_read(at, 4).to_bytes(4, "little") for at in range(0, size, 4))

    def setup_bridge(self) -> None:
        """Numbers and windows of the root port, so that the function behind it answers."""
        if not self.root_port:
            return
        for offset, size, value in BRIDGE_SETUP:
            self.cfg_write(offset, size, value, PORT_BDF)

    def probe(self) -> dict[int, tuple[str, int, int]]:
        """Size the BARs, place them, switch decoding on; what each is: kind, address, size."""
        found: dict[int, tuple[str, int, int]] = {}
        number = 0
        while number < 6:
            at = 0x10 + 4 * number
            self.cfg_write(at, 4, 0xFFFFFFFF)
            value = self.cfg_read(at, 4)
            if value:
                base = BAR_ADDRESSES.get(number, 0xFD000000 + number * 0x100000)
                io = value & 1 != 0
                size = (~(value & ~3) & 0xFFFF) + 1 if io else (~(value & ~0xF) & 0xFFFFFFFF) + 1
                self.cfg_write(at, 4, base)
                found[number] = ("io" if io else "mem", base, size)
                if not io and value & 4:
                    self.cfg_write(at + 4, 4, 0)
                    number += 1
            number += 1
        self.cfg_write(4, 2, 7)
        self.bars = {number: base for number, (_, base, _) in found.items()}
        return found

    def bar_read(self, bar: int, offset: int, size: int) -> int:
        """Through a BAR, wherever it was placed."""
        address = self.bars[bar] + offset
        io = self.device().io_regions[bar].is_io
        value = int(self.machine.io_read(address, size) if io else self.machine.mmio_read(address, size))
        return value & int(ones(size)) if size < 8 else value & 0xFFFFFFFFFFFFFFFF

    def bar_write(self, bar: int, offset: int, size: int, value: int) -> None:
        """Through a BAR."""
        address = self.bars[bar] + offset
        if self.device().io_regions[bar].is_io:
            self.machine.io_write(address, size, value)
        else:
            self.machine.mmio_write(address, size, value)
