"""Capture files: pcap (microseconds, nanoseconds, Kuznetzov's variant; either byte order) and pcapng.

Files come from anywhere and are checked whole before the first frame leaves: `Capture.open` walks the file once and keeps each
frame's place, length and time; `Capture.frame` reads the bytes when they are wanted.  dpkt gives the numbers of the formats; its
readers are not used, for they know one section and one interface, keep times as floats and do not notice damage.
"""

from __future__ import annotations

import os
import stat
import struct
from array import array
from pathlib import Path
from typing import BinaryIO, Final

from dpkt import pcap, pcapng

from ringscope_core.net.errors import NetOptionError

DLT_ETHERNET: Final = pcap.DLT_EN10MB
MAX_CAPTURED: Final = 16 << 20
"""No frame is longer (bytes): a length above this is damage."""
MAX_BLOCK: Final = 64 << 20
"""No pcapng block that matters is longer."""
CHUNK: Final = 1 << 20
SNAPLEN: Final = 262144
NS_PER_S: Final = 1_000_000_000
FORMATS: Final = "a pcap or pcapng capture of link type Ethernet"

_LINK_NAMES: Final[dict[int, str]] = {
    0: "BSD loopback",
    12: "raw IP",
    101: "raw IP",
    105: "IEEE 802.11",
    108: "OpenBSD loopback",
    113: "Linux cooked",
    127: "IEEE 802.11 radiotap",
    189: "Linux USB",
    220: "Linux USB",
    228: "raw IPv4",
    229: "raw IPv6",
    276: "Linux cooked v2",
}

_FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x1f\x8b", "compressed with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"BZh", "compressed with bzip2"),
    (b"snoop\x00", "a snoop capture"),
)


def _link_name(linktype: int) -> str:
    return f"{linktype} ({_LINK_NAMES[linktype]})" if linktype in _LINK_NAMES else str(linktype)


class Capture:
    """An open capture: its frames in file order, with times in ns."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path: str = path
        self.format: str = ""
        self.warnings: list[str] = []
        self.snapped: int = 0
        """Frames of which the capture holds only the beginning."""
        self.empty: int = 0
        """Records without a byte, which are no frames."""
        self.foreign_link: int = 0
        """Frames of interfaces that are not Ethernet."""
        self._file: BinaryIO = file
        self._size: int = os.fstat(file.fileno()).st_size
        self._starts: array[int] = array("q")
        self._lengths: array[int] = array("q")
        self._times: array[int] = array("q")
        self._chunk: bytes = b""
        self._chunk_start: int = 0

    @staticmethod
    def open(path: str, field: str = "file") -> Capture:
        """Open and check the capture at `path`; `field` is the option it came from.

        Raises NetOptionError when there is no such file, it is not a capture, it is damaged, or it holds no Ethernet frame.
        A capture that ends inside a record keeps the whole ones and has a warning.
        """
        file = _open_regular(path, field)
        try:
            capture = Capture(path, file)
            capture._index(field)
        except BaseException:
            file.close()
            raise
        return capture

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
        self._chunk = b""

    # -- frames -------------------------------------------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self._starts)

    def time_ns(self, index: int) -> int:
        """When frame `index` was captured: ns since 1970."""
        return self._times[index]

    def length(self, index: int) -> int:
        """Bytes of frame `index`."""
        return self._lengths[index]

    def frame(self, index: int) -> bytes:
        """Frame `index`.  Raises NetOptionError when the file has become shorter since it was opened."""
        start, length = self._starts[index], self._lengths[index]
        offset = start - self._chunk_start
        if offset < 0 or offset + length > len(self._chunk):
            self._chunk = self._read(start, max(CHUNK, length))
            self._chunk_start = start
            offset = 0
        if offset + length > len(self._chunk):
            raise NetOptionError(f"capture '{self.path}' was cut while it was being replayed (frame {index + 1})", "file", self.path)
        return self._chunk[offset : offset + length]

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    # -- the walk through the file ------------------------------------------------------------------------------------
    def _index(self, field: str) -> None:
        magic = self._read(0, 4)
        order = _pcap_order(magic)
        if magic == b"\x0a\x0d\x0d\x0a":
            self.format = "pcapng"
            _NgWalk(self, field).run()
        elif order:
            self.format = "pcap"
            _walk_pcap(self, field, order)
        else:
            raise NetOptionError(f"file '{self.path}' is {self._what_else()}: {FORMATS} is needed", field, self.path, FORMATS)
        if not self._starts:
            what = "only frames that are not Ethernet" if self.foreign_link else "no frame"
            raise NetOptionError(f"capture '{self.path}' holds {what}: {FORMATS} with frames is needed", field, self.path, FORMATS)
        self._warn_of_counts()

    def _what_else(self) -> str:
        head = self._read(0, 8)
        return next((name for start, name in _FOREIGN if head.startswith(start)), "not a capture" if head else "empty")

    def _warn_of_counts(self) -> None:
        if self.snapped:
            self.warnings.append(f"capture '{self.path}': {self.snapped} frames are cut by its snap length; what was captured of them is replayed")
        if self.foreign_link:
            self.warnings.append(f"capture '{self.path}': {self.foreign_link} frames of interfaces that are not Ethernet are left out")
        if self.empty:
            self.warnings.append(f"capture '{self.path}': {self.empty} records without a byte are left out")

    def add(self, start: int, captured: int, original: int, time_ns: int) -> None:
        """One frame of the walk."""
        if captured == 0:
            self.empty += 1
            return
        self.snapped += captured < original
        self._starts.append(start)
        self._lengths.append(captured)
        self._times.append(min(time_ns, (1 << 63) - 1))

    def cut(self, at: int) -> None:
        """The file ends inside the record that begins at byte `at`."""
        whole = len(self._starts) + self.empty + self.foreign_link
        self.warnings.append(f"capture '{self.path}' is cut at byte {self._size}, in the record at {at}: its {whole} whole records are used")

    def damaged(self, field: str, at: int, what: str) -> NetOptionError:
        """The error of a file that cannot be right."""
        return NetOptionError(f"capture '{self.path}' is damaged at byte {at}: {what}", field, self.path, "a whole capture")

    @property
    def size(self) -> int:
        """Bytes of the file when it was opened."""
        return self._size

    def read_at(self, start: int, length: int) -> bytes:
        """`length` bytes at `start`, through the chunk; fewer at the file's end."""
        offset = start - self._chunk_start
        if offset < 0 or offset + length > len(self._chunk):
            self._chunk = self._read(start, max(CHUNK, length))
            self._chunk_start = start
            offset = 0
        return self._chunk[offset : offset + length]


