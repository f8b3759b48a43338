"""What the driver's side of every virtqueue has, split or packed: its identity, what is free, what was asked for, and how it is used.

Use: ``add`` (or ``segment`` ... ``add_chain``) for each buffer, ``publish`` once, ``kick_prepare`` once; then ``begin_take``, ``take`` for
each element, ``end_take``.  A buffer is known by its id: in a split ring the chain's head, in a packed ring the buffer id.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from ringscope_core.guest.in_order import InOrder
from ringscope_core.memory.ram import GuestMemory
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.counters import RingCounters
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_IND_WRITE, EV_KICK_SUPPRESSED
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import SEVERITY_ERROR, EventLog
from ringscope_core.trace.state import MachineState

DESC_NEXT: Final[i64] = 1
DESC_WRITE: Final[i64] = 2
DESC_INDIRECT: Final[i64] = 4

F_NUM: Final[i64] = field("vring_virtqueue.num", "count")
F_NUM_FREE: Final[i64] = field("vring_virtqueue.num_free", "count")
F_FREE_HEAD: Final[i64] = field("vring_virtqueue.free_head", "head")
F_NUM_ADDED: Final[i64] = field("vring_virtqueue.num_added", "count")
F_LAST_USED_IDX: Final[i64] = field("vring_virtqueue.last_used_idx", "idx")
F_EVENT: Final[i64] = field("vring_virtqueue.event", "bool")
F_INDIRECT: Final[i64] = field("vring_virtqueue.indirect", "bool")

MAX_SEGMENTS: Final[i64] = 32
"""Descriptors one chain may have: a frame of 17 fragments and its header, with room."""


def vring_need_event(event: i64, new: i64, old: i64) -> bool:
    """Whether moving an index from `old` to `new` passes `event` (virtio 1.1, 2.6.7.2; all modulo 2**16)."""
    return ((new - event - 1) & 0xFFFF) < ((new - old) & 0xFFFF)


class RingMode:
    """What was negotiated, and how the driver means to use its rings."""

    def __init__(self) -> None:
        self.packed: bool = False
        self.event: bool = False
        """VIRTIO_F_EVENT_IDX."""
        self.indirect: bool = False
        self.in_order: bool = False
        """VIRTIO_F_IN_ORDER: the device may complete a batch by naming its last buffer."""
        self.fifo: bool = False
        """Freed descriptors go to the end of the free list, so that a device in order makes their use sequential; else to its front."""


@final
class RingTrouble:
    """Shared by the rings of one device: tells its driver that one of them broke."""

    def __init__(self) -> None:
        self.seen: bool = False


class Virtqueue:
    """One virtqueue as its driver keeps it.  Subclasses know how it lies in memory."""

    def __init__(
        self,
        memory: GuestMemory,
        log: EventLog,
        counters: RingCounters,
        oid: i64,
        index: i64,
        num: i64,
        desc_gpa: i64,
        avail_gpa: i64,
        used_gpa: i64,
        size: i64,
    ) -> None:
        """`desc_gpa`, `avail_gpa`, `used_gpa`: the three areas, zeroed; `size`: bytes from `desc_gpa` to the end of the last."""
        self.memory: GuestMemory = memory
        self.log: EventLog = log
        self.clock: Clock = log.clock
        self.counters: RingCounters = counters
        self.oid: i64 = oid
        self.index: i64 = index
        self.num: i64 = num
        self.desc_gpa: i64 = desc_gpa
        self.avail_gpa: i64 = avail_gpa
        self.used_gpa: i64 = used_gpa
        self.size: i64 = size
        self.notify_at: i64 = 0
        """Where in the transport's notification region the device hears of this queue."""
        self.event: bool = False
        self.indirect: bool = False
        self.fifo: bool = False
        self.order: InOrder | None = None
        """Book-keeping of VIRTIO_F_IN_ORDER, None when that was not negotiated."""
        self.tables_gpa: i64 = 0
        """Room for one indirect table a buffer id; 0 until `use_tables`."""
        self.table_entries: i64 = 0
        self.broken: bool = False
        self.trouble: RingTrouble = RingTrouble()
        self.inbound: bool = False
        """The device writes the buffers: latency then counts from its use to our taking, else from our posting to its use."""
        n: int = num
        self.next: vec[i64] = vec[i64]([i + 1 for i in range(n)])
        """The free list."""
        self.chain_length: vec[i64] = vec[i64]([0] * n)
        """Descriptors of the buffer by id, 0 when that id was not given out."""
        self.table_length: vec[i64] = vec[i64]([0] * n)
        """Entries of the indirect table by id, 0 when it has none."""
        self.posted_ns: vec[i64] = vec[i64]([0] * n)
        self.num_free: i64 = num
        self.free_head: i64 = 0
        """The id that the next buffer gets."""
        self.free_tail: i64 = num - 1
        self.published_seq: i64 = -1
        """The event of the last publication, -1 when it was not recorded."""
        self.num_added: i64 = 0
        """Published since the last kick_prepare: heads of a split ring, descriptors of a packed one."""
        self.last_used_idx: i64 = 0
        self.taken_len: i64 = 0
        """Bytes the device wrote into the buffer that `take` returned last."""
        # the chain under construction
        self._seg_addr: vec[i64] = vec[i64]([0] * 32)
        self._seg_len: vec[i64] = vec[i64]([0] * 32)
        self._seg_flags: vec[i64] = vec[i64]([0] * 32)
        self._seg_count: i64 = 0

    def set_mode(self, mode: RingMode) -> None:
        """Take over what was negotiated; before the first buffer."""
        self.event = mode.event
        self.indirect = mode.indirect
        self.fifo = mode.fifo
        self.order = InOrder(self.num) if mode.in_order else None

    def use_tables(self, gpa: i64, entries: i64) -> None:
        """Give the ring room at `gpa` for one indirect table of `entries` descriptors a buffer id."""
        self.tables_gpa = gpa
        self.table_entries = entries

    def release(self) -> None:
        """The ring's memory goes away (after a device reset): its fields and image are cleared."""
        raise NotImplementedError

    # -- posting ------------------------------------------------------------------------------------------------------
    def add(self, addr: i64, length: i64, flags: i64) -> i64:
        """Give the device one buffer of `length` bytes at `addr`; `flags` is 0 or DESC_WRITE.

        Returns its id, -1 when no descriptor is free.  The device sees it after `publish`.
        """
        raise NotImplementedError

    def segment(self, addr: i64, length: i64, flags: i64) -> None:
        """Append a piece to the chain under construction (at most MAX_SEGMENTS)."""
        place = self._seg_count
        self._seg_addr[place] = addr
        self._seg_len[place] = length
        self._seg_flags[place] = flags
        self._seg_count = place + 1

    def add_chain(self) -> i64:
        """Give the device the chain built by `segment`, through an indirect table where that is in use.

        Returns its id, -1 when too few descriptors are free (the chain is then forgotten).
        """
        raise NotImplementedError

    def publish(self) -> i64:
        """Let the device see what was added; returns how many buffers that were."""
        raise NotImplementedError

    def kick_prepare(self) -> bool:
        """Whether the device wants to hear of what was published since the last call (virtqueue_kick_prepare)."""
        raise NotImplementedError

    # -- taking back --------------------------------------------------------------------------------------------------
    def more_used(self) -> bool:
        """Whether the device has given back elements the driver has not taken."""
        raise NotImplementedError

    def begin_take(self, budget: i64) -> i64:
        """Snapshot up to `budget` used elements; returns how many `take` will give."""
        raise NotImplementedError

    def take(self) -> i64:
        """The next used element: its buffer's id, with its length in `taken_len`; -1 when there is none.

        A frame over several buffers may reach past the snapshot; then a further one is made.
        """
        raise NotImplementedError

    def end_take(self) -> None:
        """After a batch of `take`: with callbacks on, ask for an interrupt at the next element."""
        raise NotImplementedError

    # -- interrupts wanted --------------------------------------------------------------------------------------------
    def disable_cb(self) -> None:
        """Ask for no interrupts (virtqueue_disable_cb); a hint."""
        raise NotImplementedError

    def enable_cb_prepare(self) -> i64:
        """Ask for an interrupt at the next element; returns the mark to give to `poll` (virtqueue_enable_cb_prepare)."""
        raise NotImplementedError

    def poll(self, mark: i64) -> bool:
        """Whether elements were used since `enable_cb_prepare` returned `mark` (virtqueue_poll)."""
        raise NotImplementedError

    def enable_cb_delayed(self) -> bool:
        """Ask for an interrupt when three quarters of what is outstanding is used (virtqueue_enable_cb_delayed).

        Returns False when the caller should rather take what is used already.
        """
        raise NotImplementedError

    def snapshot(self, state: MachineState) -> None:
        """Put the driver's fields and the ring's memory, as it is now, into `state`."""
        raise NotImplementedError

    # -- for the subclasses -------------------------------------------------------------------------------------------
    def _log_table(self, ident: i64, count: i64, linked: bool) -> None:
        """Record the indirect table of the chain under construction; `linked`: entries name the next one, as a split ring's do."""
        for place in range(count):
            last = not linked or place + 1 == count
            flags = self._seg_flags[place] | (0 if last else DESC_NEXT)
            self.log.emit(EV_IND_WRITE, self.oid, ident, place, self._seg_addr[place], self._seg_len[place], flags, 0 if last else place + 1)

    def _written(self, count: i64) -> i64:
        """Bytes of the chain under construction that the device may write."""
        total: i64 = 0
        for place in range(count):
            if self._seg_flags[place] & DESC_WRITE:
                total += self._seg_len[place]
        return total

    def _suppressed(self) -> None:
        """The device wants no notification."""
        self.counters.kicks_suppressed += 1
        if self.log.level >= LEVEL_FULL:
            self.log.emit(EV_KICK_SUPPRESSED, self.oid, self.index)

    def _bad_element(self, ident: i64) -> None:
        """The device gave back what it was not given (virtio_ring.c: BAD_RING)."""
        self.broken = True
        self.trouble.seen = True
        problem = "out of range" if ident >= self.num else "is not a head!"
        self.log.message(SEVERITY_ERROR, f"virtqueue {self.index}: id {ident} {problem}")
