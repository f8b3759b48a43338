"""A small IP stack above the driver: ARP, IPv4, ICMP echo, UDP; as much as the workloads need.

It is promiscuous: every frame the driver takes out of the ring is counted (and digested) before anything looks inside.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.tally import FrameTally
from ringscope_core.guest.transmit import SendQueue
from ringscope_core.net.addresses import ip4_from_text
from ringscope_core.net.packet import (
    ARP_REPLY,
    ARP_REQUEST,
    ETH_P_ARP,
    ETH_P_IP,
    ICMP_ECHO,
    ICMP_ECHO_REPLY,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    UDP_PORT_ECHO,
    arp,
    arp_request,
    ethernet,
    icmp_echo,
    ipv4,
    udp,
)
from ringscope_core.net.parse import ParsedFrame, parse, u16
from ringscope_core.trace.clock import Clock

ARP_RETRY_NS: Final[i64] = 1_000_000_000
"""Between two requests for one address (Linux: retrans_time_ms)."""


class Flow:
    """Someone above the stack who waits for echo replies or datagrams."""

    def on_echo_reply(self, sequence: i64, data: bytes) -> None:
        """An ICMP echo reply with this flow's identifier."""

    def on_udp(self, port: i64, data: bytes) -> None:
        """A datagram to this flow's port, from the peer's `port`."""


