"""Workloads: what the guest's programs do with the network.

Each gets a turn of every guest turn; its timer only marks the virtual time at which it next has something to do.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.config import TrafficSpec
from ringscope_core.guest.pacer import Pacer
from ringscope_core.guest.stack import Flow, NetStack
from ringscope_core.net.addresses import BROADCAST, ip4_from_text
from ringscope_core.net.backends.generator import MIN_SIZE, BulkGenerator
from ringscope_core.net.packet import UDP_PORT_ECHO, ping_frame, udp_frame
from ringscope_core.trace.counters import LatencyHistogram
from ringscope_core.trace.mainloop import MainLoop, Timer

REPLY_TIMEOUT_NS: Final[i64] = 1_000_000_000
"""A request that is this old is lost."""
ECHO_WINDOW: Final[i64] = 32
"""Requests under way at once, for a workload that sends flat out."""
TURN_FRAMES: Final[i64] = 1024
"""Frames one bulk workload sends a turn at most: as many as the largest ring takes."""
FIRST_IDENT: Final[i64] = 0x5253
FIRST_PORT: Final[i64] = 40000
ARP_ATTEMPTS_NS: Final[i64] = 3_000_000_000
"""After this a bulk workload sends to the broadcast address: nobody answers ARP there."""


@final
class WakeTimer(Timer):
    """Marks a virtual time that the run's clock must not jump over."""

    def fire(self) -> None:
        """Nothing: the workload looks at the clock in its turn."""


class Workload:
    """One program.  Subclasses send in `turn`."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, name: str) -> None:
        self.spec: TrafficSpec = spec
        self.stack: NetStack = stack
        self.loop: MainLoop = loop
        self.name: str = name
        self.timer: WakeTimer = WakeTimer()
        self.pacer: Pacer = Pacer(spec.rate_pps, spec.burst, spec.count)
        self.sent: i64 = 0
        self.received: i64 = 0
        self.origin_ns: i64 = 0
        """Virtual time at which the driver came up."""

    def start(self, now_ns: i64) -> None:
        """The driver is up."""
        self.origin_ns = now_ns
        self.pacer.begin(now_ns + self.spec.start_ns)
        self.wake_at(now_ns + self.spec.start_ns)

    def stopped(self, now_ns: i64) -> bool:
        """Whether its time is over."""
        return self.spec.stop_ns > 0 and now_ns >= self.origin_ns + self.spec.stop_ns

    def wake_at(self, when_ns: i64) -> None:
        """Let the clock stop at `when_ns`; -1 for nothing to wait for."""
        if when_ns >= 0 and self.timer.deadline_ns != when_ns:
            self.loop.timer_mod(self.timer, when_ns)

    def turn(self) -> i64:
        """Send what is due; returns how many frames."""
        return 0

    def finished(self) -> bool:
        """Whether it will do no more; one without count or stop never is."""
        now = self.loop.clock.now_ns
        return self.stopped(now) or (self.spec.count > 0 and self.sent >= self.spec.count)

    def stats(self) -> dict[str, int]:
        """Counts by name."""
        return {"sent": self.sent, "received": self.received}


class _RequestFlow(Flow):
    """Requests that are answered: ping and UDP echo share the book-keeping."""

    def __init__(self, clock_loop: MainLoop) -> None:
        self.loop: MainLoop = clock_loop
        self.open: dict[int, int] = {}
        """Virtual time of sending by sequence number, of the requests without a reply."""
        self.order: list[int] = []
        self.order_at: i64 = 0
        self.expected: bytes = b""
        """What a reply must carry behind its sequence number."""
        self.received: i64 = 0
        self.wrong: i64 = 0
        """Replies with other bytes than the request's."""
        self.lost: i64 = 0
        self.round_trip: LatencyHistogram = LatencyHistogram()
        self.min_ns: i64 = -1
        self.max_ns: i64 = 0
        self.sum_ns: i64 = 0

    def opened(self, number: i64) -> None:
        """Request `number` goes out."""
        self.open[number] = self.loop.clock.now_ns
        self.order.append(number)

    def answered(self, number: i64, matches: bool) -> None:
        """A reply to request `number`."""
        sent = self.open.pop(number, -1)
        if sent < 0:
            return
        self.received += 1
        if not matches:
            self.wrong += 1
        took = self.loop.clock.now_ns - sent
        self.round_trip.add(took)
        self.sum_ns += took
        if took > self.max_ns:
            self.max_ns = took
        if self.min_ns < 0 or took < self.min_ns:
            self.min_ns = took

    def expire(self) -> i64:
        """Give up requests older than REPLY_TIMEOUT_NS; returns the virtual time of the next such look, -1 for none."""
        now = self.loop.clock.now_ns
        order = self.order
        while self.order_at < len(order):
            number = order[self.order_at]
            sent = self.open.get(number, -1)
            if sent >= 0:
                if now - sent < REPLY_TIMEOUT_NS:
                    return sent + REPLY_TIMEOUT_NS
                del self.open[number]
                self.lost += 1
            self.order_at += 1
        self.order = []
        self.order_at = 0
        return -1

    def stats(self) -> dict[str, int]:
        """Counts and round trip times (virtual ns)."""
        received = self.received
        return {
            "received": received,
            "lost": self.lost,
            "wrong": self.wrong,
            "rtt_min_ns": self.min_ns if received else 0,
            "rtt_avg_ns": self.sum_ns // received if received else 0,
            "rtt_max_ns": self.max_ns,
        }


