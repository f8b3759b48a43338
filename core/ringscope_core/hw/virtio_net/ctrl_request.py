"""A control command's readable bytes: a guest may describe terabytes, of which no command needs more than a little."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio_net.constants import MAC_TABLE_ENTRIES, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET
from ringscope_core.memory.ram import GuestMemory

REQUEST_MAX: Final[i64] = 65536
"""Longer requests are read in part."""
COMMANDS_PER_KICK: Final[i64] = 4096
"""Four rings of the largest size; an index that jumps, or a ring that lies over the commands' own answers, has more."""
ETH_ALEN: Final = 6
_SHORT_TABLE: Final = bytes([VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET])
"""A MAC_TABLE_SET without its tables, which is an error."""


def read_request(elem: VirtQueueElement, memory: GuestMemory) -> bytes:
    """Class, command and data.  What is longer than `REQUEST_MAX` is cut; a MAC table so that it means what the whole one means."""
    if elem.out_len <= REQUEST_MAX:
        return elem.read_out(memory, 0)
    start = elem.read_some(memory, 0, REQUEST_MAX)
    if start[:2] != _SHORT_TABLE:
        return start
    return _shorten_table(elem, memory)


def _shorten_table(elem: VirtQueueElement, memory: GuestMemory) -> bytes:
    """Both tables with at most one entry too many each: enough to overflow the filter."""
    out = [_SHORT_TABLE]
    at: i64 = 2
    for last in (False, True):
        if at + 4 > elem.out_len:
            return _SHORT_TABLE
        entries: i64 = int.from_bytes(elem.read_some(memory, at, 4), "little")
        at += 4
        if at + entries * ETH_ALEN > elem.out_len or (last and at + entries * ETH_ALEN != elem.out_len):
            return _SHORT_TABLE
        kept = min(entries, MAC_TABLE_ENTRIES + 1)
        out.append(int(kept).to_bytes(4, "little"))
        out.append(elem.read_some(memory, at, kept * ETH_ALEN))
        at += entries * ETH_ALEN
    return b"".join(out)
