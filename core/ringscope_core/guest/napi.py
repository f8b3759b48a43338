"""NAPI: an interrupt turns polling on, polling goes on while there is work, then interrupts are wanted again.

Linux: net/core/dev.c (net_rx_action) and drivers/net/virtio_net.c (virtqueue_napi_schedule, virtqueue_napi_complete).
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.virtqueue import Virtqueue
from ringscope_core.trace.kinds import EV_NAPI
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.state import MachineState

NETDEV_BUDGET: Final[i64] = 300
"""Packets of one softirq pass over all queues (net.core.netdev_budget)."""
MAX_RESTART: Final[i64] = 10
"""Softirq passes before the rest has to wait for the guest's next turn (MAX_SOFTIRQ_RESTART)."""


class Napi:
    """One queue's polling.  Subclasses do the work in `poll`."""

    def __init__(self, softirq: Softirq, ring: Virtqueue, weight: i64, field_id: i64) -> None:
        """`field_id`: the field that records whether polling is scheduled."""
        self.softirq: Softirq = softirq
        self.ring: Virtqueue = ring
        self.weight: i64 = weight
        self.field_id: i64 = field_id
        self.scheduled: bool = False
        self.cause: i64 = -1
        """The event that scheduled it, -1 when that was not recorded."""
        self._said: i64 = 0

    def poll(self, budget: i64) -> i64:
        """Do at most `budget` packets; returns how many.  Fewer than `budget` means it has called `complete`."""
        return 0

    def schedule(self) -> None:
        """Start polling, without interrupts meanwhile (virtqueue_napi_schedule)."""
        if self.scheduled:
            return
        self.ring.disable_cb()
        self.scheduled = True
        self.cause = self.ring.log.cause
        self._say()
        self.softirq.queue.append(self)

    def complete(self) -> None:
        """Stop polling: ask for interrupts, then look once more, for what came before the device could see that
        (virtqueue_napi_complete)."""
        mark = self.ring.enable_cb_prepare()
        self.scheduled = False
        self._say()
        if self.ring.poll(mark):
            self.schedule()

    def record(self, budget: i64, work: i64) -> None:
        """Log one poll."""
        if self.ring.log.level >= LEVEL_FULL:
            self.ring.log.emit(EV_NAPI, self.ring.oid, budget, work)

    def _say(self) -> None:
        value: i64 = 1 if self.scheduled else 0
        if self.ring.log.level >= LEVEL_FULL:
            self.ring.log.field(self.ring.oid, self.field_id, value, self._said)
        self._said = value

    def snapshot(self, state: MachineState) -> None:
        """Put whether it is scheduled into `state`."""
        state.fields.setdefault(int(self.ring.oid), {})[int(self.field_id)] = 1 if self.scheduled else 0

    def cancel(self) -> None:
        """The queue goes away."""
        self.scheduled = False
        self.ring.log.field(self.ring.oid, self.field_id, 0, self._said)
        self._said = 0
        if self in self.softirq.queue:
            self.softirq.queue.remove(self)


@final
class Softirq:
    """The queues that wait to be polled, in the order they asked."""

    def __init__(self) -> None:
        self.queue: list[Napi] = []

    def run(self) -> i64:
        """Poll until nothing is scheduled or the guest's share is used up; returns packets and polls done."""
        moved: i64 = 0
        for _ in range(MAX_RESTART):
            if not self.queue:
                break
            moved += self._pass()
        return moved

    def _pass(self) -> i64:
        """One net_rx_action: each queue once, those with more work to the end."""
        todo = self.queue
        self.queue = []
        budget = NETDEV_BUDGET
        moved: i64 = 0
        for place in range(len(todo)):
            if budget <= 0:
                # What scheduled itself meanwhile comes after what has waited longer.
                self.queue = todo[place:] + self.queue
                break
            napi = todo[place]
            if not napi.scheduled:
                continue
            log = napi.ring.log
            log.cause = napi.cause
            work = napi.poll(napi.weight)
            log.cause = -1
            budget -= work
            moved += work + 1
            if work >= napi.weight:
                self.queue.append(napi)
        return moved
