"""Receive-side scaling from the driver's side: key, indirection table, hash types (virtio 1.2, 5.1.6.4.3 and 5.1.6.5.7)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

HASH_IPV4: Final = 1 << 0
HASH_TCPV4: Final = 1 << 1
HASH_UDPV4: Final = 1 << 2
HASH_IPV6: Final = 1 << 3
HASH_TCPV6: Final = 1 << 4
HASH_UDPV6: Final = 1 << 5

WANTED_TYPES: Final = HASH_IPV4 | HASH_TCPV4 | HASH_UDPV4 | HASH_IPV6 | HASH_TCPV6 | HASH_UDPV6
"""What the driver hashes by, as far as the device can: no extension headers."""

RSS_KEY: Final = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
"""The 40 byte key with which the hash's verification vectors were published, so that anyone can recompute what a run shows."""
TABLE_ENTRIES: Final = 128


def indirection_table(pairs: i64, longest: i64) -> list[int]:
    """Receive queues in turn, over the largest table that both sides can hold (ethtool_rxfh_indir_default)."""
    entries = 1
    while entries * 2 <= longest and entries * 2 <= TABLE_ENTRIES:
        entries *= 2
    return [place % int(pairs) for place in range(entries)]
