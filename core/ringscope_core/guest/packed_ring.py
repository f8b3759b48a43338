"""A packed virtqueue from the driver's side (Linux: drivers/virtio/virtio_ring.c, packed layout; virtio 1.1, 2.7).

One ring of descriptors that driver and device write in turn, round and round.  A descriptor is available when its AVAIL bit equals the
driver's wrap counter and its USED bit does not; it is used when both equal the device's.  A buffer's id is the driver's own number: it
comes back in one used descriptor, wherever that stands, and is given out again after.

Descriptors are gathered and reach the ring in one slice write a batch, so that the flags of the batch's first one are seen last; used
descriptors are read in slices.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import BytesWriter, read_i16_le, read_i32_le, read_i64_le, write_i16_le, write_i32_le, write_i64_le
from librt.vecs import vec
from mypy_extensions import i16, i32, i64

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
from ringscope_core.trace.kinds import EV_DESC_WRITE, EV_DRIVER_EVENT, EV_RING_RESET, EV_USED_TAKE
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.state import MachineState, RingImage

DESC_AVAIL: Final[i64] = 0x80
DESC_USED: Final[i64] = 0x8000

EVENT_ENABLE: Final[i64] = 0
EVENT_DISABLE: Final[i64] = 1
EVENT_DESC: Final[i64] = 2
"""Flags of an event suppression structure; DESC names a descriptor and needs VIRTIO_F_EVENT_IDX."""
WRAP_BIT: Final[i64] = 15
OFFSET_MASK: Final[i64] = 0x7FFF

SLICE: Final[i64] = 32
"""Descriptors read at once when looking for used ones."""

F_PACKED: Final[i64] = field("vring_virtqueue.packed", "bool")
F_NEXT_AVAIL: Final[i64] = field("vring_virtqueue.next_avail_idx", "slot")
F_AVAIL_WRAP: Final[i64] = field("vring_virtqueue.avail_wrap_counter", "bool")
F_USED_WRAP: Final[i64] = field("vring_virtqueue.used_wrap_counter", "bool")
F_EVENT_FLAGS: Final[i64] = field("vring_virtqueue.event_flags_shadow", "flags")


def packed_ring_bytes(num: i64) -> i64:
    """Bytes of a packed ring of `num` descriptors with both event suppression structures behind it."""
    return 16 * num + 8


@final
class PackedRing(Virtqueue):
    """One packed virtqueue as its driver keeps it."""

    def __init__(self, memory: GuestMemory, log: EventLog, counters: RingCounters, oid: i64, index: i64, num: i64, gpa: i64, mode: RingMode) -> None:
        """`gpa`: zeroed pages of `packed_ring_bytes(num)`; `num` may be any number up to 32768."""
        super().__init__(memory, log, counters, oid, index, num, gpa, gpa + 16 * num, gpa + 16 * num + 4, packed_ring_bytes(num))
        self.set_mode(mode)
        n: int = num
        self.next_avail_idx: i64 = 0
        self.avail_wrap: i64 = 1
        self.used_wrap: i64 = 1
        self.event_flags: i64 = EVENT_ENABLE
        """Linux's event_flags_shadow: what the driver's event suppression structure holds."""
        self.event_off_wrap: i64 = 0
        self._free_ids: i64 = num
        """A buffer of several descriptors takes one id, so there may be free ids when no descriptor is."""
        # descriptors gathered for the next publish, and where the first of them goes
        self._pending: BytesWriter = BytesWriter()
        self._pending_count: i64 = 0
        self._pending_at: i64 = 0
        self._pending_buffers: i64 = 0
        # where the driver looks for used descriptors next; ahead of last_used_idx while a snapshot is being taken
        self._scan_idx: i64 = 0
        self._scan_wrap: i64 = 1
        # the used elements of the present snapshot
        self._ids: vec[i64] = vec[i64]([0] * n)
        self._lens: vec[i64] = vec[i64]([0] * n)
        self._element: i64 = 0
        self._element_count: i64 = 0
        # what the log said last
        self._said_num_free: i64 = 0
        self._said_free_head: i64 = 0
        self._said_num_added: i64 = 0
        self._said_next_avail: i64 = 0
        self._said_avail_wrap: i64 = 0
        self._said_used_wrap: i64 = 0
        self._said_event_flags: i64 = 0
        self._announce()

    # -- life ---------------------------------------------------------------------------------------------------------
    def _announce(self) -> None:
        log = self.log
        self.counters.num = self.num
        log.emit(EV_RING_RESET, self.oid, self.num, self.desc_gpa, self.avail_gpa, self.used_gpa, 1)
        log.field(self.oid, F_NUM, self.num, 0)
        log.field(self.oid, F_PACKED, 1, 0)
        log.field(self.oid, F_EVENT, 1 if self.event else 0, 0)
        log.field(self.oid, F_INDIRECT, 1 if self.indirect else 0, 0)
        log.field(self.oid, F_NUM_FREE, self.num_free, 0)
        log.field(self.oid, F_AVAIL_WRAP, self.avail_wrap, 0)
        log.field(self.oid, F_USED_WRAP, self.used_wrap, 0)
        self._said_num_free = self.num_free
        self._said_avail_wrap = self.avail_wrap
        self._said_used_wrap = self.used_wrap

    def release(self) -> None:
        log = self.log
        log.emit(EV_RING_RESET, self.oid, 0, 0, 0, 0)
        log.field(self.oid, F_NUM, 0, self.num)
        log.field(self.oid, F_PACKED, 0, 1)
        log.field(self.oid, F_EVENT, 0, 1 if self.event else 0)
        log.field(self.oid, F_INDIRECT, 0, 1 if self.indirect else 0)
        log.field(self.oid, F_NUM_FREE, 0, self._said_num_free)
        log.field(self.oid, F_FREE_HEAD, 0, self._said_free_head)
        log.field(self.oid, F_NUM_ADDED, 0, self._said_num_added)
        log.field(self.oid, F_NEXT_AVAIL, 0, self._said_next_avail)
        log.field(self.oid, F_AVAIL_WRAP, 0, self._said_avail_wrap)
        log.field(self.oid, F_USED_WRAP, 0, self._said_used_wrap)
        log.field(self.oid, F_EVENT_FLAGS, 0, self._said_event_flags)
        log.field(self.oid, F_LAST_USED_IDX, 0, self.last_used_idx)

    # -- posting ------------------------------------------------------------------------------------------------------
    def add(self, addr: i64, length: i64, flags: i64) -> i64:
        if self.num_free == 0:
            self.counters.ring_full += 1
            return -1
        ident = self._new_id(1)
        self._put(addr, length, flags, ident)
        self._pending_buffers += 1
        if self.order is not None:
            self.order.posted(ident, length if flags else 0)
        return ident

    def add_chain(self) -> i64:
        count = self._seg_count
        self._seg_count = 0
        if count == 1:
            return self.add(self._seg_addr[0], self._seg_len[0], self._seg_flags[0])
        if self.indirect and self.tables_gpa and count <= self.table_entries and self.num_free:
            ident = self._add_indirect(count)
        elif self.num_free < count:
            self.counters.ring_full += 1
            return -1
        else:
            ident = self._new_id(count)
            for place in range(count):
                flags = self._seg_flags[place]
                if place + 1 < count:
                    flags |= DESC_NEXT
                # the id belongs into the last one; every descriptor carries it, as devices look at either end
                self._put(self._seg_addr[place], self._seg_len[place], flags, ident)
        self._pending_buffers += 1
        if self.order is not None:
            self.order.posted(ident, self._written(count))
        return ident

    def _add_indirect(self, count: i64) -> i64:
        """A table's entries are linked by their order alone (virtio 1.1, 2.7.7)."""
        ident = self._new_id(1)
        table = self.tables_gpa + 16 * self.table_entries * ident
        writer = BytesWriter()
        for place in range(count):
            write_i64_le(writer, self._seg_addr[place])
            write_i32_le(writer, i32(self._seg_len[place]))
            write_i16_le(writer, 0)
            write_i16_le(writer, i16(self._seg_flags[place]))
        self.memory.write(table, writer.getvalue())
        if self.log.level >= LEVEL_FULL:
            self._log_table(ident, count, False)
        self.table_length[ident] = count
        self._put(table, 16 * count, DESC_INDIRECT, ident)
        return ident

    def _new_id(self, descriptors: i64) -> i64:
        """An id for a buffer of that many descriptors."""
        ident = self.free_head
        self.free_head = self.next[ident]
        self._free_ids -= 1
        self.num_free -= descriptors
        self.chain_length[ident] = descriptors
        self.posted_ns[ident] = self.clock.now_ns
        return ident

    def _put(self, addr: i64, length: i64, flags: i64, ident: i64) -> None:
        """One more descriptor, with the bits that make it available."""
        writer = self._pending
        write_i64_le(writer, addr)
        write_i32_le(writer, i32(length))
        write_i16_le(writer, i16(ident))
        bits = flags | (DESC_AVAIL if self.avail_wrap else DESC_USED)
        write_i16_le(writer, i16(bits - 0x10000 if bits & 0x8000 else bits))
        self._pending_count += 1
        self.next_avail_idx += 1
        if self.next_avail_idx == self.num:
            self.next_avail_idx = 0
            self.avail_wrap ^= 1

    def publish(self) -> i64:
        """Write the gathered descriptors; what lies behind the ring's end first, so that the batch's first flags come last."""
        count = self._pending_count
        if count == 0:
            return 0
        data = self._pending.getvalue()
        self._pending.truncate(0)
        self._pending_count = 0
        buffers = self._pending_buffers
        self._pending_buffers = 0
        slot = self._pending_at
        room = self.num - slot
        if count <= room:
            self.memory.write(self.desc_gpa + 16 * slot, data)
        else:
            self.memory.write(self.desc_gpa, data[16 * room :])
            self.memory.write(self.desc_gpa + 16 * slot, data[: 16 * room])
        self._pending_at = self.next_avail_idx
        self.num_added = (self.num_added + count) & 0xFFFF
        self.memory.turn += 1
        if self.log.level >= LEVEL_FULL:
            self._log_published(data, slot, count)
        self._say()
        return buffers

    def _log_published(self, data: bytes, slot: i64, count: i64) -> None:
        for place in range(count):
            at = 16 * place
            index = slot + place
            if index >= self.num:
                index -= self.num
            length, ident = i64(read_i32_le(data, at + 8)) & 0xFFFFFFFF, i64(read_i16_le(data, at + 12)) & 0xFFFF
            flags = i64(read_i16_le(data, at + 14)) & 0xFFFF
            self.published_seq = self.log.emit(EV_DESC_WRITE, self.oid, index, read_i64_le(data, at), length, flags, ident)

    def kick_prepare(self) -> bool:
        if self.num_added == 0:
            return False
        new = self.next_avail_idx
        old = new - self.num_added
        self.num_added = 0
        off_wrap = self.memory.read_u16(self.used_gpa)
        flags = self.memory.read_u16(self.used_gpa + 2) & 3
        if flags == EVENT_DESC:
            event = off_wrap & OFFSET_MASK
            if off_wrap >> WRAP_BIT != self.avail_wrap:
                event -= self.num
            wanted = vring_need_event(event & 0xFFFF, new, old & 0xFFFF)
        else:
            wanted = flags != EVENT_DISABLE
        if not wanted:
            self._suppressed()
        self._say()
        return wanted

    # -- taking back --------------------------------------------------------------------------------------------------
    def _is_used(self, slot: i64, wrap: i64) -> bool:
        flags = self.memory.read_u16(self.desc_gpa + 16 * slot + 14)
        return flags >> 7 & 1 == wrap and flags >> 15 & 1 == wrap

    def more_used(self) -> bool:
        return self._is_used(self.last_used_idx, self.used_wrap)

    def begin_take(self, budget: i64) -> i64:
        self._element = 0
        self._element_count = 0
        if self.broken:
            return 0
        if self.order is not None:
            return self._begin_in_order(budget)
        self._scan_idx = self.last_used_idx
        self._scan_wrap = self.used_wrap
        if budget > self.num:
            budget = self.num
        count: i64 = 0
        data = b""
        base: i64 = 0
        end: i64 = 0
        while count < budget:
            slot = self._scan_idx
            if slot < base or slot >= end:
                base = slot
                end = min(slot + SLICE, self.num)
                data = self.memory.read(self.desc_gpa + 16 * base, 16 * (end - base))
            at = 16 * (slot - base)
            flags = i64(read_i16_le(data, at + 14))
            if flags >> 7 & 1 != self._scan_wrap or flags >> 15 & 1 != self._scan_wrap:
                break
            ident = i64(read_i16_le(data, at + 12)) & 0xFFFF
            self._ids[count] = ident
            self._lens[count] = i64(read_i32_le(data, at + 8)) & 0xFFFFFFFF
            count += 1
            if ident >= self.num or self.chain_length[ident] == 0:
                break
            self._pass(self.chain_length[ident])
        self._element_count = count
        return count

    def _pass(self, descriptors: i64) -> None:
        """Look on behind a buffer of that many descriptors."""
        self._scan_idx += descriptors
        if self._scan_idx >= self.num:
            self._scan_idx -= self.num
            self._scan_wrap ^= 1

    def _begin_in_order(self, budget: i64) -> i64:
        """A used descriptor stands at the first place of its batch; the batch's others stay as they are."""
        order = self.order
        assert order is not None
        while self._is_used(self._scan_idx, self._scan_wrap) and order.done < order.end:
            data = self.memory.read(self.desc_gpa + 16 * self._scan_idx, 16)
            ident = i64(read_i16_le(data, 12)) & 0xFFFF
            number = order.done
            count = order.complete(ident, i64(read_i32_le(data, 8)) & 0xFFFFFFFF)
            if count == 0:
                self._bad_element(ident)
                return 0
            while number < order.done:
                self._pass(self.chain_length[order.ids[number % self.num]])
                number += 1
        self._element_count = min(budget, order.done - order.first)
        return self._element_count

    def take(self) -> i64:
        if self._element >= self._element_count and self.begin_take(self.num) == 0:
            return -1
        order = self.order
        if order is not None:
            ident = order.ids[order.first % self.num]
            length = order.lengths[order.first % self.num]
            order.first += 1
        else:
            ident = self._ids[self._element]
            length = self._lens[self._element]
        self._element += 1
        if ident >= self.num or self.chain_length[ident] == 0:
            self._element_count = 0
            self._bad_element(ident)
            return -1
        self.taken_len = length
        self.last_used_idx += self.chain_length[ident]
        if self.last_used_idx >= self.num:
            self.last_used_idx -= self.num
            self.used_wrap ^= 1
            # with the place it belongs to, and not only when the batch is done
            if self.log.level >= LEVEL_FULL:
                self.log.field(self.oid, F_USED_WRAP, self.used_wrap, self._said_used_wrap)
            self._said_used_wrap = self.used_wrap
        self._free_id(ident)
        used_ns = self.counters.used_ns[ident & 1023]
        self.counters.latency.add(self.clock.now_ns - used_ns if self.inbound else used_ns - self.posted_ns[ident])
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_USED_TAKE, self.oid, ident, self.last_used_idx, length, self.num_free)
            self._said_num_free = self.num_free
        return ident

    def _free_id(self, ident: i64) -> None:
        """The id may be given out again: next, or after all that are free (`RingMode.fifo`)."""
        if self.fifo:
            self.next[self.free_tail] = ident
            self.free_tail = ident
            if self._free_ids == 0:
                self.free_head = ident
        else:
            self.next[ident] = self.free_head
            self.free_head = ident
        self._free_ids += 1
        self.num_free += self.chain_length[ident]
        self.chain_length[ident] = 0
        self.table_length[ident] = 0

    def end_take(self) -> None:
        if self.event_flags == EVENT_DESC:
            self._write_event(self.last_used_idx | self.used_wrap << WRAP_BIT, EVENT_DESC)
        self._say()

    # -- interrupts wanted --------------------------------------------------------------------------------------------
    def disable_cb(self) -> None:
        if self.event_flags != EVENT_DISABLE:
            self._write_event(self.event_off_wrap, EVENT_DISABLE)
            self._say()

    def enable_cb_prepare(self) -> i64:
        mark = self.last_used_idx | self.used_wrap << WRAP_BIT
        self._want(mark)
        return mark

    def poll(self, mark: i64) -> bool:
        return self._is_used(mark & OFFSET_MASK, mark >> WRAP_BIT)

    def enable_cb_delayed(self) -> bool:
        at = self.last_used_idx + (self.num - self.num_free) * 3 // 4
        wrap = self.used_wrap
        if at >= self.num:
            at -= self.num
            wrap ^= 1
        self._want(at | wrap << WRAP_BIT)
        return not self.more_used()

    def _want(self, off_wrap: i64) -> None:
        """Interrupts: at a descriptor with the event index, else at each."""
        if self.event:
            self._write_event(off_wrap, EVENT_DESC)
        elif self.event_flags != EVENT_ENABLE:
            self._write_event(self.event_off_wrap, EVENT_ENABLE)
        self._say()

    def _write_event(self, off_wrap: i64, flags: i64) -> None:
        """The driver's event suppression structure: the offset first, then the flags that make it count."""
        memory = self.memory
        if off_wrap != self.event_off_wrap:
            memory.write_u16(self.avail_gpa, off_wrap)
            self.event_off_wrap = off_wrap
        if flags != self.event_flags:
            memory.write_u16(self.avail_gpa + 2, flags)
            self.event_flags = flags
        memory.turn += 1
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_DRIVER_EVENT, self.oid, off_wrap, flags)

    # -- what the log and keyframes say -------------------------------------------------------------------------------
    def _say(self) -> None:
        """Record the driver's own numbers that moved; the last values are kept at every level, so that raising the level is safe."""
        if self.log.level >= LEVEL_FULL:
            log = self.log
            log.field(self.oid, F_NUM_FREE, self.num_free, self._said_num_free)
            log.field(self.oid, F_FREE_HEAD, self.free_head, self._said_free_head)
            log.field(self.oid, F_NUM_ADDED, self.num_added, self._said_num_added)
            log.field(self.oid, F_NEXT_AVAIL, self.next_avail_idx, self._said_next_avail)
            log.field(self.oid, F_AVAIL_WRAP, self.avail_wrap, self._said_avail_wrap)
            log.field(self.oid, F_USED_WRAP, self.used_wrap, self._said_used_wrap)
            log.field(self.oid, F_EVENT_FLAGS, self.event_flags, self._said_event_flags)
        self._said_num_free = self.num_free
        self._said_free_head = self.free_head
        self._said_num_added = self.num_added
        self._said_next_avail = self.next_avail_idx
        self._said_avail_wrap = self.avail_wrap
        self._said_used_wrap = self.used_wrap
        self._said_event_flags = self.event_flags

    def snapshot(self, state: MachineState) -> None:
        fields = state.fields.setdefault(int(self.oid), {})
        fields[int(F_NUM)] = self.num
        fields[int(F_PACKED)] = 1
        fields[int(F_NUM_FREE)] = self.num_free
        fields[int(F_FREE_HEAD)] = self.free_head
        fields[int(F_NUM_ADDED)] = self.num_added
        fields[int(F_LAST_USED_IDX)] = self.last_used_idx
        fields[int(F_NEXT_AVAIL)] = self.next_avail_idx
        fields[int(F_AVAIL_WRAP)] = self.avail_wrap
        fields[int(F_USED_WRAP)] = self.used_wrap
        fields[int(F_EVENT_FLAGS)] = self.event_flags
        fields[int(F_EVENT)] = 1 if self.event else 0
        fields[int(F_INDIRECT)] = 1 if self.indirect else 0
        image = RingImage(self.num, self.desc_gpa, self.avail_gpa, self.used_gpa, True)
        image.desc = bytearray(self.memory.read(self.desc_gpa, 16 * self.num))
        image.avail = bytearray(self.memory.read(self.avail_gpa, 4))
        image.used = bytearray(self.memory.read(self.used_gpa, 4))
        for ident in range(self.num):
            entries = self.table_length[ident]
            if entries:
                image.indirect[int(ident)] = bytearray(self.memory.read(self.tables_gpa + 16 * self.table_entries * ident, 16 * entries))
        state.rings[int(self.oid)] = image
