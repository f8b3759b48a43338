"""pcie-root-port: a port of the root complex with a slot for one express device (hw/pci-bridge/gen_pcie_root_port.c, pcie_root_port.c)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.pci import express
from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.bridge import PCIBridge, pci_bridge_class_init, pci_bridge_init_masks, pci_bridge_initfn, pci_bridge_reset
from ringscope_core.hw.pci.config_space import put_le
from ringscope_core.hw.pci.device import PCIDevice, PCIDeviceClass
from ringscope_core.hw.pci.msix import msix_init_exclusive_bar, msix_uninit
from ringscope_core.hw.pci.realize import INTERFACE_PCIE_DEVICE
from ringscope_core.hw.qdev.bus import BusState
from ringscope_core.hw.qdev.device import DeviceState, device_class_of
from ringscope_core.hw.qdev.device_class import device_class_set_props
from ringscope_core.hw.qdev.hotplug import HotplugHandlerClass
from ringscope_core.hw.qdev.member import Member
from ringscope_core.hw.qdev.properties import BitProperty, BoolProperty, EnumProperty, Property, SizeProperty, UintProperty
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.qom.profile import is_q35, machine_version
from ringscope_core.qom.types import TypeInfo, TypeTable

PCI_CAP_ID_SSVID: Final = 0x0D
SSVID_SIZE: Final = 8
PCI_EXT_CAP_ID_ACS: Final = 0x0D
ACS_VER: Final = 1
ACS_SIZE: Final = 8
ACS_ALL: Final = 0x5F
ACS_OFFSET: Final = r.PCI_CONFIG_SPACE_SIZE + express.ERR_SIZE

FLAGS_ROOT_PORT_WITH_SLOT: Final = 0x0140
EXP_SLTCAP: Final = 0x14
EXP_SLTCTL: Final = 0x18
EXP_SLTSTA: Final = 0x1A
EXP_RTCTL: Final = 0x1C
EXP_LNKCAP2: Final = 0x2C
EXP_LNKCTL2: Final = 0x30
LNKCAP_X32_16GT: Final = 0x00300604
LNKCAP2_16GT: Final = 0x1E
LNKCTL2_16GT: Final = 0x04
LNKSTA_DLLLA: Final = 0x2000
SLTCAP_INIT: Final = 0x0002007B
SLTCTL_INIT: Final = 0x01C0
SLTCTL_WMASK: Final = 0x07F9
SLTSTA_PRESENT: Final = 0x0040
SLTSTA_EVENTS: Final = 0x0019
RTCTL_WMASK: Final = 0x0007
DEVCTL2_ARI: Final = 0x0020
DEVCAP2_ARI: Final = 0x0020
MSIX_BAR: Final = 0

SPEEDS: Final = ("2_5", "5", "8", "16")
WIDTHS: Final = ("1", "2", "4", "8", "12", "16", "32")
UINT32_MAX: Final = 0xFFFFFFFF
UINT64_UNSET: Final = -1
"""All ones."""


@final
class RootPort(PCIBridge):
    """A pcie-root-port."""

    def __init__(self) -> None:
        super().__init__()
        self.migrate_msix: bool = False
        self.bus_reserve: i64 = 0
        self.io_reserve: i64 = 0
        self.mem_reserve: i64 = 0
        self.pref32_reserve: i64 = 0
        self.pref64_reserve: i64 = 0
        self.speed: i64 = 0
        self.width: i64 = 0
        self.disable_acs: bool = False
        self.chassis: i64 = 0
        self.slot: i64 = 0
        self.hotplug: bool = False
        self.native_hotplug: bool = False
        self.port: i64 = 0
        self.aer_log_max: i64 = 0


def root_port_of(obj: Object) -> RootPort:
    """PCIE_ROOT_PORT."""
    assert isinstance(obj, RootPort)
    return obj


def _realize(pci: PCIDevice, errp: Errp) -> None:
    """rp_realize: bridge header, slot, link, error reporting."""
    port = root_port_of(pci)
    log = port.world.log
    if not port.pci_bus().is_express():
        port.set_cap_present(port.cap_present & ~r.QEMU_PCI_CAP_EXPRESS)
    taken = (int(port.chassis), int(port.slot))
    if any(other is not port and other.parent_bus is not None and other.realized and (int(other.chassis), int(other.slot)) == taken for other in _ports(port)):
        errp.set(log, "Can't add chassis slot, error -16")
        return
    port.space.config[r.PCI_INTERRUPT_PIN] = 1
    pci_bridge_init_masks(port)
    pci_bridge_initfn(port, "PCIE")
    space = port.space
    ssvid = port.add_capability(PCI_CAP_ID_SSVID, SSVID_SIZE)
    space.put(ssvid + 4, 2, 0x1B36)
    msix_init_exclusive_bar(port, 1, MSIX_BAR, 0, 0, 0)
    _init_link(port)
    express.pcie_aer_init(port, r.PCI_CONFIG_SPACE_SIZE, int(port.aer_log_max))
    put_le(space.wmask, r.PCI_CONFIG_SPACE_SIZE + 0x2C, 4, 7)
    if not port.disable_acs:
        express.pcie_add_capability(port, PCI_EXT_CAP_ID_ACS, ACS_VER, ACS_OFFSET, ACS_SIZE)
        space.put(ACS_OFFSET + 4, 2, ACS_ALL)
        put_le(space.wmask, ACS_OFFSET + 6, 2, ACS_ALL)
    machine = port.world.machine_type
    # without ACPI's hotplug of bridges the port itself is asked, and refuses later
    if port.hotplug or (is_q35(machine) and machine_version(machine) < (6, 1)):
        port.secondary().set_hotplug_handler(port)
    pci_bridge_reset(port)


def _ports(port: RootPort) -> list[RootPort]:
    return [obj for obj in port.world.objects.values() if isinstance(obj, RootPort)]


def _init_link(port: RootPort) -> None:
    """The express capability of a root port, its link and its slot."""
    space = port.space
    pos = express.pcie_cap_init(port, FLAGS_ROOT_PORT_WITH_SLOT)
    express.pcie_cap_deverr_init(port)
    speed, width = int(port.speed) + 1, int(WIDTHS[int(port.width)])
    space.put(pos + express.EXP_LNKCAP, 4, LNKCAP_X32_16GT & ~0x3FF | speed | width << 4)
    space.put(pos + express.EXP_LNKSTA, 2, express.LNKSTA_ONE_LANE)
    space.put(pos + EXP_LNKCAP2, 4, (1 << (speed + 1)) - 2)
    space.put(pos + EXP_LNKCTL2, 2, speed)
    space.put(pos + EXP_SLTCAP, 4, SLTCAP_INIT | int(port.slot) << 19)
    space.put(pos + EXP_SLTCTL, 2, SLTCTL_INIT)
    put_le(space.wmask, pos + EXP_SLTCTL, 2, SLTCTL_WMASK)
    put_le(space.w1cmask, pos + EXP_SLTSTA, 2, SLTSTA_EVENTS)
    put_le(space.wmask, pos + EXP_RTCTL, 2, RTCTL_WMASK)
    space.put(pos + express.EXP_DEVCAP2, 4, express.DEVCAP2_INIT | DEVCAP2_ARI)
    put_le(space.wmask, pos + express.EXP_DEVCTL2, 2, express.DEVCTL2_EETLPPB | DEVCTL2_ARI)


def _reset(dev: DeviceState) -> None:
    """rp_reset: the bridge's registers, and the slot's controls."""
    port = root_port_of(dev)
    pci_bridge_reset(port)
    if port.exp_cap:
        port.space.put(port.exp_cap + EXP_SLTCTL, 2, SLTCTL_INIT)
        _show_presence(port)


def _show_presence(port: RootPort) -> None:
    """The slot says whether something is in it, the link whether it is up."""
    if not port.exp_cap:
        return
    present = any(dev is not None for dev in port.secondary().functions)
    space = port.space
    at = port.exp_cap + EXP_SLTSTA
    space.put(at, 2, SLTSTA_PRESENT if present else 0)
    at = port.exp_cap + express.EXP_LNKSTA
    up = present and port.cap_present >> r.QEMU_PCIE_LNKSTA_DLLLA_BIT & 1
    space.put(at, 2, space.get(at, 2) & ~LNKSTA_DLLLA | (LNKSTA_DLLLA if up else 0))


def _plug(handler: Object, dev: DeviceState, errp: Errp) -> None:
    """pcie_cap_slot_plug_cb."""
    _show_presence(root_port_of(handler))


def _exit(pci: PCIDevice) -> None:
    """rp_exit."""
    port = root_port_of(pci)
    msix_uninit(port)
    port.exp_cap = 0


# -- types ------------------------------------------------------------------------------------------------------------
def _own_props() -> list[Property]:
    props: list[Property] = [
        BoolProperty("x-migrate-msix", Member("migrate_msix"), True),
        UintProperty("bus-reserve", Member("bus_reserve"), 32, UINT32_MAX),
        SizeProperty("io-reserve", Member("io_reserve"), UINT64_UNSET),
        SizeProperty("mem-reserve", Member("mem_reserve"), UINT64_UNSET),
        SizeProperty("pref32-reserve", Member("pref32_reserve"), UINT64_UNSET),
        SizeProperty("pref64-reserve", Member("pref64_reserve"), UINT64_UNSET),
        EnumProperty("x-speed", "PCIELinkSpeed", Member("speed"), SPEEDS, "16"),
        EnumProperty("x-width", "PCIELinkWidth", Member("width"), WIDTHS, "32"),
    ]
    return props


def _port_class_init(klass: ObjectClass) -> None:
    """class_init of "pcie-port"."""
    port = UintProperty("port", Member("port"), 8, 0)
    device_class_set_props(device_class_of(klass), [port, UintProperty("aer_log_max", Member("aer_log_max"), 16, 8)])


def _slot_class_init(klass: ObjectClass) -> None:
    """class_init of "pcie-slot"."""
    props: list[Property] = [
        UintProperty("chassis", Member("chassis"), 8, 0),
        UintProperty("slot", Member("slot"), 16, 0),
        BoolProperty("hotplug", Member("hotplug"), True),
        BoolProperty("x-native-hotplug", Member("native_hotplug"), True),
    ]
    device_class_set_props(device_class_of(klass), props)
    for iface in klass.interfaces:
        if isinstance(iface, HotplugHandlerClass):
            iface.plug = _plug


def _base_class_init(klass: ObjectClass) -> None:
    """class_init of "pcie-root-port-base"."""
    assert isinstance(klass, PCIDeviceClass)
    power = BitProperty("power_controller_present", Member("cap_present"), r.QEMU_PCIE_SLTCAP_PCP_BIT, True)
    device_class_set_props(klass, [power, BoolProperty("disable-acs", Member("disable_acs"), False)])
    klass.pci_realize = _realize
    klass.exit = _exit
    klass.reset = _reset


def _root_port_class_init(klass: ObjectClass) -> None:
    """class_init of "pcie-root-port"."""
    assert isinstance(klass, PCIDeviceClass)
    klass.vendor_id = 0x1B36
    klass.device_id = 0x000C
    klass.class_id = 0x0604
    device_class_set_props(klass, _own_props())


def register_root_port_types(table: TypeTable) -> None:
    """Register the bridge types from "base-pci-bridge" down to "pcie-root-port"."""
    chain: list[TypeInfo] = [
        TypeInfo("base-pci-bridge", "pci-device", abstract=True, instance_new=RootPort, instance_size_unknown=True, class_init=pci_bridge_class_init),
        TypeInfo("pcie-port", "base-pci-bridge", abstract=True, class_init=_port_class_init),
        TypeInfo("pcie-slot", "pcie-port", abstract=True, interfaces=("hotplug-handler",), class_init=_slot_class_init),
        TypeInfo("pcie-root-port-base", "pcie-slot", abstract=True, interfaces=(INTERFACE_PCIE_DEVICE,), class_init=_base_class_init),
        TypeInfo("pcie-root-port", "pcie-root-port-base", class_init=_root_port_class_init),
    ]
    for info in chain:
        table.register(info)


def slot_of(bus: BusState) -> RootPort | None:
    """The root port whose slot a bus is."""
    parent = bus.parent_dev
    return parent if isinstance(parent, RootPort) else None
