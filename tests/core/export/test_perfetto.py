"""The Perfetto trace, read by Perfetto's own trace processor, and by Perfetto's published declarations."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringscope_core.export.perfetto_rings import RingSlices
from ringscope_core.query.recording import Recording
from ringscope_core.trace import kinds as k
from ringscope_core.trace.counters import COUNTER_NAMES
from tests.core.export import perfetto_reader
from tests.core.export.conftest import Export

_MISSING = perfetto_reader.missing()


def needs_reader(test: Any) -> Any:
    """Left out where Perfetto's reader is not installed, and of `make check`: it takes a second to start."""
    return pytest.mark.slow(pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "installed")(test))


SLICES = "SELECT name, ts, dur, depth, track_id FROM slice"
CALLS = "SELECT s.name AS name, s.ts AS ts, s.dur AS dur, s.depth AS depth FROM slice s JOIN thread_track t ON s.track_id = t.id ORDER BY s.id"
FLOWS = "SELECT o.name AS source, i.name AS target FROM flow f JOIN slice o ON f.slice_out = o.id JOIN slice i ON f.slice_in = i.id"
COUNTERS = "SELECT t.name AS name, c.ts AS ts, c.value AS value FROM counter c JOIN counter_track t ON c.track_id = t.id ORDER BY c.id"
PROBLEMS = "SELECT name, value FROM stats WHERE severity IN ('error', 'data_loss') AND value > 0"


def events_of(recording: Recording) -> np.ndarray:  # type: ignore[type-arg]
    """Every event."""
    reader = recording.reader
    return reader.events(reader.first_seq, reader.last_seq)


def expected_calls(recording: Recording) -> list[tuple[str, int]]:
    """(function, depth) of each call, in order."""
    found, depth = [], 0
    for row in events_of(recording):
        if row["kind"] == k.EV_FRAME_ENTER:
            found.append((recording.decoder.function(int(row["a0"])), depth))
            depth += 1
        elif row["kind"] == k.EV_FRAME_LEAVE:
            depth -= 1
    return found


@needs_reader
@pytest.mark.parametrize("clock", ["virtual", "events"])
def test_calls_are_nested_slices(faults: Recording, to: Export, tmp_path: Path, clock: str) -> None:
    """Each call is a slice at the depth of its nest, and nothing of the trace is refused."""
    to(faults, "perfetto", "t.pftrace", options={"time": clock})
    calls, problems = perfetto_reader.query(tmp_path / "t.pftrace", CALLS, PROBLEMS)
    assert problems == []
    assert [(row["name"], row["depth"]) for row in calls] == expected_calls(faults)
    assert len(calls) > 300
    enters = events_of(faults)[events_of(faults)["kind"] == k.EV_FRAME_ENTER]
    times = enters["vt"] if clock == "virtual" else enters["seq"] * 1000
    assert [row["ts"] for row in calls] == times.tolist()


@needs_reader
def test_ways_of_buffers(faults: Recording, to: Export, tmp_path: Path) -> None:
    """One ``descriptor N`` slice for each head that the driver published, one ``in flight`` for each that the device took."""
    to(faults, "perfetto", "r.pftrace")
    (slices,) = perfetto_reader.query(tmp_path / "r.pftrace", SLICES)
    rows = events_of(faults)
    wanted = Counter(f"descriptor {head}" for head in rows[rows["kind"] == k.EV_AVAIL_ADD]["a1"].tolist())
    assert Counter(row["name"] for row in slices if row["name"].startswith("descriptor ")) == wanted
    names = Counter(row["name"] for row in slices)
    counts = Counter(rows["kind"].tolist())
    assert names["in flight"] == counts[int(k.EV_POP)] > 50
    for kind in (k.EV_KICK, k.EV_NOTIFY, k.EV_GUEST_IRQ, k.EV_FRAME_TX, k.EV_FRAME_RX):
        assert names[k.KIND_BY_NUMBER[int(kind)].name] == counts[int(kind)]
    # from a kick's publishing to the end of its use: the virtual time between the two events
    head = int(rows[rows["kind"] == k.EV_AVAIL_ADD]["a1"][-1])
    mine = [row for row in slices if row["name"] == f"descriptor {head}" and row["dur"] >= 0]
    starts = rows[(rows["kind"] == k.EV_AVAIL_ADD) & (rows["a1"] == head)]["vt"].tolist()
    assert mine and {row["ts"] for row in mine} <= set(starts)


@needs_reader
def test_causes_are_flows(faults: Recording, to: Export, tmp_path: Path) -> None:
    """Arrows lead from the device's notification to the driver's interrupt, and from the kick to what it set off."""
    to(faults, "perfetto", "f.pftrace")
    (flows,) = perfetto_reader.query(tmp_path / "f.pftrace", FLOWS)
    pairs = Counter((row["source"], row["target"]) for row in flows)
    assert pairs["msi", "guest_irq"] + pairs["virtio_notify", "guest_irq"] > 20
    assert any(source == "kick" for source, _ in pairs)


