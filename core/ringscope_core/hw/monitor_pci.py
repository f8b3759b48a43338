"""``query-pci`` and ``info pci`` (hw/pci/pci.c, monitor/hmp-cmds.c)."""

from __future__ import annotations

from ringscope_core.hw.pci import regs as r
from ringscope_core.hw.pci.bridge import SECONDARY_BUS, SUBORDINATE_BUS, PCIBridge
from ringscope_core.hw.pci.bus import CLASS_NAMES, PCIBus
from ringscope_core.hw.pci.device import PCIDevice, PCIIORegion

Members = dict[str, object]


def query_pci(root: PCIBus) -> list[Members]:
    """Every bus that hangs on no bridge, with its functions in the order of their places."""
    return [{"bus": int(root.bus_num), "devices": _devices(root)}]


def _devices(bus: PCIBus) -> list[Members]:
    return [pci_device_info(dev) for dev in bus.functions if dev is not None]


def pci_device_info(dev: PCIDevice) -> Members:
    """PciDeviceInfo of one function, with what is behind it when it is a bridge."""
    space = dev.space
    class_id = space.get(r.PCI_CLASS_DEVICE, 2)
    class_info: Members = {"class": class_id}
    if class_id in CLASS_NAMES:
        class_info["desc"] = CLASS_NAMES[class_id]
    ids: Members = {"device": space.get(r.PCI_DEVICE_ID, 2), "vendor": space.get(r.PCI_VENDOR_ID, 2)}
    info: Members = {
        "bus": int(dev.pci_bus().bus_num),
        "slot": int(r.pci_slot(dev.devfn)),
        "function": int(r.pci_func(dev.devfn)),
        "class_info": class_info,
        "id": ids,
        "regions": [_region(number, region) for number, region in enumerate(dev.io_regions) if region.size],
        "qdev_id": dev.id,
    }
    pin = space.config[r.PCI_INTERRUPT_PIN]
    if dev.world.v7_2:
        info["irq_pin"] = pin
    if pin:
        info["irq"] = space.config[r.PCI_INTERRUPT_LINE]
    if isinstance(dev, PCIBridge):
        info["pci_bridge"] = _bridge(dev)
    else:
        ids["subsystem"] = space.get(r.PCI_SUBSYSTEM_ID, 2)
        ids["subsystem-vendor"] = space.get(r.PCI_SUBSYSTEM_VENDOR_ID, 2)
    return info


def _region(number: int, region: PCIIORegion) -> Members:
    info: Members = {"bar": number, "size": int(region.size), "address": int(region.addr), "type": "io" if region.is_io else "memory"}
    if not region.is_io:
        info["prefetch"] = region.type & r.PCI_BASE_ADDRESS_MEM_PREFETCH != 0
        info["mem_type_64"] = region.is_mem64
    return info


def _range(ends: tuple[int, int]) -> Members:
    return {"base": ends[0], "limit": ends[1]}


def _bridge(bridge: PCIBridge) -> Members:
    config = bridge.space.config
    bus: Members = {
        "number": int(bridge.pci_bus().bus_num),
        "secondary": config[SECONDARY_BUS],
        "subordinate": config[SUBORDINATE_BUS],
        "io_range": _range(bridge.io_range()),
        "memory_range": _range(bridge.memory_range()),
        "prefetchable_range": _range(bridge.prefetchable_range()),
    }
    info: Members = {"bus": bus}
    if config[SECONDARY_BUS]:
        info["devices"] = _devices(bridge.secondary())
    return info


# -- as text ----------------------------------------------------------------------------------------------------------
def info_pci(root: PCIBus) -> str:
    """The text of ``info pci``, each line ended."""
    lines: list[str] = []
    _print_bus(root, lines)
    return "".join(line + "\n" for line in lines)


def _print_bus(bus: PCIBus, lines: list[str]) -> None:
    for dev in bus.functions:
        if dev is not None:
            lines.extend(info_pci_device(dev))
            if isinstance(dev, PCIBridge) and dev.space.config[SECONDARY_BUS]:
                _print_bus(dev.secondary(), lines)


def info_pci_device(dev: PCIDevice) -> list[str]:
    """The lines about one function."""
    space = dev.space
    class_id = space.get(r.PCI_CLASS_DEVICE, 2)
    name = CLASS_NAMES.get(class_id, f"Class {class_id:04x}")
    lines = [
        f"  Bus {int(dev.pci_bus().bus_num):2d}, device {int(r.pci_slot(dev.devfn)):3d}, function {int(r.pci_func(dev.devfn))}:",
        f"    {name}: PCI device {space.get(r.PCI_VENDOR_ID, 2):04x}:{space.get(r.PCI_DEVICE_ID, 2):04x}",
    ]
    if not isinstance(dev, PCIBridge):
        lines.append(f"      PCI subsystem {space.get(r.PCI_SUBSYSTEM_VENDOR_ID, 2):04x}:{space.get(r.PCI_SUBSYSTEM_ID, 2):04x}")
    pin = space.config[r.PCI_INTERRUPT_PIN]
    if pin:
        # 4.1 does not tell the pin
        lines.append(f"      IRQ {space.config[r.PCI_INTERRUPT_LINE]}" + (f", pin {chr(ord('A') + pin - 1)}" if dev.world.v7_2 else "."))
    if isinstance(dev, PCIBridge):
        lines.extend(_bridge_lines(dev))
    for number, region in enumerate(dev.io_regions):
        if region.size:
            lines.append(f"      BAR{number}: {_place(region)}.")
    lines.append(f'      id "{dev.id}"')
    return lines


def _place(region: PCIIORegion) -> str:
    first = int(region.addr) & 0xFFFFFFFFFFFFFFFF
    last = (first + int(region.size) - 1) & 0xFFFFFFFFFFFFFFFF
    if region.is_io:
        return f"I/O at {first:#06x} [{last:#06x}]"
    prefetch = " prefetchable" if region.type & r.PCI_BASE_ADDRESS_MEM_PREFETCH else ""
    return f"{64 if region.is_mem64 else 32} bit{prefetch} memory at {first:#010x} [{last:#010x}]"


def _bridge_lines(bridge: PCIBridge) -> list[str]:
    config = bridge.space.config
    io, memory, prefetchable = bridge.io_range(), bridge.memory_range(), bridge.prefetchable_range()
    return [
        f"      BUS {int(bridge.pci_bus().bus_num)}.",
        f"      secondary bus {config[SECONDARY_BUS]}.",
        f"      subordinate bus {config[SUBORDINATE_BUS]}.",
        f"      IO range [{io[0]:#06x}, {io[1]:#06x}]",
        f"      memory range [{memory[0]:#010x}, {memory[1]:#010x}]",
        f"      prefetchable memory range [{prefetchable[0]:#010x}, {prefetchable[1]:#010x}]",
    ]
