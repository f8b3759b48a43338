"""CSV, JSON lines and Parquet: the same rows, equal to the session's."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringscope_core.export.event_columns import FIXED, EventColumns
from ringscope_core.export.formats import export
from ringscope_core.export.request import Request
from ringscope_core.export.tables import COLUMNS
from ringscope_core.query.filters import Filter
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace import kinds as k
from ringscope_core.trace.counters import COUNTER_NAMES
from tests.core.export.conftest import Export


def all_events(recording: Recording) -> Any:
    """Every event."""
    return recording.reader.events(recording.reader.first_seq, recording.reader.last_seq)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# -- CSV --------------------------------------------------------------------------------------------------------------
def test_csv_events(faults: Recording, to: Export, tmp_path: Path) -> None:
    """A line an event: numbers as the log has them, names and texts decoded, in columns named after the arguments."""
    summary = to(faults, "csv", "e.csv", options={"text": "yes"})
    rows, events = read_csv(tmp_path / "e.csv"), all_events(faults)
    assert summary.rows == {"events": len(events)}
    assert len(rows) == len(events) > 2000
    for row, event in zip(rows, events, strict=True):
        spec = faults.kinds[int(event["kind"])]
        assert (row["seq"], row["vt_ns"], row["wall_ns"], row["oid"], row["cause"]) == tuple(str(event[name]) for name in ("seq", "vt", "wall", "obj", "cause"))
        assert (row["kind"], row["group"], row["object"]) == (spec.name, spec.group, faults.names.name(int(event["obj"])))
        assert row["description"] == faults.describe(event)
    fills = [row for row in rows if row["kind"] == "virtqueue_fill"]
    wanted = events[events["kind"] == k.EV_FILL]
    assert [(int(row["slot"]), int(row["head"]), int(row["len_bytes"])) for row in fills] == [tuple(map(int, w)) for w in wanted[["a0", "a1", "a2"]].tolist()]
    calls = [row["fn"] for row in rows if row["kind"] == "frame_enter"]
    assert calls == [faults.decoder.function(n) for n in events[events["kind"] == k.EV_FRAME_ENTER]["a0"].tolist()]
    fields = {row["field"] for row in rows if row["kind"] == "field"}
    assert "VirtIODevice.status" in fields
    assert {row["fn"] for row in rows if row["kind"] == "kick"} == {""}


def test_columns_are_those_of_every_session(faults: Recording, packed: Recording) -> None:
    """The header does not depend on what happened, and no name stands twice."""
    names = [[column.name for column in EventColumns(recording.kinds).columns] for recording in (faults, packed)]
    assert names[0] == names[1]
    assert len({*names[0], *FIXED}) == len(names[0]) + len(FIXED)


def test_unsigned_and_text_cells(tmp_path: Path, to: Export) -> None:
    """A pointer above 2**63 is positive; a text with commas and quotes is one cell."""
    from ringscope_core.session.writer import SessionWriter
    from ringscope_core.trace.clock import Clock
    from ringscope_core.trace.log import EventLog
    from tests.core.session.recording import Keeper

    log = EventLog(Clock())
    writer = SessionWriter(tmp_path / "u.ringscope", {})
    log.sink = Keeper(writer)
    log.emit(k.EV_OBJ_NEW, 1, log.text("virtio-net-pci"), -4096, 64)
    log.message(1, 'one, "two"\nthree %d %% {}')
    log.flush()
    writer.add_strings(0, log.strings.texts)
    writer.close()
    with SessionReader(tmp_path / "u.ringscope") as reader:
        recording = Recording(reader)
        to(recording, "csv", "u.csv")
        to(recording, "jsonl", "u.jsonl")
    rows, lines = read_csv(tmp_path / "u.csv"), read_lines(tmp_path / "u.jsonl")[1:]
    assert rows[0]["addr"] == str(2**64 - 4096) and lines[0]["args"]["addr"] == 2**64 - 4096
    assert rows[1]["text"] == lines[1]["args"]["text"] == 'one, "two"\nthree %d %% {}'


@pytest.mark.parametrize("what", ["packets", "counters", "marks", "states"])
def test_csv_tables(offloads: Recording, faults: Recording, to: Export, tmp_path: Path, what: str) -> None:
    """The columns of each table, and its rows."""
    recording = faults if what == "marks" else offloads
    summary = to(recording, "csv", "t.csv", whats=(what,))
    rows = read_csv(tmp_path / "t.csv")
    assert summary.rows == {what: len(rows)}
    assert list(rows[0]) == [column.name for column in COLUMNS[what]]
    reader = recording.reader
    if what == "packets":
        frames = reader.frames(1, reader.packet_count)
        assert [bytes.fromhex(row["data"]) for row in rows] == [frame.data for frame in frames]
        assert [bytes.fromhex(row["virtio_net_hdr"]) for row in rows] == [frame.header for frame in frames]
        assert [int(row["vt_ns"]) for row in rows] == [frame.row.vt for frame in frames]
        assert {(row["direction"], row["ring"], row["pci"]) for row in rows} == {("tx", "tx0", "00:02.0"), ("rx", "rx0", "00:02.0")}
    elif what == "counters":
        series = reader.counters(0, 1 << 62)
        last = {row["ring"]: row for row in rows}
        for ring, oid in enumerate(series.oids):
            if series.values[-1, ring].any():
                assert [int(last[recording.names.name(oid)][name]) for name in COUNTER_NAMES] == series.values[-1, ring].tolist()
    elif what == "marks":
        assert [(row["name"], int(row["seq"])) for row in rows] == [(mark.name, mark.seq) for mark in reader.marks()]
        assert rows[0]["name"] == "bad indirect table"
    else:
        _check_states(recording, rows)


def _check_states(recording: Recording, rows: list[dict[str, str]]) -> None:
    """Folding the changes from keyframe to keyframe gives each keyframe's fields."""
    fields: dict[tuple[int, str], int] = {}
    at = 0
    for seq, _, _ in recording.reader.keyframes().tolist():
        while at < len(rows) and int(rows[at]["seq"]) == seq:
            fields[int(rows[at]["oid"]), rows[at]["field"]] = int(rows[at]["value"])
            at += 1
        state = recording.reader.keyframe_state(seq)
        wanted = {(oid, recording.decoder.field_name(number)): value for oid, of in state.fields.items() for number, value in of.items()}
        assert {key: fields[key] for key in wanted} == wanted
    assert at == len(rows)


