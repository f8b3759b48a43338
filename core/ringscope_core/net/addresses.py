"""MAC, IPv4 and IPv6 addresses between text and bytes."""

from __future__ import annotations

import ipaddress
from typing import Final

BROADCAST: Final = b"\xff\xff\xff\xff\xff\xff"


def mac_from_text(text: str) -> bytes:
    """Six bytes of ``52:54:00:12:34:56`` (``-`` and single digits are fine); raises ValueError for anything else."""
    parts = text.replace("-", ":").split(":")
    if len(parts) != 6 or not all(1 <= len(part) <= 2 for part in parts):
        raise ValueError(text)
    return bytes(_hex_byte(part) for part in parts)


def _hex_byte(digits: str) -> int:
    if not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise ValueError(digits)
    return int(digits, 16)


def mac_to_text(mac: bytes) -> str:
    """``52:54:00:12:34:56``."""
    return mac.hex(":")


def ip4_from_text(text: str) -> bytes:
    """Four bytes of a dotted address; raises ValueError."""
    return ipaddress.IPv4Address(text).packed


def ip6_from_text(text: str) -> bytes:
    """Sixteen bytes of an IPv6 address; raises ValueError."""
    return ipaddress.IPv6Address(text).packed


def ip_to_text(address: bytes) -> str:
    """The usual text of a 4 or 16 byte address."""
    return str(ipaddress.ip_address(address))


def link_local_of(mac: bytes) -> bytes:
    """The fe80:: address that belongs to `mac` (RFC 4291, appendix A)."""
    return b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:6]


def solicited_node_of(address: bytes) -> bytes:
    """The multicast address that neighbour solicitations for `address` go to (RFC 4291, 2.7.1)."""
    return b"\xff\x02" + bytes(9) + b"\x01\xff" + address[13:16]


def multicast_mac_of(group: bytes) -> bytes:
    """The Ethernet address of an IPv6 multicast group (RFC 2464, 7)."""
    return b"\x33\x33" + group[12:16]
