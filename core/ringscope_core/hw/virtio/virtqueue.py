"""VirtQueue: a virtqueue as the device sees it (QEMU, hw/virtio/virtio.c; virtio 1.x, 2.7), the split layout here, the packed one in `packed`.

While the device runs, the guest in this process does not; so a ring is read once a turn (`GuestMemory.turn`) as two
`bytes` snapshots and parsed in native code, and used elements go out in one slice write when the turn's work is done
(`publish`).  Every index, flag and decision follows QEMU's order; only the moment of the memory writes differs, and
nobody looks in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.strings import BytesWriter, read_i16_le, write_i32_le
from mypy_extensions import i32, i64

from ringscope_core.hw.virtio.chain import available_in_bytes, collect_chain, release_bounce
from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio.features import (
    VIRTIO_NO_VECTOR,
    VIRTIO_PCI_VRING_ALIGN,
    VRING_AVAIL_F_NO_INTERRUPT,
    VRING_USED_F_NO_NOTIFY,
)
from ringscope_core.hw.virtio.packed import (
    EVENT_BYTES,
    is_available,
    packed_avail_bytes,
    packed_available,
    packed_drop_all,
    packed_fill,
    packed_flush,
    packed_pending,
    packed_pop,
    packed_publish,
    packed_rewind_one,
    packed_set_notification,
    packed_should_notify,
)
from ringscope_core.memory.ram import GuestMemory
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import (
    EV_AVAIL_EVENT,
    EV_FILL,
    EV_FLUSH,
    EV_POP,
    EV_SHADOW,
    EV_UNPOP,
    EV_USED_FLAGS,
)
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import SEVERITY_WARNING, EventLog
from ringscope_core.trace.state import (
    F_INUSE,
    F_LAST_AVAIL,
    F_LAST_AVAIL_WRAP,
    F_NOTIFICATION,
    F_SHADOW_AVAIL,
    F_SHADOW_AVAIL_WRAP,
    F_SIGNALLED,
    F_SIGNALLED_VALID,
    F_USED_IDX,
    F_USED_WRAP,
)

if TYPE_CHECKING:
    from ringscope_core.hw.virtio.virtio import VirtIODevice

JUMPED: Final = "avail.idx is further ahead than the ring is long: entries count twice, which QEMU notices on mergeable receive only; virtio 1.x, 2.7.13.3"

F_NUM: Final[i64] = field("VRing.num", "count")
F_NUM_DEFAULT: Final[i64] = field("VRing.num_default", "count")
F_ALIGN: Final[i64] = field("VRing.align", "bytes")
F_DESC: Final[i64] = field("VRing.desc", "gpa")
F_AVAIL: Final[i64] = field("VRing.avail", "gpa")
F_USED: Final[i64] = field("VRing.used", "gpa")
F_VECTOR: Final[i64] = field("VirtQueue.vector", "flags")
F_QUEUE_INDEX: Final[i64] = field("VirtQueue.queue_index", "count")
F_HANDLE_OUTPUT: Final[i64] = field("VirtQueue.handle_output", "str")


class OutputHandler:
    """What a queue does when the driver kicks it (VirtIOHandleOutput)."""

    name: str = ""
    """QEMU's name of the handler."""

    def handle(self, vq: VirtQueue) -> None:
        """The driver notified `vq`."""


