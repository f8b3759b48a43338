"""Building frames: Ethernet, ARP, IPv4, IPv6, ICMP, UDP, TCP.  Lengths and checksums come out right.

Addresses are bytes (6, 4 or 16).  Reading frames is `parse`'s job.
"""

from __future__ import annotations

from typing import Final

from librt.strings import BytesWriter, write_i16_be, write_i32_be
from mypy_extensions import i16, i32, i64

from ringscope_core.net.addresses import BROADCAST, multicast_mac_of, solicited_node_of
from ringscope_core.net.checksum import checksum, transport_checksum

ETH_HLEN: Final[i64] = 14
ETH_P_IP: Final[i64] = 0x0800
ETH_P_ARP: Final[i64] = 0x0806
ETH_P_VLAN: Final[i64] = 0x8100
ETH_P_IPV6: Final[i64] = 0x86DD
ETH_ZLEN: Final[i64] = 60
"""A frame's smallest size (bytes) on a wire, without its check sequence."""

IPPROTO_ICMP: Final[i64] = 1
IPPROTO_TCP: Final[i64] = 6
IPPROTO_UDP: Final[i64] = 17
IPPROTO_ICMPV6: Final[i64] = 58

ARP_REQUEST: Final[i64] = 1
ARP_REPLY: Final[i64] = 2
ICMP_ECHO_REPLY: Final[i64] = 0
ICMP_ECHO: Final[i64] = 8
ICMP6_ECHO: Final[i64] = 128
ICMP6_ECHO_REPLY: Final[i64] = 129
ICMP6_NEIGHBOR_SOLICITATION: Final[i64] = 135
ICMP6_NEIGHBOR_ADVERTISEMENT: Final[i64] = 136

UDP_PORT_ECHO: Final[i64] = 7
UDP_PORT_DISCARD: Final[i64] = 9
IP_DF: Final[i64] = 0x4000
IP_MF: Final[i64] = 0x2000

TCP_FIN: Final[i64] = 1
TCP_SYN: Final[i64] = 2
TCP_RST: Final[i64] = 4
TCP_PSH: Final[i64] = 8
TCP_ACK: Final[i64] = 16


def _u16(writer: BytesWriter, value: i64) -> None:
    low = value & 0xFFFF
    write_i16_be(writer, i16(low - 0x10000 if low > 0x7FFF else low))


def _u32(writer: BytesWriter, value: i64) -> None:
    low = value & 0xFFFFFFFF
    write_i32_be(writer, i32(low - 0x100000000 if low > 0x7FFFFFFF else low))


def be16(value: i64) -> bytes:
    """Two bytes, most significant first."""
    return bytes(((value >> 8) & 0xFF, value & 0xFF))


def _with_checksum(packet: bytes, at: i64, value: i64) -> bytes:
    return packet[:at] + be16(value) + packet[at + 2 :]


# -- Ethernet, ARP ----------------------------------------------------------------------------------------------------
def ethernet(destination: bytes, source: bytes, ethertype: i64, payload: bytes) -> bytes:
    """An Ethernet II frame, not padded."""
    return destination + source + be16(ethertype) + payload


def vlan(destination: bytes, source: bytes, tci: i64, ethertype: i64, payload: bytes) -> bytes:
    """An 802.1Q frame; `tci` is priority << 13 | VLAN id."""
    return destination + source + b"\x81\x00" + be16(tci) + be16(ethertype) + payload


def pad(frame: bytes) -> bytes:
    """`frame` with zeros up to the smallest size of a wire."""
    return frame if len(frame) >= ETH_ZLEN else frame + bytes(ETH_ZLEN - len(frame))


def arp(operation: i64, sender_mac: bytes, sender_ip: bytes, target_mac: bytes, target_ip: bytes) -> bytes:
    """An ARP packet for IPv4 over Ethernet (RFC 826)."""
    return b"\x00\x01\x08\x00\x06\x04" + be16(operation) + sender_mac + sender_ip + target_mac + target_ip


def arp_request(source_mac: bytes, source_ip: bytes, wanted_ip: bytes) -> bytes:
    """The broadcast frame that asks who has `wanted_ip`."""
    return ethernet(BROADCAST, source_mac, ETH_P_ARP, arp(ARP_REQUEST, source_mac, source_ip, bytes(6), wanted_ip))


# -- IPv4 -------------------------------------------------------------------------------------------------------------
def ipv4(source: bytes, destination: bytes, protocol: i64, payload: bytes, ident: i64 = 0, ttl: i64 = 64, fragment: i64 = IP_DF) -> bytes:
    """An IPv4 packet without options; `fragment` is the 16 bit field of flags and offset."""
    writer = BytesWriter()
    writer.append(0x45)
    writer.append(0)
    _u16(writer, 20 + len(payload))
    _u16(writer, ident)
    _u16(writer, fragment)
    writer.append(ttl & 0xFF)
    writer.append(protocol & 0xFF)
    _u16(writer, 0)
    writer.write(source)
    writer.write(destination)
    header = writer.getvalue()
    return _with_checksum(header, 10, checksum(header)) + payload


