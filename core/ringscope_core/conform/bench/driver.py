"""The driver of both sides: it probes a virtio-net function and prepares rings once, so that a round only publishes them again.

Nothing here depends on which machine is driven; guest RAM is written directly.
"""

from __future__ import annotations

import struct
from typing import Final

from ringscope_core.conform.bench.bus import Bus
from ringscope_core.conform.bench.case import NUM, Case

HEADER: Final = 12
CTRL_NUM: Final = 64
BUFFER: Final = 2048
"""Bytes between buffers, and of each receive buffer."""
FOREIGN: Final = bytes.fromhex("525400aaaaaa")
"""A MAC address that is not the device's."""
BROADCAST: Final = b"\xff" * 6

_BAR4: Final = 0xFE000000
_RINGS: Final = 0x10000
_NIC_SPAN: Final = 0x400000
"""Guest memory that one NIC's rings and buffers take."""
_RING_SPAN: Final = 0x4000
_TABLES: Final = 0x100000
_BUFFERS: Final = 0x200000
_COMMAND: Final = 0x8000
AVAIL: Final = 1 << 7
USED: Final = 1 << 15
_MODES: Final = AVAIL | USED
_F_MRG_RXBUF: Final = 1 << 15
_F_MAC: Final = 1 << 5
_F_CTRL_VQ: Final = 1 << 17
_F_CTRL_RX: Final = 1 << 18
_F_INDIRECT: Final = 1 << 28
_F_VERSION_1: Final = 1 << 32
_F_PACKED: Final = 1 << 34
_NEXT: Final = 1
_WRITE: Final = 2
_INDIRECT: Final = 4


class Nic:
    """A virtio-net function that is set up; slot 4 is the one measured, further ones only take frames."""

    def __init__(self, bus: Bus, slot: int, case: Case, queues: tuple[int, ...], promiscuous: bool) -> None:
        self.bus = bus
        self.slot = slot
        self.base = _NIC_SPAN * (slot - 4)
        self.packed = case.packed
        self._common, self._notify, self._multiplier = self._probe()
        self._negotiate(case, 0 in queues)
        self.rings = {queue: self._queue(queue) for queue in ((*queues, 2) if not promiscuous else queues)}
        self._set(0x14, 1, 0xF)
        if not promiscuous:
            self._promiscuous_off()

    def _probe(self) -> tuple[int, int, int]:
        """Place BAR 4 and find the common and the notification structure; returns their addresses and the multiplier."""
        bus, slot = self.bus, self.slot
        bar = _BAR4 + 0x10000 * (slot - 4)
        bus.config_write(slot, 0x20, 4, bar)
        bus.config_write(slot, 0x24, 4, 0)
        bus.config_write(slot, 4, 2, 7)
        found: dict[int, int] = {}
        multiplier = 0
        at = bus.config_read(slot, 0x34, 1)
        while at:
            if bus.config_read(slot, at, 1) == 9 and bus.config_read(slot, at + 4, 1) == 4:
                kind = bus.config_read(slot, at + 3, 1)
                found.setdefault(kind, bar + bus.config_read(slot, at + 8, 4))
                if kind == 2:
                    multiplier = bus.config_read(slot, at + 16, 4)
            at = bus.config_read(slot, at + 1, 1)
        return found[1], found[2], multiplier

    def _set(self, offset: int, size: int, value: int) -> None:
        self.bus.write(self._common + offset, size, value)

    def _negotiate(self, case: Case, receives: bool) -> None:
        wanted = _F_VERSION_1 | _F_MAC | _F_CTRL_VQ | _F_CTRL_RX
        wanted |= (_F_PACKED if case.packed else 0) | (_F_INDIRECT if case.shape == "indirect" else 0) | (_F_MRG_RXBUF if receives else 0)
        for status in (0, 1, 3):
            self._set(0x14, 1, status)
        offered = 0
        for half in (0, 1):
            self._set(0, 4, half)
            word = self.bus.read(self._common + 4, 4)
            offered |= word << 32 * half
            self._set(8, 4, half)
            self._set(12, 4, (wanted >> 32 * half) & word)
        if wanted & ~offered:
            raise RuntimeError(f"{case.name}: the device does not offer features {wanted & ~offered:#x}")
        self._set(0x14, 1, 0xB)

    def _queue(self, queue: int) -> tuple[int, int, int]:
        """Enable a queue; returns the addresses of its three parts."""
        start = self.base + _RINGS + _RING_SPAN * queue
        num = CTRL_NUM if queue == 2 else NUM
        parts = (start, start + 16 * num, start + 16 * num + 1024)
        self._set(0x16, 2, queue)
        self._set(0x18, 2, num)
        for place, address in enumerate(parts):
            self._set(0x20 + 8 * place, 4, address)
            self._set(0x24 + 8 * place, 4, 0)
        self._set(0x1C, 2, 1)
        return parts

    def notify_address(self, queue: int) -> int:
        """Where a kick of `queue` is written."""
        self._set(0x16, 2, queue)
        return self._notify + self._multiplier * self.bus.read(self._common + 0x1E, 2)

    def _promiscuous_off(self) -> None:
        """Have the device filter, through the control queue."""
        view, (desc, avail, _) = self.bus.view, self.rings[2]
        at = self.base + _COMMAND
        view[at : at + 4] = b"\0\0\0\xee"
        parts = ((at, 2, _NEXT), (at + 2, 1, _NEXT), (at + 3, 1, _WRITE))
        for place, (address, length, flags) in enumerate(parts):
            if self.packed:
                struct.pack_into("<QIHH", view, desc + 16 * place, address, length, 0, flags | AVAIL)
            else:
                struct.pack_into("<QIHH", view, desc + 16 * place, address, length, flags, place + 1)
        if not self.packed:
            struct.pack_into("<HHH", view, avail, 0, 1, 0)
        self.bus.write(self.notify_address(2), 2, 2)
        self.bus.settle()
        if view[at + 3]:
            raise RuntimeError("the device did not accept the receive filter")


