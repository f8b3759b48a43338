"""The Markdown report says what the session says."""

from __future__ import annotations

from pathlib import Path

from ringscope_core.export.imports import import_file
from ringscope_core.export.markdown import cell, feature_names
from ringscope_core.query.decode import format_count
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace import kinds as k
from ringscope_core.trace.counters import COUNTER_NAMES
from tests.core.export.conftest import Export


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the tables under a heading."""
    part = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [[c.strip(" ") for c in line.strip("|").split(" | ")] for line in part.splitlines() if line.startswith("| ") and not line.startswith("| ---")]


def test_report(faults: Recording, to: Export, tmp_path: Path) -> None:
    """Run, negotiation, queues, counters, frames, anomalies with their clause, marks, losses, events."""
    to(faults, "markdown", "r.md")
    text, reader = (tmp_path / "r.md").read_text(), faults.reader
    assert text.startswith("# NEEDS_RESET and back\n")
    assert ["seed", "1"] in rows(text, "What ran")
    state = reader.state_at(reader.last_seq)
    vdev = next(oid for oid in state.fields if faults.names.type_name(oid) == "virtio-net-device")
    accepted = state.value(vdev, faults.field_id("VirtIODevice.guest_features"))
    told = {row[1]: row[3] for row in rows(text, "Feature negotiation")[1:]}
    assert told["NET_F_MRG_RXBUF"] == ("yes" if accepted >> 15 & 1 else "no")
    assert sum(value == "yes" for value in told.values()) == accepted.bit_count()
    assert [row[0] for row in rows(text, "Queues")[1:]] == ["00:02.0 rx0", "00:02.0 tx0", "00:02.0 ctrl"]
    series = reader.counters(0, 1 << 62)
    counters = {row[0]: row[1:] for row in rows(text, "Counters and latency")}
    assert counters["packets"][0] == format_count(int(series.values[-1, 0, COUNTER_NAMES.index("packets")]))
    assert len(counters["rx0"]) == 5
    sent = reader.event_counts()[int(k.EV_FRAME_TX)]
    assert ["tx", "passed", format_count(sent)] in [row[:3] for row in rows(text, "Frames")]
    anomalies = rows(text, "Anomalies and messages")
    assert any(row[0] == "virtio error" for row in anomalies)
    assert [row[2] for row in rows(text, "Marks and notes")[1:]] == [mark.name for mark in reader.marks()]
    assert "Nothing was lost." in text
    events = {row[0]: row[3] for row in rows(text, "Events")[1:]}
    assert events == {faults.kinds[kind].name: format_count(count) for kind, count in reader.event_counts().items()}


def test_report_of_a_part(faults: Recording, to: Export, tmp_path: Path) -> None:
    """A range's counters are differences, and a filter takes events, marks and rings."""
    to(faults, "markdown", "r.md", since="40ms", until="100ms", filter="obj == tx0 or kind == mark")
    text = (tmp_path / "r.md").read_text()
    assert "Only events that the filter" in text
    series = faults.reader.counters(40_000_000, 100_000_000)
    tx0 = [faults.names.name(oid) for oid in series.oids].index("tx0")
    place = COUNTER_NAMES.index("packets")
    head, *lines = rows(text, "Counters and latency")
    assert head == ["counter", "tx0"]
    assert ["packets", format_count(int(series.values[-1, tx0, place] - series.values[0, tx0, place]))] in lines
    assert [row[2] for row in rows(text, "Marks and notes")[1:]] == ["bad indirect table"]


def test_report_of_a_capture_knows_nothing_of_a_device(faults: Recording, to: Export, tmp_path: Path) -> None:
    """Unknown is said, not left out and not invented."""
    to(faults, "pcapng", "f.pcapng")
    import_file(tmp_path / "f.pcapng", tmp_path / "f.ringscope")
    with SessionReader(tmp_path / "f.ringscope") as reader:
        to(Recording(reader), "markdown", "f.md")
    text = (tmp_path / "f.md").read_text()
    for words in ("Unknown: the session has no state of a virtio device.", "Unknown: the session has no ring.", "No counters were sampled", "frames only"):
        assert words in text


def test_text_cannot_break_the_tables() -> None:
    """A bar, a line end, a tag of HTML stay text."""
    assert cell("a|b\nc <script> `x` \\") == r"a\|b c \<script\> \`x\` \\"


def test_feature_names() -> None:
    """Names are the specification's."""
    names = feature_names()
    assert (names[0], names[15], names[29], names[32], names[34]) == ("NET_F_CSUM", "NET_F_MRG_RXBUF", "RING_F_EVENT_IDX", "F_VERSION_1", "F_RING_PACKED")