@final
class _PingFlow(_RequestFlow):
    def on_echo_reply(self, sequence: i64, data: bytes) -> None:
        """Compare with what was sent."""
        self.answered(sequence, data == self.expected)


@final
class _UdpFlow(_RequestFlow):
    def on_udp(self, port: i64, data: bytes) -> None:
        """The datagram begins with its number."""
        if len(data) >= 8:
            self.answered(int.from_bytes(data[:8], "big"), data[8:] == self.expected)


class EchoWorkload(Workload):
    """Sends requests to the peer at a rate, or keeps a window of them under way."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, name: str, peer_ip: str, flow: _RequestFlow) -> None:
        super().__init__(spec, stack, loop, name)
        self.peer: bytes = ip4_from_text(peer_ip)
        self.flow: _RequestFlow = flow

    def request(self, mac: bytes, number: i64) -> bytes:
        """The frame of request `number`."""
        return b""

    def wire_number(self, number: i64) -> i64:
        """What the reply to request `number` will carry."""
        return number

    def turn(self) -> i64:
        """Send the requests that are due."""
        now = self.loop.clock.now_ns
        next_expiry = self.flow.expire()
        if self.finished_sending(now):
            self.wake_at(next_expiry)
            return 0
        due = self.pacer.due(now)
        if due <= self.sent:
            self._wake(now, next_expiry)
            return 0
        mac = self.stack.resolve(self.peer)
        if not mac:
            self.wake_at(self.stack.retry_ns(self.peer))
            return 0
        moved = self._send(mac, due)
        self._wake(now, next_expiry)
        return moved

    def _wake(self, now: i64, next_expiry: i64) -> None:
        when = self.pacer.next_ns(now)
        if when < 0 or (0 <= next_expiry < when):
            when = next_expiry
        self.wake_at(when)

    def _send(self, mac: bytes, due: i64) -> i64:
        moved: i64 = 0
        window = max(ECHO_WINDOW, self.spec.burst)
        while self.sent < due and (self.pacer.interval_ns > 0 or len(self.flow.open) < window):
            number = self.sent
            self.flow.opened(self.wire_number(number))
            self.stack.output(self.request(mac, number), number % self.spec.flows)
            self.sent += 1
            moved += 1
        return moved

    def finished_sending(self, now: i64) -> bool:
        """Whether no further request will go out."""
        return self.stopped(now) or (self.spec.count > 0 and self.sent >= self.spec.count)

    def finished(self) -> bool:
        """All requests are out, and answered or lost."""
        return self.finished_sending(self.loop.clock.now_ns) and not self.flow.open

    def stats(self) -> dict[str, int]:
        """Counts by name."""
        counts = self.flow.stats()
        counts["sent"] = self.sent
        return counts


@final
class Ping(EchoWorkload):
    """ICMP echo requests with `size` bytes of data."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, number: i64) -> None:
        flow = _PingFlow(loop)
        super().__init__(spec, stack, loop, "ping", peer_ip, flow)
        self.ident: i64 = (FIRST_IDENT + number) & 0xFFFF
        flow.expected = bytes([i & 0xFF for i in range(spec.size)])
        stack.echo_flows[int(self.ident)] = flow

    def request(self, mac: bytes, number: i64) -> bytes:
        """Sequence numbers are 16 bits and begin at 1, as ping's."""
        return ping_frame(mac, self.stack.mac, self.stack.ip, self.peer, self.ident, self.wire_number(number), self.flow.expected)

    def wire_number(self, number: i64) -> i64:
        """The ICMP sequence number."""
        return (number + 1) & 0xFFFF


