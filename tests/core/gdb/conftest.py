"""Recordings for the console's tests, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.gdb.console import Console
from ringscope_core.gdb.inferior import RecordedInferior
from ringscope_core.qom.types_json import types_json
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter

Recorded = Callable[..., Path]
Open = Callable[..., Console]


def record(scenario: str, path: Path, ns: int, *settings: str) -> Path:
    """A headless run of `scenario` for `ns` of virtual time, at level full."""
    wanted = load(scenario, list(settings))
    recorder = Recorder(SessionWriter(path, session_meta(wanted, wanted.seed, "full")))
    run = Run(wanted, trace_level=2, recorder=recorder)
    recorder.writer.add_types(list(types_json(run.world)))
    if run.build():
        Headless(run, Goal(ns, 0)).to_the_end()
    run.close()
    recorder.writer.close()
    return path


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Recordings by scenario."""
    folder = tmp_path_factory.mktemp("gdb")
    done: dict[tuple[str, int, tuple[str, ...]], Path] = {}

    def make(scenario: str, ns: int = 20_000_000, *settings: str) -> Path:
        key = (scenario, ns, settings)
        if key not in done:
            done[key] = record(scenario, folder / f"{scenario}-{len(done)}.ringscope", ns, *settings)
        return done[key]

    return make


@pytest.fixture
def open_console(recorded: Recorded) -> Iterator[Open]:
    """Consoles on recordings."""
    readers: list[SessionReader] = []

    def make(scenario: str = "realize", *script: str, ns: int = 20_000_000, settings: tuple[str, ...] = ()) -> Console:
        readers.append(SessionReader(recorded(scenario, ns, *settings)))
        console = Console(RecordedInferior(Recording(readers[-1])))
        for line in script:
            console.execute(line)
        return console

    yield make
    for reader in readers:
        reader.close()
