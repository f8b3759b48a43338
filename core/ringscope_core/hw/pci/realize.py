"""How a PCI function gets its place, its configuration space and its ROM, and gives them back (hw/pci/pci.c)."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.bus import PCIBus
from ringscope_core.hw.pci.config_space import ConfigSpace
from ringscope_core.hw.pci.device import F_DEVFN, F_HAS_ROM, F_NAME, F_ROMFILE, F_ROMSIZE, PCIDevice, pci_device_of
from ringscope_core.hw.pci.memory_region import RomOps, memory_region_init
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import object_class_dynamic_cast
from ringscope_core.qom.profile import is_q35, machine_version
from ringscope_core.qom.symbols import LOCAL_ERR_OF_REALIZE

FN_QDEV_REALIZE = declare("pci_qdev_realize", "qdev:ptr errp:ptr")
FN_QDEV_UNREALIZE = declare("pci_qdev_unrealize", "dev:ptr errp:ptr")
FN_REGISTER = declare("do_pci_register_device", "pci_dev:ptr name:str devfn:value errp:ptr")
FN_UNREGISTER = declare("do_pci_unregister_device", "pci_dev:ptr")
FN_OPTION_ROM = declare("pci_add_option_rom", "pdev:ptr is_default_rom:bool errp:ptr")
FN_CONFIG_ALLOC = declare("pci_config_alloc", "pci_dev:ptr")
FN_INIT_CMASK = declare("pci_init_cmask", "dev:ptr")
FN_INIT_WMASK = declare("pci_init_wmask", "dev:ptr")
FN_INIT_W1CMASK = declare("pci_init_w1cmask", "dev:ptr")
FN_INIT_MULTIFUNCTION = declare("pci_init_multifunction", "bus:ptr dev:ptr errp:ptr")
FN_INIT_BUS_MASTER = declare("pci_init_bus_master", "pci_dev:ptr")

INTERFACE_PCIE_DEVICE: Final = "pci-express-device"
INTERFACE_CONVENTIONAL_PCI_DEVICE: Final = "conventional-pci-device"

ROM_SIZES: Final[dict[str, int]] = {
    "efi-e1000.rom": 249856,
    "efi-e1000e.rom": 249856,
    "efi-eepro100.rom": 247808,
    "efi-ne2k_pci.rom": 245760,
    "efi-pcnet.rom": 246272,
    "efi-rtl8139.rom": 249856,
    "efi-virtio.rom": 249344,
    "efi-vmxnet3.rom": 243712,
    "pxe-e1000.rom": 75264,
    "pxe-e1000e.rom": 75264,
    "pxe-eepro100.rom": 75264,
    "pxe-ne2k_pci.rom": 74752,
    "pxe-pcnet.rom": 74752,
    "pxe-rtl8139.rom": 75776,
    "pxe-virtio.rom": 75776,
    "pxe-vmxnet3.rom": 74240,
}
"""Bytes of the network ROM files that QEMU's package installs; their contents are not ours to ship."""

ONBOARD_INDEX_MAX: Final = 16383
ROM_NAME_MAX: Final = 31
"""The region's name is made in a buffer of 32 bytes."""

OFFSET_BUS_MASTER_CONTAINER: Final = 624
OFFSET_BUS_MASTER_REGION: Final = 864
OFFSET_ROM: Final = 1984


