"""A recorded scenario for tests of what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringscope.figures.recordings import Recordings
from ringscope_core.session.reader import SessionReader


@pytest.fixture(scope="session")
def ping_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of ping, read by many."""
    with Recordings(tmp_path_factory.mktemp("ping")) as recordings:
        return recordings.path("ping")


@pytest.fixture
def reader(ping_file: Path) -> Iterator[SessionReader]:
    """Its reader."""
    with SessionReader(ping_file) as found:
        yield found
