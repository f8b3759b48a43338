"""From a chain to the frame that went through it: which recorded packet, its bytes, and what its virtio_net_hdr holds."""

from __future__ import annotations

from typing import Final, NamedTuple

from ringscope.store import Store
from ringscope.words import t
from ringscope_core.export.vnet_pseudo import fields as header_fields
from ringscope_core.session.rows import Events
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_FRAME_RX, EV_FRAME_TX, EV_POP
from ringscope_core.trace.state import MachineState

LOOK_BACK: Final = 4096
"""Newest frames and pops of the ring that are searched for the head."""
BYTES_SHOWN: Final = 2048

_HOST_HDR: Final = int(field("VirtIONet.host_hdr_len", "bytes"))
_GUEST_HDR: Final = int(field("VirtIONet.guest_hdr_len", "bytes"))
_MERGEABLE: Final = int(field("VirtIONet.mergeable_rx_bufs", "bool"))


class FrameUse(NamedTuple):
    """The newest recorded frame that used a head.  `current` is false when the chain has gone round since."""

    packet: int
    seq: int
    length: int
    receive: bool
    buffers: int
    current: bool


def _newest(store: Store, oid: int, seq: int) -> Events:
    return store.reader.find_events((int(EV_POP), int(EV_FRAME_TX), int(EV_FRAME_RX)), max(0, seq - 64 * LOOK_BACK), seq, LOOK_BACK, True, (oid,))


def find_frame(store: Store, oid: int, head: int, seq: int) -> FrameUse | None:
    """The newest frame of ring `oid` at or before event `seq` whose chain began at `head`; None when none is recorded."""
    rows = _newest(store, oid, seq)
    popped_since = False
    for row in rows[::-1]:
        kind = int(row["kind"])
        if kind == EV_POP:
            popped_since = popped_since or int(row["a0"]) == head
        elif int(row["a2"]) == head:
            receive = kind == EV_FRAME_RX
            # virtqueue_pop comes before the frame of the same trip: one found first belongs to a later trip
            return FrameUse(int(row["a0"]), int(row["seq"]), int(row["a1"]), receive, int(row["a3"]) if receive else 0, not popped_since)
    return None


def searched_all(store: Store, oid: int, seq: int) -> bool:
    """Whether `find_frame` looked at everything of the ring up to event `seq`, and not only at the newest part."""
    return seq - 64 * LOOK_BACK <= store.first_seq and len(_newest(store, oid, seq)) < LOOK_BACK


def header_lines(state: MachineState, use: FrameUse, header: bytes | None = None) -> list[str]:
    """What the virtio_net_hdr in front of the frame holds, as far as the recording tells; `header` is the recorded one, None when it was not."""
    if header:
        values = "  ".join(f"{name} {value}" for name, value in header_fields(header))
        return [t("virtio_net_hdr ({n} bytes):", n=len(header)), f"  {values}"]
    device = next((values for values in state.fields.values() if values.get(_GUEST_HDR)), None)
    if device is None:
        return [t("virtio_net_hdr: not recorded")]
    size = device[_GUEST_HDR]
    if not use.receive:
        return [t("virtio_net_hdr: {size} bytes in front of the frame, written by the driver; not recorded", size=size)]
    if device.get(_HOST_HDR, 0):
        return [t("virtio_net_hdr: {size} bytes in front of the frame, copied from the peer; not recorded", size=size)]
    # receive_header without a peer's vnet_hdr zeroes the header; num_buffers is written with mergeable buffers only
    lines = [
        t("virtio_net_hdr ({size} bytes; the peer has no vnet_hdr, so the device writes zeros):", size=size),
        "  flags 0  gso_type 0 NONE  hdr_len 0  gso_size 0  csum_start 0  csum_offset 0",
    ]
    if size >= 12:
        lines.append(f"  num_buffers {use.buffers}" if device.get(_MERGEABLE) else t("  num_buffers left unwritten (no MRG_RXBUF)"))
    return lines


def hex_dump(data: bytes, limit: int = BYTES_SHOWN, row: int = 16) -> str:
    """Offset, `row` bytes (a multiple of 8), text: the usual columns; cut at `limit` bytes with a line that says so."""
    lines: list[str] = []
    for offset in range(0, min(len(data), limit), row):
        part = data[offset : min(offset + row, limit)]
        groups = "  ".join(f"{part[at : at + 8].hex(' '):<23}" for at in range(0, row, 8))
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{offset:04x}  {groups}  {text}")
    if len(data) > limit:
        lines.append(t("... {n} more bytes", n=len(data) - limit))
    return "\n".join(lines)


def _mac(data: bytes) -> str:
    return data.hex(":")


_ETHERTYPES: Final = {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x8100: "802.1Q"}
_PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}


def summary(data: bytes) -> str:
    """A frame in one line: addresses, EtherType, and for IPv4 its addresses and protocol."""
    if len(data) < 14:
        return t("{n} bytes: shorter than an Ethernet header", n=len(data))
    ethertype = int.from_bytes(data[12:14], "big")
    parts = [f"{_mac(data[6:12])} > {_mac(data[0:6])}", _ETHERTYPES.get(ethertype, f"type 0x{ethertype:04x}")]
    if ethertype == 0x0800 and len(data) >= 34:
        src, dst = ".".join(map(str, data[26:30])), ".".join(map(str, data[30:34]))
        parts.append(f"{src} > {dst} {_PROTOCOLS.get(data[23], f'protocol {data[23]}')}")
    return "  ".join(parts)
