"""`verify`: what a session says twice must be the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ringscope_core.query import verify as verify_module
from ringscope_core.query.verify import verify
from ringscope_core.session import keyframes
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_PACKETS
from ringscope_core.trace.state import F_LAST_AVAIL
from tests.core.query.sessions import record


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return record(tmp_path_factory.mktemp("verify") / "a.ringscope", packets=20).read_bytes()


def changed(path: Path, whole: bytes, statement: str, *values: object) -> Path:
    """A copy changed as somebody with the sqlite3 shell would."""
    path.write_bytes(whole)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(statement, values)
    database.close()
    return path


def data_of(path: Path, seq: int) -> tuple[str, bytes]:
    """The table and blob of a keyframe, whatever the version."""
    database = sqlite3.connect(path)
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    table = "keyframe_data" if "keyframe_data" in tables else "keyframe"
    (blob,) = database.execute(f"SELECT data FROM {table} WHERE seq = ?", (seq,)).fetchone()
    database.close()
    return table, blob


def test_a_run_equals_its_keyframes(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.ringscope"
    path.write_bytes(whole)
    seen: list[tuple[int, int]] = []
    report = verify(path, progress=lambda done, total: seen.append((done, total)) or True)
    assert report.findings == []
    assert report.equal
    assert report.complete
    assert report.compared == report.keyframes > 3
    assert report.packets >= 20
    assert seen[-1] == (report.events, report.events)


@pytest.mark.parametrize("scenario", ["packed", "multiqueue", "recovery", "legacy"])
def test_other_machines(tmp_path: Path, scenario: str) -> None:
    report = verify(record(tmp_path / "a.ringscope", scenario, packets=30))
    assert report.findings == []
    assert report.compared >= 2


@pytest.mark.parametrize("level", [int(LEVEL_COUNTERS), int(LEVEL_PACKETS)])
def test_below_level_full_nothing_is_compared_and_that_is_said(tmp_path: Path, level: int) -> None:
    report = verify(record(tmp_path / "a.ringscope", "bulk-tx", packets=300, level=level))
    assert report.equal
    assert report.compared == 0
    assert report.not_compared == {"below trace level full": report.keyframes}


def test_a_changed_field_is_named_with_both_values(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.ringscope"
    path.write_bytes(whole)
    with SessionReader(path) as reader:
        seq = int(reader.keyframes()["seq"][-2])
        state = reader.keyframe_state(seq)
    oid = next(oid for oid in state.rings)
    was = state.fields[oid].get(F_LAST_AVAIL, 0)
    state.fields[oid][F_LAST_AVAIL] = was + 3
    state.rings[oid].desc[16 * 5 + 8] ^= 0x40
    table, _ = data_of(path, seq)
    changed(path, whole, f"UPDATE {table} SET data = ? WHERE seq = ?", keyframes.encode(state.to_plain()), seq)
    report = verify(path)
    assert not report.equal
    first = report.findings[0]
    assert (first.check, first.seq) == ("keyframes", seq)
    assert f"VirtQueue.last_avail_idx: the events say {was}, the machine said {was + 3} (1 more differences)" in first.text
    # the next keyframe is right again, and the events after the wrong one do not lead to it
    assert all("rx0" in found.text or "tx0" in found.text for found in report.findings)


@pytest.mark.parametrize(
    ("statement", "check", "words"),
    [
        ("DELETE FROM block WHERE first_seq = (SELECT max(first_seq) FROM block)", "keyframes", "the last event is "),
        ("UPDATE mark SET seq = 99999999", "tables", "mark 1 is at event 99999999"),
        ("UPDATE keyframe SET wall = 0 WHERE seq = (SELECT max(seq) FROM keyframe)", "keyframes", "its wall lies before"),
        ("UPDATE counter SET packets = 0 WHERE sample = (SELECT max(sample) FROM counter)", "counters", "counter packets of ring 0x"),
        ("DELETE FROM string WHERE id = (SELECT max(id) FROM string)", "strings", "names a text that the session does not have"),
        ("DELETE FROM kind WHERE id = 30", "kinds", "kind 30 is not declared"),
        ("DELETE FROM field", "fields", "names a field that is not declared"),
        ("DELETE FROM function WHERE id = (SELECT min(id) FROM function WHERE name = 'main')", "functions", "names a function that is not declared"),
    ],
)
def test_what_does_not_hold_is_found(tmp_path: Path, whole: bytes, statement: str, check: str, words: str) -> None:
    path = changed(tmp_path / "a.ringscope", whole, "INSERT INTO mark VALUES (1, 5, 0, 'here', '')")
    report = verify(changed(path, path.read_bytes(), statement))
    assert any(found.check == check and words in found.text for found in report.findings), report.findings


def test_missing_packets_are_found(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.ringscope"
    path.write_bytes(whole)
    database = sqlite3.connect(path, isolation_level=None)
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    table = "packet_data" if "packet_data" in tables else "packet_block"
    database.execute(f"UPDATE {table} SET data = x'00'")
    database.close()
    assert any(found.check == "packets" for found in verify(path).findings)


def test_pieces_and_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = record(tmp_path / "a.ringscope", "bulk-tx", packets=4000)
    alone = verify(path)
    monkeypatch.setattr(verify_module, "PIECE_EVENTS", 9000)
    pieces = verify(path)
    spread = verify(path, jobs=2)
    for report in (pieces, spread):
        assert report.equal
        assert (report.events, report.keyframes, report.compared) == (alone.events, alone.keyframes, alone.compared)


def test_it_can_be_cancelled(tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_module, "PIECE_EVENTS", 500)
    path = tmp_path / "a.ringscope"
    path.write_bytes(whole)
    report = verify(path, progress=lambda done, total: False)
    assert not report.complete
    assert 0 < report.events < verify(path).events


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="no such file"):
        verify(tmp_path / "a.ringscope")
