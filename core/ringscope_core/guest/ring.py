"""A split virtqueue from the driver's side (Linux: drivers/virtio/virtio_ring.c, split layout; virtio 1.1, 2.6).

The hot path is batch-wise: heads are gathered and reach the available ring in one slice write, used elements are read in
one snapshot, and a descriptor is written only when it changes.  Reading or writing guest memory costs more than
everything else here, so that is what is counted.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import BytesWriter, read_i32_le, write_i16_le, write_i32_le, write_i64_le
from librt.vecs import vec
from mypy_extensions import i16, i32, i64

from ringscope_core.guest.in_order import InOrder
from ringscope_core.guest.virtqueue import (
    DESC_INDIRECT,
    DESC_NEXT,
    F_EVENT,
    F_FREE_HEAD,
    F_INDIRECT,
    F_LAST_USED_IDX,
    F_NUM,
    F_NUM_ADDED,
    F_NUM_FREE,
    RingMode,
    Virtqueue,
    vring_need_event,
)
from ringscope_core.memory.ram import GuestMemory
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import (
    EV_AVAIL_ADD,
    EV_AVAIL_FLAGS,
    EV_AVAIL_IDX,
    EV_DESC_WRITE,
    EV_RING_RESET,
    EV_USED_EVENT,
    EV_USED_TAKE,
)
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.state import MachineState, RingImage

AVAIL_NO_INTERRUPT: Final[i64] = 1
USED_NO_NOTIFY: Final[i64] = 1

F_AVAIL_FLAGS: Final[i64] = field("vring_virtqueue.avail_flags_shadow", "flags")
F_AVAIL_IDX: Final[i64] = field("vring_virtqueue.avail_idx_shadow", "idx")


def ring_bytes(num: i64) -> tuple[int, int, int, int]:
    """Layout of a ring of `num` entries in one run of pages: (available offset, used offset, total, table bytes).

    It is also the layout that the legacy interface fixes (virtio 1.1, 2.6.2).
    """
    table = 16 * num
    used = (table + 6 + 2 * num + 4095) // 4096 * 4096
    return int(table), int(used), int(used + 6 + 8 * num), int(table)


@final
class Vring(Virtqueue):
    """One split virtqueue as its driver keeps it."""

    def __init__(self, memory: GuestMemory, log: EventLog, counters: RingCounters, oid: i64, index: i64, num: i64, gpa: i64, mode: RingMode) -> None:
        """`gpa`: zeroed pages of `ring_bytes(num)`; `num` must be a power of two."""
        avail, used, size, _ = ring_bytes(num)
        super().__init__(memory, log, counters, oid, index, num, gpa, gpa + avail, gpa + used, size)
        self.set_mode(mode)
        n: int = num
        # what each descriptor in memory holds now, so that only a change is written
        self.desc_addr: vec[i64] = vec[i64]([0] * n)
        self.desc_len: vec[i64] = vec[i64]([0] * n)
        self.desc_meta: vec[i64] = vec[i64]([0] * n)
        """flags | next << 16"""
        self.avail_idx: i64 = 0
        """Linux's avail_idx_shadow: what avail.idx in memory holds."""
        self.avail_flags: i64 = 0
        """Linux's avail_flags_shadow; with the event index it never reaches memory."""
        # heads gathered for the next publish
        self._pending: BytesWriter = BytesWriter()
        self._pending_count: i64 = 0
        # the used elements of the present snapshot
        self._elements: bytes = b""
        self._element: i64 = 0
        self._element_count: i64 = 0
        # what the log said last
        self._said_num_free: i64 = 0
        self._said_free_head: i64 = 0
        self._said_num_added: i64 = 0
        self._said_avail_idx: i64 = 0
        self._said_avail_flags: i64 = 0
        self._announce()

    # -- life ---------------------------------------------------------------------------------------------------------
    def _announce(self) -> None:
        log = self.log
        self.counters.num = self.num
        log.emit(EV_RING_RESET, self.oid, self.num, self.desc_gpa, self.avail_gpa, self.used_gpa)
        log.field(self.oid, F_NUM, self.num, 0)
        log.field(self.oid, F_EVENT, 1 if self.event else 0, 0)
        log.field(self.oid, F_INDIRECT, 1 if self.indirect else 0, 0)
        log.field(self.oid, F_NUM_FREE, self.num_free, 0)
        self._said_num_free = self.num_free

    def release(self) -> None:
        """The ring's memory goes away (after a device reset): its fields and image are cleared."""
        log = self.log
        log.emit(EV_RING_RESET, self.oid, 0, 0, 0, 0)
        log.field(self.oid, F_NUM, 0, self.num)
        log.field(self.oid, F_EVENT, 0, 1 if self.event else 0)
        log.field(self.oid, F_INDIRECT, 0, 1 if self.indirect else 0)
        log.field(self.oid, F_NUM_FREE, 0, self._said_num_free)
        log.field(self.oid, F_FREE_HEAD, 0, self._said_free_head)
        log.field(self.oid, F_NUM_ADDED, 0, self._said_num_added)
        log.field(self.oid, F_AVAIL_IDX, 0, self._said_avail_idx)
        log.field(self.oid, F_AVAIL_FLAGS, 0, self._said_avail_flags)
        log.field(self.oid, F_LAST_USED_IDX, 0, self.last_used_idx)

    # -- posting ------------------------------------------------------------------------------------------------------
    def add(self, addr: i64, length: i64, flags: i64) -> i64:
        """Give the device one buffer of `length` bytes at `addr`; `flags` is 0 or DESC_WRITE.

        Returns the head, -1 when no descriptor is free.  The device sees it after `publish`.
        """
        if self.num_free == 0:
            self.counters.ring_full += 1
            return -1
        head = self.free_head
        if self.desc_addr[head] != addr or self.desc_len[head] != length or self.desc_meta[head] != flags:
            self._write_descriptor(head, addr, length, flags, 0)
        self.free_head = self.next[head]
        self.num_free -= 1
        self.chain_length[head] = 1
        self.posted_ns[head] = self.clock.now_ns
        write_i16_le(self._pending, i16(head))
        self._pending_count += 1
        if self.order is not None:
            self.order.posted(head, length if flags else 0)
        return head

    def add_chain(self) -> i64:
        """Give the device the chain built by `segment`, through an indirect table where that is in use.

        Returns the head, -1 when too few descriptors are free (the chain is then forgotten).
        """
        count = self._seg_count
        self._seg_count = 0
        if count == 1:
            return self.add(self._seg_addr[0], self._seg_len[0], self._seg_flags[0])
        if self.indirect and self.tables_gpa and count <= self.table_entries and self.num_free:
            return self._add_indirect(count)
        if self.num_free < count:
            self.counters.ring_full += 1
            return -1
        head = self.free_head
        index = head
        for place in range(count):
            following = self.next[index]
            flags = self._seg_flags[place]
            link: i64 = 0
            if place + 1 < count:
                flags |= DESC_NEXT
                link = following
            meta = flags | link << 16
            if self.desc_addr[index] != self._seg_addr[place] or self.desc_len[index] != self._seg_len[place] or self.desc_meta[index] != meta:
                self._write_descriptor(index, self._seg_addr[place], self._seg_len[place], flags, link)
            index = following
        self.free_head = index
        self.num_free -= count
        self._give(head, count, count)
        return head

    def _add_indirect(self, count: i64) -> i64:
        head = self.free_head
        table = self.tables_gpa + 16 * self.table_entries * head
        writer = BytesWriter()
        for place in range(count):
            last = place + 1 == count
            write_i64_le(writer, self._seg_addr[place])
            write_i32_le(writer, i32(self._seg_len[place]))
            write_i16_le(writer, i16(self._seg_flags[place] | (0 if last else DESC_NEXT)))
            write_i16_le(writer, i16(0 if last else place + 1))
        self.memory.write(table, writer.getvalue())
        if self.log.level >= LEVEL_FULL:
            self._log_table(head, count, True)
        if self.desc_addr[head] != table or self.desc_len[head] != 16 * count or self.desc_meta[head] != DESC_INDIRECT:
            self._write_descriptor(head, table, 16 * count, DESC_INDIRECT, 0)
        self.table_length[head] = count
        self.free_head = self.next[head]
        self.num_free -= 1
        self._give(head, 1, count)
        return head

    def _give(self, head: i64, descriptors: i64, count: i64) -> None:
        """The chain of `count` pieces under construction is complete and takes `descriptors` of the table."""
        self.chain_length[head] = descriptors
        self.posted_ns[head] = self.clock.now_ns
        write_i16_le(self._pending, i16(head))
        self._pending_count += 1
        if self.order is not None:
            self.order.posted(head, self._written(count))

    def _write_descriptor(self, index: i64, addr: i64, length: i64, flags: i64, link: i64) -> None:
        writer = BytesWriter()
        write_i64_le(writer, addr)
        write_i32_le(writer, i32(length))
        write_i16_le(writer, i16(flags))
        write_i16_le(writer, i16(link))
        self.memory.write(self.desc_gpa + 16 * index, writer.getvalue())
        self.desc_addr[index] = addr
        self.desc_len[index] = length
        self.desc_meta[index] = flags | link << 16
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_DESC_WRITE, self.oid, index, addr, length, flags, link)

    def publish(self) -> i64:
        """Put the gathered heads into the available ring, then move avail.idx (the order the device relies on).

        Returns how many were published.
        """
        count = self._pending_count
        if count == 0:
            return 0
        data = self._pending.getvalue()
        self._pending.truncate(0)
        self._pending_count = 0
        slot = self.avail_idx & (self.num - 1)
        room = self.num - slot
        if count <= room:
            self.memory.write(self.avail_gpa + 4 + 2 * slot, data)
        else:
            self.memory.write(self.avail_gpa + 4 + 2 * slot, data[: 2 * room])
            self.memory.write(self.avail_gpa + 4, data[2 * room :])
        if self.log.level >= LEVEL_FULL:
            for place in range(count):
                self.log.emit(EV_AVAIL_ADD, self.oid, (slot + place) & (self.num - 1), i64(data[2 * place]) | i64(data[2 * place + 1]) << 8)
        self.avail_idx = (self.avail_idx + count) & 0xFFFF
        self.num_added = (self.num_added + count) & 0xFFFF
        self.memory.write_u16(self.avail_gpa + 2, self.avail_idx)
        self.memory.turn += 1
        if self.log.level >= LEVEL_FULL:
            self.published_seq = self.log.emit(EV_AVAIL_IDX, self.oid, self.avail_idx)
        self._say()
        return count

    def kick_prepare(self) -> bool:
        """Whether the device wants to hear of what was published since the last call (virtqueue_kick_prepare)."""
        if self.num_added == 0:
            return False
        new = self.avail_idx
        old = (new - self.num_added) & 0xFFFF
        self.num_added = 0
        if self.event:
            wanted = vring_need_event(self.memory.read_u16(self.used_gpa + 4 + 8 * self.num), new, old)
        else:
            wanted = not self.memory.read_u16(self.used_gpa) & USED_NO_NOTIFY
        if not wanted:
            self._suppressed()
        self._say()
        return wanted

    # -- taking back --------------------------------------------------------------------------------------------------
    def more_used(self) -> bool:
        """Whether the device has given back elements the driver has not taken."""
        return self.memory.read_u16(self.used_gpa + 2) != self.last_used_idx

    def begin_take(self, budget: i64) -> i64:
        """Snapshot up to `budget` used elements; returns how many `take` will give."""
        order = self.order
        if order is not None:
            return self._begin_in_order(order, budget)
        self._element = 0
        count = (self.memory.read_u16(self.used_gpa + 2) - self.last_used_idx) & 0xFFFF
        if count > budget:
            count = budget
        if count > self.num:
            count = self.num
        if self.broken:
            count = 0
        self._element_count = count
        if count == 0:
            return 0
        slot = self.last_used_idx & (self.num - 1)
        room = self.num - slot
        if count <= room:
            self._elements = self.memory.read(self.used_gpa + 4 + 8 * slot, 8 * count)
        else:
            self._elements = self.memory.read(self.used_gpa + 4 + 8 * slot, 8 * room) + self.memory.read(self.used_gpa + 4, 8 * (count - room))
        return count

    def _begin_in_order(self, order: InOrder, budget: i64) -> i64:
        """Read the elements not read yet: one stands at the first slot of its batch, and the batch's other slots hold nothing."""
        used_idx = self.memory.read_u16(self.used_gpa + 2)
        at = (self.last_used_idx + order.done - order.first) & 0xFFFF
        while at != used_idx and not self.broken:
            data = self.memory.read(self.used_gpa + 4 + 8 * (at & (self.num - 1)), 8)
            head = i64(read_i32_le(data, 0)) & 0xFFFFFFFF
            count = order.complete(head, i64(read_i32_le(data, 4)) & 0xFFFFFFFF)
            if count == 0 or count > (used_idx - at) & 0xFFFF:
                self._element_count = 0
                self._bad_element(head)
                return 0
            at = (at + count) & 0xFFFF
        self._element = 0
        self._element_count = 0 if self.broken else min(budget, order.done - order.first)
        return self._element_count

    def take(self) -> i64:
        """The next used element of the snapshot: its head, with its length in `taken_len`; -1 when there is none.

        A frame over several buffers may reach past the snapshot; then a further one is made.
        """
        if self._element >= self._element_count and self.begin_take(self.num) == 0:
            return -1
        order = self.order
        if order is not None:
            head = order.ids[order.first % self.num]
            length = order.lengths[order.first % self.num]
            order.first += 1
        else:
            at = 8 * self._element
            head = i64(read_i32_le(self._elements, at)) & 0xFFFFFFFF
            length = i64(read_i32_le(self._elements, at + 4)) & 0xFFFFFFFF
        self._element += 1
        if head >= self.num or self.chain_length[head] == 0:
            self._element_count = 0
            self._bad_element(head)
            return -1
        self.taken_len = length
        self.last_used_idx = (self.last_used_idx + 1) & 0xFFFF
        self._free_chain(head)
        used_ns = self.counters.used_ns[head]
        self.counters.latency.add(self.clock.now_ns - used_ns if self.inbound else used_ns - self.posted_ns[head])
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_USED_TAKE, self.oid, head, self.last_used_idx, length, self.num_free)
            self._said_num_free = self.num_free
        return head

    def _free_chain(self, head: i64) -> None:
        """Put the chain's descriptors, in their order, at the front of the free list (detach_buf), or at its end."""
        count = self.chain_length[head]
        tail = head
        for _ in range(count - 1):
            tail = self.next[tail]
        if self.fifo:
            if self.num_free == 0:
                self.free_head = head
            else:
                self.next[self.free_tail] = head
            self.free_tail = tail
        else:
            self.next[tail] = self.free_head
            self.free_head = head
        self.num_free += count
        self.chain_length[head] = 0
        self.table_length[head] = 0

    def end_take(self) -> None:
        """After a batch of `take`: with callbacks on, ask for an interrupt at the next element."""
        if not self.avail_flags & AVAIL_NO_INTERRUPT and self.event:
            self._write_used_event(self.last_used_idx)
        self._say()

    # -- interrupts wanted --------------------------------------------------------------------------------------------
    def disable_cb(self) -> None:
        """Ask for no interrupts (virtqueue_disable_cb); a hint.  With the event index only the driver's shadow changes."""
        if self.avail_flags & AVAIL_NO_INTERRUPT:
            return
        self._set_avail_flags(self.avail_flags | AVAIL_NO_INTERRUPT)

    def enable_cb_prepare(self) -> i64:
        """Ask for an interrupt at the next element; returns the index to give to `poll` (virtqueue_enable_cb_prepare)."""
        if self.avail_flags & AVAIL_NO_INTERRUPT:
            self._set_avail_flags(self.avail_flags & ~AVAIL_NO_INTERRUPT)
        if self.event:
            self._write_used_event(self.last_used_idx)
        return self.last_used_idx

    def poll(self, mark: i64) -> bool:
        """Whether elements were used since `enable_cb_prepare` returned `mark`, the index then (virtqueue_poll)."""
        return self.memory.read_u16(self.used_gpa + 2) != mark

    def enable_cb_delayed(self) -> bool:
        """Ask for an interrupt when three quarters of what is outstanding is used (virtqueue_enable_cb_delayed).

        Returns False when that many are used already: the caller should take them.
        """
        if self.avail_flags & AVAIL_NO_INTERRUPT:
            self._set_avail_flags(self.avail_flags & ~AVAIL_NO_INTERRUPT)
        wait = ((self.avail_idx - self.last_used_idx) & 0xFFFF) * 3 // 4
        if self.event:
            self._write_used_event((self.last_used_idx + wait) & 0xFFFF)
        return ((self.memory.read_u16(self.used_gpa + 2) - self.last_used_idx) & 0xFFFF) <= wait

    def _set_avail_flags(self, flags: i64) -> None:
        self.avail_flags = flags
        if not self.event:
            self.memory.write_u16(self.avail_gpa, flags)
            self.memory.turn += 1
            if self.log.level >= LEVEL_FULL:
                self.log.emit(EV_AVAIL_FLAGS, self.oid, flags)
        self._say()

    def _write_used_event(self, idx: i64) -> None:
        self.memory.write_u16(self.avail_gpa + 4 + 2 * self.num, idx)
        self.memory.turn += 1
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_USED_EVENT, self.oid, idx)

    # -- what the log and keyframes say -------------------------------------------------------------------------------
    def _say(self) -> None:
        """Record the driver's own indices that moved; the last values are kept at every level, so that raising the level is safe."""
        if self.log.level >= LEVEL_FULL:
            log = self.log
            log.field(self.oid, F_NUM_FREE, self.num_free, self._said_num_free)
            log.field(self.oid, F_FREE_HEAD, self.free_head, self._said_free_head)
            log.field(self.oid, F_NUM_ADDED, self.num_added, self._said_num_added)
            log.field(self.oid, F_AVAIL_IDX, self.avail_idx, self._said_avail_idx)
            log.field(self.oid, F_AVAIL_FLAGS, self.avail_flags, self._said_avail_flags)
        self._said_num_free = self.num_free
        self._said_free_head = self.free_head
        self._said_num_added = self.num_added
        self._said_avail_idx = self.avail_idx
        self._said_avail_flags = self.avail_flags

    def snapshot(self, state: MachineState) -> None:
        """Put the driver's fields and the ring's memory, as it is now, into `state`."""
        fields = state.fields.setdefault(int(self.oid), {})
        fields[int(F_NUM)] = self.num
        fields[int(F_NUM_FREE)] = self.num_free
        fields[int(F_FREE_HEAD)] = self.free_head
        fields[int(F_NUM_ADDED)] = self.num_added
        fields[int(F_LAST_USED_IDX)] = self.last_used_idx
        fields[int(F_AVAIL_FLAGS)] = self.avail_flags
        fields[int(F_AVAIL_IDX)] = self.avail_idx
        fields[int(F_EVENT)] = 1 if self.event else 0
        fields[int(F_INDIRECT)] = 1 if self.indirect else 0
        image = RingImage(self.num, self.desc_gpa, self.avail_gpa, self.used_gpa)
        image.desc = bytearray(self.memory.read(self.desc_gpa, 16 * self.num))
        image.avail = bytearray(self.memory.read(self.avail_gpa, 6 + 2 * self.num))
        image.used = bytearray(self.memory.read(self.used_gpa, 6 + 8 * self.num))
        for head in range(self.num):
            entries = self.table_length[head]
            if entries:
                image.indirect[int(head)] = bytearray(self.memory.read(self.tables_gpa + 16 * self.table_entries * head, 16 * entries))
        state.rings[int(self.oid)] = image
