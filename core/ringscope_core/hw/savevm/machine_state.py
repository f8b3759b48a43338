"""The state of a machine: its RAM, page by page without the empty ones, and every device that has a state to save."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.pci.bus import PCIBus
from ringscope_core.hw.savevm import device
from ringscope_core.hw.savevm.stream import LoadError, LoadStream, SaveStream
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.memory.ram import PAGE, GuestMemory

MAGIC: Final = b"RSVM"
VERSION: Final = 1
TAG_RAM: Final = 1
TAG_DEVICE: Final = 2
TAG_END: Final = 3


def _devices(bus: PCIBus) -> list[VirtIOPCIProxy]:
    """In the order of their places."""
    return [dev for dev in bus.functions if isinstance(dev, VirtIOPCIProxy) and isinstance(dev.backend, VirtIONet)]


def save_machine(memory: GuestMemory, bus: PCIBus) -> bytes:
    """RAM and devices of a machine that stands still."""
    out = SaveStream()
    out.raw(MAGIC)
    out.put(VERSION, 2)
    out.section(TAG_RAM, _save_ram(memory))
    for dev in _devices(bus):
        part = SaveStream()
        part.text(dev.canonical_path())
        part.raw(device.save(dev))
        out.section(TAG_DEVICE, part)
    out.section(TAG_END, SaveStream())
    return bytes(out.data)


def _save_ram(memory: GuestMemory) -> SaveStream:
    part = SaveStream()
    size = len(memory.view)
    part.put(size, 8)
    empty = bytes(PAGE)
    for start in range(0, size, int(PAGE)):
        page = memory.view[start : start + int(PAGE)].tobytes()
        if page != empty:
            part.put(start // int(PAGE), 4)
            part.raw(page)
    return part


def load_machine(memory: GuestMemory, bus: PCIBus, data: bytes) -> str:
    """Take a state that `save_machine` made of a machine of the same options.

    Returns "" or what is wrong; then every device is as after a reset, and RAM is empty.
    """
    try:
        _load(memory, bus, LoadStream(data, "machine"))
    except LoadError as problem:
        for dev in _devices(bus):
            device.reset(dev)
        memory.view[:] = bytes(len(memory.view))
        memory.turn += 1
        return str(problem)
    return ""


def _load(memory: GuestMemory, bus: PCIBus, stream: LoadStream) -> None:
    if stream.raw(len(MAGIC)) != MAGIC:
        raise LoadError(f"{stream.name}: not the state of a machine")
    version = stream.get(2)
    if version != VERSION:
        raise LoadError(f"{stream.name}: version {version} is not {VERSION}")
    ram = stream.section(TAG_RAM, "ram")
    waiting = {dev.canonical_path(): dev for dev in _devices(bus)}
    states: list[tuple[VirtIOPCIProxy, bytes]] = []
    while stream.data[stream.at : stream.at + 2] == TAG_DEVICE.to_bytes(2, "little"):
        part = stream.section(TAG_DEVICE, "device")
        path = part.text()
        dev = waiting.pop(path, None)
        if dev is None:
            raise LoadError(f"Unknown savevm section or instance '{path}'")
        states.append((dev, part.raw(part.left())))
    stream.section(TAG_END, "end").end()
    stream.end()
    if waiting:
        raise LoadError(f"{stream.name}: nothing is there of {', '.join(sorted(waiting))}")
    _load_ram(memory, ram)
    for dev, state in states:
        error = device.load(dev, state)
        if error:
            raise LoadError(error)


def _load_ram(memory: GuestMemory, stream: LoadStream) -> None:
    size = stream.get(8)
    if size != len(memory.view):
        raise LoadError(f"Size mismatch: ram: 0x{size:x} != 0x{len(memory.view):x}: Invalid argument")
    memory.view[:] = bytes(size)
    while stream.left():
        start = stream.below(4, size // int(PAGE), "page") * int(PAGE)
        memory.view[start : start + int(PAGE)] = stream.raw(int(PAGE))
    memory.turn += 1