@final
class VirtQueue:
    """One virtqueue of a device.  Attribute names are QEMU's; `vring_*` are the fields of its `vring`."""

    def __init__(self, vdev: VirtIODevice, memory: GuestMemory, log: EventLog, index: i64, oid: i64) -> None:
        self.vdev: VirtIODevice = vdev
        self.memory: GuestMemory = memory
        self.log: EventLog = log
        self.queue_index: i64 = index
        self.oid: i64 = oid
        self.counters: RingCounters | None = None
        """Set while the queue exists (vring_num != 0)."""
        self.handle_output: OutputHandler | None = None
        self.vring_num: i64 = 0
        self.vring_num_default: i64 = 0
        self.vring_align: i64 = 0
        self.left_over: bool = False
        """Deleted, with addresses and indices still in it."""
        self.vring_desc: i64 = 0
        self.vring_avail: i64 = 0
        self.vring_used: i64 = 0
        self.last_avail_idx: i64 = 0
        """Next head to pop: free-running 16 bit, or the place in a packed ring."""
        self.last_avail_wrap: bool = True
        """last_avail_wrap_counter; wrap counters have a meaning in packed rings only."""
        self.shadow_avail_idx: i64 = 0
        """avail.idx as last read."""
        self.shadow_avail_wrap: bool = True
        self.used_idx: i64 = 0
        self.used_wrap: bool = True
        self.signalled_used: i64 = 0
        """used.idx at the last decision to notify."""
        self.signalled_used_valid: bool = False
        self.notification: bool = True
        """Whether the device wants to be kicked."""
        self.inuse: i64 = 0
        self.vector: i64 = VIRTIO_NO_VECTOR
        self.mapped_num: i64 = 0
        """Descriptors that QEMU's caches of the ring's memory reach; 0 where vring.caches is NULL."""
        self._told_unmapped: bool = False
        self.self_overlap: bool = False
        """What the device writes into the ring may lie over what it reads of it: nothing may wait, nothing be remembered."""
        # what was read of the ring this turn
        self.avail_turn: i64 = -1
        """The turn in which `avail` was read."""
        self.avail: bytes = b""
        self.desc: bytes = b""
        self.desc_turn: i64 = -1
        """The turn in which `desc` was read."""
        self._flags_turn: i64 = -1
        """Turn in which used.flags was last written."""
        self.used_this_turn: i64 = 0
        """Packed: descriptors that became used since the ring was read."""
        self.filled_descs: i64 = 0
        """Packed: descriptors of the elements that are filled and not flushed."""
        self.first_filled_id: i64 = 0
        """Packed: used_elems[0], the element filled first the last time; no reset clears it."""
        self.first_filled_len: i64 = 0
        self.first_filled_ndescs: i64 = 0
        # used elements that are not in memory yet
        self.pending: BytesWriter = BytesWriter()
        self.pending_num: i64 = 0
        self.pending_slot: i64 = 0
        self._idx_pending: bool = False

    # -- reading the ring ---------------------------------------------------------------------------------------------
    def _refresh(self) -> None:
        """Snapshot the available ring, with used_event behind it, once a turn."""
        memory = self.memory
        length = 6 + 2 * self.vring_num
        used = 6 + 8 * self.vring_num
        if self.mapped_num == 0:
            self._tell_unmapped()
            self.avail = bytes(length)
            self.avail_turn = memory.turn
            self.desc_turn = -1
            return
        if self.vdev.packed:
            packed_publish(self)
            length = EVENT_BYTES
            used = EVENT_BYTES
        self.avail = memory.read(self.vring_avail, length)
        memory.hold(self.vring_avail, length)
        memory.hold(self.vring_used, used)
        self.self_overlap = self.overlaps_itself()
        self.avail_turn = memory.turn

    def _tell_unmapped(self) -> None:
        """The ring is looked at while its memory could not be mapped: 4.1.0 asserts that it is, 7.2 finds it empty."""
        if self.vdev.v7_2 or self._told_unmapped:
            return
        self._told_unmapped = True
        self.vdev.where_qemu_aborts(
            self.oid,
            "Region caches not initialized",
            "QEMU 4.1.0 aborts: a ring whose memory is not mapped is read (vring_get_region_caches, assertion caches != NULL)",
        )

    def avail_flags(self) -> i64:
        """vring_avail_flags."""
        if self.avail_turn != self.memory.turn:
            self._refresh()
        return i64(read_i16_le(self.avail, 0)) & 0xFFFF

    def avail_idx(self) -> i64:
        """vring_avail_idx: reads avail.idx and remembers it in shadow_avail_idx."""
        if self.avail_turn != self.memory.turn:
            self._refresh()
        idx = i64(read_i16_le(self.avail, 2)) & 0xFFFF
        if idx != self.shadow_avail_idx:
            if (idx - self.last_avail_idx) & 0xFFFF > self.vring_num:
                self.vdev.expert(self.oid, SEVERITY_WARNING, JUMPED)
            self.shadow_avail_idx = idx
            if self.log.level >= LEVEL_FULL:
                self.log.emit(EV_SHADOW, self.oid, idx, i64(self.notification))
        return idx

    def used_event(self) -> i64:
        """vring_get_used_event: the driver's event index, behind the available ring."""
        if self.avail_turn != self.memory.turn:
            self._refresh()
        return i64(read_i16_le(self.avail, 4 + 2 * self.vring_num)) & 0xFFFF

    def avail_ring(self, position: i64) -> i64:
        """vring_avail_ring: the head at ring position `position`."""
        if self.avail_turn != self.memory.turn:
            self._refresh()
        return i64(read_i16_le(self.avail, 4 + 2 * position)) & 0xFFFF

    def driver_event_off_wrap(self) -> i64:
        """Packed: where the driver wants to be notified, with the wrap counter in bit 15."""
        if self.avail_turn != self.memory.turn:
            self._refresh()
        return i64(read_i16_le(self.avail, 0)) & 0xFFFF

    def driver_event_flags(self) -> i64:
        """Packed: whether the driver wants to be notified."""
        if self.avail_turn != self.memory.turn:
            self._refresh()
        return i64(read_i16_le(self.avail, 2)) & 0xFFFF

    def descriptors(self) -> bytes:
        """The descriptor table, snapshot once a turn."""
        memory = self.memory
        if self.avail_turn != memory.turn:
            self._refresh()
        if self.desc_turn != memory.turn:
            self.desc_turn = memory.turn
            self.used_this_turn = 0
            # a packed ring goes on behind its end when the driver made it shorter
            length = 16 * max(self.vring_num, self.mapped_num) if self.vdev.packed else 16 * self.vring_num
            if self.vdev.packed or (self.vring_desc >= memory.base and self.vring_desc < memory.end):
                self.desc = memory.read(self.vring_desc, length)
            else:
                self.desc = memory.cached_table(self.vring_desc, length)
            memory.hold(self.vring_desc, length)
        return self.desc

    def forget(self) -> None:
        """Drop what was read this turn: the device wrote where the ring may lie."""
        self.avail_turn = -1
        self.desc_turn = -1

    # -- state the driver set up --------------------------------------------------------------------------------------
    def ready(self) -> bool:
        """virtio_queue_ready: the driver gave the available ring an address."""
        return self.vring_avail != 0

    def empty(self) -> bool:
        """virtio_queue_empty: nothing to pop.  Reads avail.idx only when the shadow says so."""
        vdev = self.vdev
        if vdev.packed:
            # unlike the split one a broken packed queue need not be empty
            return not packed_available(self)
        if vdev.inactive:
            return True
        if self.vring_avail == 0:
            return True
        if self.shadow_avail_idx != self.last_avail_idx:
            return False
        return self.avail_idx() == self.last_avail_idx

    def set_notification(self, enable: bool) -> None:
        """virtio_queue_set_notification: ask for kicks, or for none."""
        changed = self.notification != enable
        self.notification = enable
        full = self.log.level >= LEVEL_FULL
        if self.vring_desc == 0:
            if changed and full:
                self.log.field(self.oid, F_NOTIFICATION, i64(enable), i64(not enable))
            return
        if self.mapped_num == 0:
            if changed and full:
                self.log.field(self.oid, F_NOTIFICATION, i64(enable), i64(not enable))
            self._tell_unmapped()
            return
        if self.vdev.packed:
            if changed or self._flags_turn != self.memory.turn or (enable and self.vdev.event_idx):
                self._flags_turn = self.memory.turn
                packed_set_notification(self, enable)
            return
        if self.vdev.event_idx:
            idx = self.avail_idx()
            if enable:
                self._set_avail_event(idx)
            elif changed and full:
                self.log.emit(EV_SHADOW, self.oid, idx, 0)
            return
        if not changed and self._flags_turn == self.memory.turn and not self.self_overlap:
            return
        self._flags_turn = self.memory.turn
        address = self.vring_used
        flags = self.memory.read_u16(address)
        wanted = flags & ~VRING_USED_F_NO_NOTIFY if enable else flags | VRING_USED_F_NO_NOTIFY
        self.memory.write_u16(address, wanted)
        if self.self_overlap:
            self.forget()
        if full and (changed or wanted != flags):
            self.log.emit(EV_USED_FLAGS, self.oid, wanted, i64(enable))

    def _set_avail_event(self, idx: i64) -> None:
        """vring_set_avail_event: the index at whose publication the driver shall kick, behind the used ring."""
        if not self.notification:
            return
        self.memory.write_u16(self.vring_used + 4 + 8 * self.vring_num, idx)
        if self.self_overlap:
            self.forget()
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_AVAIL_EVENT, self.oid, idx, 1)

    # -- taking elements ----------------------------------------------------------------------------------------------
    def pop(self, elem: VirtQueueElement) -> bool:
        """virtqueue_pop: take the next chain into `elem`; False when there is none or the ring is bad (virtio_error)."""
        vdev = self.vdev
        if vdev.inactive:
            return False
        if vdev.packed:
            return packed_pop(self, elem)
        if self.vring_avail == 0:
            return False
        if self.avail_turn != self.memory.turn:
            self._refresh()
        last = self.last_avail_idx
        if self.shadow_avail_idx == last and self.avail_idx() == last:
            return False
        num = self.vring_num
        if self.inuse >= num:
            vdev.virtio_error("Virtqueue size exceeded")
            return False
        head = i64(read_i16_le(self.avail, 4 + 2 * (last % num))) & 0xFFFF
        self.last_avail_idx = (last + 1) & 0xFFFF
        if head >= num:
            self._lost(last)
            vdev.virtio_error(f"Guest says index {head} is available")
            return False
        if vdev.event_idx and self.notification:
            self._set_avail_event(self.last_avail_idx)
        if num > self.mapped_num:
            self._lost(last)
            vdev.virtio_error("Cannot map descriptor ring" if self.mapped_num else "Region caches not initialized")
            return False
        if self.desc_turn != self.memory.turn:
            self.descriptors()
        if not collect_chain(vdev, self.memory, elem, self.desc, num, head):
            self._lost(last)
            return False
        elem.index = head
        self.inuse += 1
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_POP, self.oid, head, self.last_avail_idx, self.shadow_avail_idx, elem.out_num, elem.in_num, self.inuse)
        return True

    def _lost(self, old_last_avail_idx: i64) -> None:
        """A pop that failed has moved last_avail_idx all the same."""
        self.log.field(self.oid, F_LAST_AVAIL, self.last_avail_idx, old_last_avail_idx)

    def unpop(self, elem: VirtQueueElement) -> None:
        """virtqueue_unpop: give the element back as if it had not been taken."""
        if self.vdev.packed:
            packed_rewind_one(self)
        else:
            self.last_avail_idx = (self.last_avail_idx - 1) & 0xFFFF
        self.detach(elem)

    def detach(self, elem: VirtQueueElement) -> None:
        """virtqueue_detach_element: forget an element without using it."""
        self.inuse = (self.inuse - (elem.ndescs if self.vdev.packed else 1)) & 0xFFFFFFFF
        release_bounce(self.memory, elem)
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_UNPOP, self.oid, self.last_avail_idx, self.inuse)

    def avail_bytes(self, in_bytes: i64) -> bool:
        """virtqueue_avail_bytes: whether the published chains offer `in_bytes` writable bytes."""
        return in_bytes <= self.get_avail_bytes(in_bytes)

    def get_avail_bytes(self, enough: i64) -> i64:
        """virtqueue_get_avail_bytes, writable bytes only; stops counting at `enough`, 0 after virtio_error."""
        if self.vring_desc == 0:
            return 0
        return packed_avail_bytes(self, enough) if self.vdev.packed else available_in_bytes(self, enough)

    def moved_since(self, seen: i64) -> bool:
        """virtio_queue_poll: whether the driver has published more than when shadow_avail_idx was `seen`."""
        if self.vdev.inactive:
            return False
        if self.vdev.packed:
            return seen < max(self.vring_num, self.mapped_num) and is_available(i64(read_i16_le(self.descriptors(), 16 * seen + 14)), self.shadow_avail_wrap)
        return self.vring_avail != 0 and self.avail_idx() != seen

    # -- giving elements back -----------------------------------------------------------------------------------------
    def fill(self, elem: VirtQueueElement, length: i64, ahead: i64) -> None:
        """virtqueue_fill: element `ahead` places after used_idx, with `length` bytes written.  Not visible before `flush`."""
        if elem.bounced:
            release_bounce(self.memory, elem)
        if self.vdev.packed:
            packed_fill(self, elem.index, length, elem.ndescs)
            return
        self.fill_head(elem.index, length, ahead, elem.ndescs)

    def fill_head(self, head: i64, length: i64, ahead: i64, ndescs: i64) -> None:
        """`fill` for an element of which only head and number of ring descriptors were kept.  Consecutive calls must have consecutive places."""
        if self.vdev.packed:
            packed_fill(self, head, length, ndescs)
            return
        if self.vdev.inactive or self.vring_used == 0:
            return
        if self.pending_num == 0:
            self.pending_slot = (self.used_idx + ahead) % self.vring_num
        self.pending_num += 1
        write_i32_le(self.pending, i32(head))
        write_i32_le(self.pending, i32(length))
        counters = self.counters
        if counters is not None:
            counters.used_ns[head] = self.log.clock.now_ns
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_FILL, self.oid, (self.used_idx + ahead) % self.vring_num, head, length)

    def flush(self, count: i64) -> None:
        """virtqueue_flush: `count` filled elements become used."""
        if self.vdev.inactive:
            self.filled_descs = 0
            old_inuse = self.inuse
            self.inuse = (old_inuse - count) & 0xFFFFFFFF
            self.log.field(self.oid, F_INUSE, self.inuse, old_inuse)
            return
        if self.vdev.packed:
            packed_flush(self, count)
            return
        if self.vring_used == 0:
            return
        old = self.used_idx
        new = (old + count) & 0xFFFF
        self.used_idx = new
        self.inuse = (self.inuse - count) & 0xFFFFFFFF
        self._idx_pending = True
        # int16_t against uint16_t, both promoted to int
        distance = (new - self.signalled_used) & 0xFFFF
        if distance >= 0x8000:
            distance -= 0x10000
        if distance < (new - old) & 0xFFFF:
            self.signalled_used_valid = False
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_FLUSH, self.oid, new, count, self.inuse, i64(self.signalled_used_valid))
        if self.self_overlap:
            self.publish()

    def push(self, elem: VirtQueueElement, length: i64) -> None:
        """virtqueue_push: fill and flush one element."""
        if elem.bounced:
            release_bounce(self.memory, elem)
        vdev = self.vdev
        if vdev.packed and not vdev.inactive:
            packed_fill(self, elem.index, length, elem.ndescs)
            packed_flush(self, 1)
            return
        self.fill_head(elem.index, length, 0, elem.ndescs)
        self.flush(1)

    def publish(self) -> None:
        """Write the used elements and used.idx of this turn to guest memory."""
        if self.vdev.packed:
            packed_publish(self)
            return
        if self.pending_num:
            data = self.pending.getvalue()
            self.pending = BytesWriter()
            room = self.vring_num - self.pending_slot
            base = self.vring_used + 4
            start: i64 = 0
            slot = self.pending_slot
            left = self.pending_num
            self.pending_num = 0
            if self.vring_used < self.memory.base and self.memory.region_at(self.vring_used) is None or self.vring_used >= self.memory.end:
                self._publish_nowhere(data, left)
                left = 0
            while left > 0:
                n = min(left, room)
                if start == 0 and n == left:
                    self.memory.write(base + 8 * slot, data)
                else:
                    self.memory.write(base + 8 * slot, data[start : start + 8 * n])
                start += 8 * n
                left -= n
                slot = 0
                room = self.vring_num
        if self._idx_pending:
            self._idx_pending = False
            self.memory.write_u16(self.vring_used + 2, self.used_idx)
            counters = self.counters
            if counters is not None:
                counters.batches += 1
            if self.self_overlap:
                self.forget()

    def _publish_nowhere(self, data: bytes, count: i64) -> None:
        """The used ring is not RAM: each element by itself, as QEMU writes them."""
        slot = self.pending_slot
        place: i64 = 0
        while place < count:
            self.memory.cached_write(self.vring_used, 4 + 8 * slot, data[8 * place : 8 * place + 8])
            place += 1
            slot += 1
            if slot == self.vring_num:
                slot = 0
        self.forget()

    def overlaps_itself(self) -> bool:
        """Whether the used ring lies over the descriptors or the available ring (a hostile driver's layout)."""
        num = self.vring_num
        low = self.vring_used
        if self.vdev.packed:
            end = self.vring_desc + 16 * num
            apart = low - self.vring_avail
            if apart < EVENT_BYTES and apart > -EVENT_BYTES:
                return True
            return (low < end and low + EVENT_BYTES > self.vring_desc) or (self.vring_avail < end and self.vring_avail + EVENT_BYTES > self.vring_desc)
        high = low + 6 + 8 * num
        return (low < self.vring_desc + 16 * num and high > self.vring_desc) or (low < self.vring_avail + 6 + 2 * num and high > self.vring_avail)

    def drop_all(self) -> i64:
        """virtqueue_drop_all: use every available element unread; returns how many."""
        dropped: i64 = 0
        if self.vdev.inactive:
            return 0
        if self.vdev.packed:
            return packed_drop_all(self)
        while not self.empty() and self.inuse < self.vring_num:
            last = self.last_avail_idx
            head = self.avail_ring(last % self.vring_num)
            if head >= self.vring_num:
                self.vdev.virtio_error(f"Guest says index {head} is available")
                break
            self.inuse += 1
            self.last_avail_idx = (last + 1) & 0xFFFF
            if self.log.level >= LEVEL_FULL:
                self.log.emit(EV_POP, self.oid, head, self.last_avail_idx, self.shadow_avail_idx, 0, 0, self.inuse)
            if self.vdev.event_idx:
                self._set_avail_event(self.last_avail_idx)
            self.fill_head(head, 0, 0, 1)
            self.flush(1)
            dropped += 1
        self.publish()
        return dropped

    # -- notifying ----------------------------------------------------------------------------------------------------
    def should_notify(self) -> bool:
        """virtio_should_notify (virtio 1.x, 2.7.7 and 2.7.10); updates signalled_used."""
        vdev = self.vdev
        if vdev.packed:
            return packed_should_notify(self)
        if vdev.notify_on_empty and self.inuse == 0 and self.empty():
            return True
        if self.vring_avail == 0:
            return False
        if not vdev.event_idx:
            return self.avail_flags() & VRING_AVAIL_F_NO_INTERRUPT == 0
        valid = self.signalled_used_valid
        self.signalled_used_valid = True
        old = self.signalled_used
        new = self.used_idx
        self.signalled_used = new
        if not valid:
            return True
        # vring_need_event
        return (new - self.used_event() - 1) & 0xFFFF < (new - old) & 0xFFFF

    # -- life ---------------------------------------------------------------------------------------------------------
    def reset(self) -> None:
        """What virtio_reset does to a queue.  The size goes back to its default; the queue goes on existing."""
        log = self.log
        oid = self.oid
        log.field(oid, F_DESC, 0, self.vring_desc)
        log.field(oid, F_AVAIL, 0, self.vring_avail)
        log.field(oid, F_USED, 0, self.vring_used)
        log.field(oid, F_NUM, self.vring_num_default, self.vring_num)
        log.field(oid, F_VECTOR, VIRTIO_NO_VECTOR, self.vector)
        log.field(oid, F_LAST_AVAIL, 0, self.last_avail_idx)
        log.field(oid, F_SHADOW_AVAIL, 0, self.shadow_avail_idx)
        log.field(oid, F_USED_IDX, 0, self.used_idx)
        log.field(oid, F_SIGNALLED, 0, self.signalled_used)
        log.field(oid, F_SIGNALLED_VALID, 0, i64(self.signalled_used_valid))
        log.field(oid, F_NOTIFICATION, 1, i64(self.notification))
        log.field(oid, F_INUSE, 0, self.inuse)
        log.field(oid, F_LAST_AVAIL_WRAP, 1, i64(self.last_avail_wrap))
        log.field(oid, F_SHADOW_AVAIL_WRAP, 1, i64(self.shadow_avail_wrap))
        log.field(oid, F_USED_WRAP, 1, i64(self.used_wrap))
        self.clear()

    def clear(self) -> None:
        """The same off the record, for a queue that does not exist."""
        self.left_over = False
        self._reset_wrap()
        self.vring_desc = 0
        self.vring_avail = 0
        self.vring_used = 0
        self.vring_num = self.vring_num_default
        self.vector = VIRTIO_NO_VECTOR
        self.last_avail_idx = 0
        self.shadow_avail_idx = 0
        self.used_idx = 0
        self.signalled_used = 0
        self.signalled_used_valid = False
        self.notification = True
        self.inuse = 0
        self.delete(True)

    def delete(self, unmap: bool) -> None:
        """Forget what was read of the ring, and what is to be written."""
        if unmap:
            self.mapped_num = 0
            self._told_unmapped = False
        self.avail_turn = -1
        self.desc_turn = -1
        self._flags_turn = -1
        self.pending = BytesWriter()
        self.pending_num = 0
        self._idx_pending = False

    def _reset_wrap(self) -> None:
        """Wrap counters and what else packed rings have."""
        self.last_avail_wrap = True
        self.shadow_avail_wrap = True
        self.used_wrap = True
        self.filled_descs = 0
        self.used_this_turn = 0

    def snapshot(self, fields: dict[int, int]) -> None:
        """Every field that this queue logs, as it stands."""
        fields[F_NUM] = self.vring_num
        fields[F_NUM_DEFAULT] = self.vring_num_default
        fields[F_ALIGN] = self.vring_align
        fields[F_DESC] = self.vring_desc
        fields[F_AVAIL] = self.vring_avail
        fields[F_USED] = self.vring_used
        fields[F_VECTOR] = self.vector
        fields[F_QUEUE_INDEX] = self.queue_index
        handler = self.handle_output
        fields[F_HANDLE_OUTPUT] = self.log.text(handler.name) if handler is not None else 0
        fields[F_LAST_AVAIL] = self.last_avail_idx
        fields[F_SHADOW_AVAIL] = self.shadow_avail_idx
        fields[F_USED_IDX] = self.used_idx
        fields[F_SIGNALLED] = self.signalled_used
        fields[F_SIGNALLED_VALID] = int(self.signalled_used_valid)
        fields[F_NOTIFICATION] = int(self.notification)
        fields[F_INUSE] = self.inuse
        fields[F_LAST_AVAIL_WRAP] = int(self.last_avail_wrap)
        fields[F_SHADOW_AVAIL_WRAP] = int(self.shadow_avail_wrap)
        fields[F_USED_WRAP] = int(self.used_wrap)

    def sample(self) -> None:
        """Bring the level columns of the counters up to date."""
        counters = self.counters
        if counters is None:
            return
        counters.num = self.vring_num
        counters.inuse = self.inuse
        if self.vdev.packed:
            counters.available = packed_pending(self)
        elif self.vring_avail:
            counters.available = (self.memory.read_u16(self.vring_avail + 2) - self.last_avail_idx) & 0xFFFF
        else:
            counters.available = 0