class PreparedQueue:
    """A data queue whose chains, all alike, are written once; `publish` makes some of them available, again and again."""

    def __init__(self, nic: Nic, queue: int, case: Case) -> None:
        self.nic = nic
        self.queue = queue
        self.case = case
        self.per_chain = 2 if case.shape == "two" else 1
        self.chains = NUM // self.per_chain
        self.batch = case.batch
        self._view = nic.bus.view
        self._desc, self._avail, self._used = nic.rings[queue]
        self._idx = 0
        self._position = 0
        self._wrap = 1
        self._count = 0
        """Chains that `publish` made available last."""
        self._first = 0
        self._first_wrap = 1
        view = self._view
        self.desc16 = view[self._desc : self._desc + 16 * NUM].cast("H")
        self.used16 = view[self._used : self._used + 4].cast("H")
        self.used32 = view[self._used + 4 : self._used + 4 + 8 * NUM].cast("I")
        self._rows: list[list[tuple[int, int, int]]] = []
        self._made: dict[int, tuple[bytes, bytes]] = {}
        self._write_buffers()
        self._write_rings()

    # -- preparation --------------------------------------------------------------------------------------------------
    def _write_buffers(self) -> None:
        case, view, base = self.case, self._view, self.nic.base
        receives = self.queue == 0
        writable = _WRITE if receives else 0
        total = BUFFER if receives else HEADER + case.length
        frame = bytes(HEADER) + make_frame(BROADCAST, case.length)
        for i in range(self.chains):
            at = base + _BUFFERS + BUFFER * i
            view[at : at + BUFFER] = bytes(BUFFER)
            if not receives:
                view[at : at + len(frame)] = frame
            parts = [(at, HEADER, writable), (at + HEADER, total - HEADER, writable)]
            if case.shape == "one":
                self._rows.append([(at, total, writable)])
            elif case.shape == "two":
                self._rows.append(parts)
            else:
                table = base + _TABLES + 64 * i
                for place, (address, length, flags) in enumerate(parts):
                    tail = (0, flags) if case.packed else (flags | (0 if place else _NEXT), 0 if place else 1)
                    struct.pack_into("<QIHH", view, table + 16 * place, address, length, *tail)
                self._rows.append([(table, 32, _INDIRECT)])

    def _write_rings(self) -> None:
        view, last = self._view, self.per_chain - 1
        if self.case.packed:
            struct.pack_into("<HH", view, self._avail, 0, 1)  # no interrupts
            return
        for chain, rows in enumerate(self._rows):
            for place, (address, length, flags) in enumerate(rows):
                at = chain * self.per_chain + place
                more = (flags | _NEXT, at + 1) if place < last else (flags, 0)
                struct.pack_into("<QIHH", view, self._desc + 16 * at, address, length, *more)
        struct.pack_into("<H", view, self._avail, 1)  # no interrupts
        for i in range(NUM):
            struct.pack_into("<H", view, self._avail + 4 + 2 * i, i % self.chains * self.per_chain)

    # -- a round ------------------------------------------------------------------------------------------------------
    def publish(self, count: int) -> None:
        """Make `count` chains available; those before are all used."""
        self._count = count
        if not self.case.packed:
            self._idx = (self._idx + count) & 0xFFFF
            struct.pack_into("<H", self._view, self._avail + 2, self._idx)
            return
        self._first, self._first_wrap = self._position, self._wrap
        total = count * self.per_chain
        room = NUM - self._position
        odd, even = self._batches(count)
        now, later = (odd, even) if self._wrap else (even, odd)
        view, start = self._view, self._desc + 16 * self._position
        if total > room:
            view[self._desc : self._desc + 16 * (total - room)] = later[16 * room :]
        # the head of the first chain opens the batch
        view[start + 16 : start + 16 * min(total, room)] = now[16 : 16 * min(total, room)]
        view[start : start + 16] = now[:16]
        self._position += total
        if self._position >= NUM:
            self._position -= NUM
            self._wrap ^= 1

    def _batches(self, count: int) -> tuple[bytes, bytes]:
        """Packed: the descriptors of the first `count` chains, available in a lap whose wrap counter is 1, and is 0.

        Made once, so that before a round of either kind of ring only a few bytes are copied: what this process does between rounds
        costs the next one its caches.
        """
        if count not in self._made:
            last = self.per_chain - 1
            laps = []
            for available in (USED, AVAIL):
                lap = bytearray()
                for chain in range(count):
                    for place, (address, length, flags) in enumerate(self._rows[chain]):
                        lap += struct.pack("<QIHH", address, length, chain, flags | available | (_NEXT if place < last else 0))
                laps.append(bytes(lap))
            self._made[count] = (laps[1], laps[0])
        return self._made[count]

    def _place(self, chain: int) -> tuple[int, int]:
        """Packed: where the head of chain `chain` of the last batch lies, and what AVAIL and USED are there once it is used."""
        at = self._first + chain * self.per_chain
        return at % NUM, _MODES if (self._first_wrap if at < NUM else self._first_wrap ^ 1) else 0

    def is_used(self, chain: int) -> bool:
        """Whether chain `chain` of the last batch is used."""
        if self.case.packed:
            at, want = self._place(chain)
            return self.desc16[8 * at + 7] & _MODES == want
        return (self.used16[1] - (self._idx - self._count + chain + 1)) & 0xFFFF < 0x8000

    def done(self) -> bool:
        """Whether the whole last batch is used."""
        return self.is_used(self._count - 1)

    def frame_in_buffer(self, chain: int, length: int) -> bytes:
        """The first `length` bytes behind the header in the buffer of `chain`."""
        at = self.nic.base + _BUFFERS + BUFFER * chain + HEADER
        return bytes(self._view[at : at + length])

    # -- watching a device that runs meanwhile ------------------------------------------------------------------------
    def mark(self, first: int) -> tuple[memoryview, int, int, int, int]:
        """Which words tell that chain `first`, and the last, of the batch are used.

        Returns the words, the places of the two, and for each what it must stop or start to be (see `PreparedQueue.changed`).
        """
        if self.case.packed:
            a, want_a = self._place(first)
            b, want_b = self._place(self._count - 1)
            return self.desc16, 8 * a + 7, 8 * b + 7, want_a, want_b
        a = 2 * ((self._idx - self._count + first) % NUM) + 1
        b = 2 * ((self._idx - 1) % NUM) + 1
        self.used32[a] = self.used32[b] = 0xFFFFFFFF
        return self.used32, a, b, 0xFFFFFFFF, 0xFFFFFFFF

    def release(self) -> None:
        """Let go of guest memory."""
        for view in (self.desc16, self.used16, self.used32):
            view.release()


def make_frame(destination: bytes, length: int) -> bytes:
    """An Ethernet frame of `length` bytes that asks for nothing: IPv4's type, zeros inside."""
    return destination + b"\x52\x54\0\0\0\1\x08\0" + bytes(length - 14)
