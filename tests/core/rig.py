"""A whole machine with one virtio-net-pci, driven through its registers and rings as a guest drives it, hostile or not."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from ringscope_core.hw.machine import Machine
from ringscope_core.hw.virtio.virtqueue import VirtQueue
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.net.client import NetClientState
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_flush_queued_packets, qemu_net_client_setup, qemu_send_packet_async
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.kinds import KIND_BY_NUMBER
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop
from ringscope_core.trace.state import MachineState, fold
from tests.core.machines import Rows

PROFILES = ("4.1", "7.2")
BDF = 4 << 3
BARS = {0: 0xC000, 1: 0xFEB00000, 2: 0xC100, 4: 0xFE000000}
RAM = 4 << 20
RING_AT = 0x20000
RING_SPAN = 0x10000
BUFFERS_AT = 0x100000
BUFFER_SPAN = 0x2000
NEXT, WRITE, INDIRECT = 1, 2, 4

DFSELECT, DF, GFSELECT, GF, MSIX, NUMQ, STATUS, Q_SELECT, Q_SIZE, Q_MSIX, Q_ENABLE, Q_DESC, Q_AVAIL, Q_USED = (
    0,
    4,
    8,
    12,
    16,
    18,
    20,
    22,
    24,
    26,
    28,
    32,
    40,
    48,
)
NOTIFY = 0x3000
CTRL_VQ, MRG, V1, EVENT_IDX, MQ = 1 << 17, 1 << 15, 1 << 32, 1 << 29, 1 << 22
PACKED = 1 << 34
MAX_TURNS = 3000


class Peer(NetClientState):
    """Takes every frame, or none while `busy`; may carry a virtio_net_hdr."""

    def __init__(self, host: NetHost, vnet_hdr: bool = False, name: str = "n0") -> None:
        super().__init__(host, "rig", name, "rig")
        self.frames: list[bytes] = []
        self.busy = False
        self.vnet_hdr = vnet_hdr
        self.completed = 0

    def receive(self, frame: bytes) -> int:
        if self.busy:
            return 0
        self.frames.append(frame)
        return len(frame) or -1

    def tx_complete(self, ret: int) -> None:
        self.completed += 1

    def has_vnet_hdr(self) -> bool:
        return self.vnet_hdr

    def has_ufo(self) -> bool:
        return self.vnet_hdr

    def has_vnet_hdr_len(self, length: int) -> bool:
        return self.vnet_hdr

    def set_vnet_hdr_len(self, length: int) -> None:
        self.vnet_hdr_len = length


class Rig:
    """The machine, its peers, and the driver's side."""

    def __init__(
        self,
        device: str = "",
        *,
        profile: str = "4.1",
        peers: int = 1,
        vnet_hdr: bool = False,
        level: int = int(LEVEL_FULL),
        plug: bool = True,
        packed: bool = False,
    ) -> None:
        self.log = EventLog(Clock())
        self.log.level = level
        self.sink = Rows()
        self.log.sink = self.sink
        self.machine = Machine(self.log, MainLoop(self.log.clock), RAM, profile)
        self.peers = [Peer(self.machine.net, vnet_hdr) for _ in range(peers)]
        for index, peer in enumerate(self.peers):
            peer.queue_index = index
            qemu_net_client_setup(peer, None)
        self.option = "virtio-net-pci,id=net0,addr=04.0" + (",netdev=n0" if peers else "") + (f",{device}" if device else "")
        self.sizes: dict[int, int] = {}
        self.packed = packed
        self.guest_writes: list[tuple[int, int]] = []
        """Ranges that the driver wrote itself."""
        if plug:
            self.plug()
        self.machine.system_reset()
        self.machine.cont()
        if plug:
            self.place_bars()

    # -- life ---------------------------------------------------------------------------------------------------------
    def plug(self) -> None:
        """device_add; asserts that it works."""
        assert self.machine.device_add(self.option) is not None, self.machine.world.messages
        if self.packed:
            self.n.host_features |= PACKED
            self.n.sync_fields()

    def unplug(self) -> None:
        """device_del; asserts that it works."""
        assert self.machine.device_del("net0") == ""

    @property
    def proxy(self) -> VirtIOPCIProxy:
        """The PCI function."""
        dev = self.machine.pci_bus.functions[BDF]
        assert isinstance(dev, VirtIOPCIProxy)
        return dev

    @property
    def n(self) -> VirtIONet:
        """The virtio-net-device."""
        vdev = self.proxy.vdev()
        assert isinstance(vdev, VirtIONet)
        return vdev

    @property
    def peer(self) -> Peer:
        """The first queue's peer."""
        return self.peers[0]

    def vq(self, index: int) -> VirtQueue:
        """The device's queue."""
        return self.n.vq[index]

    def place_bars(self) -> None:
        """BARs at fixed places; i/o, memory and bus master on."""
        for bar, address in BARS.items():
            if self.proxy.io_regions[bar].size:
                self.cfg_write(0x10 + 4 * bar, 4, address)
                if self.proxy.io_regions[bar].is_mem64:
                    self.cfg_write(0x14 + 4 * bar, 4, 0)
        self.cfg_write(4, 2, 7)

    def place_bars_as_they_were(self) -> None:
        """Undo what a hostile write did to the BARs themselves, so that later accesses reach them."""
        for bar, address in BARS.items():
            region = self.proxy.io_regions[bar]
            if region.size and int(region.addr) != address:
                self.machine.cfg_write(BDF, 0x10 + 4 * bar, 4, address)
                if region.is_mem64:
                    self.machine.cfg_write(BDF, 0x14 + 4 * bar, 4, 0)
        command = int(self.machine.cfg_read(BDF, 4, 2))
        if command & 3 != 3:
            self.machine.cfg_write(BDF, 4, 2, command | 3)

    # -- registers ----------------------------------------------------------------------------------------------------
    def cfg_read(self, offset: int, size: int) -> int:
        """Configuration space."""
        return int(self.machine.cfg_read(BDF, offset, size))

    def cfg_write(self, offset: int, size: int, value: int) -> None:
        """Configuration space."""
        self.machine.memory.turn += 1
        self.machine.cfg_write(BDF, offset, size, value)

    def bar_read(self, bar: int, offset: int, size: int) -> int:
        """A BAR's registers."""
        address = BARS[bar] + offset
        value = self.machine.io_read(address, size) if bar in (0, 2) else self.machine.mmio_read(address, size)
        return int(value) & (1 << 8 * size) - 1

    def bar_write(self, bar: int, offset: int, size: int, value: int) -> None:
        """A BAR's registers."""
        self.machine.memory.turn += 1
        address = BARS[bar] + offset
        if value >= 1 << 63:
            value -= 1 << 64
        if bar in (0, 2):
            self.machine.io_write(address, size, value)
        else:
            self.machine.mmio_write(address, size, value)

    def common(self, offset: int, size: int, value: int) -> None:
        """Write a register of the common structure."""
        self.bar_write(4, offset, size, value)

    def status(self) -> int:
        """device_status."""
        return self.bar_read(4, STATUS, 1)

    def negotiate(self, features: int) -> None:
        """Reset, then features up to FEATURES_OK."""
        for status in (0, 1, 3):
            self.common(STATUS, 1, status)
        for word in (0, 1):
            self.common(GFSELECT, 4, word)
            self.common(GF, 4, features >> 32 * word & 0xFFFFFFFF)
        self.common(STATUS, 1, 11)

    def set_up(self, index: int, size: int, vector: int = 0xFFFF, at: int = 0) -> None:
        """A ring for queue `index`, its memory zeroed."""
        base = at or self.ring_at(index)
        self.write(base, bytes(RING_SPAN))
        self.common(Q_SELECT, 2, index)
        self.common(Q_SIZE, 2, size)
        self.common(Q_MSIX, 2, vector)
        for register, address in ((Q_DESC, base), (Q_AVAIL, base + 0x4000), (Q_USED, base + 0x8000)):
            self.common(register, 4, address)
            self.common(register + 4, 4, 0)
        self.common(Q_ENABLE, 2, 1)
        self.sizes[index] = size

    @staticmethod
    def ring_at(index: int) -> int:
        """Where queue `index`'s ring lies: descriptors, 0x4000 further the available, 0x8000 further the used ring."""
        return RING_AT + index * RING_SPAN

    def start(self, features: int = V1 | MRG | CTRL_VQ, size: int = 256, pairs: int = 1, msix: bool = True) -> None:
        """A driver that is ready: `pairs` pairs and the control queue."""
        self.negotiate(features)
        if msix:
            for vector in range(3):
                for word, value in enumerate((0xFEE00000, 0, 0x40 + vector, 0)):
                    self.bar_write(1, 16 * vector + 4 * word, 4, value)
            self.msix_flags(0x8000)
        else:
            self.msix_flags(0)
        for index in range(2 * pairs):
            self.set_up(index, size, index % 3 if msix else 0xFFFF)
        self.set_up(2 * pairs, 64, 0 if msix else 0xFFFF)
        self.common(STATUS, 1, 15)

    def msix_flags(self, flags: int) -> None:
        """Write the flags word of the MSI-X capability: enable 0x8000, mask all 0x4000."""
        msix = self.proxy.msix
        assert msix is not None
        self.cfg_write(msix.cap + 2, 2, flags)

    def start_again(self, features: int = V1 | MRG | CTRL_VQ, size: int = 256, pairs: int = 1) -> None:
        """A driver's probe after whatever happened before."""
        self.place_bars()
        self.start(features, size, pairs)
        self.settle()

    # -- memory and rings ---------------------------------------------------------------------------------------------
    def write(self, gpa: int, data: bytes) -> None:
        """The guest writes its memory."""
        self.machine.memory.write(gpa, data)
        self.machine.memory.turn += 1
        self.guest_writes.append((gpa, gpa + len(data)))

    def read(self, gpa: int, size: int) -> bytes:
        """The guest reads its memory."""
        return bytes(self.machine.memory.read(gpa, size))

    def u16(self, gpa: int) -> int:
        """A word of guest memory."""
        return int(self.machine.memory.read_u16(gpa))

    def desc(self, index: int, slot: int, addr: int, length: int, flags: int = 0, following: int = 0) -> None:
        """Write a descriptor."""
        self.write(self.ring_at(index) + 16 * slot, struct.pack("<QIHH", addr & (1 << 64) - 1, length, flags, following))

    def publish(self, index: int, *heads: int) -> None:
        """Put heads into the available ring."""
        avail = self.ring_at(index) + 0x4000
        idx = self.u16(avail + 2)
        for head in heads:
            self.write(avail + 4 + 2 * (idx % self.sizes[index]), struct.pack("<H", head))
            idx = (idx + 1) & 0xFFFF
        self.write(avail + 2, struct.pack("<H", idx))

    def kick(self, index: int, size: int = 2) -> None:
        """Notify; the work is done by `settle`."""
        self.bar_write(4, NOTIFY + self.proxy.queue_mem_mult() * index, size, index)

    def used(self, index: int) -> list[tuple[int, int]]:
        """(head, length) of what was used since the ring was set up, at most one lap."""
        used = self.ring_at(index) + 0x8000
        idx = self.u16(used + 2)
        return [struct.unpack("<II", self.read(used + 4 + 8 * (i % self.sizes[index]), 8)) for i in range(max(0, idx - self.sizes[index]), idx)]  # type: ignore[misc]

    @staticmethod
    def buffer(head: int, queue: int = 1) -> int:
        """Where the buffer of a head lies."""
        return BUFFERS_AT + (queue % 3 * 0x80 + head % 0x80) * BUFFER_SPAN

    def put(self, frame: bytes, head: int = 0, queue: int = 1) -> None:
        """Publish a frame to send, without a kick."""
        at = self.buffer(head, queue)
        header = int(self.n.guest_hdr_len)
        self.write(at, bytes(header) + frame)
        self.desc(queue, head, at, header + len(frame))
        self.publish(queue, head)

    def send(self, frame: bytes, head: int = 0, queue: int = 1) -> None:
        """Publish a frame, kick, and let the device work."""
        self.put(frame, head, queue)
        self.kick(queue)
        self.settle()

    def give(self, head: int, length: int = 2000, queue: int = 0) -> int:
        """Give the device one receive buffer; returns its address."""
        at = self.buffer(head, queue)
        self.write(at, b"\xa5" * length)
        self.desc(queue, head, at, length, WRITE)
        self.publish(queue, head)
        return at

    def arrive(self, frame: bytes, queue: int = 0) -> int:
        """A frame comes from the network."""
        ret = int(qemu_send_packet_async(self.peers[queue], frame))
        self.settle()
        return ret

    def peer_sends(self, frame: bytes) -> None:
        """A frame comes, and the main loop does not run."""
        qemu_send_packet_async(self.peer, frame)

    def release(self, queue: int = 0) -> None:
        """The peer that held frames back takes them."""
        self.peers[queue].busy = False
        qemu_flush_queued_packets(self.peers[queue])
        self.settle()

    def command(self, klass: int, cmd: int, data: bytes = b"", head: int = 0, queue: int = 2) -> int:
        """A control command; its ack, -1 for none."""
        at = self.buffer(head, queue)
        self.write(at, bytes([klass, cmd]) + data)
        self.write(at + 0x1F00, b"\xee")
        self.desc(queue, head, at, 2 + len(data), NEXT, head + 1)
        self.desc(queue, head + 1, at + 0x1F00, 1, WRITE)
        before = self.u16(self.ring_at(queue) + 0x8002)
        self.publish(queue, head)
        self.kick(queue)
        self.settle()
        return self.read(at + 0x1F00, 1)[0] if self.u16(self.ring_at(queue) + 0x8002) != before else -1

    # -- time ---------------------------------------------------------------------------------------------------------
    def settle(self, jump: bool = True, turns: int = MAX_TURNS) -> None:
        """Run the main loop until it is quiet; timers come due at once with `jump`.  Too many turns are a hang."""
        loop, clock = self.machine.loop, self.log.clock
        for _ in range(turns):
            self.machine.memory.turn += 1
            if loop.run_bottom_halves() or loop.run_timers():
                continue
            deadline = int(loop.next_deadline_ns())
            if not jump or deadline < 0:
                return
            clock.advance_to(deadline)
        raise AssertionError(f"still busy after {turns} turns")

    def churn(self, turns: int) -> None:
        """Some turns of the main loop, quiet or not."""
        for _ in range(turns):
            self.machine.memory.turn += 1
            self.machine.loop.run_bottom_halves()
            self.machine.loop.run_timers()

    # -- what is seen -------------------------------------------------------------------------------------------------
    def messages(self) -> list[str]:
        """stderr."""
        return self.machine.world.messages

    def events(self, kind: str) -> list[tuple[int, ...]]:
        """Rows of one kind of event."""
        self.log.flush()
        return [row for row in self.sink.rows if KIND_BY_NUMBER[row[2]].name == kind]

    def assert_fold(self) -> None:
        """Events and machine say the same of objects and fields."""
        self.log.flush()
        folded = fold(MachineState(), self.sink.rows).comparable()
        state = MachineState()
        self.machine.world.snapshot(state)
        for part in self.machine.instruments:
            part.snapshot(state)
        told = state.comparable()
        assert folded["objects"] == told["objects"]
        assert folded["fields"] == told["fields"]

    def image(self, without: Iterable[tuple[int, int]] = ()) -> bytes:
        """All of RAM, with zeros where the device may write (address, length)."""
        image = bytearray(self.machine.memory.view)
        for gpa, length in without:
            image[gpa : gpa + length] = bytes(len(image[gpa : gpa + length]))
        return bytes(image)
