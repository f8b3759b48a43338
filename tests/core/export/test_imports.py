"""Captures and JSON lines as sessions: what is known comes in, what is not stays unknown, and damage is one clear line."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringscope_core.export import pcapng_blocks as ng
from ringscope_core.export.imports import import_file, kind_of
from ringscope_core.query.recording import Recording
from ringscope_core.query.verify import verify
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.kinds import EV_FRAME_RX, EV_FRAME_SEEN
from tests.core.export.conftest import Export

FRAMES = [bytes([n]) * 6 + b"\x02" * 6 + b"\x08\x00" + bytes(46 + n) for n in range(5)]
SECONDS = 1_700_000_000


def pcap(path: Path, order: str = "<", nanoseconds: bool = False, linktype: int = 1) -> Path:
    """A classic capture of `FRAMES`, a millisecond apart."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, linktype)
    for number, frame in enumerate(FRAMES):
        part = number * (1_000_000 if nanoseconds else 1000)
        data += struct.pack(order + "IIII", SECONDS, part, len(frame), len(frame)) + frame
    path.write_bytes(data)
    return path


def pcapng(path: Path, *packets: bytes, linktype: int = 1) -> Path:
    """A capture with one interface and these blocks."""
    path.write_bytes(ng.section("", "another program") + ng.interface(linktype, "eth0", "", "") + b"".join(packets))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_a_foreign_capture(tmp_path: Path, order: str, nanoseconds: bool) -> None:
    """Frames, their times from the first on; direction, ring and header are unknown, and there is no state."""
    source = pcap(tmp_path / "f.pcap", order, nanoseconds)
    summary = import_file(source, tmp_path / "s.ringscope")
    assert summary.rows == {"packets": 5}
    with SessionReader(tmp_path / "s.ringscope") as reader:
        found = reader.frames(1, 99)
        assert [frame.data for frame in found] == FRAMES
        assert [frame.row.vt for frame in found] == [n * 1_000_000 for n in range(5)]
        assert {(frame.row.direction, frame.row.queue, frame.row.head, frame.header) for frame in found} == {(-1, -1, -1, None)}
        events = reader.events(0, 99)
        assert set(events["kind"].tolist()) == {EV_FRAME_SEEN}
        assert Recording(reader).describe(events[0]) == "packet=#1  len=60 B  direction=unknown"
        assert (reader.meta["source"], reader.meta["profile"]) == ("capture", "")
        assert reader.meta["started_ns"] == SECONDS * 10**9
        imported = reader.meta["imported"]
        assert isinstance(imported, dict) and (imported["file"], imported["format"], imported["bytes"]) == ("f.pcap", "pcap", source.stat().st_size)
        state = reader.state_at(reader.last_seq)
        assert not state.objects and not state.rings and not state.fields and not state.stack


def test_times_that_go_back(tmp_path: Path) -> None:
    """A packet keeps its time; events, which stand in order, never go back."""
    packets = [ng.packet(0, SECONDS * 10**9 + ns, FRAMES[0], 60, b"") for ns in (5000, 9000, 7000)]
    summary = import_file(pcapng(tmp_path / "f.pcapng", *packets), tmp_path / "s.ringscope")
    assert any("older than one before" in text for text in summary.remarks)
    with SessionReader(tmp_path / "s.ringscope") as reader:
        assert [row.vt for row in reader.packets(1, 9)] == [0, 4000, 2000]
        assert reader.events(0, 9)["vt"].tolist() == [0, 4000, 4000]