@final
class NetStack:
    """One interface's addresses, neighbours, services and counters."""

    def __init__(self, clock: Clock, ip: str, digesting: bool) -> None:
        self.clock: Clock = clock
        self.mac: bytes = bytes(6)
        self.ip: bytes = ip4_from_text(ip)
        self.delivered: FrameTally = FrameTally(digesting)
        """Frames as the driver took them out of its rings."""
        self.sent: FrameTally = FrameTally(digesting)
        """Frames as the driver put them into its rings."""
        self.senders: list[SendQueue] = []
        self.pairs: i64 = 1
        """Queue pairs in use; the first of `senders`."""
        self.echo_flows: dict[int, Flow] = {}
        """By ICMP identifier."""
        self.udp_flows: dict[int, Flow] = {}
        """By local port."""
        self.ignored: i64 = 0
        """Frames nobody here asked for."""
        self.malformed: i64 = 0
        self.unsent: i64 = 0
        """Frames that found no interface."""
        self.tcp_bytes: i64 = 0
        """TCP data that came for this address."""
        self.echo_replies: i64 = 0
        self.udp_echoes: i64 = 0
        self._neighbours: dict[bytes, bytes] = {}
        self._asked_ns: dict[bytes, int] = {}
        self._ident: i64 = 0

    # -- sending ------------------------------------------------------------------------------------------------------
    def output(self, frame: bytes, pair: i64) -> None:
        """Leave `frame` to queue pair `pair`; it goes out at the end of the guest's turn.  Without an interface it is lost."""
        if self.senders:
            self.senders[pair % self.pairs].enqueue(frame)
        else:
            self.unsent += 1

    def announce(self) -> None:
        """Tell the neighbours where this address is: a gratuitous ARP request (RFC 5227, 3)."""
        self.output(arp_request(self.mac, self.ip, self.ip), 0)

    def next_ident(self) -> i64:
        """An IPv4 identification."""
        self._ident = (self._ident + 1) & 0xFFFF
        return self._ident

    def resolve(self, ip: bytes) -> bytes:
        """The Ethernet address of `ip`; empty while it is not known, and then a request goes out once a second."""
        found = self._neighbours.get(ip)
        if found is not None:
            return found
        now: int = self.clock.now_ns
        asked = self._asked_ns.get(ip)
        if asked is None or now >= asked + ARP_RETRY_NS:
            self._asked_ns[ip] = now
            self.output(arp_request(self.mac, self.ip, ip), 0)
        return b""

    def retry_ns(self, ip: bytes) -> i64:
        """Virtual time at which `resolve` would ask again."""
        return self._asked_ns.get(ip, 0) + ARP_RETRY_NS

    # -- receiving ----------------------------------------------------------------------------------------------------
    def receive(self, frame: bytes, pair: i64, trusted: bool = False, mended: bytes = b"") -> None:
        """A frame came out of queue pair `pair`; it may hold anything.

        `trusted`: the device says that its transport checksum is right; `mended`: the frame with what was left undone done, if anything was.
        """
        self.delivered.add(frame)
        if mended:
            frame = mended
        if self._is_ignored(frame):
            self.ignored += 1
            return
        parsed = parse(frame)
        if parsed.error or not (trusted or parsed.transport_checksum_ok()):
            self.malformed += 1
        elif parsed.ethertype == ETH_P_ARP:
            self._receive_arp(parsed, pair)
        elif parsed.ethertype == ETH_P_IP and parsed.destination_ip() == self.ip and parsed.l4 >= 0:
            self._receive_ip(parsed, pair)
        else:
            self.ignored += 1

    def _is_ignored(self, frame: bytes) -> bool:
        """The quick look: bulk traffic is UDP over IPv4 to a port nobody listens on."""
        if len(frame) < 42:
            return False
        if u16(frame, 12) != ETH_P_IP or frame[14] != 0x45 or i64(frame[23]) != IPPROTO_UDP:
            return False
        port: int = u16(frame, 36)
        return port != UDP_PORT_ECHO and port not in self.udp_flows

    def _receive_arp(self, parsed: ParsedFrame, pair: i64) -> None:
        frame, at = parsed.frame, parsed.l3
        operation = u16(frame, at + 6)
        sender_mac, sender_ip = frame[at + 8 : at + 14], frame[at + 14 : at + 18]
        if operation == ARP_REPLY and sender_ip in self._asked_ns:
            self._neighbours[sender_ip] = sender_mac
        elif operation == ARP_REQUEST and frame[at + 24 : at + 28] == self.ip and sender_ip != self.ip:
            self._neighbours[sender_ip] = sender_mac
            self.output(ethernet(sender_mac, self.mac, ETH_P_ARP, arp(ARP_REPLY, self.mac, self.ip, sender_mac, sender_ip)), pair)
        else:
            self.ignored += 1

    def _receive_ip(self, parsed: ParsedFrame, pair: i64) -> None:
        if parsed.protocol == IPPROTO_ICMP:
            self._receive_icmp(parsed, pair)
        elif parsed.protocol == IPPROTO_UDP:
            self._receive_udp(parsed, pair)
        elif parsed.protocol == IPPROTO_TCP:
            # nobody listens; how much came tells what became of large frames
            self.tcp_bytes += len(parsed.data())
            self.ignored += 1
        else:
            self.ignored += 1

    def _receive_icmp(self, parsed: ParsedFrame, pair: i64) -> None:
        frame, at = parsed.frame, parsed.l4
        kind: i64 = frame[at]
        ident, sequence = u16(frame, at + 4), u16(frame, at + 6)
        if kind == ICMP_ECHO:
            self.echo_replies += 1
            self._reply_ip(parsed, IPPROTO_ICMP, icmp_echo(ICMP_ECHO_REPLY, ident, sequence, parsed.data()), pair)
            return
        flow = self.echo_flows.get(int(ident)) if kind == ICMP_ECHO_REPLY else None
        if flow is None:
            self.ignored += 1
        else:
            flow.on_echo_reply(sequence, parsed.data())

    def _receive_udp(self, parsed: ParsedFrame, pair: i64) -> None:
        flow = self.udp_flows.get(int(parsed.destination_port))
        if flow is not None:
            flow.on_udp(parsed.source_port, parsed.data())
        elif parsed.destination_port == UDP_PORT_ECHO:
            self.udp_echoes += 1
            peer = parsed.source_ip()
            self._reply_ip(parsed, IPPROTO_UDP, udp(self.ip, peer, UDP_PORT_ECHO, parsed.source_port, parsed.data()), pair)
        else:
            self.ignored += 1

    def _reply_ip(self, parsed: ParsedFrame, protocol: i64, payload: bytes, pair: i64) -> None:
        packet = ipv4(self.ip, parsed.source_ip(), protocol, payload, self.next_ident())
        self.output(ethernet(parsed.source_mac(), self.mac, ETH_P_IP, packet), pair)
