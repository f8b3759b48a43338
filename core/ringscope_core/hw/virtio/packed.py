"""The packed ring's half of VirtQueue (QEMU 7.2, hw/virtio/virtio.c; virtio 1.1, 2.7).

`VirtQueue` decides once a call which layout the driver negotiated and comes here for the packed one.  As with split rings the
descriptor ring is read once a turn and used descriptors go out in few slice writes.  Indices run from 0 to num - 1, each with a wrap
counter that flips at the end of the ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.strings import BytesWriter, read_i16_le, read_i32_le, read_i64_le, write_i64_le
from mypy_extensions import i64

from ringscope_core.hw.virtio.chain import REACH, map_descriptor, release_bounce, table_maps
from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio.features import VRING_DESC_F_INDIRECT, VRING_DESC_F_NEXT, VRING_DESC_F_WRITE
from ringscope_core.trace.kinds import EV_DEVICE_EVENT, EV_FILL, EV_FLUSH, EV_POP, EV_SHADOW, EV_USED_DESC
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.state import F_LAST_AVAIL_WRAP, F_SHADOW_AVAIL_WRAP, F_USED_WRAP

if TYPE_CHECKING:
    from ringscope_core.hw.virtio.virtqueue import VirtQueue

VRING_PACKED_DESC_F_AVAIL: Final[i64] = 0x80
VRING_PACKED_DESC_F_USED: Final[i64] = 0x8000
VRING_PACKED_EVENT_FLAG_ENABLE: Final[i64] = 0
VRING_PACKED_EVENT_FLAG_DISABLE: Final[i64] = 1
VRING_PACKED_EVENT_FLAG_DESC: Final[i64] = 2
USED_FLAGS: Final[i64] = -0x7F80000000000000
"""AVAIL and USED where they stand in the second half of a descriptor, read as one number."""
EVENT_BYTES: Final[i64] = 4
"""An event suppression structure: offset and wrap counter, then flags."""


BEYOND: Final = (
    "QEMU 7.2 aborts: a descriptor behind the packed ring's memory is read (address_space_read_cached, assertion addr < cache->len); virtio 1.x, 2.8"
)


def is_available(flags: i64, wrap: bool) -> bool:
    """is_desc_avail: the AVAIL bit equals the wrap counter and the USED bit does not."""
    avail = flags & VRING_PACKED_DESC_F_AVAIL != 0
    used = flags & VRING_PACKED_DESC_F_USED != 0
    return avail != used and avail == wrap


def in_range(vq: VirtQueue) -> bool:
    """Whether the indices lie in the ring's memory; False after virtio_error.

    A driver that changes size or layout of a ring in use leaves them behind the ring's end, where QEMU goes on as far as the memory
    is mapped that the ring had when it was set up; beyond that it ends with an assertion.
    """
    span = max(vq.vring_num, vq.mapped_num)
    if vq.last_avail_idx < span and vq.used_idx < span:
        return True
    _beyond(vq, max(vq.last_avail_idx, vq.used_idx))
    return False


def _beyond(vq: VirtQueue, index: i64) -> None:
    """A descriptor outside the ring's memory is wanted."""
    if not vq.vdev.inactive:
        vq.vdev.where_qemu_aborts(vq.oid, f"Packed ring of size {vq.vring_num} is at index {index}", BEYOND)


def packed_available(vq: VirtQueue) -> bool:
    """Whether the descriptor at last_avail_idx is available; False where there is no ring."""
    if vq.mapped_num == 0 or not in_range(vq):
        return False
    ring = vq.desc if vq.desc_turn == vq.memory.turn else vq.descriptors()
    return is_available(i64(read_i16_le(ring, 16 * vq.last_avail_idx + 14)), vq.last_avail_wrap)


def packed_pending(vq: VirtQueue) -> i64:
    """How many descriptors from last_avail_idx on are available: what a split ring's indices tell, counted; 0 where there is no ring."""
    num = vq.vring_num
    if vq.mapped_num < num or num == 0 or vq.last_avail_idx >= num:
        return 0
    ring = vq.desc if vq.desc_turn == vq.memory.turn else vq.descriptors()
    index = vq.last_avail_idx
    wrap = vq.last_avail_wrap
    count: i64 = 0
    while count < num and is_available(i64(read_i16_le(ring, 16 * index + 14)), wrap):
        count += 1
        index += 1
        if index == num:
            index = 0
            wrap = not wrap
    return count