def test_pcapng_of_others(tmp_path: Path) -> None:
    """Directions of another program are taken; its link types, comments and user types are not believed to be ours."""
    inbound = ng.option(ng.EPB_FLAGS, struct.pack("<I", 1)) + ng.text(ng.OPT_COMMENT, "dropped: filtered")
    import_file(pcapng(tmp_path / "f.pcapng", ng.packet(0, 0, FRAMES[1], 2000, inbound)), tmp_path / "s.ringscope")
    with SessionReader(tmp_path / "s.ringscope") as reader:
        assert reader.packets(1, 1)[0].direction == 1
        row = reader.events(0, 0)[0]
        assert (int(row["kind"]), int(row["a1"]), int(row["a2"])) == (EV_FRAME_SEEN, 2000, 1)
    user = pcapng(tmp_path / "u.pcapng", ng.packet(0, 0, FRAMES[1], 61, b""), linktype=ng.LINKTYPE_USER0)
    with pytest.raises(InputError, match="link type 147"):
        import_file(user, tmp_path / "u.ringscope")
    assert not (tmp_path / "u.ringscope").exists()


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        (b"", "capture"),
        (b"hello", "capture"),
        (b'{"type":"event"}\n', "capture"),
        (b"SQLite format 3\0" + bytes(90), "open it as it is"),
        (b"\x1f\x8b\x08\x00", "capture"),
        (b"\x0a\x0d\x0d\x0a" + bytes(28), "without byte order"),
        (ng.section("", ""), "no frame"),
        (ng.section("", "") + struct.pack("<II", 6, 7), "block of 7 bytes"),
        (ng.section("", "") + ng.packet(0, 0, b"x" * 60, 60, b""), "not described"),
        (b"\xd4\xc3\xb2\xa1" + bytes(2), "ends inside its header"),
        (b'{"type":"header","format":"ringscope json lines"}\n', "line 1"),
    ],
)
def test_what_is_no_import(tmp_path: Path, content: bytes, allowed: str) -> None:
    """One line that says what is wrong, and no session."""
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(InputError) as error:
        import_file(tmp_path / "f", tmp_path / "s.ringscope")
    assert allowed in str(error.value) and "\n" not in str(error.value)
    assert [part.name for part in tmp_path.iterdir()] == ["f"]


def test_missing_and_same_file(tmp_path: Path) -> None:
    """A file that is not there, and an import over its own source."""
    with pytest.raises(InputError, match="No such file"):
        import_file(tmp_path / "none", tmp_path / "s.ringscope")
    source = pcap(tmp_path / "f.pcap")
    with pytest.raises(InputError, match="another file"):
        import_file(source, source, force=True)
    assert kind_of(source) == "capture"


