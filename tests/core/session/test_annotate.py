"""Marks and notes of a finished session: in the file where it can be written, beside it where it cannot, and through the writer while it grows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope_core.scenario.errors import InputError
from ringscope_core.session.annotate import Annotations
from ringscope_core.session.changes import Put, Remove, change_from, put_mark, put_note
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.seal import broken_pages
from tests.core.session.recording import make


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("annotate") / "a.ringscope"
    make(path, 30)
    return path


@pytest.fixture
def session(original: Path, tmp_path: Path) -> Path:
    path = tmp_path / "session" / "a.ringscope"
    path.parent.mkdir()
    shutil.copy(original, path)
    return path


def use(annotations: Annotations) -> None:
    """One of everything."""
    number = annotations.apply(put_mark(5, 50, "later", "said"))
    annotations.apply(put_mark(6, 60, "renamed", "", number))
    annotations.apply(put_note(7, 70, {"oid": 3, "view": "rings"}, "look here"))
    gone = annotations.apply(put_note(8, 80, {}, "not this"))
    annotations.apply(Remove("note", gone))


def check(annotations: Annotations) -> None:
    marks, notes = annotations.marks(), annotations.notes()
    assert [(mark.seq, mark.name) for mark in marks] == [(3, "first"), (6, "renamed")]
    assert [(note.seq, note.vt, note.place, note.text) for note in notes] == [(7, 70, {"oid": 3, "view": "rings"}, "look here")]


def test_in_the_file(session: Path, tmp_path: Path) -> None:
    with SessionReader(session) as reader:
        annotations = Annotations(reader, tmp_path / "beside")
        use(annotations)
        assert reader.refresh()
        check(annotations)
        assert not annotations.beside and not annotations.sidecar.exists()
    with SessionReader(session) as reader:
        check(Annotations(reader, tmp_path / "beside"))
    assert [path.name for path in session.parent.iterdir()] == ["a.ringscope"]
    assert broken_pages(session) == [], "the file's checksums are those of what it holds now"


def test_beside_a_file_that_cannot_be_written(session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = session.read_bytes()
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **kw: False if mode == os.W_OK and "session" in str(path) else allowed(path, mode, **kw))
    with SessionReader(session) as reader:
        annotations = Annotations(reader, tmp_path / "beside")
        use(annotations)
        assert annotations.beside and annotations.sidecar.is_file()
        check(annotations)
    assert session.read_bytes() == before
    # and found again, also by a copy of the session under another name
    copy = tmp_path / "session" / "copy.ringscope"
    shutil.copy(session, copy)
    with SessionReader(copy) as reader:
        check(Annotations(reader, tmp_path / "beside"))


def test_a_medium_that_refuses_to_be_written_to(session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    def refuse(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("ringscope_core.session.annotate._carry_out", refuse)
    with SessionReader(session) as reader:
        annotations = Annotations(reader, tmp_path / "beside")
        use(annotations)
        check(annotations)


def test_neither_can_be_written(session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    (tmp_path / "file").write_text("in the way")
    with SessionReader(session) as reader:
        annotations = Annotations(reader, tmp_path / "file")
        with pytest.raises(SessionError, match="cannot be annotated"):
            annotations.apply(put_mark(1, 1, "x"))
        assert [mark.name for mark in annotations.marks()] == ["first"]


@pytest.mark.parametrize("contents", [b"", b"{", b"[1]", b'{"session": 3}', b'{"session": "a", "marks": [[1, 2]]}', b"\xff" * 100])
def test_a_damaged_sidecar_hides_nothing(session: Path, tmp_path: Path, contents: bytes) -> None:
    with SessionReader(session) as reader:
        folder = tmp_path / "beside"
        folder.mkdir()
        Annotations(reader, folder).sidecar.write_bytes(contents)
        assert [mark.name for mark in Annotations(reader, folder).marks()] == ["first"]


def test_numbers_that_there_are_not(session: Path, tmp_path: Path) -> None:
    with SessionReader(session) as reader:
        annotations = Annotations(reader, tmp_path)
        for change in (Remove("mark", 99), put_mark(1, 1, "x", "", 99), put_note(1, 1, {}, "x", 99)):
            with pytest.raises(InputError, match="99"):
                annotations.apply(change)


def test_while_it_grows_the_writer_takes_them(tmp_path: Path) -> None:
    recording = make(tmp_path / "a.ringscope", 30, close=False)
    writer = recording.writer
    number = writer.annotate(put_mark(5, 50, "later", "said"))
    writer.annotate(put_mark(6, 60, "renamed", "", number))
    writer.annotate(put_note(7, 70, {"oid": 3, "view": "rings"}, "look here"))
    writer.annotate(Remove("note", writer.annotate(put_note(8, 80, {}, "not this"))))
    assert writer.add_mark(9, 90, "of the run") == number + 1
    writer.annotate(Remove("mark", number + 1))
    writer.close()
    with SessionReader(tmp_path / "a.ringscope") as reader:
        check(Annotations(reader, tmp_path / "beside"))


def test_changes_have_a_plain_form() -> None:
    for change in (put_mark(1, 2, " name ", "note", 3), put_note(4, 5, {"a": [1]}, "text"), Remove("mark", 7)):
        assert change_from(change.to_plain()) == change
    assert isinstance(change_from({"put": "mark", "seq": 1, "vt": 2, "name": "n"}), Put)


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"put": "block"},
        {"put": "mark", "remove": "mark"},
        {"put": "mark", "seq": 1, "vt": 1, "name": " "},
        {"put": "mark", "seq": "1", "vt": 1, "name": "x"},
        {"put": "mark", "seq": 1 << 70, "vt": 1, "name": "x"},
        {"put": "note", "seq": 1, "vt": 1, "text": 3},
        {"put": "note", "seq": 1, "vt": 1, "place": [], "text": ""},
        {"put": "note", "seq": 1, "vt": 1, "text": "x" * 200_000},
        {"remove": "mark", "id": True},
    ],
)
def test_changes_that_are_none(plain: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        change_from(plain)
    assert "\n" not in str(caught.value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["put", "change", "remove"]), st.integers(0, 3), st.text(max_size=5)), max_size=12))
def test_file_and_sidecar_agree(original: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]) -> None:
    folder = tmp_path_factory.mktemp("agree")
    path = folder / "a.ringscope"
    shutil.copy(original, path)
    with SessionReader(path) as reader, SessionReader(original) as other:
        first, second = Annotations(reader, folder / "1"), Annotations(other, folder / "2")
        for what, place, text in steps:
            notes = second.notes()
            if what != "put" and place >= len(notes):
                continue
            change = put_note(place, place, {}, text) if what == "put" else Remove("note", notes[place].id)
            if what == "change":
                change = put_note(place, place, {"x": 1}, text, notes[place].id)
            assert first._in_file(change) == second._in_sidecar(change)
        reader.refresh()
        assert first.notes() == second.notes()