def pci_qdev_realize(dev: DeviceState, errp: Errp) -> None:
    """DeviceClass.realize of every PCI function (pci.c:2069)."""
    pci = pci_device_of(dev)
    log = dev.world.log
    FN_QDEV_REALIZE.enter(log, dev.addr, errp.addr)
    local = errp.local(LOCAL_ERR_OF_REALIZE)
    if pci.acpi_index:
        _check_acpi_index(pci, errp)
    if errp.failed():
        log.leave()
        return
    if pci.romsize != r.PCI_ROMSIZE_UNSET and pci.romsize & (pci.romsize - 1):
        errp.set(log, f"ROM size {pci.romsize} is not a power of two")
        log.leave()
        return
    log.at(2080)
    express = object_class_dynamic_cast(dev.klass, INTERFACE_PCIE_DEVICE) is not None
    conventional = object_class_dynamic_cast(dev.klass, INTERFACE_CONVENTIONAL_PCI_DEVICE) is not None
    if express and not conventional:
        pci.set_cap_present(pci.cap_present | r.QEMU_PCI_CAP_EXPRESS)
    log.at(2085)
    do_pci_register_device(pci, dev.typename, int(pci.devfn), errp)
    if not errp.failed():
        realize = pci.pci_class.pci_realize
        if realize is not None:
            log.at(2092)
            realize(pci, local)
        if local.failed():
            local.propagate_to(errp)
            do_pci_unregister_device(pci)
        else:
            _check_failover(pci, local)
            if not local.failed():
                _load_rom(pci, local)
            if local.failed():
                local.propagate_to(errp)
                pci_qdev_unrealize(dev, Errp())
    log.leave()


def _check_acpi_index(pci: PCIDevice, errp: Errp) -> None:
    """``acpi-index`` (7.2): small enough, and given once.

    QEMU asks in the pre-plug hook of the hotplug controller, which Q35 has from machine type 6.1 on.
    """
    world = pci.world
    if is_q35(world.machine_type) and machine_version(world.machine_type) < (6, 1):
        return
    index = pci.acpi_index
    if index > ONBOARD_INDEX_MAX:
        errp.set(world.log, f"acpi-index should be less or equal to {ONBOARD_INDEX_MAX}")
    elif any(isinstance(other, PCIDevice) and other is not pci and other.acpi_index == index for other in world.objects.values()):
        errp.set(world.log, f"a PCI device with acpi-index = {index} already exist")


def _check_failover(pci: PCIDevice, errp: Errp) -> None:
    """The primary of a failover pair has an express slot of its own (7.2)."""
    if pci.failover_pair_id is None:
        return
    log = pci.world.log
    if not pci.pci_bus().is_express():
        errp.set(log, "failover primary device must be on PCIExpress bus")
    elif pci.space.get(r.PCI_CLASS_DEVICE, 2) != r.PCI_CLASS_NETWORK_ETHERNET:
        errp.set(log, "failover primary device is not an Ethernet device")
    elif pci.cap_present & r.QEMU_PCI_CAP_MULTIFUNCTION or pci.devfn & 7:
        errp.set(log, "failover: primary device must be in its own PCI slot")


def _load_rom(pci: PCIDevice, errp: Errp) -> None:
    log = pci.world.log
    log.at(2103)
    is_default = False
    default = pci.pci_class.romfile
    if pci.romfile is None and default is not None:
        log.field(pci.oid, F_ROMFILE, log.text(default), 0)
        pci.romfile = default
        is_default = True
    log.at(2107)
    pci_add_option_rom(pci, is_default, errp)


def pci_qdev_unrealize(dev: DeviceState, errp: Errp) -> None:
    """DeviceClass.unrealize of every PCI function (pci.c:1116)."""
    pci = pci_device_of(dev)
    log = dev.world.log
    FN_QDEV_UNREALIZE.enter(log, dev.addr, errp.addr)
    pci.unregister_io_regions()
    log.field(pci.oid, F_HAS_ROM, 0, 1 if pci.has_rom else 0)
    pci.has_rom = False
    leave = pci.pci_class.exit
    if leave is not None:
        leave(pci)
    pci.deassert_intx()
    do_pci_unregister_device(pci)
    log.leave()


# -- a place on the bus -----------------------------------------------------------------------------------------------
def _slot_reserved(bus: PCIBus, devfn: int) -> bool:
    return bool(bus.slot_reserved_mask >> (devfn >> 3) & 1)


def _who(pci: PCIDevice) -> str:
    """A function in messages; 7.2 adds its id."""
    return f"{pci.name},id={pci.id or '(null)'}" if pci.world.v7_2 else pci.name


