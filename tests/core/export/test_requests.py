"""What an export refuses, and that one that ends early leaves nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ringscope_core.export.formats import FORMATS, export
from ringscope_core.export.imports import import_file
from ringscope_core.export.request import Cancelled, Request
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.errors import InputError

ALL = list(FORMATS)


def need(form: str) -> None:
    """Skip Parquet where its library is not installed."""
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="no pyarrow (extra parquet)")


@pytest.mark.parametrize("form", ALL)
def test_progress_goes_to_the_end(faults: Recording, tmp_path: Path, form: str) -> None:
    """From 0 to the total, never back."""
    need(form)
    seen: list[tuple[int, int]] = []
    export(faults, Request(form), tmp_path / "out", lambda done, total: seen.append((done, total)) is None)
    assert seen[0][0] == 0 and seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize("form", ALL)
@pytest.mark.parametrize("calls", [1, 2])
def test_a_cancelled_export_leaves_nothing(faults: Recording, tmp_path: Path, form: str, calls: int) -> None:
    """Called off at its beginning or on its way: no file, no part of one, and what was there stays."""
    need(form)
    left = [calls]

    def progress(done: int, total: int) -> bool:
        left[0] -= 1
        return left[0] > 0

    with pytest.raises(Cancelled):
        export(faults, Request(form), tmp_path / "out", progress)
    assert list(tmp_path.iterdir()) == []
    if form != "parquet":
        (tmp_path / "out").write_text("before")
        left[0] = calls
        with pytest.raises(Cancelled):
            export(faults, Request(form, force=True), tmp_path / "out", progress)
        assert [(part.name, part.read_text()) for part in tmp_path.iterdir()] == [("out", "before")]


@pytest.mark.parametrize("form", [form for form in ALL if form != "parquet"])
def test_nothing_is_replaced_unasked(faults: Recording, tmp_path: Path, form: str) -> None:
    """A file that is there stays, unless force says otherwise."""
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="not taken"):
        export(faults, Request(form), tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"
    export(faults, Request(form, force=True), tmp_path / "out")
    assert (tmp_path / "out").read_bytes()[:4] != b"mine"


@pytest.mark.parametrize(
    ("request_", "field", "allowed"),
    [
        (Request("excel"), "to", "pcapng, perfetto"),
        (Request("csv", ("frames",)), "what", "events, packets"),
        (Request("csv", ("events", "packets")), "what", "one of"),
        (Request("pcapng", ("events",)), "what", "holds packets"),
        (Request("csv", options={"time": "wall"}), "time", "csv has text"),
        (Request("pcapng", options={"time": "events"}), "time", "virtual, wall"),
        (Request("csv", filter="heads == 3"), "filter", "no field 'heads'"),
        (Request("csv", filter="kind =="), "filter", "value is missing"),
        (Request("csv", since="soon"), "from", "a time"),
        (Request("csv", until="mark:nothing"), "until", "bad indirect table"),
        (Request("csv", since="packet:999999"), "from", "packets 1 to"),
        (Request("csv", since="40ms", until="20ms"), "until", "not before"),
        (Request("parquet", options={"partition": "1ms"}), "partition", "whole seconds"),
    ],
)
def test_wrong_requests_are_one_clear_line(faults: Recording, tmp_path: Path, request_: Request, field: str, allowed: str) -> None:
    """The error names the field and what would be right, and nothing is written."""
    with pytest.raises(InputError) as error:
        export(faults, request_, tmp_path / "out")
    assert error.value.field == field
    assert allowed in str(error.value) and "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["", "folder", "nowhere/out.csv"])
def test_wrong_targets(faults: Recording, tmp_path: Path, target: str) -> None:
    """A folder, or a place in none, is refused before anything is read."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as error:
        export(faults, Request("csv"), tmp_path / target)
    assert error.value.field == "output"


def test_parquet_without_its_library(faults: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"ringscope\[parquet\]"):
        export(faults, Request("parquet"), tmp_path / "lake")
    assert not (tmp_path / "lake").exists()


def test_an_empty_range_is_an_empty_export(faults: Recording, tmp_path: Path) -> None:
    """Nothing lies between: a file that is whole and holds no row."""
    summary = export(faults, Request("csv", since="999s"), tmp_path / "e.csv")
    assert summary.rows.get("events", 0) == 0
    assert len((tmp_path / "e.csv").read_text().splitlines()) == 1
    for form in ("pcapng", "perfetto", "markdown", "jsonl"):
        export(faults, Request(form, since="999s"), tmp_path / form)
        assert (tmp_path / form).stat().st_size > 0


def test_a_cancelled_import_leaves_nothing(faults: Recording, tmp_path: Path) -> None:
    """Neither a session nor its log."""
    export(faults, Request("pcapng"), tmp_path / "f.pcapng")
    with pytest.raises(Cancelled):
        import_file(tmp_path / "f.pcapng", tmp_path / "f.ringscope", progress=lambda done, total: False)
    assert [part.name for part in tmp_path.iterdir()] == ["f.pcapng"]
