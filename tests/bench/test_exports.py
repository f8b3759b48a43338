"""`make bench`: what exporting and importing a session costs, by format.  Reported, never asserted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ringscope_core.export.formats import FORMATS, export
from ringscope_core.export.imports import import_file
from ringscope_core.export.request import Request
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from tests.bench.test_speed import say
from tests.core.export.conftest import record

FRAMES = int(os.environ.get("RINGSCOPE_BENCH_EXPORT_FRAMES", "120000"))
"""About eight events a frame."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A million events of bulk traffic at trace level full."""
    return record("bulk-tx", tmp_path_factory.mktemp("bench") / "big.ringscope", 0, "full", [f"count={FRAMES}"])


@pytest.mark.bench
@pytest.mark.parametrize("form", list(FORMATS))
def test_export_speed(session: Path, tmp_path: Path, form: str) -> None:
    """The whole session through each format; of JSON lines also the way back."""
    if form == "parquet":
        pytest.importorskip("pyarrow", reason="no pyarrow (extra parquet)")
    with SessionReader(session) as reader:
        began = time.perf_counter()
        summary = export(Recording(reader), Request(form), tmp_path / "out")
        took = time.perf_counter() - began
        count = reader.event_count
        say(
            f"export {form}", count / took / 1e3, "k events/s", f"{summary.size / count:.1f} bytes an event; {reader.packet_count / took / 1e3:.0f} k packets/s"
        )
    if form in ("jsonl", "pcapng"):
        began = time.perf_counter()
        import_file(tmp_path / "out", tmp_path / "again.ringscope")
        took = time.perf_counter() - began
        number, unit = (count, "k events/s") if form == "jsonl" else (summary.rows["packets"], "k packets/s")
        say(f"import {form}", number / took / 1e3, unit, "")