def set_last_avail(vq: VirtQueue, idx: i64) -> None:
    """Move last_avail_idx; past the ring's end it begins again with the other wrap counter."""
    if idx >= vq.vring_num:
        idx -= vq.vring_num
        vq.last_avail_wrap = not vq.last_avail_wrap
        vq.log.field(vq.oid, F_LAST_AVAIL_WRAP, i64(vq.last_avail_wrap), i64(not vq.last_avail_wrap))
    vq.last_avail_idx = idx


def set_shadow(vq: VirtQueue, idx: i64, wrap: bool) -> None:
    """Remember how far the driver has got."""
    vq.shadow_avail_idx = idx
    if wrap != vq.shadow_avail_wrap:
        vq.shadow_avail_wrap = wrap
        vq.log.field(vq.oid, F_SHADOW_AVAIL_WRAP, i64(wrap), i64(not wrap))


def packed_pop(vq: VirtQueue, elem: VirtQueueElement) -> bool:
    """virtqueue_packed_pop: take the chain at last_avail_idx; False when there is none or the ring is bad (virtio_error)."""
    vdev = vq.vdev
    num = vq.vring_num
    if vq.mapped_num == 0 or ((vq.last_avail_idx >= num or vq.used_idx >= num) and not in_range(vq)):
        return False
    memory = vq.memory
    ring = vq.desc if vq.desc_turn == memory.turn else vq.descriptors()
    at = 16 * vq.last_avail_idx
    flags = i64(read_i16_le(ring, at + 14))
    if not is_available(flags, vq.last_avail_wrap):
        return False
    if vq.inuse >= num:
        vdev.virtio_error("Virtqueue size exceeded")
        return False
    if num > vq.mapped_num:
        vdev.virtio_error("Cannot map descriptor ring")
        return False
    elem.out_num = 0
    elem.in_num = 0
    elem.out_len = 0
    elem.in_len = 0
    elem.bounced = False
    # the driver's id stands in the first descriptor for QEMU, though the specification puts it in the last (2.7.6)
    ident = i64(read_i16_le(ring, at + 12)) & 0xFFFF
    count: i64
    if flags & VRING_DESC_F_INDIRECT:
        if not _collect_indirect(vq, elem, read_i64_le(ring, at), i64(read_i32_le(ring, at + 8)) & 0xFFFFFFFF):
            release_bounce(memory, elem)
            return False
        count = 1
    elif flags & VRING_DESC_F_NEXT:
        count = _collect_direct(vq, elem, ring, flags)
        if count == 0:
            release_bounce(memory, elem)
            return False
    else:
        count = 1
        if not map_descriptor(vdev, memory, elem, read_i64_le(ring, at), i64(read_i32_le(ring, at + 8)) & 0xFFFFFFFF, flags & VRING_DESC_F_WRITE != 0):
            release_bounce(memory, elem)
            return False
    elem.index = ident
    elem.ndescs = count
    following = vq.last_avail_idx + count
    if following >= num or vq.last_avail_wrap != vq.shadow_avail_wrap:
        set_last_avail(vq, following)
        set_shadow(vq, vq.last_avail_idx, vq.last_avail_wrap)
    else:
        vq.last_avail_idx = following
        vq.shadow_avail_idx = following
    vq.inuse += count
    if vq.log.level >= LEVEL_FULL:
        vq.log.emit(EV_POP, vq.oid, ident, vq.last_avail_idx, vq.shadow_avail_idx, elem.out_num, elem.in_num, vq.inuse)
    return True


def _collect_direct(vq: VirtQueue, elem: VirtQueueElement, ring: bytes, flags: i64) -> i64:
    """Map the chain that begins at last_avail_idx with a descriptor of `flags`; returns its descriptors, 0 after virtio_error."""
    vdev = vq.vdev
    memory = vq.memory
    num = vq.vring_num
    index = vq.last_avail_idx
    # this many slots hold what the driver wrote; those behind may have been used since the ring was read
    sure = num - vq.inuse - vq.used_this_turn
    entries: i64 = 0
    while True:
        at = 16 * index
        if not map_descriptor(vdev, memory, elem, read_i64_le(ring, at), i64(read_i32_le(ring, at + 8)) & 0xFFFFFFFF, flags & VRING_DESC_F_WRITE != 0):
            return 0
        entries += 1
        if entries > num:
            vdev.virtio_error("Looped descriptor")
            return 0
        if not flags & VRING_DESC_F_NEXT:
            return entries
        index += 1
        if index == num:
            index = 0
        if entries >= sure:
            vq.publish()
            vq.forget()
            ring = vq.descriptors()
            sure = num + 1
        if 16 * index >= len(ring):
            _beyond(vq, index)
            return 0
        flags = i64(read_i16_le(ring, 16 * index + 14))


