"""pcap and pcapng as a session: frames, and nothing else is known.

Every frame becomes a packet and an event of kind ``frame_seen``; of our own pcapng files a dropped one becomes a ``frame_drop`` again, and
virtio_net_hdr comes back from the link type that carries it.  There is no state: whatever a device did is unknown, and is shown so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ringscope_core.export import vnet_pseudo
from ringscope_core.export.incoming import described, session_writer, unreadable, wait_for_room
from ringscope_core.export.pcapng_blocks import LINKTYPE_ETHERNET, LINKTYPE_USER0
from ringscope_core.export.pcapng_read import Captured, PcapngReader
from ringscope_core.export.request import Meter, Progress, Summary
from ringscope_core.net.backends.pcap_file import Capture
from ringscope_core.net.errors import NetOptionError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.rows import RAW_DTYPE, PacketRow
from ringscope_core.trace.kinds import ENUMS, EV_FRAME_DROP, EV_FRAME_SEEN

if TYPE_CHECKING:
    from ringscope_core.session.writer import SessionWriter

MAGICS: Final = (
    b"\x0a\x0d\x0d\x0a",
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\xcd\x34",
    b"\x34\xcd\xb2\xa1",
)
FIDELITY: Final = "frames only: what a device, its driver or its rings did is not known"
MAX_TIME_NS: Final = 1 << 62
_BATCH: Final = 1024
_UNKNOWN: Final = 2
"""``unknown`` in ``kinds.ENUMS["seen"]``."""
_OUR_VIRTUAL: Final = "times are virtual time"


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a capture."""
    return head[:4] in MAGICS


def import_capture(source: Path, path: Path, force: bool = False, progress: Progress | None = None) -> Summary:
    """Make a session of the capture `source` at `path`.

    Raises InputError for a file that is none, is damaged or holds no Ethernet frame, `Cancelled` when `progress` says so.
    """
    try:
        with source.open("rb") as file:
            ng = file.read(4) == MAGICS[0]
    except OSError as error:
        raise unreadable(source, error) from None
    summary = Summary()
    meter = Meter(progress, source.stat().st_size)
    meta = {
        "source": "capture",
        "fidelity": FIDELITY,
        "title": source.name,
        "scenario": "",
        "profile": "",
        "trace": "packets",
        "imported": described(source, "pcapng" if ng else "pcap"),
    }
    with session_writer(path, meta, force) as writer:
        builder = _Builder(writer, summary)
        for frame in _pcapng(source, builder, meter) if ng else _pcap(source, summary, meter):
            builder.add(frame)
        builder.finish()
        if not builder.packets:
            what = f"frames of link type {builder.foreign} alone" if builder.foreign >= 0 else "no frame"
            raise InputError("file", str(source), f"a capture with Ethernet frames; it holds {what}")
    return summary


def _pcapng(source: Path, builder: _Builder, meter: Meter) -> Iterator[Captured]:
    reader = PcapngReader(source)
    with source.open("rb") as file:
        for number, frame in enumerate(reader.frames(file)):
            builder.ours = reader.application.startswith("Ringscope ")
            builder.virtual = builder.ours and _OUR_VIRTUAL in reader.comment
            yield frame
            if number % _BATCH == 0:
                meter.at(file.tell())
    if reader.cut:
        builder.summary.remark("the capture ends inside a block: the frames before it were taken")