def icmp_echo(kind: i64, ident: i64, sequence: i64, data: bytes) -> bytes:
    """An ICMP echo request (`kind` 8) or reply (0) (RFC 792)."""
    message = bytes((kind & 0xFF, 0, 0, 0)) + be16(ident) + be16(sequence) + data
    return _with_checksum(message, 2, checksum(message))


# -- UDP, TCP over either IP ------------------------------------------------------------------------------------------
def udp(source: bytes, destination: bytes, source_port: i64, destination_port: i64, data: bytes) -> bytes:
    """A UDP datagram; the addresses (4 or 16 bytes) are for its checksum."""
    datagram = be16(source_port) + be16(destination_port) + be16(8 + len(data)) + b"\x00\x00" + data
    value = transport_checksum(source, destination, IPPROTO_UDP, datagram)
    # RFC 768: a sum of zero is sent as all ones, zero means "none"
    return _with_checksum(datagram, 6, 0xFFFF if value == 0 else value)


def tcp(
    source: bytes,
    destination: bytes,
    source_port: i64,
    destination_port: i64,
    sequence: i64,
    acknowledgement: i64,
    flags: i64,
    data: bytes,
    window: i64 = 65535,
) -> bytes:
    """A TCP segment without options; the addresses are for its checksum."""
    writer = BytesWriter()
    _u16(writer, source_port)
    _u16(writer, destination_port)
    _u32(writer, sequence)
    _u32(writer, acknowledgement)
    writer.append(0x50)
    writer.append(flags & 0xFF)
    _u16(writer, window)
    _u32(writer, 0)
    writer.write(data)
    segment = writer.getvalue()
    return _with_checksum(segment, 16, transport_checksum(source, destination, IPPROTO_TCP, segment))


# -- IPv6 -------------------------------------------------------------------------------------------------------------
def ipv6(source: bytes, destination: bytes, next_header: i64, payload: bytes, hop_limit: i64 = 64) -> bytes:
    """An IPv6 packet without extension headers (RFC 8200)."""
    head = b"\x60\x00\x00\x00" + be16(len(payload)) + bytes((next_header & 0xFF, hop_limit & 0xFF))
    return head + source + destination + payload


def icmp6(source: bytes, destination: bytes, kind: i64, body: bytes) -> bytes:
    """An ICMPv6 message, code 0; `body` follows the checksum (RFC 4443)."""
    message = bytes((kind & 0xFF, 0, 0, 0)) + body
    return _with_checksum(message, 2, transport_checksum(source, destination, IPPROTO_ICMPV6, message))


def icmp6_echo(source: bytes, destination: bytes, kind: i64, ident: i64, sequence: i64, data: bytes) -> bytes:
    """An ICMPv6 echo request (`kind` 128) or reply (129)."""
    return icmp6(source, destination, kind, be16(ident) + be16(sequence) + data)


def neighbor_solicitation(source_mac: bytes, source: bytes, wanted: bytes) -> bytes:
    """The frame that asks for the Ethernet address of `wanted` (RFC 4861, 4.3)."""
    group = solicited_node_of(wanted)
    message = icmp6(source, group, ICMP6_NEIGHBOR_SOLICITATION, bytes(4) + wanted + b"\x01\x01" + source_mac)
    return ethernet(multicast_mac_of(group), source_mac, ETH_P_IPV6, ipv6(source, group, IPPROTO_ICMPV6, message, 255))


def neighbor_advertisement(source: bytes, destination: bytes, mac: bytes) -> bytes:
    """The ICMPv6 message that says that `source` is at `mac`: solicited, override (RFC 4861, 4.4)."""
    return icmp6(source, destination, ICMP6_NEIGHBOR_ADVERTISEMENT, b"\x60\x00\x00\x00" + source + b"\x02\x01" + mac)


# -- whole frames of the workloads ------------------------------------------------------------------------------------
def udp_frame(destination_mac: bytes, source_mac: bytes, source: bytes, destination: bytes, source_port: i64, destination_port: i64, data: bytes) -> bytes:
    """A UDP datagram in a frame; IPv4 or IPv6 by the length of the addresses."""
    datagram = udp(source, destination, source_port, destination_port, data)
    if len(source) == 4:
        return ethernet(destination_mac, source_mac, ETH_P_IP, ipv4(source, destination, IPPROTO_UDP, datagram))
    return ethernet(destination_mac, source_mac, ETH_P_IPV6, ipv6(source, destination, IPPROTO_UDP, datagram))


def ping_frame(destination_mac: bytes, source_mac: bytes, source: bytes, destination: bytes, ident: i64, sequence: i64, data: bytes) -> bytes:
    """An echo request in a frame; IPv4 or IPv6 by the length of the addresses."""
    if len(source) == 4:
        message = icmp_echo(ICMP_ECHO, ident, sequence, data)
        return ethernet(destination_mac, source_mac, ETH_P_IP, ipv4(source, destination, IPPROTO_ICMP, message))
    message = icmp6_echo(source, destination, ICMP6_ECHO, ident, sequence, data)
    return ethernet(destination_mac, source_mac, ETH_P_IPV6, ipv6(source, destination, IPPROTO_ICMPV6, message))
