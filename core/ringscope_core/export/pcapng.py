"""pcapng: the frames that passed the device, as tshark and Wireshark read them.

Every frame keeps its bytes, its time in ns, its direction, its ring, its number in the session, and, as comments, the event that recorded it and why
it was dropped.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from ringscope_core import __version__
from ringscope_core.export import pcapng_blocks as ng
from ringscope_core.export import vnet_pseudo
from ringscope_core.export.clocks import wall_base_ns
from ringscope_core.export.tables import drop_reason, pci_name, ring_of
from ringscope_core.trace.oids import ring_bdf, ring_index

if TYPE_CHECKING:
    from ringscope_core.export.job import Job
    from ringscope_core.export.selection import Frame

_DIRECTIONS: Final = {
    0: ng.option(ng.EPB_FLAGS, struct.pack("<I", ng.FLAG_OUTBOUND)),
    1: ng.option(ng.EPB_FLAGS, struct.pack("<I", ng.FLAG_INBOUND)),
}
_PACKET_ID: Final = struct.Struct("<HHQ")
_QUEUE: Final = struct.Struct("<HHI")
_NO_HEADERS: Final = "the session does not have the virtio_net_hdr of its frames (recorded by a version that did not keep it, or from a capture)"
_WAYS: Final = {0: "sent by the guest", 1: "received by the guest"}


def steps(job: Job) -> int:
    """A step is a packet."""
    first, last = job.selection.packet_span()
    return max(last - first + 1, 0)


def write(job: Job, path: Path) -> None:
    """Write the selected packets."""
    with path.open("wb") as file:
        _Writer(job, file).run()
    if not job.summary.rows:
        job.summary.count("packets", 0)
        job.summary.remark("no packet is in this range; a session of trace level counters has none")


class _Writer:
    """One file: interfaces are described when their first frame comes."""

    def __init__(self, job: Job, file: BinaryIO) -> None:
        self._job, self._file = job, file
        self._vnet: str = job.options["vnet-hdr"]
        self._wall: bool = job.options["time"] == "wall"
        self._base: int = wall_base_ns(job.recording.reader.meta, job.summary) if self._wall else 0
        self._numbers: dict[tuple[object, ...], int] = {}
        self._seen: list[int] = []
        self._dropped: list[int] = []
        self._last_ns: int = 0

    def run(self) -> None:
        """The header, every frame, and what each interface saw."""
        meta = self._job.recording.reader.meta
        clock = "wall time" if self._wall else "virtual time (QEMU_CLOCK_VIRTUAL), from the start of the run"
        words = (
            f"Ringscope session {meta.get('id', '')}: {meta.get('title') or meta.get('scenario') or self._job.recording.reader.path.name}; times are {clock}"
        )
        self._file.write(ng.section(words, f"Ringscope {__version__}"))
        for frames in self._job.selection.frames(self._job.meter):
            self._file.write(b"".join(map(self._frame, frames)))
            self._job.summary.count("packets", len(frames))
        for number, seen in enumerate(self._seen):
            self._file.write(ng.statistics(number, self._last_ns, seen, self._dropped[number]))

    def _frame(self, frame: Frame) -> bytes:
        row, header, data = frame.packet
        key = self._key(frame)
        described = b"" if key in self._numbers else self._describe(key, frame)
        number = self._numbers[key]
        self._seen[number] += 1
        time_ns = self._last_ns = self._base + row.wall if self._wall else row.vt
        options = _DIRECTIONS.get(row.direction, b"") + _PACKET_ID.pack(ng.EPB_PACKETID, 8, row.id)
        if row.queue >= 0:
            options += _QUEUE.pack(ng.EPB_QUEUE, 4, row.queue & 0xFFFFFFFF)
        options += ng.text(ng.OPT_COMMENT, f"event {row.seq}")
        reason = drop_reason(frame)
        if reason is not None:
            self._dropped[number] += 1
            options += ng.text(ng.OPT_COMMENT, f"dropped: {reason}")
        # only the beginning of a frame that is too long is kept
        original = row.length if frame.event is None else max(row.length, int(frame.event["a1"]))
        if self._vnet != "none":
            if header is None:
                self._job.summary.remark(_NO_HEADERS)
            if self._vnet == "comment":
                options += ng.text(ng.OPT_COMMENT, vnet_pseudo.words(header))
            else:
                data = vnet_pseudo.pseudo_header(header, row.direction) + data
                original += vnet_pseudo.LENGTH
        return described + ng.packet(number, time_ns, data, original, options)

    def _key(self, frame: Frame) -> tuple[object, ...]:
        """What frames of one interface have in common."""
        oid = ring_of(self._job.selection, frame)
        how = self._job.options["interfaces"]
        if how == "direction":
            return (frame.packet.row.direction,)
        if how == "device":
            return (int(ring_bdf(oid)) if oid else -1,)
        return (oid, frame.packet.row.direction, frame.packet.row.queue if not oid else -1)

    def _describe(self, key: tuple[object, ...], frame: Frame) -> bytes:
        """The description of the frame's interface, which is new."""
        self._numbers[key] = len(self._numbers)
        self._seen.append(0)
        self._dropped.append(0)
        names = self._job.recording.names
        oid, row = ring_of(self._job.selection, frame), frame.packet.row
        bdf = int(ring_bdf(oid)) if oid else -1
        device = f"virtio-net {pci_name(bdf)}" if bdf >= 0 else "network"
        way = _WAYS.get(row.direction, "direction unknown")
        how = self._job.options["interfaces"]
        if how == "direction":
            name, description = {0: "tx", 1: "rx"}.get(row.direction, "unknown"), f"frames {way}"
        elif how == "device":
            name, description = device, f"{device}: frames of every queue, both directions"
        elif oid:
            name, description = f"{pci_name(bdf)} {names.ring_name(oid)}", f"{device}, virtqueue {int(ring_index(oid))} ({names.ring_name(oid)}): frames {way}"
        else:
            name, description = {0: "tx", 1: "rx"}.get(row.direction, "frames"), f"frames {way}, queue {row.queue if row.queue >= 0 else 'unknown'}"
        hardware = f"virtio-net-pci, QEMU {self._job.recording.reader.meta.get('profile', '4.1')} profile" if bdf >= 0 else ""
        linktype = ng.LINKTYPE_USER0 if self._vnet == "link" else ng.LINKTYPE_ETHERNET
        return ng.interface(linktype, name, description, hardware)
