"""A virtio-net-device on a bare virtio bus: no PCI, so that a test writes the registers' effects itself."""

from __future__ import annotations

import struct

from ringscope_core.hw.context import HwContext
from ringscope_core.hw.qdev.bus import BusState
from ringscope_core.hw.qdev.device import DeviceState, qdev_set_parent_bus
from ringscope_core.hw.qdev.types import register_qdev_types
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio import virtio
from ringscope_core.hw.virtio.types import register_virtio_types
from ringscope_core.hw.virtio.virtio_bus import VirtioBusClass, VirtioBusState, register_virtio_bus_types
from ringscope_core.hw.virtio.virtqueue import VirtQueue
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.types import register_virtio_net_types
from ringscope_core.memory.ram import anonymous_ram
from ringscope_core.net.client import NetClientState
from ringscope_core.net.net import qemu_new_net_client
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import object_new
from ringscope_core.qom.types import TypeInfo
from ringscope_core.qom.world import World
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

RAM = 4 << 20
RING_AT = 0x10000
BUFFERS_AT = 0x100000
NEXT, WRITE, INDIRECT = 1, 2, 4
MRG = 1 << f.VIRTIO_NET_F_MRG_RXBUF
V1 = 1 << f.VIRTIO_F_VERSION_1
EVENT_IDX = 1 << f.VIRTIO_RING_F_EVENT_IDX


class Peer(NetClientState):
    """Takes every frame, or none while `busy`."""

    def __init__(self, ctx: HwContext) -> None:
        super().__init__(ctx.net, "bare", "n0", "bare")
        self.frames: list[bytes] = []
        self.busy = False

    def receive(self, frame: bytes) -> int:
        if self.busy:
            return 0
        self.frames.append(frame)
        return len(frame)


class Transport:
    """What the bus's hooks noted."""

    def __init__(self) -> None:
        self.vectors: list[int] = []