@final
class UdpEcho(EchoWorkload):
    """Datagrams of `size` bytes to the peer's echo port."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, number: i64) -> None:
        flow = _UdpFlow(loop)
        super().__init__(spec, stack, loop, "udp-echo", peer_ip, flow)
        self.base_port: i64 = FIRST_PORT + 100 * number
        rest = spec.size - 8 if spec.size > 8 else 0
        flow.expected = bytes([i * 7 & 0xFF for i in range(rest)])
        for place in range(spec.flows):
            stack.udp_flows[int(self.base_port + place)] = flow

    def request(self, mac: bytes, number: i64) -> bytes:
        """The number, then the pattern."""
        port = self.base_port + number % self.spec.flows
        return udp_frame(mac, self.stack.mac, self.stack.ip, self.peer, port, UDP_PORT_ECHO, int(number).to_bytes(8, "big") + self.flow.expected)


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
        sender = self.stack.senders[self.pair]
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


def make_workloads(spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, number: i64) -> list[Workload]:
    """The programs of traffic entry `number` of a scenario."""
    if spec.kind == "ping":
        return [Ping(spec, stack, loop, peer_ip, number)]
    if spec.kind == "udp-echo":
        return [UdpEcho(spec, stack, loop, peer_ip, number)]
    if spec.kind == "bulk-rx":
        return [BulkRx(spec, stack, loop)]
    if spec.kind == "bulk-tx":
        return _bulk_tx(spec, stack, loop, peer_ip)
    if spec.kind == "mixed":
        return _mixed(spec, stack, loop, peer_ip, number)
    raise ValueError(f"no workload {spec.kind!r}")


def _bulk_tx(spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str) -> list[Workload]:
    """One sender a queue pair; flows, frames and rate are divided among them."""
    senders = min(stack.pairs, spec.flows)
    works: list[Workload] = []
    for pair in range(senders):
        part = _part(spec, "bulk-tx", pair, senders)
        if spec.count == 0 or part.count > 0:
            works.append(BulkTx(part, stack, loop, peer_ip, pair))
    return works


def _part(spec: TrafficSpec, kind: str, place: i64, of: i64) -> TrafficSpec:
    """Share number `place` of `of` equal shares."""
    part = TrafficSpec(kind)
    part.rate_pps = spec.rate_pps / int(of)
    part.size = max(MIN_SIZE, spec.size)
    part.count = (spec.count + of - 1 - place) // of
    part.burst = spec.burst
    part.start_ns = spec.start_ns
    part.stop_ns = spec.stop_ns
    part.device = spec.device
    part.flows = (spec.flows + of - 1 - place) // of
    return part


def _mixed(spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, number: i64) -> list[Workload]:
    """A ping and some UDP echo beside bursts of bulk: a tenth, three tenths and six tenths of the rate."""
    ping = _part(spec, "ping", 0, 1)
    ping.rate_pps, ping.size, ping.burst, ping.flows = spec.rate_pps * 0.1, 56, 1, 1
    echo = _part(spec, "udp-echo", 0, 1)
    echo.rate_pps, echo.burst = spec.rate_pps * 0.3, 1
    bulk = _part(spec, "bulk-tx", 0, 1)
    bulk.rate_pps = spec.rate_pps * 0.6
    ping.count, echo.count, bulk.count = spec.count // 10, spec.count * 3 // 10, spec.count * 6 // 10
    works: list[Workload] = [Ping(ping, stack, loop, peer_ip, number), UdpEcho(echo, stack, loop, peer_ip, number)]
    works.extend(_bulk_tx(bulk, stack, loop, peer_ip))
    return works
