"""What each slot of a ring holds at a moment: free, available, in flight or used.  Split rings here, packed ones in `packed_slots`.

Nobody stores this: in a split ring it follows from the ring's memory and four indices.  The driver publishes ``avail.idx`` and has
consumed up to ``last_used_idx``; the device has taken up to ``last_avail_idx`` and given back up to ``used.idx``:

    last_used_idx <= used.idx <= last_avail_idx <= avail.idx      (free-running, modulo 2**16)

Assumption: virtio-net completes elements in the order it took them, so the heads in flight are the available ring's
entries from ``used_idx`` to ``last_avail_idx``.  A device that completes out of order would need its own list.
"""

from __future__ import annotations

from typing import final

from librt.strings import read_i16_le, read_i32_le
from librt.vecs import vec
from mypy_extensions import i64

from ringscope_core.trace.packed_slots import packed_chain, packed_slot_states, packed_table
from ringscope_core.trace.slot_states import SLOT_AVAILABLE, SLOT_IN_FLIGHT, SLOT_USED, SlotStates, descriptor_at
from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, F_LAST_AVAIL, F_LAST_USED, RingImage


def slot_states(ring: RingImage, fields: dict[int, int]) -> SlotStates:
    """Derive every slot of `ring`; `fields` are the ring object's (`MachineState.fields[oid]`)."""
    return packed_slot_states(ring, fields) if ring.packed else _Walk(ring, fields).result


def chain_of(ring: RingImage, head: int) -> list[tuple[int, int, int, int, int]]:
    """The chain from `head` in the descriptor table: (index, address, length in bytes, flags, next) of each; packed: id instead of next.

    Stops after `num` descriptors, so that a loop ends.  An indirect head is one descriptor; its table is
    ``ring.indirect[head]``, see `table_of`.
    """
    if ring.packed:
        return packed_chain(ring, head)
    rows: list[tuple[int, int, int, int, int]] = []
    index = head
    while 0 <= index < ring.num and len(rows) < ring.num:
        row = descriptor_at(ring.desc, index)
        rows.append((index, row[0], row[1], row[2], row[3]))
        if row[2] & DESC_F_INDIRECT or not row[2] & DESC_F_NEXT:
            break
        index = row[3]
    return rows


def table_of(ring: RingImage, head: int) -> list[tuple[int, int, int, int, int]]:
    """The indirect table of `head`: (index, address, length in bytes, flags, next) of each; empty when there is none.

    A packed ring's `head` is the chain's first descriptor too; entries have no next there, it is 0.
    """
    if ring.packed:
        return packed_table(ring, head)
    table = ring.indirect.get(head)
    if table is None:
        return []
    rows: list[tuple[int, int, int, int, int]] = []
    for index in range(len(table) // 16):
        row = descriptor_at(table, index)
        rows.append((index, row[0], row[1], row[2], row[3]))
    return rows


@final
class _Walk:
    """One derivation: walks the chains of the three live ranges over snapshots of the ring's memory."""

    def __init__(self, ring: RingImage, fields: dict[int, int]) -> None:
        self.num: i64 = ring.num
        self.desc: bytes = bytes(ring.desc)
        self.avail: bytes = bytes(ring.avail)
        self.used: bytes = bytes(ring.used)
        self.state: bytearray = bytearray(ring.num)
        self.avail_state: bytearray = bytearray(ring.num)
        self.used_live: bytearray = bytearray(ring.num)
        self.seen: vec[i64] = vec[i64]([0] * ring.num)
        self.result: SlotStates = SlotStates(ring.num)
        out = self.result
        out.avail_idx = i64(read_i16_le(self.avail, 2)) & 0xFFFF
        out.used_idx = i64(read_i16_le(self.used, 2)) & 0xFFFF
        out.last_avail_idx = fields.get(int(F_LAST_AVAIL), 0)
        out.last_used_idx = fields.get(int(F_LAST_USED), 0)
        self.walk_available(out.last_avail_idx, self.distance(out.last_avail_idx, out.avail_idx), SLOT_AVAILABLE, out.available)
        self.walk_available(out.used_idx, self.distance(out.used_idx, out.last_avail_idx), SLOT_IN_FLIGHT, out.in_flight)
        self.walk_used(out.last_used_idx, self.distance(out.last_used_idx, out.used_idx))
        out.state = bytes(self.state)
        out.avail_state = bytes(self.avail_state)
        out.used_live = bytes(self.used_live)

    def distance(self, start: i64, end: i64) -> i64:
        """Entries from `start` to `end` on the 16-bit circle; more than the ring holds means the indices are broken."""
        n = (end - start) & 0xFFFF
        if n > self.num:
            self.result.consistent = False
            return 0
        return n

    def walk_available(self, start: i64, count: i64, state: i64, heads: list[int]) -> None:
        """`count` entries of the available ring from free-running index `start` on are in `state`."""
        num = self.num
        for i in range(count):
            slot = (start + i) % num
            head = i64(read_i16_le(self.avail, 4 + 2 * slot)) & 0xFFFF
            self.avail_state[slot] = state
            heads.append(head)
            self.mark_chain(head, state)

    def walk_used(self, start: i64, count: i64) -> None:
        """`count` elements of the used ring from free-running index `start` on wait for the driver."""
        num = self.num
        for i in range(count):
            slot = (start + i) % num
            head = i64(read_i32_le(self.used, 4 + 8 * slot)) & 0xFFFFFFFF
            self.used_live[slot] = 1
            self.result.used.append(head)
            self.mark_chain(head, SLOT_USED)

    def mark_chain(self, head: i64, state: i64) -> None:
        """Give every descriptor of `head`'s chain its state; stops at a loop or at a descriptor that has one already."""
        num = self.num
        index = head
        place: i64 = 0
        while True:
            if index >= num or self.seen[index]:
                self.result.consistent = False
                return
            self.seen[index] = 1
            self.state[index] = state
            self.result.head[index] = head
            self.result.place[index] = place
            self.result.ident[index] = head
            flags = i64(read_i16_le(self.desc, 16 * index + 12))
            if not flags & DESC_F_NEXT or flags & DESC_F_INDIRECT:
                return
            index = i64(read_i16_le(self.desc, 16 * index + 14)) & 0xFFFF
            place += 1