# -- JSON lines -------------------------------------------------------------------------------------------------------
def test_json_lines(faults: Recording, to: Export, tmp_path: Path) -> None:
    """A header, then every table; arguments by name as people read them."""
    summary = to(faults, "jsonl", "a.jsonl", whats=("events", "packets", "counters", "marks", "states"))
    lines = read_lines(tmp_path / "a.jsonl")
    assert lines[0]["type"] == "header" and lines[0]["meta"]["scenario"] == "recovery"
    events = [line for line in lines if line["type"] == "event"]
    kicks = [line for line in events if line["kind"] == "kick"]
    assert kicks[0]["object"] == "rx0" and kicks[0]["args"] == {"queue": 0}
    named = next(line for line in events if line["kind"] == "frame_enter" and line["args"]["fn"] == "virtio_net_device_realize")
    assert list(named["args"]["call"]) == ["dev", "errp"]
    status = [line["args"] for line in events if line["kind"] == "field" and line["args"]["field"] == "VirtIODevice.status"]
    assert status[0]["value"] == 1 and status[0]["old"] == 0
    for kind, what in (("event", "events"), ("packet", "packets"), ("counter", "counters"), ("mark", "marks"), ("state", "states")):
        assert sum(line["type"] == kind for line in lines) == summary.rows[what] > 0


# -- filters and ranges -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("since", "until"),
    [("", ""), ("20ms", "40ms"), ("seq:100", "seq:199"), ("mark:bad indirect table", "end"), ("packet:3", "packet:9"), ("20ms", "999s"), ("seq:100", "20ms")],
)
@pytest.mark.parametrize("text", ["", "kind == virtqueue_pop", "obj == tx0 and not group == field", '"realize"'])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_filters_and_ranges(faults: Recording, to: Export, tmp_path: Path, form: str, text: str, since: str, until: str) -> None:
    """Exactly the events that the filter takes of those between the two moments."""
    summary = to(faults, form, "f", since=since, until=until, filter=text)
    rows = all_events(faults)
    bounds = {"20ms": 20_000_000, "40ms": 40_000_000, "999s": 999 * 10**9}
    mask = Filter(text, faults).mask(rows)
    for moment, first in ((since, True), (until, False)):
        if moment in bounds:
            mask &= rows["vt"] >= bounds[moment] if first else rows["vt"] <= bounds[moment]
        elif moment.startswith("seq:"):
            mask &= rows["seq"] >= int(moment[4:]) if first else rows["seq"] <= int(moment[4:])
        elif moment.startswith("packet:"):
            seq = faults.reader.packets(int(moment[7:]), int(moment[7:]))[0].seq
            mask &= rows["seq"] >= seq if first else rows["seq"] <= seq
        elif moment.startswith("mark:"):
            mask &= rows["seq"] >= faults.reader.marks()[0].seq
    wanted = rows[mask]["seq"].tolist()
    lines = read_csv(tmp_path / "f") if form == "csv" else [line for line in read_lines(tmp_path / "f") if line["type"] == "event"]
    found = [int(line["seq"]) for line in lines]
    assert found == wanted
    assert summary.rows.get("events", 0) == len(wanted)


