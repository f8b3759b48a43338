"""What the tests with real keys share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk import Desk, Program, Start


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts programs on desks of a size; what they complain about fails the test."""
    monkeypatch.setenv("RINGSCOPE_DATA", str(tmp_path / "data"))
    desks: list[Desk] = []
    programs: list[Program] = []

    def begin(size: tuple[int, int], *arguments: str) -> Program:
        desks.append(Desk(size))
        programs.append(Program(desks[-1], tmp_path, *arguments))
        return programs[-1]

    yield begin
    said = [program.close() for program in programs]
    for desk in desks:
        desk.close()
    assert "Traceback" not in "".join(said), "".join(said)
