"""A small recording with everything the views show, made without the engine: objects, a realize, rings with traffic, packets.

Deterministic and quick (some thousands of events), so that tests of the window do not depend on the emulation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ringscope_core.hw.machine  # noqa: F401  (declares the functions' arguments)
from ringscope_core.session.rows import PacketRow
from ringscope_core.session.writer import RingSample, SessionWriter
from ringscope_core.trace import kinds as k
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import COUNTER_NAMES, LatencyHistogram
from ringscope_core.trace.fields import field
from ringscope_core.trace.functions import fn
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.oids import ring_oid
from ringscope_core.trace.state import MachineState, apply

BDF = 0x18
# declared by the model, as it declares them: a process has one table of functions
FN_ADD = fn("qdev_device_add")
FN_SET_BOOL = fn("object_property_set_bool")
FN_REALIZED = fn("device_set_realized")
FN_NET = fn("virtio_net_device_realize")
FN_INIT = fn("virtio_init")
QUEUE_SIZE = 64

_TYPES: list[tuple[str, str | None, bool, list[str], str, int | None, str, int | None, str, str]] = [
    ("object", None, True, [], "Object", 40, "ObjectClass", 96, "", "object_class_init"),
    ("interface", None, True, [], "", 0, "InterfaceClass", 112, "", ""),
    ("device", "object", True, [], "DeviceState", 120, "DeviceClass", 176, "device_initfn", "device_class_init"),
    ("bus", "object", True, [], "BusState", 112, "BusClass", 152, "qbus_initfn", "bus_class_init"),
    ("PCI", "bus", False, [], "PCIBus", None, "PCIBusClass", 168, "", "pci_bus_class_init"),
    ("PCIE", "PCI", False, [], "PCIBus", None, "PCIBusClass", 168, "", "pcie_bus_class_init"),
    ("pci-express-device", "interface", True, [], "", None, "InterfaceClass", 112, "", ""),
    ("conventional-pci-device", "interface", True, [], "", None, "InterfaceClass", 112, "", ""),
    ("hotplug-handler", "interface", True, [], "", None, "HotplugHandlerClass", None, "", ""),
    ("pci-device", "device", True, [], "PCIDevice", 2272, "PCIDeviceClass", 232, "", "pci_device_class_init"),
    ("virtio-pci", "pci-device", True, [], "VirtIOPCIProxy", 33136, "VirtioPCIClass", 248, "", "virtio_pci_class_init"),
    ("virtio-net-pci-base", "virtio-pci", True, [], "VirtIONetPCI", 42096, "VirtioPCIClass", 248, "virtio_net_pci_instance_init", "virtio_pci_base_class_init"),
    (
        "virtio-net-pci",
        "virtio-net-pci-base",
        False,
        ["pci-express-device", "conventional-pci-device"],
        "VirtIONetPCI",
        42096,
        "VirtioPCIClass",
        248,
        "",
        "virtio_pci_generic_class_init",
    ),
    ("virtio-device", "device", True, [], "VirtIODevice", 416, "VirtioDeviceClass", 320, "", "virtio_device_class_init"),
    ("virtio-net-device", "virtio-device", False, [], "VirtIONet", 8960, "VirtioDeviceClass", 320, "virtio_net_instance_init", "virtio_net_class_init"),
    ("virtio-bus", "bus", True, [], "VirtioBusState", 120, "VirtioBusClass", 320, "", "virtio_bus_class_init"),
    ("virtio-pci-bus", "virtio-bus", False, [], "VirtioBusState", 120, "VirtioBusClass", 320, "", "virtio_pci_bus_class_init"),
    ("memory-region", "object", False, [], "MemoryRegion", 240, "ObjectClass", 96, "memory_region_initfn", ""),
]


def type_rows() -> list[dict[str, Any]]:
    """Types in the form of `qom.types_json`."""
    return [
        {
            "name": name,
            "parent": parent,
            "abstract": abstract,
            "interfaces": interfaces,
            "instance_struct": struct,
            "instance_size": size,
            "class_struct": class_struct,
            "class_size": class_size,
            "instance_init": instance_init,
            "instance_post_init": "",
            "instance_finalize": "",
            "class_init": class_init,
            "class_base_init": "",
            "file": "",
        }
        for name, parent, abstract, interfaces, struct, size, class_struct, class_size, instance_init, class_init in _TYPES
    ]


class _Collector(BlockSink):
    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def on_block(self, first_seq: int, rows: bytes) -> None:
        self.recording.take(first_seq, rows)


class Recording:
    """An `EventLog` that ends in a session file, and the counters and packets beside it."""

    def __init__(self, path: Path, scenario: str = "synthetic") -> None:
        self.clock = Clock()
        self.log = EventLog(self.clock)
        self.writer = SessionWriter(
            path, {"scenario": scenario, "title": "Synthetic traffic", "seed": 1, "source": "synthetic", "ringscope": "0.1.0"}, type_rows()
        )
        self.state = MachineState()
        self._strings = 1
        self._sink = _Collector(self)
        self.log.sink = self._sink
        self.counts = {ring_oid(BDF, n): dict.fromkeys(COUNTER_NAMES, 0) for n in range(3)}
        self.latency = {oid: LatencyHistogram() for oid in self.counts}
        self.packets: list[PacketRow] = []
        self.frames: list[bytes] = []

    def take(self, first_seq: int, rows: bytes) -> None:
        """A block of events: to the file, and into the state that keyframes are made from."""
        import numpy as np

        from ringscope_core.session.rows import RAW_DTYPE

        texts = self.log.strings.texts
        if len(texts) > self._strings:
            self.writer.add_strings(self._strings, texts[self._strings :])
            self._strings = len(texts)
        self.writer.add_block(first_seq, rows)
        for row in np.frombuffer(rows, RAW_DTYPE).tolist():
            apply(self.state, row)

    def keyframe(self) -> None:
        """Flush, and write the state after the last event."""
        self.log.flush()
        self.writer.add_keyframe(self.log.seq - 1, self.clock.now_ns, self.clock.wall_ns, self.state.to_plain())
        samples = [RingSample(int(oid), list(values.values()), self.latency[oid].to_list()) for oid, values in self.counts.items()]
        self.writer.add_counters(self.clock.now_ns, self.clock.wall_ns, samples)
        if self.packets:
            self.writer.add_packets(self.packets, self.frames)
            self.packets, self.frames = [], []

    def tick(self, ns: int) -> None:
        """Let virtual time pass; wall time goes ten times as fast."""
        self.clock.now_ns += ns
        self.clock.wall_ns += 10 * ns

    def close(self) -> None:
        """Last keyframe, and the file is whole."""
        self.keyframe()
        self.writer.close()


def _object(rec: Recording, type_name: str, addr: int, size: int, parent: int, name: str) -> int:
    log = rec.log
    oid = log.new_oid()
    log.emit(k.EV_OBJ_NEW, oid, log.text(type_name), addr, size)
    if name:
        log.emit(k.EV_OBJ_CHILD, oid, parent, log.text(name))
    return int(oid)


def build_machine(rec: Recording) -> dict[str, int]:
    """Objects and the realize chain; returns the object ids by name."""
    log = rec.log
    log.emit(k.EV_RUN_STATE, 0, 0, log.text("start"))
    for type_name, hook in (("object", "object_class_init"), ("device", "device_class_init"), ("virtio-net-device", "virtio_net_class_init")):
        log.emit(k.EV_CLASS_INIT, 0, log.text(type_name), log.text(hook))
    ids: dict[str, int] = {}
    ids["machine"] = _object(rec, "object", 0, 0, 0, "machine")
    ids["peripheral"] = _object(rec, "object", 0x555556AC0010, 40, ids["machine"], "peripheral")
    ids["pci.0"] = _object(rec, "PCI", 0x555556B10080, 0, ids["machine"], "pci.0")
    log.enter(FN_ADD, 562, 0x555556A41230, 0x7FFFFFFFE3D0)
    net0 = ids["net0"] = _object(rec, "virtio-net-pci", 0x555557293140, 42096, ids["peripheral"], "net0")
    log.emit(k.EV_INSTANCE_INIT, net0, log.text("virtio-net-pci-base"), log.text("virtio_net_pci_instance_init"))
    vdev = ids["vdev"] = _object(rec, "virtio-net-device", 0x55555729B2B0, 8960, net0, "virtio-backend")
    bus = ids["bus"] = _object(rec, "virtio-pci-bus", 0x55555729B238, 120, net0, "virtio-bus")
    log.emit(k.EV_BUS_ATTACH, net0, ids["pci.0"], 0)
    log.emit(k.EV_BUS_ATTACH, vdev, bus, 0)
    log.enter(FN_SET_BOOL, 1400, 0x555557293140, 1, log.text("realized"), 0x7FFFFFFFE3D0)
    log.enter(FN_REALIZED, 834, 0x7FFFFFFFE3D0)
    log.enter(FN_NET, 2658, 0x55555729B2B0, 0x7FFFFFFFE1F0)
    log.at(2661)
    log.field(vdev, field("VirtIONet.max_queues", "count"), 1, 0)
    log.field(vdev, field("VirtIODevice.host_features", "flags"), 0x79BFFFE7, 0)
    log.enter(FN_INIT, 2387, 0x55555729B2B0, log.text("virtio-net"), 1, 12)
    log.field(vdev, field("VirtIODevice.device_id", "count"), 1, 0)
    log.leave()
    log.emit(k.EV_OBJ_REF, vdev, 3)
    log.leave()
    log.field(net0, field("DeviceState.realized", "bool"), 1, 0)
    log.leave()
    log.leave()
    log.leave()
    log.emit(k.EV_CFG_READ, net0, 0, 4, 0x10001AF4)
    for offset, value in ((20, 1), (20, 3), (20, 11), (20, 15)):
        rec.tick(1000)
        log.emit(k.EV_BAR_WRITE, net0, 4, offset, 1, value)
        log.field(vdev, field("VirtIODevice.status", "flags"), value, value >> 1)
    for index in range(3):
        log.emit(k.EV_RING_RESET, ring_oid(BDF, index), QUEUE_SIZE, 0x1000000 + 0x10000 * index, 0x1004000 + 0x10000 * index, 0x1008000 + 0x10000 * index)
    log.emit(k.EV_RUN_STATE, 0, 1, log.text("traffic"))
    return ids


def send(rec: Recording, index: int, turn: int, frame: bytes) -> None:
    """One frame through ring `index` (0 receive, 1 transmit): post, kick, pop, use, interrupt, take."""
    log, oid = rec.log, int(ring_oid(BDF, index))
    head, slot = turn % QUEUE_SIZE, turn % QUEUE_SIZE
    receive = index == 0
    log.cause = -1
    log.emit(k.EV_DESC_WRITE, oid, head, 0x2000000 + 0x800 * head, len(frame) + 12, 2 if receive else 0, 0)
    log.emit(k.EV_AVAIL_ADD, oid, slot, head)
    log.emit(k.EV_AVAIL_IDX, oid, (turn + 1) & 0xFFFF)
    log.cause = log.emit(k.EV_KICK, oid, index)
    rec.tick(2500)
    log.emit(k.EV_POP, oid, head, (turn + 1) & 0xFFFF, (turn + 1) & 0xFFFF, 0 if receive else 1, 1 if receive else 0, 1)
    packet = turn * 2 + 2 - index
    seq = log.emit(k.EV_FRAME_RX if receive else k.EV_FRAME_TX, oid, packet, len(frame), head, 1 if receive else 0)
    rec.packets.append(PacketRow(packet, rec.clock.now_ns, rec.clock.wall_ns, 1 if receive else 0, index // 2, head, int(seq), len(frame)))
    rec.frames.append(frame)
    log.emit(k.EV_FILL, oid, slot, head, len(frame) + 12 if receive else 0)
    log.emit(k.EV_FLUSH, oid, (turn + 1) & 0xFFFF, 1, 0, 1)
    log.cause = log.emit(k.EV_NOTIFY, oid, 1 + index, (turn + 1) & 0xFFFF)
    rec.tick(1500)
    log.emit(k.EV_GUEST_IRQ, oid, 1 + index)
    log.emit(k.EV_USED_TAKE, oid, head, (turn + 1) & 0xFFFF, len(frame) + 12 if receive else 0, QUEUE_SIZE)
    counts = rec.counts[oid]
    for name in ("packets", "kicks", "interrupts", "batches", "driver_packets"):
        counts[name] += 1
    counts["bytes"] += len(frame)
    counts["driver_bytes"] += len(frame)
    counts["num"] = QUEUE_SIZE
    rec.latency[oid].add(4000)


def icmp_frame(turn: int) -> bytes:
    """An Ethernet frame with an ICMP echo request, checksums as they come (only its shape matters here)."""
    body = bytes((i + turn) & 0xFF for i in range(56))
    icmp = b"\x08\x00\x00\x00" + (7).to_bytes(2, "big") + (turn & 0xFFFF).to_bytes(2, "big") + body
    total = 20 + len(icmp)
    header = b"\x45\x00" + total.to_bytes(2, "big") + b"\x00\x01\x00\x00\x40\x01\x00\x00" + bytes((10, 0, 2, 15)) + bytes((10, 0, 2, 2))
    return bytes.fromhex("525500d1555552540012345608 00".replace(" ", "")) + header + icmp


def make_session(path: Path, turns: int = 300) -> Path:
    """Write the recording to `path`; `turns` frames each way."""
    rec = Recording(path)
    build_machine(rec)
    rec.keyframe()
    for turn in range(turns):
        send(rec, 1, turn, icmp_frame(turn))
        send(rec, 0, turn, icmp_frame(turn))
        rec.tick(100_000)
        if turn % 10 == 9:
            rec.keyframe()
        if turn == turns // 2:
            name = rec.log.text("half way")
            seq = rec.log.emit(k.EV_MARK, 0, name)
            rec.writer.add_mark(int(seq), rec.clock.now_ns, "half way", "")
    rec.log.message(1, "a warning of the model")
    rec.close()
    return path
