"""The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16 bit words."""

from __future__ import annotations

from typing import Final

from librt.strings import read_i32_le
from mypy_extensions import i64

LONG: Final[i64] = 2048
"""From this length (bytes) on, Python's big numbers keep up with the loop, compiled, and leave it behind, uncompiled."""


def ones_sum(data: bytes, start: i64, end: i64) -> i64:
    """Sum of ``data[start:end]`` as little-endian words, not folded; an odd last byte is padded with a zero.

    Partial sums add up as long as each part but the last has an even length.
    """
    if end - start >= LONG:
        return _long_sum(data[start:end])
    total: i64 = 0
    at = start
    stop = end - 3
    while at < stop:
        total += i64(read_i32_le(data, at)) & 0xFFFFFFFF
        at += 4
    if at + 1 < end:
        total += i64(data[at]) | (i64(data[at + 1]) << 8)
        at += 2
    if at < end:
        total += i64(data[at])
    return total


def _long_sum(data: bytes) -> i64:
    """The same by one big number: 2**16 is 1 modulo 65535, so a number's remainder is the sum of its 16 bit digits."""
    number = int.from_bytes(data, "little")
    rest: i64 = number % 0xFFFF
    # 0 and 65535 are one remainder, but only zeros sum to 0
    return 0xFFFF if rest == 0 and number != 0 else rest


def fold(total: i64) -> i64:
    """The checksum that belongs to a sum of `ones_sum`, as a big-endian number 0..0xffff."""
    rest = total
    while rest > 0xFFFF:
        rest = (rest & 0xFFFF) + (rest >> 16)
    # RFC 1071, 2 (B): the sum does not depend on the byte order, but for a swap at the end
    return (((rest & 0xFF) << 8) | (rest >> 8)) ^ 0xFFFF


def checksum(data: bytes) -> i64:
    """The checksum of `data`; 0 when `data` holds its own correct checksum."""
    return fold(ones_sum(data, 0, len(data)))


def pseudo_sum(source: bytes, destination: bytes, protocol: i64, length: i64) -> i64:
    """Sum of the pseudo header of TCP, UDP and ICMPv6 over IPv4 or IPv6 (RFC 768, RFC 8200 8.1); `length` in bytes.

    Both families' headers sum alike: addresses, protocol, length.
    """
    numbers = ((length >> 24) & 0xFF) | ((length >> 16) & 0xFF) << 8
    numbers += ((length >> 8) & 0xFF) | (length & 0xFF) << 8
    return ones_sum(source, 0, len(source)) + ones_sum(destination, 0, len(destination)) + (protocol << 8) + numbers


def transport_checksum(source: bytes, destination: bytes, protocol: i64, segment: bytes) -> i64:
    """Checksum of a TCP, UDP or ICMPv6 `segment` whose checksum field is zero; 0 for one whose field is correct."""
    size: i64 = len(segment)
    return fold(pseudo_sum(source, destination, protocol, size) + ones_sum(segment, 0, size))
