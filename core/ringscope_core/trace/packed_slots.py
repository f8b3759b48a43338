"""What each slot of a packed ring holds at a moment: free, available, in flight or used (virtio 1.3, 2.8).

One ring of descriptors is written by driver and device in turn.  Four places go round it in this order, each with a wrap counter:

    last_used_idx <= used_idx <= last_avail_idx <= next_avail_idx

From last_used_idx on stands what the driver has not taken back yet, from used_idx on what the device works on, from last_avail_idx on
what it has not taken.  How far the available ones reach is not counted by anybody: the AVAIL and USED bits of each descriptor say it,
as they do to the device.  Wrap counters are recorded an event before or after the index they belong to; so distances come from the
indices and from `VirtQueue.inuse`, and the counters decide only where indices alone cannot.

Assumption, as for split rings: virtio-net completes elements in the order it took them.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import read_i16_le
from mypy_extensions import i64

from ringscope_core.trace.fields import field
from ringscope_core.trace.slot_states import SLOT_AVAILABLE, SLOT_IN_FLIGHT, SLOT_USED, SlotStates, descriptor_at
from ringscope_core.trace.state import (
    DESC_F_INDIRECT,
    DESC_F_NEXT,
    F_INUSE,
    F_LAST_AVAIL,
    F_LAST_AVAIL_WRAP,
    F_LAST_USED,
    F_NUM_FREE,
    F_USED_IDX,
    F_USED_WRAP,
    RingImage,
)

F_DRIVER_NEXT_AVAIL: Final[i64] = field("vring_virtqueue.next_avail_idx", "slot")
F_DRIVER_AVAIL_WRAP: Final[i64] = field("vring_virtqueue.avail_wrap_counter", "bool")
F_DRIVER_USED_WRAP: Final[i64] = field("vring_virtqueue.used_wrap_counter", "bool")

DESC_F_AVAIL: Final = 0x80
DESC_F_USED: Final = 0x8000


def packed_slot_states(ring: RingImage, fields: dict[int, int]) -> SlotStates:
    """Derive every slot of the packed `ring`; `fields` are the ring object's."""
    return _PackedWalk(ring, fields).result


