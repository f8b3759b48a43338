"""What is said for information is no error: it stands in the track of the run, whichever way the densities were read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ringscope.store import Store
from ringscope.views.timeline.model import Density
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace import kinds as k
from tests.app.synthetic import Recording, build_machine, icmp_frame, send


@pytest.fixture
def told(tmp_path: Path, qapp: object) -> Iterator[Store]:
    """A recording that says: information three times, a warning, an error, and an expert's information and warning; in two blocks."""
    rec = Recording(tmp_path / "told.ringscope")
    build_machine(rec)
    for severity, text in ((0, "the link is up"), (0, "the link is down"), (1, "odd"), (2, "wrong")):
        rec.log.message(severity, text)
    rec.keyframe()
    for turn in range(40):
        send(rec, 1, turn, icmp_frame(turn))
        rec.tick(1000)
    rec.log.message(0, "the link is up")
    for severity in (0, 1):
        rec.log.emit(k.EV_EXPERT, 0, severity, rec.log.text("worth knowing"))
    rec.close()
    reader = SessionReader(tmp_path / "told.ringscope")
    yield Store(reader)
    reader.close()


def track(density: Density, counts: np.ndarray, name: str) -> int:
    """Events of one group over all bins."""
    return int(counts.sum(axis=0)[density.groups.index(name)])


@pytest.mark.parametrize("direct", (0, 1 << 20))
def test_information_is_not_among_the_errors(told: Store, monkeypatch: pytest.MonkeyPatch, direct: int) -> None:
    """Counted by chunks and read event by event: two errors and warnings twice over, the rest is the run's; no event is lost."""
    monkeypatch.setattr("ringscope.views.timeline.model.DIRECT", direct)
    density = Density(told)
    density.advance(1000)
    bins = density.bins(0, told.last_seq + 1, 50, False)
    assert track(density, bins, "error") == 3
    # two changes of the run, and four things said
    assert track(density, bins, "run") == 2 + 4
    assert bins.sum() == told.reader.event_count
    totals = dict(zip(density.groups, density.totals(), strict=True))
    assert (totals["error"], totals["run"], sum(totals.values())) == (3, 6, told.reader.event_count)


def test_a_large_recording_sorts_what_it_has_read(told: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not read whole: the index knows kinds alone, blocks that were looked at know better, and no track ever has less than nothing."""
    monkeypatch.setattr("ringscope.views.timeline.model.COUNTED", 0)
    monkeypatch.setattr("ringscope.views.timeline.model.DIRECT", 0)
    density = Density(told)
    density.advance(1000)
    high = float(told.last_seq + 1)
    assert track(density, density.bins(0, high, 1, False), "error") == 7
    while density.refine(0, high, 4000, False, 0.0):
        assert (density.bins(0, high, 50, False) >= 0).all()
    read = density.bins(0, high, 1, False)
    assert (track(density, read, "error"), track(density, read, "run")) == (3, 6)
    assert read.sum() == told.reader.event_count
