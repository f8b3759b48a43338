"""Programs that send, or take, as much as they can."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.config import TrafficSpec
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.workload import Workload
from ringscope_core.net.addresses import BROADCAST, ip4_from_text
from ringscope_core.net.backends.generator import BulkGenerator
from ringscope_core.trace.mainloop import MainLoop

TURN_FRAMES: Final[i64] = 1024
"""Frames one bulk workload sends a turn at most: as many as the largest ring takes."""
ARP_ATTEMPTS_NS: Final[i64] = 3_000_000_000
"""After this a bulk workload sends to the broadcast address: nobody answers ARP there."""


@final
class BulkTx(Workload):
    """UDP frames of `size` bytes to the peer's discard port on one queue pair."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, pair: i64) -> None:
        super().__init__(spec, stack, loop, "bulk-tx")
        self.peer: bytes = ip4_from_text(peer_ip)
        self.pair: i64 = pair
        self.generator: BulkGenerator = BulkGenerator(0, spec.size, spec.count, 0, spec.flows)
        self.addressed: bool = False
        self.held: bytes = b""
        """A frame that was made when the ring was full."""

    def _address(self) -> bool:
        """Learn where to; False while ARP is under way."""
        mac = self.stack.resolve(self.peer)
        if not mac:
            now = self.loop.clock.now_ns
            if now < self.origin_ns + self.spec.start_ns + ARP_ATTEMPTS_NS:
                self.wake_at(self.stack.retry_ns(self.peer))
                return False
            mac = BROADCAST
        self.generator.address(self.stack.mac, mac, self.stack.ip, self.peer)
        self.addressed = True
        return True

    def turn(self) -> i64:
        """Fill the ring with what is due."""
        now = self.loop.clock.now_ns
        if self.stopped(now):
            return 0
        due = self.pacer.due(now)
        if due <= self.sent:
            self.wake_at(self.pacer.next_ns(now))
            return 0
        if not self.addressed and not self._address():
            return 0
        moved = self._fill(due)
        self.wake_at(self.pacer.next_ns(now))
        return moved

    def _fill(self, due: i64) -> i64:
        stack = self.stack
        if not stack.senders:
            return 0
        # with fewer pairs in use than there were, the flows share them
        sender = stack.senders[self.pair % stack.pairs]
        sender.begin()
        if not sender.ready():
            return 0
        moved: i64 = 0
        while self.sent < due and moved < TURN_FRAMES:
            frame = self.held or self.generator.next_frame()
            if not sender.put(frame):
                self.held = frame
                break
            self.held = b""
            self.sent += 1
            moved += 1
        sender.finish()
        return moved


@final
class BulkRx(Workload):
    """A sink: it is finished when `count` frames have come out of the rings."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop) -> None:
        super().__init__(spec, stack, loop, "bulk-rx")

    def finished(self) -> bool:
        """Whether they have come."""
        self.received = self.stack.delivered.count
        return self.stopped(self.loop.clock.now_ns) or 0 < self.spec.count <= self.received

    def stats(self) -> dict[str, int]:
        """Counts by name."""
        return {"received": self.stack.delivered.count}