def packed_chain(ring: RingImage, head: int) -> list[tuple[int, int, int, int, int]]:
    """The chain whose first descriptor is `head`: (index, address, length in bytes, flags, id) of each.

    A used descriptor has lost its NEXT; `SlotStates.chain` still knows what followed it.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    index = head
    while 0 <= index < ring.num and len(rows) < ring.num:
        row = descriptor_at(ring.desc, index)
        rows.append((index, row[0], row[1], row[3], row[2]))
        if row[3] & DESC_F_INDIRECT or not row[3] & DESC_F_NEXT:
            break
        index = (index + 1) % ring.num
    return rows


def packed_table(ring: RingImage, head: int) -> list[tuple[int, int, int, int, int]]:
    """The indirect table of the buffer whose first descriptor is `head`; its entries follow each other, NEXT has no meaning (2.8.8)."""
    if not 0 <= head < ring.num:
        return []
    table = ring.indirect.get(descriptor_at(ring.desc, head)[2])
    if table is None:
        return []
    rows: list[tuple[int, int, int, int, int]] = []
    for index in range(len(table) // 16):
        row = descriptor_at(table, index)
        rows.append((index, row[0], row[1], row[3], 0))
    return rows


@final
class _PackedWalk:
    """One derivation over a snapshot of the descriptor ring."""

    def __init__(self, ring: RingImage, fields: dict[int, int]) -> None:
        num: i64 = ring.num
        self.num: i64 = num
        self.desc: bytes = bytes(ring.desc)
        self.state: bytearray = bytearray(ring.num)
        self.result: SlotStates = SlotStates(ring.num)
        out = self.result
        last_used: i64 = fields.get(int(F_LAST_USED), 0)
        used: i64 = fields.get(int(F_USED_IDX), 0)
        last_avail: i64 = fields.get(int(F_LAST_AVAIL), 0)
        out.last_used_idx, out.used_idx, out.last_avail_idx, out.avail_idx = last_used, used, last_avail, last_avail
        if last_used >= num or used >= num or last_avail >= num:
            out.consistent = False
            return
        taken = self.taken(used, last_avail, fields)
        given = (used - last_used + num) % num
        if given + taken > num:
            out.consistent = False
            given = 0
        lap = self.lap(used, taken, last_avail, fields)
        count = self.walk_available(last_avail, lap, num - given - taken, fields)
        if given == 0 and taken == 0 and count == 0 and _all_used(fields):
            given = num
        self.walk_used(last_used, given)
        self.walk_taken(used, taken)
        out.avail_idx = (last_avail + count) % num
        out.state = bytes(self.state)

    # -- distances ----------------------------------------------------------------------------------------------------
    def taken(self, used: i64, last_avail: i64, fields: dict[int, int]) -> i64:
        """Descriptors from used_idx to last_avail_idx: all or none of them where both are equal, as inuse says."""
        inuse: i64 = fields.get(int(F_INUSE), 0)
        count = (last_avail - used + self.num) % self.num
        if count == 0 and inuse == self.num:
            count = self.num
        if count != inuse:
            self.result.consistent = False
        return count

    def lap(self, used: i64, taken: i64, last_avail: i64, fields: dict[int, int]) -> bool:
        """The wrap counter that belongs to last_avail_idx.

        It equals used_wrap_counter's but where the ring's end lies between the two.  One event long, while either goes over the end,
        it does not; then what the device takes next tells which it is.
        """
        wrap = fields.get(int(F_LAST_AVAIL_WRAP), 1) != 0
        between = used + taken >= self.num
        if ((fields.get(int(F_USED_WRAP), 1) != 0) != wrap) != between and not self.available(last_avail, wrap) and self.available(last_avail, not wrap):
            return not wrap
        return wrap

    # -- descriptors --------------------------------------------------------------------------------------------------
    def flags(self, slot: i64) -> i64:
        """The flags of a descriptor."""
        return i64(read_i16_le(self.desc, 16 * slot + 14)) & 0xFFFF

    def id(self, slot: i64) -> i64:
        """The buffer id in a descriptor."""
        return i64(read_i16_le(self.desc, 16 * slot + 12)) & 0xFFFF

    def available(self, slot: i64, wrap: bool) -> bool:
        """Whether a descriptor is available in the lap of wrap counter `wrap` (2.8.1)."""
        flags = self.flags(slot)
        avail = flags & DESC_F_AVAIL != 0
        return avail == wrap and (flags & DESC_F_USED != 0) != wrap

    def has_come_back(self, slot: i64) -> bool:
        """Whether the device has written a used descriptor there: both bits are equal, which no driver writes."""
        flags = self.flags(slot)
        return (flags & DESC_F_AVAIL != 0) == (flags & DESC_F_USED != 0)

    def mark(self, slot: i64, state: i64, head: i64, place: i64, ident: i64) -> None:
        """`slot` is the chain's descriptor number `place`."""
        out = self.result
        self.state[slot] = state
        out.head[slot] = head
        out.place[slot] = place
        out.ident[slot] = ident

    # -- the three ranges ---------------------------------------------------------------------------------------------
    def walk_available(self, start: i64, lap: bool, room: i64, fields: dict[int, int]) -> i64:
        """Chains available from `start` on, at most `room` descriptors; returns how many descriptors they have."""
        num = self.num
        published: i64 = fields.get(int(F_DRIVER_NEXT_AVAIL), 0)
        published = (published - start + num) % num
        count: i64 = 0
        head = start
        place: i64 = 0
        while count < room:
            slot = (start + count) % num
            if not self.available(slot, lap if start + count < num else not lap):
                # a driver writes a chain's first descriptor last (2.8.6); in the log it comes first
                if place and count < published:
                    self.result.consistent = False
                return count
            if place == 0:
                head = slot
                self.result.available.append(head)
            self.mark(slot, SLOT_AVAILABLE, head, place, self.id(head))
            count += 1
            flags = self.flags(slot)
            place = place + 1 if flags & DESC_F_NEXT and not flags & DESC_F_INDIRECT else 0
        if place:
            self.result.consistent = False
        return count

    def walk_used(self, start: i64, count: i64) -> None:
        """`count` descriptors from `start` on wait for the driver: used ones, each with what followed it in its chain."""
        head = start
        place: i64 = 0
        ident: i64 = 0
        for i in range(count):
            slot = (start + i) % self.num
            back = self.has_come_back(slot)
            if back or i == 0:
                head, place, ident = slot, 0, self.id(slot)
                self.result.used.append(head)
                if not back or ident >= self.num:
                    self.result.consistent = False
            self.mark(slot, SLOT_USED, head, place, ident)
            place += 1

    def walk_taken(self, start: i64, count: i64) -> None:
        """`count` descriptors from `start` on belong to the device; those it has written back already are used."""
        out = self.result
        head = start
        place: i64 = 0
        ident: i64 = 0
        following = False
        state: i64 = SLOT_IN_FLIGHT
        for i in range(count):
            slot = (start + i) % self.num
            flags = self.flags(slot)
            if self.has_come_back(slot):
                head, place, ident, state = slot, 0, self.id(slot), SLOT_USED
                out.used.append(head)
                following = True
            elif state == SLOT_USED and following and self.id(slot) == ident:
                # of a buffer given back, which has lost its NEXT; the id stands in each of its descriptors
                place += 1
            else:
                if state == SLOT_USED or not following:
                    head, place, ident, state = slot, 0, self.id(slot), SLOT_IN_FLIGHT
                    out.in_flight.append(head)
                else:
                    place += 1
                following = flags & DESC_F_NEXT != 0 and not flags & DESC_F_INDIRECT
            self.mark(slot, state, head, place, ident)
        if following and state == SLOT_IN_FLIGHT:
            out.consistent = False


def _all_used(fields: dict[int, int]) -> bool:
    """Whether, with every index at one place, the whole ring waits for the driver: it has nothing free, and is a lap behind the device."""
    return int(F_NUM_FREE) in fields and fields[int(F_NUM_FREE)] == 0 and fields.get(int(F_DRIVER_USED_WRAP), 1) != fields.get(int(F_USED_WRAP), 1)
