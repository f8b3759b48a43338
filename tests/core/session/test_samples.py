"""Recordings that older versions wrote still open, and still say what they said."""

from __future__ import annotations

import shutil
from pathlib import Path

from ringscope_core.session.reader import SessionReader
from ringscope_core.session.schema import VERSION
from ringscope_core.trace.kinds import KIND_BY_NAME
from ringscope_core.trace.oids import ring_index

SAMPLES = Path(__file__).parents[2] / "data" / "sessions"


def test_version_1(tmp_path: Path) -> None:
    """`ringscope run ping --headless --packets 6 --record v1.ringscope`, written by the first version of the format."""
    sample = tmp_path / "v1.ringscope"
    shutil.copy(SAMPLES / "v1.ringscope", sample)
    reader = SessionReader(sample)
    try:
        assert reader.meta["scenario"] == "ping"
        counts = reader.event_counts()
        assert counts[KIND_BY_NAME["frame_tx"].number] + counts[KIND_BY_NAME["frame_rx"].number] == reader.packet_count
        assert reader.packet_count >= 6
        assert len(reader.packet_bytes(1)) == reader.packets(1, 1)[0].length
        state = reader.state_at(reader.last_seq)
        assert sorted(ring_index(oid) for oid in state.rings) == [0, 1, 2]
        assert "virtio-net-pci" in {reader.strings[entry.type_id] for entry in state.objects.values()}
        assert [reader.controls(), reader.breakpoints(), reader.logs(), reader.notes(), reader.gaps()] == [[]] * 5
    finally:
        reader.close()
    assert sample.read_bytes() == (SAMPLES / "v1.ringscope").read_bytes(), "opening changes nothing"
    assert [p.name for p in tmp_path.iterdir()] == ["v1.ringscope"]


def test_version_2(tmp_path: Path) -> None:
    """The same run, written by the second version, with one row in each small table."""
    sample = tmp_path / "v2.ringscope"
    shutil.copy(SAMPLES / "v2.ringscope", sample)
    with SessionReader(sample) as reader:
        assert reader.version == 2
        counts = reader.event_counts()
        assert counts[KIND_BY_NAME["frame_tx"].number] + counts[KIND_BY_NAME["frame_rx"].number] == reader.packet_count >= 6
        assert [len(frame.data) for frame in reader.frames(1, 99)] == [row.length for row in reader.packets(1, 99)]
        assert {len(frame.header or b"") for frame in reader.frames(1, 99)} == {12}
        state = reader.state_at(reader.last_seq)
        assert sorted(ring_index(oid) for oid in state.rings) == [0, 1, 2]
        assert [len(rows) for rows in (reader.controls(), reader.breakpoints(), reader.logs(), reader.notes(), reader.gaps(), reader.marks())] == [1] * 6
        assert reader.dropped == (10, 2)
    assert sample.read_bytes() == (SAMPLES / "v2.ringscope").read_bytes(), "opening changes nothing"


def test_there_is_a_sample_of_each_version() -> None:
    assert sorted(path.name for path in SAMPLES.glob("*.ringscope")) == [f"v{n}.ringscope" for n in range(1, VERSION + 1)]
