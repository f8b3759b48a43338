"""Runs of shipped scenarios, recorded once, that every format's test exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.export.formats import export
from ringscope_core.export.request import Request, Summary
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_NAMES

Export = Callable[..., Summary]


def record(name: str, path: Path, virtual_ns: int, trace: str = "full", settings: list[str] | None = None) -> Path:
    """Run the scenario `name` for `virtual_ns` (0: to its end) and record it."""
    scenario = load(name, settings)
    writer = SessionWriter(path, session_meta(scenario, scenario.seed, trace))
    run = Run(scenario, trace_level=LEVEL_NAMES.index(trace), recorder=Recorder(writer))
    try:
        assert run.build(), run.failures
        Headless(run, Goal(virtual_ns=virtual_ns)).to_the_end()
    finally:
        run.close()
        writer.close()
    return path


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Session files by what they are good for."""
    folder = tmp_path_factory.mktemp("exported")
    return {
        "faults": record("recovery", folder / "faults.ringscope", 130_000_000),
        "offloads": record("offloads", folder / "offloads.ringscope", 20_000_000),
        "packed": record("packed", folder / "packed.ringscope", 24_000_000),
    }


@pytest.fixture
def faults(sessions: dict[str, Path]) -> Iterator[Recording]:
    """Echoes over split rings that the driver breaks twice, with marks."""
    with SessionReader(sessions["faults"]) as reader:
        yield Recording(reader)


@pytest.fixture
def offloads(sessions: dict[str, Path]) -> Iterator[Recording]:
    """Frames of which some are larger than the wire takes, with headers that say so."""
    with SessionReader(sessions["offloads"]) as reader:
        yield Recording(reader)


@pytest.fixture
def packed(sessions: dict[str, Path]) -> Iterator[Recording]:
    """Packed rings."""
    with SessionReader(sessions["packed"]) as reader:
        yield Recording(reader)


@pytest.fixture
def to(tmp_path: Path) -> Export:
    """Export a recording: ``to(recording, "csv", name, whats=("events",))`` writes ``tmp_path / name``."""

    def call(recording: Recording, form: str, name: str, **words: object) -> Summary:
        whats = words.pop("whats", ())
        return export(recording, Request(form, whats, **words), tmp_path / name)  # type: ignore[arg-type]

    return call
