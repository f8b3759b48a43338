"""Capture files that are read: pcap (microseconds, nanoseconds, Kuznetzov's variant; either byte order) and pcapng.

Files come from anywhere and are checked whole before the first frame leaves: `Capture.open` walks the file once and keeps each
frame's place, length and time; `Capture.frame` reads the bytes when they are wanted.  dpkt gives the numbers of the formats; its
readers are not used, for they know one section and one interface, keep times as floats and do not notice damage.
"""

from __future__ import annotations

import os
import stat
import struct
from array import array
from typing import BinaryIO, Final

from dpkt import pcap

from ringscope_core.net.backends.pcapng_walk import DLT_ETHERNET, FORMATS, NS_PER_S, NgWalk
from ringscope_core.net.errors import NetOptionError

MAX_CAPTURED: Final = 16 << 20
"""No frame is longer (bytes): a length above this is damage."""
CHUNK: Final = 1 << 20

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
            NgWalk(self, field).run()
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
