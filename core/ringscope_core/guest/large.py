"""A program that sends more at once than a frame holds: who can, cuts it (device, or driver)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.bulk import ARP_ATTEMPTS_NS, TURN_FRAMES
from ringscope_core.guest.config import TrafficSpec
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.workload import Workload
from ringscope_core.net.addresses import BROADCAST, ip4_from_text
from ringscope_core.net.offload import TCP_CWR
from ringscope_core.net.packet import ETH_P_IP, ETH_P_IPV6, IPPROTO_TCP, IPPROTO_UDP, TCP_ACK, TCP_PSH, UDP_PORT_DISCARD, ethernet, ipv4, ipv6, tcp, udp
from ringscope_core.trace.mainloop import MainLoop

FIRST_PORT: Final[i64] = 51000
LINK_LOCAL: Final = b"\xfe\x80" + bytes(6)
"""Behind it the interface identifier that belongs to an Ethernet address (RFC 4291, A)."""


@final
class LargeTx(Workload):
    """TCP data of `size` bytes a piece to the peer's discard port, as an established connection would send it; or UDP datagrams."""

    def __init__(self, spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str) -> None:
        super().__init__(spec, stack, loop, spec.kind)
        self.peer: bytes = ip4_from_text(peer_ip)
        self.tcp: bool = spec.kind == "tcp-bulk"
        self.mac: bytes = b""
        self.sequence: list[int] = [1] * int(spec.flows)
        """Next TCP sequence number by flow."""
        self.data: bytes = bytes([i * 11 & 0xFF for i in range(spec.size)])
        self.held: bytes = b""
        """A piece that found no room."""

    def _address(self, now: i64) -> bool:
        """Learn where to; False while ARP is under way."""
        mac = self.stack.resolve(self.peer)
        if not mac:
            if now < self.origin_ns + self.spec.start_ns + ARP_ATTEMPTS_NS:
                self.wake_at(self.stack.retry_ns(self.peer))
                return False
            mac = BROADCAST
        self.mac = mac
        return True

    def turn(self) -> i64:
        """Send what is due."""
        now = self.loop.clock.now_ns
        if self.stopped(now):
            return 0
        due = self.pacer.due(now)
        if due <= self.sent:
            self.wake_at(self.pacer.next_ns(now))
            return 0
        if not self.mac and not self._address(now):
            return 0
        moved = self._send(due)
        self.wake_at(self.pacer.next_ns(now))
        return moved

    def _send(self, due: i64) -> i64:
        stack = self.stack
        moved: i64 = 0
        if not stack.senders:
            return 0
        sender = stack.senders[0]
        sender.begin()
        while self.sent < due and moved < TURN_FRAMES and sender.ready():
            piece = self.held or self._piece(self.sent % self.spec.flows)
            if not sender.put(piece):
                self.held = piece
                break
            self.held = b""
            self.sent += 1
            moved += 1
        sender.finish()
        return moved

    def _piece(self, flow: i64) -> bytes:
        """The next piece of a flow, with right lengths and checksums: whoever cuts it makes them anew."""
        stack = self.stack
        if not self.tcp:
            datagram = udp(stack.ip, self.peer, FIRST_PORT + flow, UDP_PORT_DISCARD, self.data)
            return ethernet(self.mac, stack.mac, ETH_P_IP, ipv4(stack.ip, self.peer, IPPROTO_UDP, datagram, stack.next_ident(), 64, 0))
        flags = TCP_ACK | TCP_PSH | (TCP_CWR if self.spec.ecn else 0)
        sequence = self.sequence[flow]
        self.sequence[flow] = (sequence + len(self.data)) & 0xFFFFFFFF
        if not self.spec.ipv6:
            segment = tcp(stack.ip, self.peer, FIRST_PORT + flow, UDP_PORT_DISCARD, sequence, 1, flags, self.data)
            return ethernet(self.mac, stack.mac, ETH_P_IP, ipv4(stack.ip, self.peer, IPPROTO_TCP, segment, stack.next_ident()))
        source, destination = link_local(stack.mac), link_local(self.mac)
        segment = tcp(source, destination, FIRST_PORT + flow, UDP_PORT_DISCARD, sequence, 1, flags, self.data)
        return ethernet(self.mac, stack.mac, ETH_P_IPV6, ipv6(source, destination, IPPROTO_TCP, segment))


def link_local(mac: bytes) -> bytes:
    """The IPv6 address that an interface gives itself."""
    return LINK_LOCAL + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
