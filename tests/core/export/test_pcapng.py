"""pcapng: tshark reads the frames as the session has them, and our own import makes the session's frames of them again."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ringscope_core.export import vnet_pseudo
from ringscope_core.export.imports import import_file
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rows import FrameRow, PacketRow
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.kinds import EV_FRAME_DROP, EV_FRAME_SEEN, EV_FRAME_TX
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.oids import ring_oid
from tests.core.export.conftest import Export
from tests.core.session.recording import Keeper

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark (Debian: apt-get install tshark)")
DLT_USER0 = 'uat:user_dlts:"User 0 (DLT=147)","eth_withoutfcs","24","","0",""'


def frames_of(recording: Recording) -> list[FrameRow]:
    """Every packet of the session."""
    found = recording.reader.frames(1, recording.reader.packet_count)
    assert len(found) > 20
    return found


def tshark(path: Path, *fields: str, options: tuple[str, ...] = ()) -> list[list[str]]:
    """The fields of each frame, as tshark reads them."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", *options]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return [line.split("\t") for line in done.stdout.splitlines()]


def tshark_bytes(path: Path) -> list[bytes]:
    """The bytes of each frame, as tshark prints them in hexadecimal."""
    done = subprocess.run(["tshark", "-n", "-r", str(path), "-T", "jsonraw"], capture_output=True, text=True, check=True, timeout=120)
    return [bytes.fromhex(frame["_source"]["layers"]["frame_raw"][0]) for frame in json.loads(done.stdout)]


@needs_tshark
def test_tshark_reads_count_times_and_bytes(faults: Recording, to: Export, tmp_path: Path) -> None:
    """All frames, in order, with virtual times to the ns, direction, queue, event; the bytes are the session's."""
    summary = to(faults, "pcapng", "f.pcapng")
    frames = frames_of(faults)
    assert summary.rows == {"packets": len(frames)}
    rows = tshark(tmp_path / "f.pcapng", "frame.time_epoch", "frame.packet_flags_direction", "frame.len", "frame.comment", "frame.interface_name")
    assert len(rows) == len(frames)
    for (seconds, way, length, comment, interface), frame in zip(rows, frames, strict=True):
        whole, _, part = seconds.partition(".")
        assert int(whole) * 10**9 + int(part.ljust(9, "0")) == frame.row.vt
        assert int(way, 0) == (1 if frame.row.direction == 1 else 2)
        assert int(length) == frame.row.length
        assert comment.split("|")[0] == f"event {frame.row.seq}"
        assert interface.endswith("rx0" if frame.row.direction == 1 else "tx0")
    assert tshark_bytes(tmp_path / "f.pcapng") == [frame.data for frame in frames]


@needs_tshark
def test_header_as_link_type(offloads: Recording, to: Export, tmp_path: Path) -> None:
    """The header lies before each frame, and Wireshark's table of user link types dissects what follows."""
    to(offloads, "pcapng", "h.pcapng", options={"vnet-hdr": "link"})
    frames = frames_of(offloads)
    read = [vnet_pseudo.split(data) for data in tshark_bytes(tmp_path / "h.pcapng")]
    assert read == [(frame.header, frame.row.direction, frame.data) for frame in frames]
    assert {len(frame.header or b"") for frame in frames} == {12}
    assert any((frame.header or b"")[1] == 1 for frame in frames), "no frame with a gso_type"
    rows = tshark(tmp_path / "h.pcapng", "eth.type", options=("-o", DLT_USER0))
    assert [row[0] for row in rows] == [f"0x{frame.data[12:14].hex()}" for frame in frames]


@needs_tshark
def test_header_as_comment(offloads: Recording, to: Export, tmp_path: Path) -> None:
    """The same fields in words, and the bytes."""
    to(offloads, "pcapng", "c.pcapng", options={"vnet-hdr": "comment"})
    comments = [row[0] for row in tshark(tmp_path / "c.pcapng", "frame.comment")]
    frames = frames_of(offloads)
    assert len(comments) == len(frames)
    for comment, frame in zip(comments, frames, strict=True):
        assert frame.header is not None
        assert f"[{frame.header.hex(' ')}]" in comment
    assert any("gso_type=TCPV4" in comment and "gso_size=1460" in comment for comment in comments)


@needs_tshark
@pytest.mark.parametrize("how", ["queue", "direction", "device"])
def test_interfaces(faults: Recording, to: Export, tmp_path: Path, how: str) -> None:
    """An interface a queue, a direction or a device, each with its frames."""
    to(faults, "pcapng", "i.pcapng", options={"interfaces": how})
    names = {row[0] for row in tshark(tmp_path / "i.pcapng", "frame.interface_name")}
    device = next(iter(names)).split(" ")[-1] if how == "device" else ""
    assert names == {"queue": {"00:02.0 tx0", "00:02.0 rx0"}, "direction": {"tx", "rx"}, "device": {f"virtio-net {device}"}}[how]