@pytest.mark.parametrize("what", ["packets", "counters", "marks", "states"])
def test_filters_reach_every_table(faults: Recording, to: Export, tmp_path: Path, what: str) -> None:
    """What is no event is taken as the event that it is like: by its ring, its mark, its object, its packet."""
    text = {"packets": "kind == frame_tx and len > 60", "counters": "obj == tx0", "marks": 'name ~ "bad"', "states": "obj == virtio-backend"}[what]
    to(faults, "csv", "all.csv", whats=(what,))
    to(faults, "csv", "some.csv", whats=(what,), filter=text, since="10ms", until="100ms")
    everything, some = read_csv(tmp_path / "all.csv"), read_csv(tmp_path / "some.csv")
    inside = [row for row in everything if 10_000_000 <= int(row["vt_ns"]) <= 100_000_000]
    if what == "packets":
        assert some == [row for row in inside if row["direction"] == "tx" and int(row["length"]) > 60]
    elif what == "counters":
        assert some == [row for row in inside if row["ring"] == "tx0"]
    elif what == "marks":
        assert [row["name"] for row in some] == ["bad indirect table"]
    else:
        assert {row["qom_type"] for row in some} == {"virtio-net-device"}
    assert 0 < len(some) < len(everything)


# -- Parquet ----------------------------------------------------------------------------------------------------------
def test_duckdb_reads_many_sessions_as_one_table(faults: Recording, packed: Recording, to: Export, tmp_path: Path) -> None:
    """Two sessions in one folder: DuckDB counts all events, each session's, each kind's, and finds values in their columns."""
    duckdb = pytest.importorskip("duckdb", reason="no duckdb (extra test)")
    pytest.importorskip("pyarrow", reason="no pyarrow (extra parquet)")
    whats = ("events", "packets", "counters", "marks", "states")
    summaries = [to(recording, "parquet", "lake", whats=whats, options={"partition": "1s"}) for recording in (faults, packed)]
    base = duckdb.connect()

    def ask(what: str, statement: str) -> Any:
        table = f"read_parquet('{tmp_path}/lake/{what}/**/*.parquet', hive_partitioning = true)"
        return base.sql(statement.replace("@", table)).fetchall()

    for what in whats:
        assert ask(what, "SELECT count(*) FROM @") == [(sum(summary.rows.get(what, 0) for summary in summaries),)]
    sessions = {str(recording.reader.meta["id"]): recording for recording in (faults, packed)}
    counts = ask("events", "SELECT session, count(*), max(seq) FROM @ GROUP BY session")
    assert {(str(name), count, last) for name, count, last in counts} == {
        (name, recording.reader.event_count, recording.reader.last_seq) for name, recording in sessions.items()
    }
    for name, recording in sessions.items():
        kinds = dict(ask("events", f"SELECT kind, count(*) FROM @ WHERE session = '{name}' GROUP BY kind"))
        assert kinds == {recording.kinds[number].name: count for number, count in recording.event_counts().items()}
        data = ask("packets", f"SELECT data, virtio_net_hdr, vt_ns FROM @ WHERE session = '{name}' ORDER BY packet")
        assert [(bytes(a), bytes(b), c) for a, b, c in data] == [
            (f.data, f.header, f.row.vt) for f in recording.reader.frames(1, recording.reader.packet_count)
        ]
    rows = all_events(faults)
    fills = ask("events", f"SELECT seq, head, len_bytes FROM @ WHERE kind = 'virtqueue_fill' AND session = '{faults.reader.meta['id']}' ORDER BY seq")
    wanted = rows[rows["kind"] == k.EV_FILL]
    assert fills == list(zip(wanted["seq"].tolist(), wanted["a1"].tolist(), wanted["a2"].tolist(), strict=True))
    assert ask("events", "SELECT count(*) FROM @ WHERE kind = 'kick' AND head IS NOT NULL") == [(0,)]


def test_parquet_is_partitioned_by_time(tmp_path: Path) -> None:
    """A folder for each span of virtual time, with the rows of that span; the session's own folder is replaced with force alone."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow (extra parquet)")
    from ringscope_core.scenario.errors import InputError
    from tests.core.export.conftest import record

    path = record("ping", tmp_path / "p.ringscope", 1_400_000_000)
    with SessionReader(path) as reader:
        recording, request = Recording(reader), Request("parquet", options={"partition": "1s"})
        export(recording, request, tmp_path / "lake")
        files = sorted((tmp_path / "lake" / "events" / f"session={reader.meta['id']}").glob("second=*/*.parquet"))
        assert [file.parent.name for file in files] == ["second=0", "second=1"]
        seqs: list[int] = []
        for second, file in enumerate(files):
            table = parquet.ParquetFile(file).read()
            assert all(vt // 10**9 == second for vt in table["vt_ns"].to_pylist())
            seqs += table["seq"].to_pylist()
            assert table.schema.field("addr").metadata == {b"unit": b"ptr gpa"}
        assert seqs == np.arange(reader.last_seq + 1).tolist()
        with pytest.raises(InputError, match="without this session"):
            export(recording, request, tmp_path / "lake")
        again = export(recording, Request("parquet", filter="kind == kick", force=True), tmp_path / "lake")
        assert again.rows["events"] == reader.event_counts()[int(k.EV_KICK)]
        assert [part.name for part in (tmp_path / "lake").iterdir()] == ["events"]
    assert [part.name for part in tmp_path.iterdir() if part.name.startswith(".")] == []
