"""A frame's headers as (layer, field, value), by the same reading that the model itself uses."""

from __future__ import annotations

from typing import Final

from ringscope_core.net.parse import ParsedFrame, parse

Row = tuple[str, str, str]
_ETHERTYPES: Final = {0x0800: "IPv4", 0x0806: "ARP", 0x86DD: "IPv6", 0x8100: "VLAN"}
_PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
_ICMP: Final = {0: "echo reply", 3: "destination unreachable", 8: "echo request", 11: "time exceeded"}
_ICMP6: Final = {128: "echo request", 129: "echo reply", 133: "router solicitation", 135: "neighbor solicitation", 136: "neighbor advertisement"}
_TCP_FLAGS: Final = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")


def mac(data: bytes) -> str:
    """``52:54:00:12:34:56``."""
    return data.hex(":")


def address(data: bytes) -> str:
    """An IPv4 or IPv6 address."""
    if len(data) == 4:
        return ".".join(str(byte) for byte in data)
    import ipaddress

    return str(ipaddress.IPv6Address(data)) if len(data) == 16 else ""


def _u16(frame: bytes, at: int) -> int:
    return int.from_bytes(frame[at : at + 2], "big")


def _u32(frame: bytes, at: int) -> int:
    return int.from_bytes(frame[at : at + 4], "big")


def dissect(frame: bytes) -> list[Row]:
    """Every header that could be read; the last row says what stopped it, if anything did."""
    parsed = parse(frame)
    rows: list[Row] = []
    if len(frame) >= 14:
        rows += [("Ethernet", "destination", mac(frame[:6])), ("Ethernet", "source", mac(frame[6:12]))]
        if parsed.vlan_tci >= 0:
            rows.append(("Ethernet", "VLAN", f"{parsed.vlan_tci & 0xFFF}, priority {parsed.vlan_tci >> 13}"))
        rows.append(("Ethernet", "type", f"0x{parsed.ethertype:04x} {_ETHERTYPES.get(int(parsed.ethertype), '')}".strip()))
    if parsed.ethertype == 0x0806 and not parsed.error:
        rows += _arp(frame, int(parsed.l3))
    elif parsed.protocol >= 0:
        rows += _ip(frame, parsed)
        if parsed.l4 >= 0:
            rows += _transport(frame, parsed)
    if parsed.error:
        rows.append(("Note", "stops here", parsed.error))
    return rows


def _arp(frame: bytes, at: int) -> list[Row]:
    operation = {1: "request", 2: "reply"}.get(_u16(frame, at + 6), str(_u16(frame, at + 6)))
    return [
        ("ARP", "operation", operation),
        ("ARP", "sender", f"{mac(frame[at + 8 : at + 14])} {address(frame[at + 14 : at + 18])}"),
        ("ARP", "target", f"{mac(frame[at + 18 : at + 24])} {address(frame[at + 24 : at + 28])}"),
    ]


def _ip(frame: bytes, parsed: ParsedFrame) -> list[Row]:
    layer = "IPv4" if parsed.ethertype == 0x0800 else "IPv6"
    at = int(parsed.l3)
    rows = [(layer, "source", address(parsed.source_ip())), (layer, "destination", address(parsed.destination_ip()))]
    if layer == "IPv4":
        rows += [
            (layer, "identification", f"0x{_u16(frame, at + 4):04x}"),
            (layer, "time to live", str(frame[at + 8])),
            (layer, "length", str(_u16(frame, at + 2))),
        ]
        if parsed.fragment:
            rows.append((layer, "fragment", f"offset {(parsed.fragment & 0x1FFF) * 8}"))
    else:
        rows += [(layer, "hop limit", str(frame[at + 7])), (layer, "length", str(_u16(frame, at + 4)))]
    rows.append((layer, "protocol", f"{parsed.protocol} {_PROTOCOLS.get(int(parsed.protocol), '')}".strip()))
    return rows


def _transport(frame: bytes, parsed: ParsedFrame) -> list[Row]:
    at = int(parsed.l4)
    layer = _PROTOCOLS.get(int(parsed.protocol), "transport")
    rows: list[Row] = []
    if layer in ("UDP", "TCP"):
        rows += [(layer, "source port", str(parsed.source_port)), (layer, "destination port", str(parsed.destination_port))]
    if layer == "TCP":
        flags = " ".join(name for bit, name in enumerate(_TCP_FLAGS) if frame[at + 13] >> bit & 1)
        rows += [
            (layer, "sequence", str(_u32(frame, at + 4))),
            (layer, "acknowledgment", str(_u32(frame, at + 8))),
            (layer, "flags", flags),
            (layer, "window", str(_u16(frame, at + 14))),
        ]
    if layer in ("ICMP", "ICMPv6"):
        names = _ICMP if layer == "ICMP" else _ICMP6
        rows.append((layer, "type", f"{frame[at]} {names.get(frame[at], '')}".strip()))
        if frame[at] in (0, 8, 128, 129):
            rows += [(layer, "identifier", str(_u16(frame, at + 4))), (layer, "sequence", str(_u16(frame, at + 6)))]
    if not parsed.fragment:
        rows.append((layer, "checksum", "holds" if parsed.transport_checksum_ok() else "does not hold (or is left to the device)"))
    rows.append((layer, "payload", f"{len(parsed.data())} B"))
    return rows
