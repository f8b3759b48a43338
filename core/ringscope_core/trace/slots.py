"""What each slot of a split ring holds at a moment: free, available, in flight or used.

Nobody stores this: it follows from the ring's memory and four indices.  The driver publishes ``avail.idx`` and has
consumed up to ``last_used_idx``; the device has taken up to ``last_avail_idx`` and given back up to ``used.idx``:

    last_used_idx <= used.idx <= last_avail_idx <= avail.idx      (free-running, modulo 2**16)

Assumption: virtio-net completes elements in the order it took them, so the heads in flight are the available ring's
entries from ``used_idx`` to ``last_avail_idx``.  A device that completes out of order would need its own list.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import read_i16_le, read_i32_le
from librt.vecs import vec
from mypy_extensions import i64

from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, F_LAST_AVAIL, F_LAST_USED, RingImage

SLOT_FREE: Final[i64] = 0
SLOT_AVAILABLE: Final[i64] = 1
SLOT_IN_FLIGHT: Final[i64] = 2
SLOT_USED: Final[i64] = 3

SLOT_NAMES: Final = ("free", "available", "in_flight", "used")
"""Words for the states, by value; also the theme's names (``ring.free``, ...)."""

NO_HEAD: Final = -1


@final
class SlotStates:
    """The derived picture of one ring.  Sequences are indexed by descriptor or by ring position (index modulo num)."""

    def __init__(self, num: int) -> None:
        self.num: int = num
        self.state: bytes = bytes(num)
        """State of each descriptor (`SLOT_NAMES`)."""
        self.head: list[int] = [NO_HEAD] * num
        """Head of the chain each descriptor belongs to, `NO_HEAD` for free ones."""
        self.place: list[int] = [NO_HEAD] * num
        """0 for the head, 1 for the next descriptor of the chain, ...; `NO_HEAD` for free ones."""
        self.avail_state: bytes = bytes(num)
        """For each available-ring position: the state of the entry it holds, `SLOT_FREE` when it is stale."""
        self.used_live: bytes = bytes(num)
        """1 for each used-ring position the driver has not consumed yet."""
        self.avail_idx: int = 0
        self.used_idx: int = 0
        self.last_avail_idx: int = 0
        self.last_used_idx: int = 0
        self.available: list[int] = []
        """Heads published and not taken, oldest first."""
        self.in_flight: list[int] = []
        """Heads the device has taken and not given back, oldest first."""
        self.used: list[int] = []
        """Heads given back and not consumed by the driver, oldest first."""
        self.consistent: bool = True
        """False when the indices are not in the order above, or an entry names no descriptor (a broken driver)."""

    def count(self, state: int) -> int:
        """How many descriptors are in `state`."""
        return self.state.count(state)

    def chain(self, head: int) -> list[int]:
        """The descriptors of the chain that `head` begins, in order; empty for a free descriptor."""
        members = [index for index in range(self.num) if self.head[index] == head]
        members.sort(key=lambda index: self.place[index])
        return members


def slot_states(ring: RingImage, fields: dict[int, int]) -> SlotStates:
    """Derive every slot of `ring`; `fields` are the ring object's (`MachineState.fields[oid]`)."""
    return _Walk(ring, fields).result


def chain_of(ring: RingImage, head: int) -> list[tuple[int, int, int, int, int]]:
    """The chain from `head` in the descriptor table: (index, address, length in bytes, flags, next) of each.

    Stops after `num` descriptors, so that a loop ends.  An indirect head is one descriptor; its table is
    ``ring.indirect[head]``, see `table_of`.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    index = head
    while 0 <= index < ring.num and len(rows) < ring.num:
        row = _descriptor_at(ring.desc, index)
        rows.append((index, row[0], row[1], row[2], row[3]))
        if row[2] & DESC_F_INDIRECT or not row[2] & DESC_F_NEXT:
            break
        index = row[3]
    return rows


def table_of(ring: RingImage, head: int) -> list[tuple[int, int, int, int, int]]:
    """The indirect table of `head`: (index, address, length in bytes, flags, next) of each; empty when there is none."""
    table = ring.indirect.get(head)
    if table is None:
        return []
    rows: list[tuple[int, int, int, int, int]] = []
    for index in range(len(table) // 16):
        row = _descriptor_at(table, index)
        rows.append((index, row[0], row[1], row[2], row[3]))
    return rows


def _descriptor_at(table: bytearray, index: int) -> tuple[int, int, int, int]:
    at = 16 * index
    return (
        int.from_bytes(table[at : at + 8], "little"),
        int.from_bytes(table[at + 8 : at + 12], "little"),
        int.from_bytes(table[at + 12 : at + 14], "little"),
        int.from_bytes(table[at + 14 : at + 16], "little"),
    )


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
            flags = i64(read_i16_le(self.desc, 16 * index + 12))
            if not flags & DESC_F_NEXT or flags & DESC_F_INDIRECT:
                return
            index = i64(read_i16_le(self.desc, 16 * index + 14)) & 0xFFFF
            place += 1
