"""Receive side scaling and hash report (virtio 1.x, 5.1.6.5.6, 5.1.6.5.7): which queue a frame goes to, and its hash (profile 7.2)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.protocols import Protocols
from ringscope_core.net.toeplitz import TOEPLITZ_KEY_SIZE, toeplitz

RSS_MAX_KEY_SIZE: Final[i64] = TOEPLITZ_KEY_SIZE
RSS_MAX_TABLE_LEN: Final[i64] = 128

HASH_TYPE_IPV4: Final[i64] = 0x001
HASH_TYPE_TCPV4: Final[i64] = 0x002
HASH_TYPE_UDPV4: Final[i64] = 0x004
HASH_TYPE_IPV6: Final[i64] = 0x008
HASH_TYPE_TCPV6: Final[i64] = 0x010
HASH_TYPE_UDPV6: Final[i64] = 0x020
HASH_TYPE_IP_EX: Final[i64] = 0x040
HASH_TYPE_TCP_EX: Final[i64] = 0x080
HASH_TYPE_UDP_EX: Final[i64] = 0x100
RSS_SUPPORTED_HASHES: Final[i64] = 0x1FF

REPORT_NONE: Final[i64] = 0
REPORT_IPV4: Final[i64] = 1
REPORT_TCPV4: Final[i64] = 2
REPORT_UDPV4: Final[i64] = 3
REPORT_IPV6: Final[i64] = 4
REPORT_TCPV6: Final[i64] = 5
REPORT_UDPV6: Final[i64] = 6
REPORT_IPV6_EX: Final[i64] = 7
REPORT_TCPV6_EX: Final[i64] = 8
REPORT_UDPV6_EX: Final[i64] = 9

HASH_AT: Final[i64] = 12
"""Where hash_value and hash_report lie in the header of 20 bytes."""


@final
class RssData:
    """VirtioNetRssData."""

    def __init__(self) -> None:
        self.enabled: bool = False
        self.redirect: bool = False
        """VIRTIO_NET_F_RSS: the hash chooses the queue."""
        self.populate_hash: bool = False
        """VIRTIO_NET_F_HASH_REPORT: the hash goes into the header."""
        self.hash_types: i64 = 0
        self.key: bytes = bytes(40)
        self.indirections_table: list[i64] = [0]
        self.default_queue: i64 = 0
        self.packet: Protocols = Protocols()
        self.value: i64 = 0
        """Hash and its kind of the last frame."""
        self.report: i64 = 0

    def disable(self) -> None:
        """virtio_net_disable_rss."""
        self.enabled = False

    def steer(self, queue: i64, frame: bytes, host_len: i64) -> i64:
        """virtio_net_process_rss without the header: hash `frame`, which came on `queue`; leaves `value` and `report`.

        Returns the queue of the indirection table, -1 to stay.
        """
        found = self.packet
        found.look_at(frame[host_len:])
        self.report = report_for(found, self.hash_types)
        if self.report == REPORT_NONE:
            self.value = 0
            return self.default_queue if self.redirect else -1
        self.value = toeplitz(self.key, hash_input(found, self.report))
        if not self.redirect:
            return -1
        table = self.indirections_table
        target = table[self.value & (i64(len(table)) - 1)]
        return -1 if target == queue else target


def report_for(found: Protocols, types: i64) -> i64:
    """virtio_net_get_hash_type: the finest hash that the driver asked for and the frame allows, as the report names it."""
    if found.is_ip4:
        if found.is_tcp and types & HASH_TYPE_TCPV4:
            return REPORT_TCPV4
        if found.is_udp and types & HASH_TYPE_UDPV4:
            return REPORT_UDPV4
        return REPORT_IPV4 if types & HASH_TYPE_IPV4 else REPORT_NONE
    if found.is_ip6:
        if found.is_tcp and types & (HASH_TYPE_TCPV6 | HASH_TYPE_TCP_EX):
            return REPORT_TCPV6_EX if types & HASH_TYPE_TCP_EX else REPORT_TCPV6
        if found.is_udp and types & (HASH_TYPE_UDPV6 | HASH_TYPE_UDP_EX):
            return REPORT_UDPV6_EX if types & HASH_TYPE_UDP_EX else REPORT_UDPV6
        if types & (HASH_TYPE_IPV6 | HASH_TYPE_IP_EX):
            return REPORT_IPV6_EX if types & HASH_TYPE_IP_EX else REPORT_IPV6
    return REPORT_NONE


def hash_input(found: Protocols, report: i64) -> bytes:
    """The bytes that are hashed for a frame that is reported as `report`."""
    addresses = found.addresses(report in (REPORT_IPV6_EX, REPORT_TCPV6_EX, REPORT_UDPV6_EX))
    if report in (REPORT_IPV4, REPORT_IPV6, REPORT_IPV6_EX):
        return addresses
    return addresses + found.ports()


def with_hash(frame: bytes, value: i64, report: i64) -> bytes:
    """virtio_set_packet_hash: `frame` with the hash in its header of 20 bytes."""
    at = HASH_AT
    return frame[:at] + int(value).to_bytes(4, "little") + int(report).to_bytes(2, "little") + frame[at + 6 :]
