"""Recordings that many tests of figures read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringscope.figures.recordings import Recordings
from ringscope_core.session.reader import SessionReader


@pytest.fixture
def reader(session_file: Path, qapp: object) -> Iterator[SessionReader]:
    """A reader of the recording that every test of the application has."""
    with SessionReader(session_file) as found:
        yield found


@pytest.fixture(scope="session")
def ping_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of ping."""
    with Recordings(tmp_path_factory.mktemp("ping")) as recordings:
        return recordings.path("ping")


@pytest.fixture
def ping(ping_file: Path) -> Iterator[SessionReader]:
    """A reader of it."""
    with SessionReader(ping_file) as found:
        yield found