@needs_reader
def test_counters(faults: Recording, to: Export, tmp_path: Path) -> None:
    """A counter's track ends at the counter's last sample, and never goes elsewhere between."""
    summary = to(faults, "perfetto", "c.pftrace")
    (values,) = perfetto_reader.query(tmp_path / "c.pftrace", COUNTERS)
    series = faults.reader.counters(0, 1 << 62)
    for ring, oid in enumerate(series.oids):
        for number, name in enumerate(COUNTER_NAMES):
            track = [row["value"] for row in values if row["name"] == f"{faults.names.name(oid)} {name}"]
            if series.values[-1, ring].any():
                assert track[-1] == series.values[-1, ring, number]
                assert track == sorted(track) or name in ("inuse", "available", "num")
    assert summary.rows["counters"] > 5


@needs_reader
def test_packed_rings(packed: Recording, to: Export, tmp_path: Path) -> None:
    """A packed ring's buffers go by their ids."""
    to(packed, "perfetto", "p.pftrace")
    (slices,) = perfetto_reader.query(tmp_path / "p.pftrace", SLICES)
    names = Counter(row["name"] for row in slices)
    counts = Counter(events_of(packed)["kind"].tolist())
    assert names["in flight"] == counts[int(k.EV_POP)] > 50
    assert names["used"] == counts[int(k.EV_FILL)]


@needs_reader
def test_a_filter_keeps_slices_whole(faults: Recording, to: Export, tmp_path: Path) -> None:
    """Of the calls that the filter takes each one ends, though their returns are other events."""
    to(faults, "perfetto", "x.pftrace", filter="fn ~ realize and kind == frame_enter", since="seq:100")
    calls, everything = perfetto_reader.query(tmp_path / "x.pftrace", CALLS, SLICES)
    last = faults.reader.last_seq
    rows = faults.reader.events(100, last)
    wanted = [faults.decoder.function(int(row["a0"])) for row in rows if row["kind"] == k.EV_FRAME_ENTER]
    opened = [faults.decoder.function(int(frame[0])) for frame in faults.reader.state_at(99).stack]
    assert [row["name"] for row in calls] == opened + [name for name in wanted if "realize" in name]
    assert all(row["dur"] >= 0 for row in calls)
    assert len(everything) == len(calls)


def test_every_packet_is_in_perfettos_words(faults: Recording, to: Export, tmp_path: Path) -> None:
    """Parsed by Perfetto's own declarations nothing is unknown, and every event names a track that was described before it."""
    trace = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2", reason="no perfetto package (extra test)")
    to(faults, "perfetto", "w.pftrace", options={"instants": "all"})
    found = trace.Trace()
    found.ParseFromString((tmp_path / "w.pftrace").read_bytes())
    known: set[int] = set()
    for packet in found.packet:
        if packet.HasField("track_descriptor"):
            assert packet.track_descriptor.parent_uuid in known or not packet.track_descriptor.parent_uuid
            known.add(packet.track_descriptor.uuid)
        elif packet.HasField("track_event"):
            assert packet.track_event.track_uuid in known
    rows = events_of(faults)
    instants = sum(packet.track_event.type == 3 for packet in found.packet)
    assert instants == len(rows) - sum((rows["kind"] == kind).sum() for kind in (k.EV_FRAME_ENTER, k.EV_FRAME_AT, k.EV_FRAME_LEAVE))


def test_unpop_gives_back_what_was_taken_last() -> None:
    """Taken, given back, taken again: still one descriptor slice, and it ends."""
    ring = RingSlices(False, lambda head: 100 + head)
    made = [ring.event(1, int(k.EV_AVAIL_ADD), [0, 5, 0, 0, 0, 0]), ring.event(2, int(k.EV_POP), [5, 0, 0, 0, 0, 0])]
    made += [ring.event(3, int(k.EV_UNPOP), [0, 0, 0, 0, 0, 0]), ring.event(4, int(k.EV_POP), [5, 0, 0, 0, 0, 0])]
    made += [ring.event(5, int(k.EV_FILL), [0, 5, 0, 0, 0, 0]), ring.event(6, int(k.EV_USED_TAKE), [5, 0, 0, 0, 0, 0])]
    text = b"".join(made)
    assert ring.slices == 1
    assert text.count(b"descriptor 5") == 1
    assert (text.count(b"available"), text.count(b"in flight"), text.count(b"used")) == (2, 2, 1)
    assert ring.event(7, int(k.EV_RING_RESET), [8, 0, 0, 0, 1, 0]) == b"" and ring.packed