def _find_devfn(pci: PCIDevice, bus: PCIBus, name: str, devfn: int, errp: Errp) -> int:
    """The devfn asked for, or the first free slot for -1."""
    log = pci.world.log
    if devfn < 0:
        for candidate in range(0, r.PCI_DEVFN_MAX, r.PCI_FUNC_MAX):
            if bus.functions[candidate] is None and not _slot_reserved(bus, candidate):
                return candidate
        errp.set(log, f"PCI: no slot/function available for {name}, all in use or reserved")
        return -1
    slot, function = devfn >> 3, devfn & 7
    other = bus.functions[devfn]
    first = bus.functions[devfn & ~7]
    if _slot_reserved(bus, devfn):
        errp.set(log, f"PCI: slot {slot} function {function} not available for {name}, reserved")
    elif other is not None:
        errp.set(log, f"PCI: slot {slot} function {function} not available for {name}, in use by {_who(other)}")
    elif pci.hotplugged and first is not None:
        errp.set(log, f"PCI: slot {slot} function 0 already ocuppied by {first.name}, new func {name} cannot be exposed to guest.")
    return devfn


def do_pci_register_device(pci: PCIDevice, name: str, devfn: int, errp: Errp) -> None:
    """Slot, name, bus master region, configuration space with ids and masks (pci.c:990)."""
    log = pci.world.log
    bus = pci.pci_bus()
    FN_REGISTER.enter(log, pci.addr, log.text(name), devfn, errp.addr)
    found = _find_devfn(pci, bus, name, devfn, errp)
    if not errp.failed():
        log.field(pci.oid, F_DEVFN, found, pci.devfn)
        log.field(pci.oid, F_NAME, log.text(name), log.text(pci.name))
        pci.devfn = found
        pci.name = name
        pci.bus_master_container = memory_region_init(pci, pci.addr + OFFSET_BUS_MASTER_CONTAINER, "bus master container", -1)
        if pci.world.qdev_hotplug:
            pci_init_bus_master(pci)
        _init_config(pci)
        FN_INIT_MULTIFUNCTION.enter(log, bus.addr, pci.addr, errp.addr)
        _init_multifunction(pci, bus, errp)
        log.leave()
        if errp.failed():
            do_pci_unregister_device(pci)
        else:
            bus.functions[found] = pci
    log.leave()


def _init_config(pci: PCIDevice) -> None:
    """Ids of the class, the default subsystem, the masks."""
    klass = pci.pci_class
    log = pci.world.log
    FN_CONFIG_ALLOC.enter(log, pci.addr)
    space = ConfigSpace(int(pci.config_limit()))
    pci.space = space
    log.leave()
    space.put(r.PCI_VENDOR_ID, 2, klass.vendor_id)
    space.put(r.PCI_DEVICE_ID, 2, klass.device_id)
    space.put(r.PCI_REVISION_ID, 1, klass.revision)
    space.put(r.PCI_CLASS_DEVICE, 2, klass.class_id)
    if not klass.is_bridge:
        default = not (klass.subsystem_vendor_id or klass.subsystem_id)
        space.put(r.PCI_SUBSYSTEM_VENDOR_ID, 2, r.PCI_SUBVENDOR_ID_REDHAT_QUMRANET if default else klass.subsystem_vendor_id)
        space.put(r.PCI_SUBSYSTEM_ID, 2, r.PCI_SUBDEVICE_ID_QEMU if default else klass.subsystem_id)
    FN_INIT_CMASK.enter(log, pci.addr)
    space.init_cmask()
    log.leave()
    FN_INIT_WMASK.enter(log, pci.addr)
    space.init_wmask(pci.world.v7_2 or pci.cap_present & r.QEMU_PCI_CAP_SERR != 0)
    log.leave()
    FN_INIT_W1CMASK.enter(log, pci.addr)
    space.init_w1cmask()
    log.leave()
    pci.sync_command_status()


