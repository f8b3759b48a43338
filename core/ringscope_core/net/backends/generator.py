"""Bulk traffic towards the guest: UDP frames of one size at a rate of virtual time, or as fast as they are taken."""

from __future__ import annotations

from typing import Final, final

from librt.strings import BytesWriter, write_i64_be
from mypy_extensions import i64

from ringscope_core.net.packet import ETH_P_IP, IPPROTO_TCP, IPPROTO_UDP, TCP_ACK, UDP_PORT_DISCARD, be16, ethernet, ipv4, tcp

MIN_SIZE: Final[i64] = 50
"""Ethernet, IPv4, UDP, and the 8 byte number (bytes)."""
MAX_SIZE: Final[i64] = 14 + 65535
MAX_TCP_DATA: Final[i64] = 65535 - 40
"""Data of one IPv4 packet behind headers without options (bytes)."""
NS_PER_S: Final[i64] = 1_000_000_000
FIRST_PORT: Final[i64] = 49152


@final
class BulkGenerator:
    """Frames that differ in an 8 byte number behind the UDP header, counted from 0.

    The UDP checksum is left out, which IPv4 allows, so that a frame costs one copy.
    """

    def __init__(self, pps: i64, size: i64, count: i64, start_ns: i64, flows: i64) -> None:
        """`pps` 0 is flat out; `size` bytes a frame; `count` 0 is without end; `flows` UDP source ports in turn."""
        self.pps: i64 = pps
        self.size: i64 = size
        self.count: i64 = count
        self.start_ns: i64 = start_ns
        self.flows: i64 = flows
        self.made: i64 = 0
        self._heads: list[bytes] = []
        self._tail: bytes = bytes(size - MIN_SIZE)

    def address(self, source_mac: bytes, destination_mac: bytes, source: bytes, destination: bytes) -> None:
        """Who sends to whom; may change between frames."""
        datagram_size = self.size - 34
        heads: list[bytes] = []
        flow: i64 = 0
        while flow < self.flows:
            udp = be16(FIRST_PORT + flow) + be16(UDP_PORT_DISCARD) + be16(datagram_size) + b"\x00\x00"
            packet = ipv4(source, destination, IPPROTO_UDP, udp + bytes(datagram_size - 8))
            heads.append(ethernet(destination_mac, source_mac, ETH_P_IP, packet[:28]))
            flow += 1
        self._heads = heads

    def finished(self) -> bool:
        """Whether all frames have been made."""
        return self.count > 0 and self.made >= self.count

    def due_ns(self) -> i64:
        """Virtual time of the next frame, -1 when there is none."""
        if self.finished():
            return -1
        if self.pps <= 0:
            return self.start_ns
        # seconds and rest apart: the product of frames and ns passes 64 bits after some hours
        return self.start_ns + (self.made // self.pps) * NS_PER_S + (self.made % self.pps) * NS_PER_S // self.pps

    def next_frame(self) -> bytes:
        """Make the next frame."""
        writer = BytesWriter()
        writer.write(self._heads[self.made % self.flows])
        write_i64_be(writer, self.made)
        writer.write(self._tail)
        self.made += 1
        return writer.getvalue()


@final
class TcpGenerator:
    """TCP data towards the guest, in pieces that may be longer than a frame: sequence numbers go on, nothing is acknowledged."""

    def __init__(self, pps: i64, size: i64, count: i64, start_ns: i64, flows: i64) -> None:
        """`size`: bytes of data a piece; the rest as of `BulkGenerator`."""
        self.size: i64 = size
        self.flows: i64 = flows
        self.pace: BulkGenerator = BulkGenerator(pps, MIN_SIZE, count, start_ns, 1)
        self._data: bytes = bytes([i * 13 & 0xFF for i in range(size)])
        self._source_mac: bytes = bytes(6)
        self._destination_mac: bytes = bytes(6)
        self._source: bytes = bytes(4)
        self._destination: bytes = bytes(4)

    def address(self, source_mac: bytes, destination_mac: bytes, source: bytes, destination: bytes) -> None:
        """Who sends to whom; may change between frames."""
        self._source_mac, self._destination_mac = source_mac, destination_mac
        self._source, self._destination = source, destination

    def finished(self) -> bool:
        """Whether all pieces have been made."""
        return self.pace.finished()

    def due_ns(self) -> i64:
        """Virtual time of the next piece, -1 when there is none."""
        return self.pace.due_ns()

    def next_frame(self) -> bytes:
        """Make the next piece: each flow's follow each other without a gap."""
        made = self.pace.made
        self.pace.made = made + 1
        flow = made % self.flows
        sequence = (1 + made // self.flows * self.size) & 0xFFFFFFFF
        segment = tcp(self._source, self._destination, FIRST_PORT + flow, UDP_PORT_DISCARD, sequence, 1, TCP_ACK, self._data)
        packet = ipv4(self._source, self._destination, IPPROTO_TCP, segment, made & 0xFFFF)
        return ethernet(self._destination_mac, self._source_mac, ETH_P_IP, packet)
