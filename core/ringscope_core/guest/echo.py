"""Programs that ask and are answered: ping and UDP echo."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.config import TrafficSpec
from ringscope_core.guest.pacer import NO_LIMIT
from ringscope_core.guest.stack import Flow, NetStack
from ringscope_core.guest.workload import Workload
from ringscope_core.net.addresses import ip4_from_text
from ringscope_core.net.packet import UDP_PORT_ECHO, ping_frame, udp_frame
from ringscope_core.trace.counters import LatencyHistogram
from ringscope_core.trace.mainloop import MainLoop

REPLY_TIMEOUT_NS: Final[i64] = 1_000_000_000
"""A request that is this old is lost."""
ECHO_WINDOW: Final[i64] = 32
"""Requests under way at once, for a workload that sends flat out."""
UNREACHABLE_NS: Final[i64] = 3_000_000_000
"""A peer that has not answered ARP for so long is not there."""
FIRST_IDENT: Final[i64] = 0x5253
FIRST_PORT: Final[i64] = 40000


class RequestFlow(Flow):
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
                    self._forget_past()
                    return sent + REPLY_TIMEOUT_NS
                del self.open[number]
                self.lost += 1
            self.order_at += 1
        self.order = []
        self.order_at = 0
        return -1

    def _forget_past(self) -> None:
        """Requests that are answered or lost need no place in the order any more."""
        if self.order_at > 4096:
            self.order = self.order[self.order_at :]
            self.order_at = 0

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
class PingFlow(RequestFlow):
    def on_echo_reply(self, sequence: i64, data: bytes) -> None:
        """Compare with what was sent."""
        self.answered(sequence, data == self.expected)


@final
class UdpFlow(RequestFlow):
    def on_udp(self, port: i64, data: bytes) -> None:
        """The datagram begins with its number."""
        if len(data) >= 8:
            self.answered(int.from_bytes(data[:8], "big"), data[8:] == self.expected)


class EchoWorkload(Workload):
    """Sends requests to the peer at a rate, or keeps a window of them under way."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, name: str, peer_ip: str, flow: RequestFlow) -> None:
        super().__init__(spec, stack, loop, name)
        self.peer: bytes = ip4_from_text(peer_ip)
        self.flow: RequestFlow = flow
        self.asked_ns: i64 = -1
        """Virtual time of the first ARP request."""

    def request(self, mac: bytes, number: i64) -> bytes:
        """The frame of request `number`."""
        return b""

    def wire_number(self, number: i64) -> i64:
        """What the reply to request `number` will carry."""
        return number

    def turn(self) -> i64:
        """Send the requests that are due."""
        now = self.loop.clock.now_ns
        moved: i64 = 0
        if not self.finished_sending(now):
            due = self.pacer.due(now)
            if due > self.sent:
                mac = self.stack.resolve(self.peer)
                if not mac:
                    self._wait_for_address(now, due)
                    return 0
                moved = self._send(mac, due)
        self._wake(now)
        return moved

    def _wait_for_address(self, now: i64, due: i64) -> None:
        """ARP is under way; what is due after UNREACHABLE_NS of asking is lost ("destination host unreachable")."""
        if self.asked_ns < 0:
            self.asked_ns = now
        if now - self.asked_ns >= UNREACHABLE_NS and due < NO_LIMIT:
            self.flow.lost += due - self.sent
            self.sent = due
        if self.finished_sending(now):
            self.wake_at(-1)
        else:
            self.wake_at(self.stack.retry_ns(self.peer))

    def _wake(self, now: i64) -> None:
        """The next burst, or the moment at which the oldest request is given up."""
        when: i64 = -1 if self.finished_sending(now) else self.pacer.next_ns(now)
        expiry = self.flow.expire()
        if when < 0 or 0 <= expiry < when:
            when = expiry
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
        flow = PingFlow(loop)
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
        flow = UdpFlow(loop)
        super().__init__(spec, stack, loop, "udp-echo", peer_ip, flow)
        self.base_port: i64 = FIRST_PORT + 100 * (number % 250)
        rest = spec.size - 8 if spec.size > 8 else 0
        flow.expected = bytes([i * 7 & 0xFF for i in range(rest)])
        for place in range(spec.flows):
            stack.udp_flows[int(self.base_port + place)] = flow

    def request(self, mac: bytes, number: i64) -> bytes:
        """The number, then the pattern."""
        port = self.base_port + number % self.spec.flows
        return udp_frame(mac, self.stack.mac, self.stack.ip, self.peer, port, UDP_PORT_ECHO, int(number).to_bytes(8, "big") + self.flow.expected)
