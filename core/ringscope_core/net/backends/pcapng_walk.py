"""Finding the packets of a pcapng file (draft-ietf-opsawg-pcapng): any number of sections and interfaces."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from dpkt import pcap, pcapng

from ringscope_core.net.errors import NetOptionError

if TYPE_CHECKING:
    from ringscope_core.net.backends.pcap_file import Capture

DLT_ETHERNET: Final = pcap.DLT_EN10MB
MAX_BLOCK: Final = 64 << 20
"""No pcapng block that matters is longer (bytes)."""
NS_PER_S: Final = 1_000_000_000
FORMATS: Final = "a pcap or pcapng capture of link type Ethernet"


class _Interface:
    """What an interface description block says that a replay needs."""

    def __init__(self, linktype: int, snaplen: int) -> None:
        self.linktype: int = linktype
        self.snaplen: int = snaplen
        self.base: int = 10
        self.exponent: int = 6
        self.offset_s: int = 0

    def time_ns(self, stamp: int) -> int:
        """ns since 1970 of a 64 bit time stamp in this interface's resolution."""
        return stamp * NS_PER_S // int(self.base**self.exponent) + self.offset_s * NS_PER_S


class NgWalk:
    """One walk: the byte order and the interfaces of the section it is in."""

    def __init__(self, capture: Capture, field: str) -> None:
        self.capture: Capture = capture
        self.field: str = field
        self.order: str = "<"
        self.interfaces: list[_Interface] = []
        self.last_ns: int = 0

    def run(self) -> None:
        """Walk to the end."""
        at = 0
        while at < self.capture.size:
            length = self._block_length(at)
            if at + length > self.capture.size:
                if at == 0:
                    raise NetOptionError(f"capture '{self.capture.path}' ends inside its header", self.field, self.capture.path, FORMATS)
                self.capture.cut(at)
                return
            if length < 12:
                self.capture.cut(at)
                return
            self._block(at, length)
            at += length

    def _block_length(self, at: int) -> int:
        """Length of the block at `at` (a number below 12: not even its beginning is there)."""
        head = self.capture.read_at(at, 12)
        if len(head) < 12:
            return len(head)
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            self._set_order(at, head[8:12])
        (length,) = struct.unpack_from(self.order + "I", head, 4)
        if length < 12 or length % 4 or length > MAX_BLOCK:
            raise self.capture.damaged(self.field, at, f"a block of {length} bytes")
        return int(length)

    def _set_order(self, at: int, mark: bytes) -> None:
        if mark == b"\x4d\x3c\x2b\x1a":
            self.order = "<"
        elif mark == b"\x1a\x2b\x3c\x4d":
            self.order = ">"
        else:
            raise self.capture.damaged(self.field, at, "a section without byte order")

    def _block(self, at: int, length: int) -> None:
        kind, _ = struct.unpack(self.order + "II", self.capture.read_at(at, 8))
        (again,) = struct.unpack(self.order + "I", self.capture.read_at(at + length - 4, 4))
        if again != length:
            raise self.capture.damaged(self.field, at, f"a block of {length} bytes that ends as one of {again}")
        body, size = at + 8, length - 12
        if kind == pcapng.PCAPNG_BT_SHB:
            self._section(at, size)
        elif kind == pcapng.PCAPNG_BT_IDB:
            self._describe(at, body, size)
        elif kind == pcapng.PCAPNG_BT_EPB:
            self._enhanced(at, body, size)
        elif kind == pcapng.PCAPNG_BT_SPB:
            self._simple(at, body, size)
        elif kind == pcapng.PCAPNG_BT_PB:
            self._obsolete(at, body, size)

    def _need(self, at: int, size: int, least: int) -> None:
        if size < least:
            raise self.capture.damaged(self.field, at, f"a block with {size} bytes inside, {least} are needed")

    def _section(self, at: int, size: int) -> None:
        self._need(at, size, 16)
        major, minor = struct.unpack(self.order + "HH", self.capture.read_at(at + 12, 4))
        if major != 1:
            text = f"capture '{self.capture.path}' has pcapng version {major}.{minor}: 1.0 is needed"
            raise NetOptionError(text, self.field, self.capture.path, FORMATS)
        self.interfaces = []

    def _describe(self, at: int, body: int, size: int) -> None:
        self._need(at, size, 8)
        linktype, _, snaplen = struct.unpack(self.order + "HHI", self.capture.read_at(body, 8))
        interface = _Interface(linktype, snaplen)
        options = self.capture.read_at(body + 8, size - 8)
        offset = 0
        while offset + 4 <= len(options):
            code, count = struct.unpack_from(self.order + "HH", options, offset)
            value = options[offset + 4 : offset + 4 + count]
            if code == pcapng.PCAPNG_OPT_ENDOFOPT:
                break
            if len(value) < count:
                raise self.capture.damaged(self.field, at, "an option that leaves its block")
            self._option(interface, code, value)
            offset += 4 + (count + 3) // 4 * 4
        self.interfaces.append(interface)

    def _option(self, interface: _Interface, code: int, value: bytes) -> None:
        if code == pcapng.PCAPNG_OPT_IF_TSRESOL and value:
            # the top bit says whether the rest is a negative power of 2 or of 10
            interface.base = 2 if value[0] & 0x80 else 10
            interface.exponent = value[0] & 0x7F
        elif code == pcapng.PCAPNG_OPT_IF_TSOFFSET and len(value) == 8:
            (interface.offset_s,) = struct.unpack(self.order + "q", value)

    def _interface(self, at: int, number: int) -> _Interface:
        if number >= len(self.interfaces):
            raise self.capture.damaged(self.field, at, f"a packet of interface {number}, which was not described")
        return self.interfaces[number]

    def _packet(self, at: int, interface: _Interface, start: int, room: int, lengths: tuple[int, int], time_ns: int) -> None:
        captured, original = lengths
        if captured > room:
            raise self.capture.damaged(self.field, at, f"a frame of {captured} bytes in a block with room for {room}")
        self.last_ns = time_ns
        if interface.linktype != DLT_ETHERNET:
            self.capture.foreign_link += 1
            return
        self.capture.add(start, captured, original, time_ns)

    def _enhanced(self, at: int, body: int, size: int) -> None:
        self._need(at, size, 20)
        number, high, low, captured, original = struct.unpack(self.order + "IIIII", self.capture.read_at(body, 20))
        interface = self._interface(at, number)
        self._packet(at, interface, body + 20, size - 20, (captured, original), interface.time_ns(high << 32 | low))

    def _obsolete(self, at: int, body: int, size: int) -> None:
        self._need(at, size, 20)
        number, _, high, low, captured, original = struct.unpack(self.order + "HHIIII", self.capture.read_at(body, 20))
        interface = self._interface(at, number)
        self._packet(at, interface, body + 20, size - 20, (captured, original), interface.time_ns(high << 32 | low))

    def _simple(self, at: int, body: int, size: int) -> None:
        """A packet without a time: it counts as captured with the one before."""
        self._need(at, size, 4)
        (original,) = struct.unpack(self.order + "I", self.capture.read_at(body, 4))
        interface = self._interface(at, 0)
        captured = min(original, interface.snaplen) if interface.snaplen else original
        self._packet(at, interface, body + 4, size - 4, (captured, original), self.last_ns)