def _init_multifunction(pci: PCIDevice, bus: PCIBus, errp: Errp) -> None:
    """The multifunction bit, and whether the slot's other functions agree with it (pci.c:825)."""
    log = pci.world.log
    devfn = int(pci.devfn)
    slot, function = devfn >> 3, devfn & 7
    multi = pci.cap_present & r.QEMU_PCI_CAP_MULTIFUNCTION != 0
    if multi:
        pci.space.config[r.PCI_HEADER_TYPE] |= r.PCI_HEADER_TYPE_MULTI_FUNCTION
    if function:
        first = bus.functions[devfn & ~7]
        if first is not None and not first.cap_present & r.QEMU_PCI_CAP_MULTIFUNCTION:
            errp.set(log, f"PCI: single function device can't be populated in function {slot:x}.{function:x}")
        return
    if multi:
        return
    for other in range(1, r.PCI_FUNC_MAX):
        if bus.functions[devfn | other] is not None:
            errp.set(log, f"PCI: {slot:x}.0 indicates single function, but {slot:x}.{other:x} is already populated.")
            return


def pci_init_bus_master(pci: PCIDevice) -> None:
    """The region through which the function reaches memory; at start-up for all, for a hotplugged one at once (pci.c:90)."""
    log = pci.world.log
    container = pci.bus_master_container
    if container is None or pci.bus_master_region is not None:
        return
    FN_INIT_BUS_MASTER.enter(log, pci.addr)
    region = memory_region_init(pci, pci.addr + OFFSET_BUS_MASTER_REGION, "bus master", -1)
    region.set_enabled(pci.bus_master())
    container.add_subregion(0, region)
    pci.bus_master_region = region
    log.leave()


def do_pci_unregister_device(pci: PCIDevice) -> None:
    """Give slot and configuration space back (pci.c:892)."""
    log = pci.world.log
    FN_UNREGISTER.enter(log, pci.addr)
    bus = pci.pci_bus()
    if bus.functions[int(pci.devfn)] is pci:
        bus.functions[int(pci.devfn)] = None
    container, region = pci.bus_master_container, pci.bus_master_region
    if container is not None and region is not None:
        container.del_subregion(region)
    pci.bus_master_region = None
    pci.space = ConfigSpace(r.PCI_CONFIG_SPACE_SIZE)
    pci.sync_command_status()
    log.leave()


# -- option ROM -------------------------------------------------------------------------------------------------------
def pci_add_option_rom(pci: PCIDevice, is_default_rom: bool, errp: Errp) -> None:
    """BAR 6 with the option ROM (pci.c:2252); its bytes read as zeros, QEMU's ROM images are not shipped."""
    log = pci.world.log
    FN_OPTION_ROM.enter(log, pci.addr, 1 if is_default_rom else 0, errp.addr)
    romfile = pci.romfile
    if romfile:
        if not pci.rom_bar:
            # the ROM goes through the firmware configuration device, which a hotplugged device is too late for
            if pci.hotplugged:
                errp.set(log, "Hot-plugged device without ROM bar can't have an option ROM")
            elif romfile not in ROM_SIZES:
                pci.world.error_printf(f"Could not open option rom '{romfile}': No such file or directory")
        elif romfile not in ROM_SIZES:
            errp.set(log, f'failed to find romfile "{romfile}"')
        elif pci.romsize != r.PCI_ROMSIZE_UNSET and ROM_SIZES[romfile] > pci.romsize:
            errp.set(log, f'romfile "{romfile}" ({ROM_SIZES[romfile]} bytes) is too large for ROM size {pci.romsize}')
        else:
            _add_rom_bar(pci, ROM_SIZES[romfile])
    log.leave()


def _add_rom_bar(pci: PCIDevice, size: int) -> None:
    """The BAR is as large as ``romsize`` says, or as the file, rounded up; ``romsize`` shows it then."""
    log = pci.world.log
    if pci.romsize == r.PCI_ROMSIZE_UNSET:
        rounded = 1
        while rounded < size:
            rounded *= 2
        if pci.world.v7_2:
            log.field(pci.oid, F_ROMSIZE, rounded, pci.romsize)
            pci.romsize = rounded
    else:
        rounded = int(pci.romsize)
    log.field(pci.oid, F_HAS_ROM, 1, 0)
    pci.has_rom = True
    name = pci.device_class.vmsd or pci.typename
    rom = memory_region_init(pci, pci.addr + OFFSET_ROM, f"{name}.rom"[:ROM_NAME_MAX], rounded, RomOps())
    pci.register_bar(r.PCI_ROM_SLOT, 0, rom)