def test_a_cut_capture_keeps_its_whole_frames(faults: Recording, to: Export, tmp_path: Path) -> None:
    """A file that ends inside a block gives what comes before it, and a remark."""
    to(faults, "pcapng", "f.pcapng")
    data = (tmp_path / "f.pcapng").read_bytes()
    (tmp_path / "cut.pcapng").write_bytes(data[: len(data) // 2])
    summary = import_file(tmp_path / "cut.pcapng", tmp_path / "s.ringscope")
    assert any("ends inside" in text for text in summary.remarks)
    with SessionReader(tmp_path / "s.ringscope") as reader:
        count = reader.packet_count
        assert 0 < count < faults.reader.packet_count
        assert [frame.data for frame in reader.frames(1, count)] == [frame.data for frame in faults.reader.frames(1, count)]


@pytest.mark.parametrize("form", ["pcapng", "jsonl"])
def test_flipped_bytes_never_harm(faults: Recording, to: Export, tmp_path: Path, form: str) -> None:
    """Whatever byte is wrong: a session that opens, or one clear error; nothing else, and no rest of it."""
    whats = ("events", "packets", "counters", "marks", "states") if form == "jsonl" else ()
    to(faults, form, "f", whats=whats, until="seq:300" if form == "jsonl" else "30ms")
    data = (tmp_path / "f").read_bytes()
    rng = random.Random(4)
    outcomes = set()
    for _ in range(60):
        bad = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        (tmp_path / "bad").write_bytes(bad)
        try:
            import_file(tmp_path / "bad", tmp_path / "s.ringscope", force=True)
        except InputError as error:
            assert "\n" not in str(error)
            outcomes.add("refused")
            continue
        outcomes.add("taken")
        with SessionReader(tmp_path / "s.ringscope") as reader:
            reader.frames(1, reader.packet_count)
            reader.events(0, 1000)
    assert outcomes == {"refused", "taken"}
    assert {part.name for part in tmp_path.iterdir()} == {"f", "bad", "s.ringscope"}


# -- JSON lines -------------------------------------------------------------------------------------------------------
def test_json_lines_round_trip(offloads: Recording, faults: Recording, to: Export, tmp_path: Path) -> None:
    """Events, texts, packets with headers, counters with histograms, marks and keyframes are equal; the session says what it is of."""
    for number, recording in enumerate((offloads, faults)):
        to(recording, "jsonl", f"{number}.jsonl", whats=("events", "packets", "counters", "marks", "states"))
        import_file(tmp_path / f"{number}.jsonl", tmp_path / f"{number}.ringscope")
        old = recording.reader
        with SessionReader(tmp_path / f"{number}.ringscope") as new:
            assert np.array_equal(new.events(0, new.last_seq), old.events(0, old.last_seq))
            assert new.strings == old.strings
            assert new.functions == old.functions and any(spec.args for spec in new.functions.values())
            assert new.types == old.types
            assert new.frames(1, 1 << 30) == old.frames(1, 1 << 30)
            assert [mark[1:] for mark in new.marks()] == [mark[1:] for mark in old.marks()]
            assert np.array_equal(new.keyframes(), old.keyframes())
            assert all(new.keyframe_state(seq).to_plain() == old.keyframe_state(seq).to_plain() for seq in old.keyframes()["seq"].tolist())
            ours, theirs = old.counters(0, 1 << 62), new.counters(0, 1 << 62)
            seen = ours.values.any(axis=(0, 2))
            assert np.array_equal(ours.values[:, seen], theirs.values) and np.array_equal(ours.latency[:, seen], theirs.latency)
            assert new.state_at(new.last_seq).to_plain() == old.state_at(old.last_seq).to_plain()
            assert new.meta["scenario"] == old.meta["scenario"] and new.meta["id"] != old.meta["id"]
            assert new.meta["imported"]["format"] == "json lines"  # type: ignore[index]


def test_a_part_keeps_its_numbers(faults: Recording, to: Export, tmp_path: Path) -> None:
    """A filtered range has holes: what is there has its number, and the session says that states are not known."""
    text = "group == notify or kind == frame_rx"
    to(faults, "jsonl", "p.jsonl", whats=("events", "packets"), since="seq:2800", until="seq:5000", filter=text)
    import_file(tmp_path / "p.jsonl", tmp_path / "p.ringscope")
    with SessionReader(tmp_path / "p.ringscope") as reader:
        found = reader.events(0, 1 << 40)
        rows = faults.reader.events(2800, 5000)
        wanted = rows[[faults.kinds[int(kind)].group == "notify" or kind == EV_FRAME_RX for kind in rows["kind"]]]
        assert len(wanted) > 20 and np.array_equal(found, wanted)
        received = [frame for frame in faults.reader.frames(1, 1 << 30) if frame.row.direction == 1 and 2800 <= frame.row.seq <= 5000]
        assert len(received) > 5 and reader.frames(1, 1 << 30) == received
        assert "not known" in str(reader.meta["fidelity"])


def test_a_range_has_its_states(faults: Recording, to: Export, tmp_path: Path) -> None:
    """The events of a range come with the state that they begin in, so the states among them are the session's."""
    to(faults, "jsonl", "p.jsonl", whats=("events", "states"), since="seq:2800", until="seq:5000")
    import_file(tmp_path / "p.jsonl", tmp_path / "p.ringscope")
    with SessionReader(tmp_path / "p.ringscope") as reader:
        assert (reader.first_seq, reader.last_seq) == (2800, 5000)
        for seq in (2800, 3999, 5000):
            assert reader.state_at(seq).to_plain() == faults.reader.state_at(seq).to_plain()
        assert [tuple(gap[1:]) for gap in reader.gaps()] == [(0, 2799, 2800, 0, "not exported")]
    assert verify(tmp_path / "p.ringscope").equal


def _broken(line: dict[str, Any], change: str) -> str:
    made = dict(line)
    name, _, value = change.partition("=")
    made[name] = json.loads(value)
    return json.dumps(made)


@pytest.mark.parametrize(
    "change", ['kind="no_such_kind"', "seq=-1", "seq=1e3", "raw=[1,2,3,4,5,6,7]", 'oid="x"', "vt=99999999999999999999", "seq=0", 'type="other"']
)
def test_lines_that_are_none(faults: Recording, to: Export, tmp_path: Path, change: str) -> None:
    """The error names the line."""
    to(faults, "jsonl", "a.jsonl", until="seq:50")
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    lines[7] = _broken(json.loads(lines[7]), change)
    (tmp_path / "b.jsonl").write_text("\n".join(lines))
    with pytest.raises(InputError, match="line 8"):
        import_file(tmp_path / "b.jsonl", tmp_path / "b.ringscope")
    assert not (tmp_path / "b.ringscope").exists()


@pytest.mark.parametrize("table", ["kinds", "functions", "fields", "version"])
def test_another_versions_words(faults: Recording, to: Export, tmp_path: Path, table: str) -> None:
    """Numbers that mean something else here are refused, not reinterpreted."""
    to(faults, "jsonl", "a.jsonl", until="seq:50")
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    header = json.loads(lines[0])
    if table == "version":
        header["version"] = 2
    elif table == "kinds":
        header["kinds"]["field"][0] = 31
    else:
        number = next(iter(header[table]))
        header[table][number] = "renamed"
    # the header begins in the order in which it was written
    (tmp_path / "b.jsonl").write_text("\n".join([json.dumps(header, separators=(",", ":")), *lines[1:]]))
    with pytest.raises(InputError, match="version"):
        import_file(tmp_path / "b.jsonl", tmp_path / "b.ringscope")