def test_wall_times(faults: Recording, to: Export, tmp_path: Path) -> None:
    """Wall times count from when the run began."""
    to(faults, "pcapng", "w.pcapng", options={"time": "wall"})
    import_file(tmp_path / "w.pcapng", tmp_path / "w.ringscope")
    with SessionReader(tmp_path / "w.ringscope") as reader:
        first = frames_of(faults)[0].row
        assert reader.meta["started"] == faults.reader.meta["started"]
        assert [row.vt for row in reader.packets(1, 5)] == [frame.row.wall - first.wall for frame in frames_of(faults)[:5]]


def test_drops_keep_their_reason(tmp_path: Path, to: Export) -> None:
    """A dropped frame says so in its comment, in the statistics of its interface, and is a dropped frame again after an import."""
    log, rows, frames = EventLog(Clock()), [], [bytes(range(60)), bytes(range(80)), bytes(range(100, 160))]
    writer = SessionWriter(tmp_path / "d.ringscope", {})
    log.sink = Keeper(writer)
    # sent; lost because the link is down; not for this guest
    for number, (kind, way, reason) in enumerate([(EV_FRAME_TX, 0, 0), (EV_FRAME_DROP, 0, 1), (EV_FRAME_DROP, 1, 4)], 1):
        log.clock.now_ns += 1000
        data, args = frames[number - 1], (reason, way) if kind == EV_FRAME_DROP else (3, 0)
        rows.append(
            PacketRow(number, log.clock.now_ns, log.clock.now_ns, way, 1 - way, 3 if kind == EV_FRAME_TX else -1, int(log.seq), len(data), 12 - 12 * way)
        )
        log.emit(kind, ring_oid(0x10, 1 - way), number, len(data), *args)
    log.flush()
    writer.add_packets(rows, frames, [b"h" * row.header for row in rows])
    writer.close()
    with SessionReader(tmp_path / "d.ringscope") as reader:
        to(Recording(reader), "pcapng", "d.pcapng", options={"vnet-hdr": "link"})
        import_file(tmp_path / "d.pcapng", tmp_path / "again.ringscope")
        with SessionReader(tmp_path / "again.ringscope") as again:
            assert again.events(0, 9)["kind"].tolist() == [EV_FRAME_SEEN, EV_FRAME_DROP, EV_FRAME_DROP]
            assert again.events(1, 2)["a2"].tolist() == [1, 4]
            assert again.events(1, 2)["a3"].tolist() == [0, 1]
            assert again.frames(1, 9) == [frame._replace(row=frame.row._replace(head=-1)) for frame in reader.frames(1, 9)]
    if shutil.which("tshark"):
        comments = [row[0] for row in tshark(tmp_path / "d.pcapng", "frame.comment")]
        assert comments == ["event 0", "event 1|dropped: link down", "event 2|dropped: filtered"]


def test_range_and_filter(faults: Recording, to: Export, tmp_path: Path) -> None:
    """Only the frames between two moments that the filter takes."""
    summary = to(faults, "pcapng", "r.pcapng", since="20ms", until="40ms", filter="kind == frame_tx")
    wanted = [frame for frame in frames_of(faults) if 20_000_000 <= frame.row.vt <= 40_000_000 and frame.row.direction == 0]
    assert 5 < len(wanted) == summary.rows["packets"]
    import_file(tmp_path / "r.pcapng", tmp_path / "r.ringscope")
    with SessionReader(tmp_path / "r.ringscope") as reader:
        assert [(frame.row.vt, frame.data) for frame in reader.frames(1, 1000)] == [(frame.row.vt, frame.data) for frame in wanted]


def test_headers_that_were_not_recorded_are_not_invented(to: Export, tmp_path: Path) -> None:
    """A file of version 1 has no headers: the export says so, and marks each frame."""
    shutil.copy(Path(__file__).parents[2] / "data" / "sessions" / "v1.ringscope", tmp_path / "v1.ringscope")
    with SessionReader(tmp_path / "v1.ringscope") as reader:
        recording = Recording(reader)
        summary = to(recording, "pcapng", "v1.pcapng", options={"vnet-hdr": "link"})
        assert any("does not have the virtio_net_hdr" in text for text in summary.remarks)
        import_file(tmp_path / "v1.pcapng", tmp_path / "again.ringscope")
        with SessionReader(tmp_path / "again.ringscope") as again:
            assert [again.packet_header(n) for n in (1, 2, 3)] == [None, None, None]
            assert [again.packet_bytes(n) for n in (1, 2, 3)] == [reader.packet_bytes(n) for n in (1, 2, 3)]
