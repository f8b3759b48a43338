"""What is written comes back: events, states, packets, counters, marks."""

from __future__ import annotations

import random
import sqlite3
import uuid
from pathlib import Path

import numpy as np

from ringscope_core.session.blocks import as_rows
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rows import GAP_SLOW
from ringscope_core.trace import kinds as k
from tests.core.session.recording import RING, make


def test_events_come_back_as_written(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.ringscope")
    truth = as_rows(recording.keeper.data)
    with SessionReader(tmp_path / "a.ringscope") as reader:
        assert (reader.first_seq, reader.last_seq, reader.event_count) == (0, len(truth) - 1, len(truth))
        events = reader.events(0, reader.last_seq)
        for name in truth.dtype.names:
            assert np.array_equal(events[name], truth[name]), name
        for _ in range(50):
            first = random.randrange(-5, len(truth))
            last = first + random.randrange(0, 9000)
            part = reader.events(first, last)
            assert part["seq"].tolist() == list(range(max(first, 0), min(last, len(truth) - 1) + 1))
            assert np.array_equal(part["a1"], truth["a1"][max(first, 0) : last + 1])


def test_states_equal_the_fold_everywhere(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.ringscope", 400)
    with SessionReader(tmp_path / "a.ringscope") as reader:
        assert len(reader.keyframes()) == 2
        for seq in [0, 3, 4, reader.last_seq, *random.sample(range(reader.last_seq), 20)]:
            assert reader.state_at(seq).to_plain() == recording.truth(seq).to_plain(), seq


def test_a_state_near_does_not_fold_far(tmp_path: Path) -> None:
    make(tmp_path / "a.ringscope", 3000)
    with SessionReader(tmp_path / "a.ringscope") as reader:
        first, second = reader.keyframes()["seq"].tolist()
        assert reader.state_near(first + 6000).seq == first
        assert reader.state_near(second + 5).seq == second + 5
        assert reader.state_near(second + 5, 1).seq == second + 5, "known already"


def test_search_by_kind_and_time(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.ringscope")
    truth = as_rows(recording.keeper.data)
    with SessionReader(tmp_path / "a.ringscope") as reader:
        pops = reader.find_events((int(k.EV_POP),), 0, reader.last_seq, 10)
        assert pops["seq"].tolist() == np.flatnonzero(truth["kind"] == k.EV_POP)[:10].tolist()
        last = reader.find_events((int(k.EV_POP),), 0, reader.last_seq, 3, backwards=True)
        assert last["seq"].tolist() == np.flatnonzero(truth["kind"] == k.EV_POP)[-3:].tolist()
        assert len(reader.find_events((int(k.EV_POP),), 0, reader.last_seq, 10, oids=(RING + 1,))) == 0
        assert sum(reader.event_counts().values()) == reader.event_count
        for seq in (0, 100, 9000, reader.last_seq):
            vt = int(truth["vt"][seq])
            assert reader.vt_at_seq(seq) == vt
            assert reader.seq_at_vt(vt) == int(np.searchsorted(truth["vt"], vt, "right")) - 1
        assert reader.seq_at_vt(-1) == -1


def test_packets_counters_marks_tables(tmp_path: Path) -> None:
    make(tmp_path / "a.ringscope")
    with SessionReader(tmp_path / "a.ringscope") as reader:
        assert reader.packet_count == 2100
        rows = reader.packets(2000, 2200)
        assert [row.id for row in rows] == list(range(2000, 2101))
        assert reader.packet_bytes(7) == bytes([7]) * 7
        assert reader.packet_bytes(2100) == bytes([2100 % 251]) * (2100 % 1500)
        series = reader.counters(150, 300)
        assert series.vt.tolist() == [200, 300]
        assert series.oids == [RING]
        assert series.values[:, 0, 1].tolist() == [4, 6]
        assert series.latency_at(-1)[0, 20] == 3
        assert series.latency[:, 0, 25].tolist() == [4, 6]
        assert [(m.id, m.seq, m.vt, m.name, m.note) for m in reader.marks()] == [(1, 3, 7, "first", "a note")]
        assert reader.kinds == k.KIND_BY_NUMBER
        assert reader.strings[reader.state_at(2).objects[1].type_id] == "virtio-net-pci"
        assert reader.types == [{"name": "virtio-net-device", "parent": "virtio-device"}]
        assert reader.meta["closed"] is True
        assert reader.dropped == (0, 0)


def test_controls_breakpoints_logs_notes_gaps(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.ringscope", 50, close=False)
    writer = recording.writer
    assert writer.add_control(10, 500, "set_link", {"name": "net0", "up": False}) == 1
    assert writer.add_control(12, 600, "cont", {}) == 2
    writer.put_breakpoints([{"id": 7, "what": "function", "where": "virtqueue_pop"}])
    writer.put_breakpoints([{"what": "time", "where": "1.5s"}, {"id": 4, "what": "event", "where": "kick"}])
    assert writer.add_log(11, 550, 4, "kick 3") == 1
    assert writer.add_note(11, 550, {"oid": 3, "field": "status"}, "here it goes wrong\nindeed") == 1
    assert writer.add_gap(20, 29, 10, 2, GAP_SLOW) == 1
    assert writer.sync()
    with SessionReader(tmp_path / "a.ringscope") as reader:
        assert [tuple(row) for row in reader.controls()] == [(1, 10, 500, "set_link", {"name": "net0", "up": False}), (2, 12, 600, "cont", {})]
        assert [tuple(row) for row in reader.breakpoints()] == [
            (1, {"what": "time", "where": "1.5s"}),
            (4, {"id": 4, "what": "event", "where": "kick"}),
        ]
        assert [tuple(row) for row in reader.logs()] == [(1, 11, 550, 4, "kick 3")]
        assert [tuple(row) for row in reader.notes()] == [(1, 11, 550, {"oid": 3, "field": "status"}, "here it goes wrong\nindeed")]
        assert [tuple(row) for row in reader.gaps()] == [(1, 20, 29, 10, 2, "slow disk")]
        assert uuid.UUID(str(reader.meta["id"]))
    writer.close()


def test_a_person_reads_it_with_sqlite(tmp_path: Path) -> None:
    make(tmp_path / "a.ringscope")
    assert [p.name for p in tmp_path.iterdir()] == ["a.ringscope"], "a closed session is one file"
    with sqlite3.connect(tmp_path / "a.ringscope") as database:
        assert database.execute("SELECT direction, length FROM packets WHERE id = 7").fetchall() == [("tx", 7)]
        assert database.execute("SELECT name FROM marks").fetchall() == [("first",)]
        assert database.execute("SELECT count FROM event_counts WHERE kind = 'virtqueue_pop'").fetchall() == [(3005,)]
        assert database.execute("SELECT queue, bytes FROM counters LIMIT 1").fetchall() == [(0, 2)]
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_was_dropped_leaves_a_gap_and_a_count(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.ringscope", 100, close=False)
    writer = recording.writer
    recording.log.sink = None
    recording.traffic(10)
    recording.log.flush()
    recording.log.sink = writer_sink = recording.keeper
    recording.keeper.data += bytes(80 * (int(recording.log.seq) - len(recording.keeper.data) // 80))
    resumed = int(recording.log.seq)
    recording.log.emit(k.EV_DROPPED, 0, 60, 2)
    recording.traffic(3)
    recording.flush()
    writer.close()
    assert writer_sink is recording.keeper
    with SessionReader(tmp_path / "a.ringscope") as reader:
        assert reader.dropped == (60, 2)
        assert len(reader.events(resumed - 60, resumed - 1)) == 0
        assert reader.events(resumed - 60, resumed)["seq"].tolist() == [resumed]
        assert reader.vt_at_seq(resumed - 1) == reader.vt_at_seq(resumed - 61)