def _open_regular(path: str, field: str) -> BinaryIO:
    try:
        # a pipe would make open wait for its writer
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise NetOptionError(f"Could not open '{path}': {error.strerror}", field, path, "a readable file") from error
    except ValueError as error:
        raise NetOptionError(f"Could not open {path!r}: {error}", field, path, "a readable file") from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NetOptionError(f"'{path}' is not a regular file", field, path, "a readable file")
    return open(number, "rb", buffering=0)


# -- pcap -------------------------------------------------------------------------------------------------------------
_PCAP_MAGICS: Final[dict[int, tuple[int, int]]] = {
    pcap.TCPDUMP_MAGIC: (1000, 16),
    pcap.TCPDUMP_MAGIC_NANO: (1, 16),
    pcap.MODPCAP_MAGIC: (1000, 24),
}
"""Magic number: ns of a time unit, bytes of a record header."""


def _pcap_order(magic: bytes) -> str:
    """The byte order that makes `magic` a pcap file's, "" when neither does."""
    if len(magic) == 4:
        for order in "<>":
            if struct.unpack(order + "I", magic)[0] in _PCAP_MAGICS:
                return order
    return ""


def _walk_pcap(capture: Capture, field: str, order: str) -> None:
    """Find the records of a pcap file (draft-ietf-opsawg-pcap)."""
    head = capture.read_at(0, 24)
    if len(head) < 24:
        raise NetOptionError(f"capture '{capture.path}' ends inside its header", field, capture.path, FORMATS)
    magic, major, minor, _, _, _, network = struct.unpack(order + "IHHiIII", head)
    if (major, minor) != (2, 4):
        raise NetOptionError(f"capture '{capture.path}' has pcap version {major}.{minor}: 2.4 is needed", field, capture.path, FORMATS)
    if network & 0xFFFF != DLT_ETHERNET:
        raise NetOptionError(f"capture '{capture.path}' has link type {_link_name(network & 0xFFFF)}: 1 (Ethernet) is needed", field, capture.path, FORMATS)
    unit_ns, header_bytes = _PCAP_MAGICS[magic]
    record = struct.Struct(order + "IIII")
    at = 24
    while at < capture.size:
        raw = capture.read_at(at, header_bytes)
        if len(raw) < header_bytes:
            capture.cut(at)
            return
        seconds, fraction, captured, original = record.unpack_from(raw)
        if captured > MAX_CAPTURED:
            raise capture.damaged(field, at, f"a frame of {captured} bytes")
        if at + header_bytes + captured > capture.size:
            capture.cut(at)
            return
        capture.add(at + header_bytes, captured, original, seconds * NS_PER_S + fraction * unit_ns)
        at += header_bytes + captured


# -- pcapng -----------------------------------------------------------------------------------------------------------
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


class _NgWalk:
    """Finds the packets of a pcapng file (draft-ietf-opsawg-pcapng): any number of sections and interfaces."""

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


# -- writing ----------------------------------------------------------------------------------------------------------
class CaptureWriter:
    """Writes a pcap file with ns times.  The file appears under its name when it is closed, whole."""

    def __init__(self, path: str, field: str = "out") -> None:
        """Raises NetOptionError when the file cannot be made."""
        self.path: str = path
        self.frames: int = 0
        self._part: Path = Path(f"{path}.part")
        target = Path(path)
        if target.exists() and not target.is_file():
            raise NetOptionError(f"Could not create '{path}': not a regular file", field, path, "a file that can be written")
        try:
            self._file: BinaryIO = open(self._part, "wb", buffering=CHUNK)  # noqa: SIM115
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise NetOptionError(f"Could not create '{path}': {reason}", field, path, "a file that can be written") from error
        self._file.write(struct.pack("<IHHiIII", pcap.TCPDUMP_MAGIC_NANO, 2, 4, 0, 0, SNAPLEN, DLT_ETHERNET))

    def write(self, time_ns: int, frame: bytes) -> None:
        """Append one frame."""
        seconds, rest = divmod(time_ns, NS_PER_S)
        self._file.write(struct.pack("<IIII", seconds & 0xFFFFFFFF, rest, len(frame), len(frame)))
        self._file.write(frame)
        self.frames += 1

    def close(self) -> None:
        """Give the file its name; closing again does nothing."""
        if not self._file.closed:
            self._file.close()
            self._part.replace(self.path)