def _collect_indirect(vq: VirtQueue, elem: VirtQueueElement, gpa: i64, length: i64) -> bool:
    """Map every entry of an indirect table, which is used to its end: NEXT has no meaning in it (virtio 1.1, 2.7.7)."""
    at = packed_table(vq, gpa, length)
    if at < 0:
        return False
    table = vq.memory.table
    entries = length >> 4
    done: i64 = 0
    while True:
        flags = i64(read_i16_le(table, at + 14))
        if not map_descriptor(vq.vdev, vq.memory, elem, read_i64_le(table, at), i64(read_i32_le(table, at + 8)) & 0xFFFFFFFF, flags & VRING_DESC_F_WRITE != 0):
            return False
        done += 1
        if done > entries:
            vq.vdev.virtio_error("Looped descriptor")
            return False
        if done == entries:
            return True
        at += 16


def packed_table(vq: VirtQueue, gpa: i64, length: i64) -> i64:
    """Read the indirect table at `gpa`; its offset in ``memory.table``, -1 after virtio_error.

    Of a table that no element can have (1024 buffers are the most) a part is enough: taking it breaks the device.
    """
    if length % 16:
        vq.vdev.virtio_error("Invalid size for indirect buffer table")
        return -1
    if length == 0:
        vq.vdev.where_qemu_aborts(
            vq.oid,
            "Invalid size for indirect buffer table",
            "QEMU 7.2 aborts: an indirect table of no bytes (address_space_cache_init, assertion len > 0); virtio 1.x, 2.8.7",
        )
        return -1
    if not table_maps(vq.memory, gpa, length):
        vq.vdev.virtio_error("Cannot map indirect buffer")
        return -1
    return vq.memory.find_table(gpa, min(length, REACH), True)


def packed_avail_bytes(vq: VirtQueue, enough: i64) -> i64:
    """virtqueue_packed_get_avail_bytes, writable bytes only, counting until `enough` are found; 0 after virtio_error.

    When all that is available was counted, the place where it ended is remembered for the kick that is asked for next.
    """
    vdev = vq.vdev
    num = vq.vring_num
    if vq.mapped_num == 0 or ((vq.last_avail_idx >= num or vq.used_idx >= num) and not in_range(vq)):
        return 0
    if num > vq.mapped_num:
        vdev.virtio_error("Cannot map descriptor ring")
        return 0
    index = vq.last_avail_idx
    wrap = vq.last_avail_wrap
    total_bufs: i64 = 0
    total: i64 = 0
    ring = vq.desc if vq.desc_turn == vq.memory.turn else vq.descriptors()
    while True:
        at = 16 * index
        flags = i64(read_i16_le(ring, at + 14))
        if not is_available(flags, wrap):
            break
        table = ring
        limit = num
        origin: i64 = 0
        bufs = total_bufs
        place = index
        indirect = flags & VRING_DESC_F_INDIRECT != 0
        if indirect:
            length = i64(read_i32_le(ring, at + 8)) & 0xFFFFFFFF
            if length % 16 == 0 and bufs >= limit:
                vdev.virtio_error("Looped descriptor")
                return 0
            origin = packed_table(vq, read_i64_le(ring, at), length)
            if origin < 0:
                return 0
            table = vq.memory.table
            limit = min(length, REACH) >> 4
            bufs = 0
            place = 0
        while True:
            bufs += 1
            if bufs > limit:
                vdev.virtio_error("Looped descriptor")
                return 0
            at = origin + 16 * place
            flags = i64(read_i16_le(table, at + 14))
            if flags & VRING_DESC_F_WRITE:
                total += i64(read_i32_le(table, at + 8)) & 0xFFFFFFFF
                if total >= enough:
                    return total
            if not indirect and not flags & VRING_DESC_F_NEXT:
                break
            place += 1
            if place == limit:
                if indirect:
                    break
                place = 0
            if 16 * place >= len(table):
                _beyond(vq, place)
                return 0
        if indirect:
            total_bufs += 1
            index += 1
        else:
            index += bufs - total_bufs
            total_bufs = bufs
        if index >= num:
            index -= num
            wrap = not wrap
    if index != vq.shadow_avail_idx and vq.log.level >= LEVEL_FULL:
        vq.log.emit(EV_SHADOW, vq.oid, index, i64(vq.notification))
    set_shadow(vq, index, wrap)
    return total