def create_queue(vq: VirtQueue, size: i64, handler: OutputHandler, counters: RingCounters) -> None:
    """Give an absent queue its size and handler (the middle of virtio_add_queue)."""
    log = vq.log
    vq.vring_num = size
    vq.vring_num_default = size
    vq.vring_align = VIRTIO_PCI_VRING_ALIGN
    vq.left_over = False
    vq.handle_output = handler
    vq.counters = counters
    log.field(vq.oid, F_NUM, size, 0)
    log.field(vq.oid, F_NUM_DEFAULT, size, 0)
    log.field(vq.oid, F_ALIGN, VIRTIO_PCI_VRING_ALIGN, 0)
    log.field(vq.oid, F_QUEUE_INDEX, vq.queue_index, 0)
    log.field(vq.oid, F_HANDLE_OUTPUT, log.text(handler.name), 0)
    # what a queue of this number had before it was deleted, it has again
    log.field(vq.oid, F_DESC, vq.vring_desc, 0)
    log.field(vq.oid, F_AVAIL, vq.vring_avail, 0)
    log.field(vq.oid, F_USED, vq.vring_used, 0)
    log.field(vq.oid, F_VECTOR, vq.vector, 0)
    log.field(vq.oid, F_LAST_AVAIL, vq.last_avail_idx, 0)
    log.field(vq.oid, F_SHADOW_AVAIL, vq.shadow_avail_idx, 0)
    log.field(vq.oid, F_USED_IDX, vq.used_idx, 0)
    log.field(vq.oid, F_SIGNALLED, vq.signalled_used, 0)
    log.field(vq.oid, F_SIGNALLED_VALID, i64(vq.signalled_used_valid), 0)
    log.field(vq.oid, F_NOTIFICATION, i64(vq.notification), 0)
    log.field(vq.oid, F_INUSE, vq.inuse, 0)
    log.field(vq.oid, F_LAST_AVAIL_WRAP, i64(vq.last_avail_wrap), 0)
    log.field(vq.oid, F_SHADOW_AVAIL_WRAP, i64(vq.shadow_avail_wrap), 0)
    log.field(vq.oid, F_USED_WRAP, i64(vq.used_wrap), 0)


def delete_queue(vq: VirtQueue) -> None:
    """virtio_del_queue: the queue no longer exists.  Its addresses and indices stay, for the next one of its number; 7.2 forgets where they are mapped."""
    vq.delete(vq.vdev.v7_2)
    vq.left_over = True
    vq.vring_num = 0
    vq.vring_num_default = 0
    vq.handle_output = None
    vq.counters = None
