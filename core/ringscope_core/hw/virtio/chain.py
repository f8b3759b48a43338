"""Walking descriptor chains: mapping one into an element, and counting what the published ones offer (virtio 1.x, 2.7.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.strings import read_i16_le, read_i32_le, read_i64_le
from mypy_extensions import i64

from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio.features import VRING_DESC_F_INDIRECT, VRING_DESC_F_NEXT, VRING_DESC_F_WRITE
from ringscope_core.memory.ram import GuestMemory

if TYPE_CHECKING:
    from ringscope_core.hw.virtio.virtio import VirtIODevice
    from ringscope_core.hw.virtio.virtqueue import VirtQueue

MAX_SG: Final[i64] = 1024
PAGE: Final[i64] = 4096
REACH: Final[i64] = 16 * 65536
"""Bytes of a descriptor table that can be reached: ``next`` has 16 bits.  A guest may claim up to 4 GiB."""
LAPPED: Final[i64] = 65537
"""The step of a walk at which some entry has been seen twice."""


def collect_chain(vdev: VirtIODevice, memory: GuestMemory, elem: VirtQueueElement, table: bytes, num: i64, head: i64) -> bool:
    """Walk the chain from `head` of a descriptor `table` of `num` entries and map its buffers into `elem`.

    Only the head may be indirect: its NEXT is lost, and INDIRECT anywhere else makes a data buffer, as in QEMU.  False after
    virtio_error.
    """
    limit = num
    origin: i64 = 0
    at = 16 * head
    elem.out_num = 0
    elem.in_num = 0
    elem.out_len = 0
    elem.in_len = 0
    elem.bounced = False
    flags = i64(read_i16_le(table, at + 12))
    if flags & VRING_DESC_F_INDIRECT:
        length = i64(read_i32_le(table, at + 8)) & 0xFFFFFFFF
        origin = _indirect_table(vdev, memory, read_i64_le(table, at), length)
        if origin < 0:
            return False
        table = memory.table
        limit = length >> 4
        at = origin
        flags = i64(read_i16_le(table, at + 12))
    entries: i64 = 0
    while True:
        if not map_descriptor(vdev, memory, elem, read_i64_le(table, at), i64(read_i32_le(table, at + 8)) & 0xFFFFFFFF, flags & VRING_DESC_F_WRITE != 0):
            release_bounce(memory, elem)
            return False
        entries += 1
        if entries > limit:
            vdev.virtio_error("Looped descriptor")
            release_bounce(memory, elem)
            return False
        if not flags & VRING_DESC_F_NEXT:
            return True
        following = i64(read_i16_le(table, at + 14)) & 0xFFFF
        if following >= limit:
            vdev.virtio_error(f"Desc next is {following}")
            release_bounce(memory, elem)
            return False
        at = origin + 16 * following
        flags = i64(read_i16_le(table, at + 12))


def map_descriptor(vdev: VirtIODevice, memory: GuestMemory, elem: VirtQueueElement, gpa: i64, length: i64, writable: bool) -> bool:
    """virtqueue_map_desc for one descriptor: its buffer goes behind those that `elem` has; False after virtio_error."""
    if not writable and elem.in_num:
        vdev.virtio_error("Incorrect order for descriptors")
        return False
    if length == 0:
        vdev.virtio_error("virtio: zero sized buffers are not allowed")
        return False
    while length > 0:
        place = elem.out_num + elem.in_num
        if place == MAX_SG:
            vdev.virtio_error("virtio: too many write descriptors in indirect table")
            return False
        if gpa >= memory.base and length <= memory.end - gpa:
            mapped = length
        else:
            mapped = memory.mapped_length(gpa, length)
            if mapped == 0 and not writable:
                mapped = memory.rom_length(gpa, length)
            if mapped == 0:
                mapped = _bounce(memory, elem, gpa, length)
                if mapped == 0:
                    vdev.virtio_error("virtio: bogus descriptor or out of resources")
                    return False
        elem.addr[place] = gpa
        elem.length[place] = mapped
        if writable:
            elem.in_num += 1
            elem.in_len += mapped
        else:
            elem.out_num += 1
            elem.out_len += mapped
        gpa += mapped
        length -= mapped
    return True


def _bounce(memory: GuestMemory, elem: VirtQueueElement, gpa: i64, length: i64) -> i64:
    """Take QEMU's one bounce buffer (a page) for an address that is not RAM; 0 when it is taken already."""
    if memory.bounce_busy:
        return 0
    memory.bounce_busy = True
    elem.bounced = True
    return min(memory.section_length(gpa, length), PAGE)


