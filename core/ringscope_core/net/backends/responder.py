"""The host at the other end of the cable: answers ARP, ping and UDP echo, IPv4 and IPv6, and swallows everything else.

Replies are made at once and sent at the backend's next turn, as one burst: the device is in the middle of transmitting when
a request arrives.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.addresses import BROADCAST, link_local_of
from ringscope_core.net.backends.backend import BURST, Backend, WakeTimer
from ringscope_core.net.backends.generator import BulkGenerator, TcpGenerator
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_begin_burst, qemu_can_send_packet, qemu_end_burst
from ringscope_core.net.packet import (
    ARP_REPLY,
    ARP_REQUEST,
    ETH_P_ARP,
    ETH_P_IP,
    ETH_P_IPV6,
    ETH_P_VLAN,
    ICMP6_ECHO,
    ICMP6_ECHO_REPLY,
    ICMP6_NEIGHBOR_SOLICITATION,
    ICMP_ECHO,
    ICMP_ECHO_REPLY,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_UDP,
    UDP_PORT_ECHO,
    arp,
    ethernet,
    icmp6,
    icmp_echo,
    ipv4,
    ipv6,
    neighbor_advertisement,
    pad,
    udp,
    vlan,
)
from ringscope_core.net.parse import ParsedFrame, parse, u16

DEFAULT_MAC: Final = bytes((0x52, 0x55, 0x0A, 0x00, 0x02, 0x02))
DEFAULT_IP: Final = bytes((10, 0, 2, 2))
DEFAULT_IP6: Final = bytes.fromhex("fec00000000000000000000000000002")
DEFAULT_GUEST_MAC: Final = bytes((0x52, 0x54, 0x00, 0x12, 0x34, 0x56))
DEFAULT_GUEST_IP: Final = bytes((10, 0, 2, 15))


@final
class ResponderConfig:
    """Who the responder is and how it answers; all queues of one responder share it."""

    def __init__(self) -> None:
        self.mac: bytes = DEFAULT_MAC
        self.ip: bytes = DEFAULT_IP
        self.ip6: bytes = DEFAULT_IP6
        self.echo_port: i64 = UDP_PORT_ECHO
        """UDP port that echoes; 0: every port."""
        self.latency_ns: i64 = 0
        """Virtual ns between a request and its reply."""

    def link_local(self) -> bytes:
        """The second IPv6 address, which follows from the MAC address."""
        return link_local_of(self.mac)


@final
class Responder(Backend):
    """One queue of a responder."""

    def __init__(self, host: NetHost, name: str, config: ResponderConfig, kind: str = "responder") -> None:
        super().__init__(host, kind, name)
        self.config: ResponderConfig = config
        self._mac: bytes = config.mac
        self._ip: bytes = config.ip
        self._ip6: bytes = config.ip6
        self._link_local: bytes = config.link_local()
        self._ident: i64 = 0
        self._due: list[tuple[i64, bytes]] = []
        self._due_at: i64 = 0
        self._timer: WakeTimer = WakeTimer()
        self._bulk_timer: WakeTimer = WakeTimer()
        self._stream_timer: WakeTimer = WakeTimer()
        self.generator: BulkGenerator | None = None
        """Bulk traffic on top, see `start_bulk`."""
        self.stream: TcpGenerator | None = None
        """TCP data on top, see `start_stream`."""
        self._guest_mac: bytes = DEFAULT_GUEST_MAC
        self._guest_ip: bytes = DEFAULT_GUEST_IP
        self.arp_replies: i64 = 0
        self.icmp_echo_replies: i64 = 0
        self.udp_echo_replies: i64 = 0
        self.neighbor_advertisements: i64 = 0
        self.icmp6_echo_replies: i64 = 0
        self.sunk: i64 = 0
        """Frames that asked for nothing."""
        self.malformed: i64 = 0
        """Frames with headers or checksums that do not hold."""

    # -- frames from the guest ----------------------------------------------------------------------------------------
    def receive(self, frame: bytes) -> i64:
        """Answer `frame` or swallow it; it may hold anything."""
        if self.vnet is not None and self.vnet_hdr_len:
            return self.receive_unfinished(frame)
        self._take(frame)
        return self.count(len(frame))

    def receive_unfinished(self, frame: bytes) -> i64:
        """A frame with a header counts once, however many it stands for."""
        for plain in self.plain_frames(frame):
            self._take(plain)
        self.count(i64(len(frame)) - self.vnet_hdr_len)
        return len(frame)

    def take(self, frame: bytes) -> i64:
        """A plain frame."""
        self._take(frame)
        return self.count(len(frame))

    def _take(self, frame: bytes) -> None:
        size: i64 = len(frame)
        if size < 14:
            self.malformed += 1
        elif self._is_sunk(frame):
            self.sunk += 1
        else:
            self._answer(frame)

    def _is_sunk(self, frame: bytes) -> bool:
        """The quick look: most bulk traffic is UDP over IPv4 to a port that does not echo."""
        ethertype = u16(frame, 12)
        if ethertype == ETH_P_IP:
            if len(frame) < 42 or frame[14] != 0x45:
                return False
            protocol: i64 = frame[23]
            if protocol == IPPROTO_UDP:
                port = self.config.echo_port
                return port != 0 and u16(frame, 36) != port and u16(frame, 20) & 0x3FFF == 0
            return protocol != IPPROTO_ICMP
        return ethertype not in (ETH_P_ARP, ETH_P_IPV6, ETH_P_VLAN)

    def _answer(self, frame: bytes) -> None:
        parsed = parse(frame)
        if parsed.error or not parsed.transport_checksum_ok():
            self.malformed += 1
            return
        destination = frame[:6]
        if destination != self._mac and destination[0] & 1 == 0:
            self.sunk += 1
            return
        before = self.replies()
        if parsed.ethertype == ETH_P_ARP:
            self._answer_arp(parsed)
        elif parsed.l4 >= 0 and parsed.ethertype == ETH_P_IP:
            self._answer_ipv4(parsed)
        elif parsed.l4 >= 0 and parsed.ethertype == ETH_P_IPV6:
            self._answer_ipv6(parsed)
        if self.replies() == before:
            self.sunk += 1

    def _answer_arp(self, parsed: ParsedFrame) -> None:
        frame, at = parsed.frame, parsed.l3
        if frame[at : at + 6] != b"\x00\x01\x08\x00\x06\x04" or u16(frame, at + 6) != ARP_REQUEST:
            return
        asker_mac, asker_ip = frame[at + 8 : at + 14], frame[at + 14 : at + 18]
        if frame[at + 24 : at + 28] != self._ip or asker_ip == self._ip:
            return
        self._learn(asker_mac, asker_ip)
        self.arp_replies += 1
        self._reply(parsed, asker_mac, ETH_P_ARP, arp(ARP_REPLY, self._mac, self._ip, asker_mac, asker_ip))

    def _answer_ipv4(self, parsed: ParsedFrame) -> None:
        asker = parsed.source_ip()
        if parsed.destination_ip() != self._ip or asker == self._ip:
            return
        frame, at = parsed.frame, parsed.l4
        if parsed.protocol == IPPROTO_ICMP and frame[at] == ICMP_ECHO and frame[at + 1] == 0:
            self.icmp_echo_replies += 1
            answer = icmp_echo(ICMP_ECHO_REPLY, u16(frame, at + 4), u16(frame, at + 6), parsed.data())
        elif parsed.protocol == IPPROTO_UDP and self._echoes(parsed):
            self.udp_echo_replies += 1
            answer = udp(self._ip, asker, parsed.destination_port, parsed.source_port, parsed.data())
        else:
            return
        self._learn(parsed.source_mac(), asker)
        self._ident = (self._ident + 1) & 0xFFFF
        self._reply(parsed, parsed.source_mac(), ETH_P_IP, ipv4(self._ip, asker, parsed.protocol, answer, self._ident, 64, 0))

    def _answer_ipv6(self, parsed: ParsedFrame) -> None:
        frame, at = parsed.frame, parsed.l4
        kind: i64 = frame[at]
        asker, asked = parsed.source_ip(), parsed.destination_ip()
        if parsed.protocol == IPPROTO_ICMPV6 and kind == ICMP6_NEIGHBOR_SOLICITATION:
            self._advertise(parsed)
            return
        if (asked != self._ip6 and asked != self._link_local) or asker == asked:
            return
        if parsed.protocol == IPPROTO_ICMPV6 and kind == ICMP6_ECHO and frame[at + 1] == 0:
            self.icmp6_echo_replies += 1
            answer = icmp6(asked, asker, ICMP6_ECHO_REPLY, frame[at + 4 : parsed.end])
        elif parsed.protocol == IPPROTO_UDP and self._echoes(parsed):
            self.udp_echo_replies += 1
            answer = udp(asked, asker, parsed.destination_port, parsed.source_port, parsed.data())
        else:
            return
        self._reply(parsed, parsed.source_mac(), ETH_P_IPV6, ipv6(asked, asker, parsed.protocol, answer))

    def _advertise(self, parsed: ParsedFrame) -> None:
        """Answer a neighbour solicitation for one of our addresses (RFC 4861, 7.2.4)."""
        frame, at = parsed.frame, parsed.l4
        wanted = frame[at + 8 : at + 24]
        # RFC 4861, 7.1.1: hop limit 255 proves that it comes from this link
        if parsed.end - at < 24 or frame[parsed.l3 + 7] != 255 or (wanted != self._ip6 and wanted != self._link_local):
            return
        asker = parsed.source_ip()
        if asker == bytes(16) or asker[0] == 0xFF:
            return
        self.neighbor_advertisements += 1
        answer = neighbor_advertisement(wanted, asker, self._mac)
        self._reply(parsed, parsed.source_mac(), ETH_P_IPV6, ipv6(wanted, asker, IPPROTO_ICMPV6, answer, 255))

    def _echoes(self, parsed: ParsedFrame) -> bool:
        port = self.config.echo_port
        return parsed.destination_port == port or port == 0

    def _learn(self, mac: bytes, ip: bytes) -> None:
        """Remember the guest's addresses: bulk traffic goes there."""
        if (mac == self._guest_mac and ip == self._guest_ip) or mac == BROADCAST:
            return
        self._guest_mac = mac
        self._guest_ip = ip
        self._address_bulk()

    # -- frames to the guest ------------------------------------------------------------------------------------------
    def _reply(self, parsed: ParsedFrame, destination: bytes, ethertype: i64, payload: bytes) -> None:
        if parsed.vlan_tci >= 0:
            frame = vlan(destination, self._mac, parsed.vlan_tci, ethertype, payload)
        else:
            frame = ethernet(destination, self._mac, ethertype, payload)
        latency = self.config.latency_ns
        if latency == 0:
            self.push(pad(frame))
            return
        due = self.host.log.clock.now_ns + latency
        if self._due_at == len(self._due):
            self.host.loop.timer_mod(self._timer, due)
        self._due.append((due, pad(frame)))

    def start_bulk(self, pps: i64, size: i64, count: i64, start_ns: i64 = 0, flows: i64 = 1) -> None:
        """Send bulk UDP frames to the guest from virtual time `start_ns` on; arguments as of `BulkGenerator`."""
        self.generator = BulkGenerator(pps, size, count, start_ns, flows)
        self._address_bulk()

    def start_stream(self, pps: i64, size: i64, count: i64, start_ns: i64 = 0, flows: i64 = 1) -> None:
        """Send TCP data of `size` bytes a piece to the guest, as established connections would; other arguments as of `BulkGenerator`."""
        self.stream = TcpGenerator(pps, size, count, start_ns, flows)
        self._address_bulk()

    def _address_bulk(self) -> None:
        generator, stream = self.generator, self.stream
        if generator is not None:
            generator.address(self._mac, self._guest_mac, self._ip, self._guest_ip)
        if stream is not None:
            stream.address(self._mac, self._guest_mac, self._ip, self._guest_ip)

    def poll(self) -> i64:
        """Send the replies that are due, then bulk traffic."""
        if self._due_at < len(self._due):
            self._release_due()
        moved = self.send_backlog()
        if self.generator is not None:
            moved += self._poll_bulk()
        if self.stream is not None:
            moved += self._poll_stream(self.stream)
        return moved

    def _release_due(self) -> None:
        """Replies whose latency is over go into the backlog; the timer stands at the first that is not."""
        now = self.host.log.clock.now_ns
        due = self._due
        while self._due_at < len(due):
            when, frame = due[self._due_at]
            if when > now:
                self.host.loop.timer_mod(self._timer, when)
                return
            self.push(frame)
            self._due_at += 1
        self._due = []
        self._due_at = 0

    def _poll_bulk(self) -> i64:
        generator = self.generator
        if generator is None or generator.finished() or self.awaiting or not self.idle():
            return 0
        now = self.host.log.clock.now_ns
        due = generator.due_ns()
        if due > now:
            if self._bulk_timer.deadline_ns != due:
                self.host.loop.timer_mod(self._bulk_timer, due)
            return 0
        if not qemu_can_send_packet(self):
            return 0
        sent: i64 = 0
        plain = self.vnet is None
        qemu_begin_burst(self)
        while sent < BURST and due >= 0 and due <= now:
            sent += 1
            frame = generator.next_frame()
            if not (super().send(frame) if plain else self.send(frame)):
                break
            due = generator.due_ns()
        qemu_end_burst(self)
        return sent

    def _poll_stream(self, stream: TcpGenerator) -> i64:
        """Send the pieces that are due; one that has to wait holds the others up."""
        now = self.host.log.clock.now_ns
        sent: i64 = 0
        due = stream.due_ns()
        if 0 <= due <= now and not self.awaiting and self.idle() and qemu_can_send_packet(self):
            qemu_begin_burst(self)
            while sent < BURST and 0 <= due <= now:
                sent += 1
                if not self.send(stream.next_frame()):
                    break
                due = stream.due_ns()
            qemu_end_burst(self)
        if due > now and self._stream_timer.deadline_ns != due:
            self.host.loop.timer_mod(self._stream_timer, due)
        return sent

    def done(self) -> bool:
        """No reply on its way and no bulk traffic to come."""
        generator, stream = self.generator, self.stream
        made = (generator is None or generator.finished()) and (stream is None or stream.finished())
        return self.idle() and self._due_at == len(self._due) and made

    # -- what people ask ----------------------------------------------------------------------------------------------
    def replies(self) -> i64:
        """Answers given, of all kinds."""
        return self.arp_replies + self.icmp_echo_replies + self.udp_echo_replies + self.neighbor_advertisements + self.icmp6_echo_replies

    def stats(self) -> dict[str, int]:
        """Counts by name."""
        counts = super().stats()
        counts["arp_replies"] = self.arp_replies
        counts["icmp_echo_replies"] = self.icmp_echo_replies
        counts["udp_echo_replies"] = self.udp_echo_replies
        counts["neighbor_advertisements"] = self.neighbor_advertisements
        counts["icmp6_echo_replies"] = self.icmp6_echo_replies
        counts["sunk"] = self.sunk
        counts["malformed"] = self.malformed
        return counts