class Bare:
    """The device, its peer, and the driver's side of its rings."""

    def __init__(self, features: int = V1 | MRG, *, size: int = 256, peer: bool = True, ready: bool = True, **props: str) -> None:
        self.log = EventLog(Clock())
        self.ctx = HwContext(self.log, MainLoop(self.log.clock), anonymous_ram(RAM))
        self.world = World(self.log)
        self.world.context = self.ctx
        self.vectors: list[int] = []
        self._register()
        self.peer = Peer(self.ctx)
        if peer:
            qemu_new_net_client(self.peer)
            props["netdev"] = "n0"
        self.errp = Errp()
        bus = object_new(self.world, "bare-bus")
        assert isinstance(bus, BusState)
        bus.set_parent_dev(self.transport())
        dev = object_new(self.world, "virtio-net-device")
        assert isinstance(dev, VirtIONet)
        self.n = dev
        self.world.root.property_add_child("net0", dev, AbortErrp())
        qdev_set_parent_bus(dev, bus)
        for name, value in props.items():
            dev.property_parse(value, name.replace("__", "-"), self.errp)
        dev.property_set_bool(True, "realized", self.errp)
        self.heads: dict[int, int] = {}
        if ready and self.errp.error is None:
            self.start(features, size)

    def _register(self) -> None:
        table = self.world.types
        register_qdev_types(table)
        register_virtio_bus_types(table)
        register_virtio_types(table)
        register_virtio_net_types(table)
        table.register(TypeInfo("bare-transport", "device", instance_new=DeviceState))
        table.register(TypeInfo("bare-bus", "virtio-bus", instance_new=VirtioBusState, class_init=self._bus_class_init, class_init_name="bare_bus_class_init"))

    def _bus_class_init(self, klass: ObjectClass) -> None:
        assert isinstance(klass, VirtioBusClass)
        klass.notify = self._notify
        klass.pre_plugged = self._pre_plugged

    def _notify(self, dev: DeviceState, vector: int) -> None:
        self.vectors.append(vector)

    def _pre_plugged(self, dev: DeviceState, errp: Errp) -> None:
        self.n.host_features |= V1

    def transport(self) -> DeviceState:
        """The device that owns the bus."""
        dev = object_new(self.world, "bare-transport")
        assert isinstance(dev, DeviceState)
        return dev

    # -- the driver's side --------------------------------------------------------------------------------------------
    def start(self, features: int, size: int) -> None:
        """Negotiate, give queues 0 and 1 rings of `size`, DRIVER_OK."""
        virtio.virtio_set_features(self.n, features)
        for index in (0, 1, virtio.virtio_get_num_queues(self.n) - 1):
            self.set_up(index, size if index < 2 else 64)
        virtio.virtio_set_status(self.n, 15)
        self.vectors.clear()

    def set_up(self, index: int, size: int) -> None:
        """A ring for queue `index`, vector = index."""
        base = RING_AT + index * 0x10000
        virtio.virtio_queue_set_num(self.n, index, size)
        virtio.virtio_queue_set_vector(self.n, index, index)
        virtio.virtio_queue_set_rings(self.n, index, base, base + 0x4000, base + 0x8000)

    def vq(self, index: int) -> VirtQueue:
        """The device's queue."""
        return self.n.vq[index]

    def write(self, gpa: int, data: bytes) -> None:
        """The guest writes its memory."""
        self.ctx.memory.write(gpa, data)
        self.ctx.memory.turn += 1

    def read(self, gpa: int, size: int) -> bytes:
        """The guest reads its memory."""
        return self.ctx.memory.read(gpa, size)

    def desc(self, index: int, slot: int, addr: int, length: int, flags: int = 0, following: int = 0) -> None:
        """Write one descriptor."""
        self.write(self.vq(index).vring_desc + 16 * slot, struct.pack("<QIHH", addr & (2**64 - 1), length, flags, following))

    def publish(self, index: int, *heads: int) -> None:
        """Put heads into the available ring."""
        vq = self.vq(index)
        idx = self.ctx.memory.read_u16(vq.vring_avail + 2)
        for head in heads:
            self.write(vq.vring_avail + 4 + 2 * (idx % vq.vring_num), struct.pack("<H", head))
            idx = (idx + 1) & 0xFFFF
        self.write(vq.vring_avail + 2, struct.pack("<H", idx))

    def kick(self, index: int) -> None:
        """Notify the device and let it work until it is quiet."""
        virtio.virtio_queue_notify(self.n, index)
        self.settle()

    def settle(self) -> None:
        """Run bottom halves and due timers until nothing is left."""
        while self.ctx.loop.run_bottom_halves() or self.ctx.loop.run_timers():
            pass

    def used(self, index: int) -> list[tuple[int, int]]:
        """The used ring so far: (head, length) up to used.idx."""
        vq = self.vq(index)
        idx = self.ctx.memory.read_u16(vq.vring_used + 2)
        return [struct.unpack("<II", self.read(vq.vring_used + 4 + 8 * (i % vq.vring_num), 8)) for i in range(idx)]  # type: ignore[misc]

    def send(self, frame: bytes, head: int = 0) -> None:
        """Transmit one frame in one buffer, header in front."""
        at = BUFFERS_AT + 0x10000 * head
        self.write(at, bytes(self.n.guest_hdr_len) + frame)
        self.desc(1, head, at, self.n.guest_hdr_len + len(frame))
        self.publish(1, head)
        self.kick(1)

    def give(self, head: int, *lengths: int) -> list[int]:
        """Give the device a receive chain of buffers of `lengths`; returns their addresses."""
        at = BUFFERS_AT + 0x10000 * head
        addresses = []
        for i, length in enumerate(lengths):
            last = i == len(lengths) - 1
            self.write(at, b"\xa5" * length)
            self.desc(0, head + i, at, length, WRITE | (0 if last else NEXT), head + i + 1)
            addresses.append(at)
            at += length + 64
        self.publish(0, head)
        return addresses

    def arrive(self, frame: bytes) -> int:
        """A frame comes from the network."""
        from ringscope_core.net.net import qemu_send_packet_async

        ret = qemu_send_packet_async(self.peer, frame)
        self.settle()
        return ret
