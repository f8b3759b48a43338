"""Breakpoints of a finished session survive: in the file, beside one that cannot be written."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from ringscope_core.session.errors import SessionError
from ringscope_core.session.kept_points import KeptPoints
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import make_session

POINTS = [{"id": 3, "what": "event", "where": "kick", "condition": "obj == tx0"}, {"id": 5, "what": "function", "where": "virtio_init"}]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return make_session(tmp_path / "one.ringscope", 4)


def test_they_stand_in_the_file(session: Path, tmp_path: Path) -> None:
    with SessionReader(session) as reader:
        kept = KeptPoints(reader, tmp_path / "beside")
        assert kept.read() == []
        kept.write(POINTS)
        assert not kept.sidecar.exists()
    with SessionReader(session) as reader:
        kept = KeptPoints(reader, tmp_path / "beside")
        assert kept.read() == POINTS and [row.spec for row in reader.breakpoints()] == POINTS
        kept.write(POINTS[1:])
        assert kept.read() == POINTS[1:]


def test_a_file_of_another_version_keeps_them_beside_itself(session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = session.read_bytes()
    monkeypatch.setattr("ringscope_core.session.kept_points.VERSION", 99)
    with SessionReader(session) as reader:
        kept = KeptPoints(reader, tmp_path / "beside")
        kept.write(POINTS)
        assert kept.sidecar.parent == tmp_path / "beside" and KeptPoints(reader, tmp_path / "beside").read() == POINTS
    assert session.read_bytes() == before
    kept.sidecar.write_bytes(b"nonsense")
    with SessionReader(session) as reader:
        assert KeptPoints(reader, tmp_path / "beside").read() == []


def test_a_writer_at_work_is_not_waited_for_long(session: Path, tmp_path: Path) -> None:
    other = sqlite3.connect(session, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with SessionReader(session) as reader:
            kept = KeptPoints(reader, tmp_path / "beside")
            kept.write(POINTS)
            assert kept.sidecar.exists() and kept.read() == POINTS
    finally:
        other.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_nothing_can_be_written_one_line_says_so(session: Path, tmp_path: Path) -> None:
    session.chmod(0o444)
    (tmp_path / "closed").mkdir(mode=0o555)
    with SessionReader(session) as reader, pytest.raises(SessionError, match="cannot keep breakpoints"):
        KeptPoints(reader, tmp_path / "closed" / "beside").write(POINTS)
