"""A pcapng file of any origin, block by block: frames with what their options say of direction, ring and fate.  Nothing in it is believed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from ringscope_core.export import pcapng_blocks as ng
from ringscope_core.scenario.errors import InputError

MAX_BLOCK: Final = 64 << 20
"""No block that matters is longer (bytes)."""
MAX_INTERFACES: Final = 65536
NS: Final = 1_000_000_000
ALLOWED: Final = "a pcapng file that is whole"
SECTION: Final = 0x0A0D0D0A


class Captured(NamedTuple):
    """A frame of a capture; `time_ns` since 1970, `direction` 0 outbound, 1 inbound, -1 unknown, `queue` -1 unknown."""

    linktype: int
    time_ns: int
    data: bytes
    original: int
    direction: int
    queue: int
    comments: tuple[str, ...]


class _Interface(NamedTuple):
    linktype: int
    ticks: int
    """A second's."""
    offset_s: int


class PcapngReader:
    """One walk through the file.  `comment` and `application` are those of the newest section."""

    def __init__(self, path: Path) -> None:
        self._path: Path = path
        self._order: str = "<"
        self._interfaces: list[_Interface] = []
        self._last_ns: int = 0
        self._at: int = 0
        self.comment: str = ""
        self.application: str = ""
        self.cut: bool = False
        """The file ends inside a block: what comes before it was read."""

    def frames(self, file: BinaryIO) -> Iterator[Captured]:
        """Every frame, in the file's order.  Raises InputError where the file is damaged."""
        while True:
            self._at = file.tell()
            head = file.read(8)
            if len(head) < 8:
                self.cut = bool(head)
                return
            if head[:4] == b"\x0a\x0d\x0d\x0a":
                mark = file.read(4)
                file.seek(-len(mark), 1)
                self._set_order(mark)
            kind, length = struct.unpack(self._order + "II", head)
            if length < 12 or length % 4 or length > MAX_BLOCK:
                raise self._damaged(f"a block of {length} bytes")
            body = file.read(length - 8)
            if len(body) < length - 8:
                self.cut = True
                return
            if struct.unpack_from(self._order + "I", body, len(body) - 4)[0] != length:
                raise self._damaged("a block that ends as one of another length")
            found = self._block(kind, body[:-4])
            if found is not None:
                yield found

    def _set_order(self, mark: bytes) -> None:
        orders = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
        if mark not in orders:
            raise self._damaged("a section without byte order")
        self._order = orders[mark]

    def _damaged(self, what: str) -> InputError:
        return InputError("file", str(self._path), f"{ALLOWED}; at byte {self._at} there is {what}")

    def _block(self, kind: int, body: bytes) -> Captured | None:
        if kind == SECTION:
            self._section(body)
        elif kind == 1:
            self._describe(body)
        elif kind == 6:
            return self._enhanced(body)
        elif kind == 3:
            return self._simple(body)
        return None

    def _need(self, body: bytes, least: int) -> None:
        if len(body) < least:
            raise self._damaged(f"a block with {len(body)} bytes inside")

    def _options(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at + 4 <= len(data):
            code, count = struct.unpack_from(self._order + "HH", data, at)
            if code == 0:
                return
            if at + 4 + count > len(data):
                raise self._damaged("an option that leaves its block")
            yield code, data[at + 4 : at + 4 + count]
            at += 4 + (count + 3) // 4 * 4

    def _section(self, body: bytes) -> None:
        self._need(body, 16)
        self._interfaces = []
        self.comment = self.application = ""
        for code, value in self._options(body[16:]):
            if code == ng.OPT_COMMENT:
                self.comment = value.decode("utf-8", "replace")
            elif code == ng.SHB_USERAPPL:
                self.application = value.decode("utf-8", "replace")

    def _describe(self, body: bytes) -> None:
        self._need(body, 8)
        if len(self._interfaces) >= MAX_INTERFACES:
            raise self._damaged("one interface too many")
        (linktype,) = struct.unpack_from(self._order + "H", body)
        ticks, offset_s = 1_000_000, 0
        for code, value in self._options(body[8:]):
            if code == ng.IF_TSRESOL and value:
                # the top bit says whether the rest is a negative power of 2 or of 10
                ticks = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** (value[0] & 0x7F)
            elif code == 14 and len(value) == 8:
                (offset_s,) = struct.unpack(self._order + "q", value)
        self._interfaces.append(_Interface(linktype, ticks, offset_s))

    def _enhanced(self, body: bytes) -> Captured:
        self._need(body, 20)
        number, high, low, captured, original = struct.unpack_from(self._order + "IIIII", body)
        if number >= len(self._interfaces) or captured > len(body) - 20:
            raise self._damaged("a packet of an interface that was not described, or longer than its block")
        interface = self._interfaces[number]
        self._last_ns = (high << 32 | low) * NS // interface.ticks + interface.offset_s * NS
        direction, queue, comments = -1, -1, []
        for code, value in self._options(body[20 + (captured + 3) // 4 * 4 :]):
            if code == ng.OPT_COMMENT:
                comments.append(value.decode("utf-8", "replace"))
            elif code == ng.EPB_FLAGS and len(value) == 4:
                way = struct.unpack(self._order + "I", value)[0] & 3
                direction = {ng.FLAG_INBOUND: 1, ng.FLAG_OUTBOUND: 0}.get(way, -1)
            elif code == ng.EPB_QUEUE and len(value) == 4:
                (queue,) = struct.unpack(self._order + "i", value)
        return Captured(interface.linktype, self._last_ns, body[20 : 20 + captured], original, direction, max(queue, -1), tuple(comments))

    def _simple(self, body: bytes) -> Captured:
        """A packet without a time: it counts as captured with the one before."""
        self._need(body, 4)
        if not self._interfaces:
            raise self._damaged("a packet of an interface that was not described")
        (original,) = struct.unpack_from(self._order + "I", body)
        return Captured(self._interfaces[0].linktype, self._last_ns, body[4 : 4 + original], original, -1, -1, ())
