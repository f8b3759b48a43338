"""Folding what `condense` leaves gives the state that folding everything gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringscope_core.session.condense import ROW_NAMES, condense, fold_events
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rows import EVENT_DTYPE, Events
from ringscope_core.trace import kinds as k
from ringscope_core.trace.oids import ring_oid
from ringscope_core.trace.state import MachineState, RingImage, fold
from tests.core.session.recording import make

RINGS = (int(ring_oid(0x20, 0)), int(ring_oid(0x20, 1)))
_FOLDED = [spec.number for spec in k.KINDS if spec.number not in (int(k.EV_FRAME_AT), int(k.EV_FRAME_LEAVE), int(k.EV_RING_RESET), int(k.EV_RUN_STATE))]


@st.composite
def events(draw: st.DrawFn) -> Events:
    """Random events of few places, so that they often write over each other; calls are balanced."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    count = draw(st.integers(200, 700))
    rows = np.zeros(count, EVENT_DTYPE)
    rows["seq"] = np.arange(1000, 1000 + count)
    rows["vt"] = np.cumsum(rng.integers(0, 50, count))
    rows["kind"] = rng.choice(_FOLDED, count)
    rows["obj"] = rng.choice((*RINGS, 1, 2), count)
    for name in ("a0", "a1", "a2", "a3", "a4", "a5"):
        rows[name] = rng.integers(0, 4, count)
    depth = 0
    for place in range(count):
        choice = rng.integers(0, 30)
        if choice == 0:
            rows[place]["kind"], depth = int(k.EV_FRAME_ENTER), depth + 1
        elif choice == 1 and depth:
            rows[place]["kind"], depth = int(k.EV_FRAME_LEAVE), depth - 1
        elif choice == 2 and depth:
            rows[place]["kind"] = int(k.EV_FRAME_AT)
        elif choice == 3:
            rows[place]["kind"], rows[place]["a0"] = int(k.EV_RING_RESET), rng.choice((0, 4))
        elif rows[place]["kind"] == int(k.EV_FRAME_ENTER):
            depth += 1
    return rows


def start() -> MachineState:
    state = MachineState()
    state.seq = 999
    state.rings = {RINGS[0]: RingImage(4, 0, 0, 0), RINGS[1]: RingImage(4, 0, 0, 0, True)}
    return state


@settings(max_examples=150, deadline=None)
@given(events())
def test_equal_to_folding_every_event(rows: Events) -> None:
    slow = fold(start(), rows[ROW_NAMES].tolist())
    fast = start()
    fold_events(fast, rows)
    assert fast.comparable() == slow.comparable()


def test_a_busy_stretch_shrinks(tmp_path: Path) -> None:
    make(tmp_path / "a.ringscope", 3000)
    with SessionReader(tmp_path / "a.ringscope") as reader:
        rows = reader.events(4, reader.last_seq)
        assert len(rows) > 18_000
        left = condense(rows)
        assert 64 < len(left) < len(rows) / 20
        assert left["seq"].tolist() == sorted(left["seq"].tolist())
        assert int(left["seq"][-1]) == reader.last_seq, "the last write of all is among them"


def test_events_that_no_ring_can_have_are_refused() -> None:
    rows = np.zeros(500, EVENT_DTYPE)
    rows["seq"] = np.arange(500)
    rows["kind"], rows["obj"], rows["a0"] = int(k.EV_RING_RESET), RINGS[0], 1 << 45
    with pytest.raises(ValueError, match="ring_reset has a0"):
        fold_events(MachineState(), rows)