def release_bounce(memory: GuestMemory, elem: VirtQueueElement) -> None:
    """The element is done with QEMU's bounce buffer, if it had it."""
    if elem.bounced:
        elem.bounced = False
        memory.bounce_busy = False


def _indirect_table(vdev: VirtIODevice, memory: GuestMemory, gpa: i64, length: i64) -> i64:
    """Read the indirect table a head points at, as far as a 16 bit ``next`` reaches into it; its offset in ``memory.table``, -1 after virtio_error."""
    if length == 0 or length % 16:
        vdev.virtio_error("Invalid size for indirect buffer table")
        return -1
    if not table_maps(memory, gpa, length):
        vdev.virtio_error("Cannot map indirect buffer")
        return -1
    return memory.find_table(gpa, min(length, REACH))


def table_maps(memory: GuestMemory, gpa: i64, length: i64) -> bool:
    """Whether a table lies in one piece; where there is no memory at all it reads as zeros."""
    if gpa >= memory.base and length <= memory.end - gpa:
        return True
    return memory.section_length(gpa, length) == length


def available_in_bytes(vq: VirtQueue, enough: i64) -> i64:
    """virtqueue_get_avail_bytes, writable bytes only, counting until `enough` are found; 0 after virtio_error."""
    vdev = vq.vdev
    memory = vq.memory
    if vq.vring_desc == 0:
        return 0
    if vq.mapped_num and vq.vring_num > vq.mapped_num:
        # before the driver's index is looked at
        vdev.virtio_error("Cannot map descriptor ring")
        return 0
    idx = vq.last_avail_idx
    total_bufs: i64 = 0
    total: i64 = 0
    while True:
        heads = (vq.avail_idx() - idx) & 0xFFFF
        if heads > vq.vring_num:
            vdev.virtio_error(f"Guest moved used index from {idx} to {vq.shadow_avail_idx}")
            return 0
        if heads == 0:
            return total
        if vq.vring_num > vq.mapped_num:
            vdev.virtio_error("Cannot map descriptor ring")
            return 0
        head = vq.avail_ring(idx % vq.vring_num)
        if head >= vq.vring_num:
            vdev.virtio_error(f"Guest says index {head} is available")
            return 0
        idx = (idx + 1) & 0xFFFF
        table = vq.descriptors()
        limit = vq.vring_num
        origin: i64 = 0
        bufs = total_bufs
        at = 16 * head
        flags = i64(read_i16_le(table, at + 12))
        indirect = flags & VRING_DESC_F_INDIRECT != 0
        if indirect:
            length = i64(read_i32_le(table, at + 8)) & 0xFFFFFFFF
            if length and length % 16 == 0 and bufs >= limit:
                vdev.virtio_error("Looped descriptor")
                return 0
            origin = _indirect_table(vdev, memory, read_i64_le(table, at), length)
            if origin < 0:
                return 0
            table = memory.table
            limit = length >> 4
            bufs = 0
            at = origin
        while True:
            bufs += 1
            if bufs == LAPPED and bufs < limit:
                # more steps than a table has reachable entries: the chain runs in a circle
                skipped, gained = _skip_laps(table, origin, at, limit - bufs, enough - total)
                bufs += skipped
                total += gained
            if bufs > limit:
                vdev.virtio_error("Looped descriptor")
                return 0
            flags = i64(read_i16_le(table, at + 12))
            if flags & VRING_DESC_F_WRITE:
                total += i64(read_i32_le(table, at + 8)) & 0xFFFFFFFF
                if total >= enough:
                    return total
            if not flags & VRING_DESC_F_NEXT:
                break
            following = i64(read_i16_le(table, at + 14)) & 0xFFFF
            if following >= limit:
                vdev.virtio_error(f"Desc next is {following}")
                return 0
            at = origin + 16 * following
        total_bufs = total_bufs + 1 if indirect else bufs


def _skip_laps(table: bytes, origin: i64, start: i64, steps: i64, missing: i64) -> tuple[i64, i64]:
    """Steps and writable bytes of the whole laps that a walk in a circle would make from `start` on, in the table at `origin`.

    The walk would end after `steps` steps or once it has found `missing` bytes; QEMU makes every one of its steps, up to 2**28.
    """
    at = start
    length: i64 = 0
    gain: i64 = 0
    while True:
        if i64(read_i16_le(table, at + 12)) & VRING_DESC_F_WRITE:
            gain += i64(read_i32_le(table, at + 8)) & 0xFFFFFFFF
        length += 1
        at = origin + 16 * (i64(read_i16_le(table, at + 14)) & 0xFFFF)
        if at == start:
            break
    laps = steps // length
    if gain > 0:
        laps = min(laps, (missing - 1) // gain)
    return laps * length, laps * gain