def packed_fill(vq: VirtQueue, ident: i64, length: i64, ndescs: i64) -> None:
    """virtqueue_packed_fill: the element is the next to become used; its used descriptor is written at `publish`."""
    num = vq.vring_num
    if vq.vdev.inactive or ((vq.last_avail_idx >= num or vq.used_idx >= num) and not in_range(vq)):
        return
    if vq.filled_descs == 0:
        vq.first_filled_id = ident
        vq.first_filled_len = length
        vq.first_filled_ndescs = ndescs
    slot = vq.used_idx + vq.filled_descs
    wrap = vq.used_wrap
    if slot >= num:
        slot -= num
        wrap = not wrap
    vq.filled_descs += ndescs
    log = vq.log
    if log.level >= LEVEL_FULL:
        log.emit(EV_FILL, vq.oid, slot, ident, length)
        log.emit(EV_USED_DESC, vq.oid, slot, ident, length, VRING_PACKED_DESC_F_AVAIL | VRING_PACKED_DESC_F_USED if wrap else 0)
    counters = vq.counters
    if counters is not None and ident < len(counters.used_ns):
        counters.used_ns[ident] = log.clock.now_ns
    ring = vq.desc if vq.desc_turn == vq.memory.turn else vq.descriptors()
    pending = vq.pending
    if vq.pending_num == 0:
        vq.pending_slot = slot
    else:
        following = vq.pending_slot + vq.pending_num
        if following >= num:
            following -= num
        if slot != following or slot >= num or vq.pending_num + ndescs > num:
            packed_publish(vq)
            pending = vq.pending
            vq.pending_slot = slot
    # whole descriptors go out, the driver's address among them, so that a burst is one write
    write_i64_le(pending, read_i64_le(ring, 16 * slot))
    # length, id and flags, little-endian
    tail = (length & 0xFFFFFFFF) | ident << 32
    if wrap:
        tail |= USED_FLAGS
    write_i64_le(pending, tail)
    if slot >= num:
        # behind the end of a ring that became shorter
        vq.pending_num += 1
        packed_publish(vq)
        return
    vq.pending_num += ndescs
    skipped: i64 = 1
    while skipped < ndescs:
        slot += 1
        if slot == num:
            slot = 0
        write_i64_le(pending, read_i64_le(ring, 16 * slot))
        write_i64_le(pending, read_i64_le(ring, 16 * slot + 8))
        skipped += 1


def packed_flush(vq: VirtQueue, count: i64) -> None:
    """virtqueue_packed_flush: what was filled becomes used.

    A flush of nothing, which an empty frame causes, uses the element once more that was filled first the last time, as 7.2 does.
    """
    if count == 0 and vq.vring_desc != 0:
        again = vq.first_filled_ndescs
        packed_fill(vq, vq.first_filled_id, vq.first_filled_len, 1)
        vq.first_filled_ndescs = again
        vq.filled_descs = again
    ndescs = vq.filled_descs
    vq.filled_descs = 0
    if vq.vring_desc == 0:
        return
    vq.inuse = (vq.inuse - ndescs) & 0xFFFFFFFF
    vq.used_this_turn += ndescs
    vq.used_idx += ndescs
    if vq.used_idx >= vq.vring_num:
        vq.used_idx -= vq.vring_num
        vq.used_wrap = not vq.used_wrap
        vq.log.field(vq.oid, F_USED_WRAP, i64(vq.used_wrap), i64(not vq.used_wrap))
        vq.signalled_used_valid = False
    if vq.log.level >= LEVEL_FULL:
        vq.log.emit(EV_FLUSH, vq.oid, vq.used_idx, ndescs, vq.inuse, i64(vq.signalled_used_valid))
    if vq.self_overlap:
        packed_publish(vq)