def _pcap(source: Path, summary: Summary, meter: Meter) -> Iterator[Captured]:
    try:
        capture = Capture.open(str(source))
    except NetOptionError as error:
        raise InputError("file", str(source), str(error)) from None
    try:
        for text in capture.warnings:
            summary.remark(text)
        for index in range(len(capture)):
            data = capture.frame(index)
            yield Captured(LINKTYPE_ETHERNET, capture.time_ns(index), data, len(data), -1, -1, ())
            if index % _BATCH == 0:
                meter.at(meter.total * index // len(capture))
    except NetOptionError as error:
        raise InputError("file", str(source), str(error)) from None
    finally:
        capture.close()


class _Builder:
    """Puts frames into a session, some hundred at a time."""

    def __init__(self, writer: SessionWriter, summary: Summary) -> None:
        self._writer: SessionWriter = writer
        self.summary: Summary = summary
        self.ours: bool = False
        self.virtual: bool = False
        self.packets: int = 0
        self.foreign: int = -1
        """A link type that was left out, -1 for none."""
        self._base: int | None = None
        self._latest: int = 0
        self._rows: list[PacketRow] = []
        self._frames: list[bytes] = []
        self._headers: list[bytes | None] = []
        self._events: list[tuple[int, ...]] = []
        self._disorder: int = 0

    def add(self, frame: Captured) -> None:
        """One frame; those of other link types are counted and left out."""
        header: bytes | None = None
        data, direction = frame.data, frame.direction
        if frame.linktype == LINKTYPE_USER0 and self.ours:
            parts = vnet_pseudo.split(data)
            if parts is None:
                raise InputError("file", "capture", "a frame of link type USER0 with Ringscope's pseudo header before it")
            header, direction, data = parts
        elif frame.linktype != LINKTYPE_ETHERNET:
            self.foreign = frame.linktype
            self.summary.remark(f"frames of link type {frame.linktype} are left out: only Ethernet is understood")
            return
        if not data:
            self.summary.remark("records without a byte are left out")
            return
        self._put(self._time(frame.time_ns), frame, direction, header, data)

    def _time(self, time_ns: int) -> int:
        """ns since the first frame; virtual time where the capture has it."""
        if self._base is None:
            self._base = 0 if self.virtual else time_ns
            if self._base:
                self._writer.set_meta("started_ns", self._base)
                self._writer.set_meta("started", datetime.fromtimestamp(min(self._base // 10**9, 1 << 36), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        return min(max(time_ns - self._base, -MAX_TIME_NS), MAX_TIME_NS)

    def _put(self, vt: int, frame: Captured, direction: int, header: bytes | None, data: bytes) -> None:
        self.packets += 1
        seq = self.packets - 1
        self._rows.append(PacketRow(self.packets, vt, vt, direction, frame.queue, -1, seq, len(data), -1 if header is None else len(header)))
        self._frames.append(data)
        self._headers.append(header)
        if vt < self._latest:
            self._disorder += 1
        # events are in the order of the file, and time never goes back among them
        self._latest = max(self._latest, vt)
        way = direction if direction >= 0 else _UNKNOWN
        length = max(frame.original - (vnet_pseudo.LENGTH if frame.linktype == LINKTYPE_USER0 else 0), len(data))
        reason = self._reason(frame)
        if reason >= 0 and direction >= 0:
            self._events.append((self._latest, self._latest, int(EV_FRAME_DROP), 0, -1, self.packets, length, reason, direction, 0, 0))
        else:
            self._events.append((self._latest, self._latest, int(EV_FRAME_SEEN), 0, -1, self.packets, length, way, 0, 0, 0))
        if len(self._rows) >= _BATCH:
            self._hand_on()

    def _reason(self, frame: Captured) -> int:
        """Why our own export says that a frame was dropped; -1 when it does not."""
        for text in frame.comments if self.ours else ():
            word, _, reason = text.partition(": ")
            if word == "dropped" and reason in ENUMS["drop"]:
                return ENUMS["drop"].index(reason)
        return -1

    def _hand_on(self) -> None:
        if not self._rows:
            return
        wait_for_room(self._writer)
        first = self._rows[0].seq
        self._writer.add_block(first, np.array(self._events, RAW_DTYPE).tobytes())
        self._writer.add_packets(self._rows, self._frames, [header or b"" for header in self._headers])
        self.summary.count("packets", len(self._rows))
        self._rows, self._frames, self._headers, self._events = [], [], [], []

    def finish(self) -> None:
        """Hand on what is left."""
        self._hand_on()
        if self._disorder:
            self.summary.remark(
                f"{self._disorder} frames are older than one before them: their packets keep their times, their events stand in the file's order"
            )