def packed_publish(vq: VirtQueue) -> None:
    """Write the used descriptors that wait, in one slice or two."""
    count = vq.pending_num
    if count == 0:
        return
    data = vq.pending.getvalue()
    vq.pending = BytesWriter()
    vq.pending_num = 0
    room = vq.vring_num - vq.pending_slot
    if count <= room or room <= 0:
        vq.memory.write(vq.vring_desc + 16 * vq.pending_slot, data)
    else:
        vq.memory.write(vq.vring_desc + 16 * vq.pending_slot, data[: 16 * room])
        vq.memory.write(vq.vring_desc, data[16 * room :])
    counters = vq.counters
    if counters is not None:
        counters.batches += 1
    if vq.self_overlap:
        vq.forget()


def packed_set_notification(vq: VirtQueue, enable: bool) -> None:
    """virtio_queue_packed_set_notification: write the device's event suppression structure."""
    memory = vq.memory
    at = vq.vring_used
    off_wrap = memory.read_u16(at)
    flags: i64
    if not enable:
        flags = VRING_PACKED_EVENT_FLAG_DISABLE
    elif vq.vdev.event_idx:
        off_wrap = vq.shadow_avail_idx | (0x8000 if vq.shadow_avail_wrap else 0)
        memory.write_u16(at, off_wrap)
        flags = VRING_PACKED_EVENT_FLAG_DESC
    else:
        flags = VRING_PACKED_EVENT_FLAG_ENABLE
    memory.write_u16(at + 2, flags)
    if vq.log.level >= LEVEL_FULL:
        vq.log.emit(EV_DEVICE_EVENT, vq.oid, off_wrap, flags, i64(enable))
    if vq.self_overlap:
        vq.forget()


def packed_should_notify(vq: VirtQueue) -> bool:
    """virtio_packed_should_notify (virtio 1.1, 2.7.10); updates signalled_used."""
    flags = i64(read_i16_le(vq.avail, 2)) if vq.avail_turn == vq.memory.turn else vq.driver_event_flags()
    old = vq.signalled_used
    new = vq.used_idx
    vq.signalled_used = new
    valid = vq.signalled_used_valid
    vq.signalled_used_valid = True
    if flags == VRING_PACKED_EVENT_FLAG_DISABLE:
        return False
    if flags == VRING_PACKED_EVENT_FLAG_ENABLE:
        return True
    if not valid:
        return True
    off_wrap = vq.driver_event_off_wrap()
    off = off_wrap & 0x7FFF
    if vq.used_wrap != (off_wrap & 0x8000 != 0):
        off -= vq.vring_num
    return (new - off - 1) & 0xFFFF < (new - old) & 0xFFFF


def packed_rewind_one(vq: VirtQueue) -> None:
    """virtqueue_packed_rewind by one descriptor, which is what unpop does whatever the chain's length."""
    if vq.last_avail_idx < 1:
        vq.last_avail_idx = vq.vring_num - 1
        vq.last_avail_wrap = not vq.last_avail_wrap
        vq.log.field(vq.oid, F_LAST_AVAIL_WRAP, i64(vq.last_avail_wrap), i64(not vq.last_avail_wrap))
    else:
        vq.last_avail_idx -= 1


def packed_drop_all(vq: VirtQueue) -> i64:
    """virtqueue_packed_drop_all: use every available chain unread; returns how many."""
    dropped: i64 = 0
    if vq.vring_desc == 0:
        return 0
    num = vq.vring_num
    vq.set_notification(False)
    # QEMU counts nothing as taken here, so inuse falls below 0: as an unsigned number that ends the loop, and later every pop
    while vq.inuse < num and vq.mapped_num and in_range(vq):
        ring = vq.descriptors()
        at = 16 * vq.last_avail_idx
        flags = i64(read_i16_le(ring, at + 14))
        if not is_available(flags, vq.last_avail_wrap):
            break
        ident = i64(read_i16_le(ring, at + 12)) & 0xFFFF
        count: i64 = 1
        index = vq.last_avail_idx
        while flags & VRING_DESC_F_NEXT and count <= num:
            index += 1
            if index == num:
                index = 0
            if 16 * index >= len(ring):
                _beyond(vq, index)
                break
            flags = i64(read_i16_le(ring, 16 * index + 14))
            count += 1
        packed_fill(vq, ident, 0, count)
        packed_flush(vq, 1)
        dropped += 1
        set_last_avail(vq, vq.last_avail_idx + count)
        if vq.log.level >= LEVEL_FULL:
            vq.log.emit(EV_POP, vq.oid, ident, vq.last_avail_idx, vq.shadow_avail_idx, 0, 0, vq.inuse)
    vq.publish()
    return dropped
