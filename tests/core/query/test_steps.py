"""Steps over a recording stop where the live debugger stops, and going back and forth returns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope_core.engine.debugger import Debugger, StopListener
from ringscope_core.query.recording import Recording
from ringscope_core.query.travel import BACKWARD, FORWARD, next_event, step
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.rows import EVENT_DTYPE
from ringscope_core.trace import kinds as k
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from tests.core.query.recordings import Script, record

_COLUMNS = list(EVENT_DTYPE.names or ())[1:]


class Stepper(StopListener):
    """Runs recorded events once more under the live debugger, and steps as it is told."""

    def __init__(self, rows: list[Any], steps: list[tuple[str, int]]) -> None:
        self.log = EventLog(Clock())
        self.debugger = Debugger(self.log, self)
        self.steps = iter(steps)
        self.stops: list[int] = []
        self.debugger.pause()
        for row in rows:
            kind, obj, args = row[2], row[3], row[5:]
            if kind == k.EV_FRAME_ENTER:
                self.log.enter(*args)
            elif kind == k.EV_FRAME_AT:
                self.log.at(args[1])
            elif kind == k.EV_FRAME_LEAVE:
                self.log.leave(args[1])
            else:
                self.log.emit(kind, obj, *args)

    def on_stopped(self, reason: str) -> None:
        self.stops.append(int(self.log.seq) - 1)
        wanted = next(self.steps, None)
        if wanted is None:
            self.debugger.close()
        else:
            self.debugger.step(*wanted)


def live_stops(recording: Recording, steps: list[tuple[str, int]]) -> list[int]:
    """Where the live debugger stops, from the first event on."""
    reader = recording.reader
    return Stepper(reader.events(reader.first_seq, reader.last_seq)[_COLUMNS].tolist(), steps).stops


def recorded_stops(recording: Recording, steps: list[tuple[str, int]]) -> list[int]:
    """The same over the recording."""
    at: int | None = recording.reader.first_seq
    found = []
    for kind, count in [*steps, ("end", 0)]:
        if at is None:
            break
        found.append(at)
        at = step(recording, at, kind, count) if count else None
    return found


@pytest.fixture(scope="module")
def ping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    recording = record(tmp_path_factory.mktemp("steps") / "ping.ringscope", "ping")
    with recording.reader:
        yield recording


def depth(recording: Recording, seq: int) -> int:
    return len(recording.reader.state_at(seq).stack)


@pytest.mark.parametrize("kind", ["event", "into", "over"])
def test_every_stop_of_a_run(ping: Recording, kind: str) -> None:
    steps = [(kind, 1)] * 400
    live = live_stops(ping, steps)
    assert len(live) > 100
    assert recorded_stops(ping, steps) == live


_STEP = st.tuples(st.sampled_from(["event", "into", "into", "over", "out", "packet", "kick"]), st.integers(1, 6))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEP, min_size=1, max_size=40))
def test_mixed_steps_stop_where_the_live_debugger_does(ping: Recording, steps: list[tuple[str, int]]) -> None:
    # out of the outermost frame a live run goes on to the end of its turn, which no event tells
    allowed: list[tuple[str, int]] = []
    at: int | None = ping.reader.first_seq
    for kind, count in steps:
        after = step(ping, at, kind, count) if at is not None else None
        if after is None:
            break
        allowed.append((kind, count))
        at = after
    assert recorded_stops(ping, allowed) == live_stops(ping, allowed)


_CALL = st.recursive(st.just("event"), lambda inner: st.lists(st.one_of(st.just("at"), inner), max_size=5), max_leaves=25)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_CALL, min_size=1, max_size=6), st.lists(_STEP, min_size=1, max_size=30))
def test_random_calls(tmp_path_factory: pytest.TempPathFactory, calls: list[Any], steps: list[tuple[str, int]]) -> None:
    script = Script(tmp_path_factory.mktemp("calls") / "a.ringscope")

    def call(part: Any, number: int) -> None:
        if part == "event" or part == "at" and not script.log.frames:
            script.log.emit(k.EV_MARK, 0)
        elif part == "at":
            script.log.at(number)
        else:
            script.log.enter(number % 9, 10)
            for place, inner in enumerate(part):
                call(inner, place)
            script.log.leave()

    for place, part in enumerate(calls):
        call(part, place)
    recording = script.open()
    with recording.reader:
        test_mixed_steps_stop_where_the_live_debugger_does.hypothesis.inner_test(recording, steps)  # type: ignore[attr-defined]


def test_back_and_forth_returns(ping: Recording) -> None:
    reader = ping.reader
    rows = reader.events(reader.first_seq, reader.last_seq)
    checked = 0
    for seq in range(5, reader.last_seq, 41):
        for kind in ("event", "into", "packet", "kick"):
            there = step(ping, seq, kind)
            if there is None:
                continue
            back = step(ping, there, kind, 1, BACKWARD)
            if back is None:
                # the first of its kind
                assert kind in ("packet", "kick")
                continue
            assert back < there
            assert step(ping, back, kind) == there
            if int(rows["kind"][seq]) in (k.EV_FRAME_ENTER, k.EV_FRAME_AT) and kind == "into":
                assert back == seq
                checked += 1
        there = step(ping, seq, "over")
        if there is not None and int(rows["kind"][there]) != k.EV_FRAME_ENTER and depth(ping, there) > 0:
            back = step(ping, there, "over", 1, BACKWARD)
            assert back is not None
            assert step(ping, back, "over") == there
    assert checked > 5


def test_a_walk_in_one_function_walked_back_ends_where_it_began(ping: Recording) -> None:
    reader = ping.reader
    name = next(number for number, spec in reader.functions.items() if spec.name == "virtio_net_device_realize")
    entered = reader.find_events([int(k.EV_FRAME_ENTER)], 0, reader.last_seq, 10_000)
    start = int(entered[entered["a0"] == name]["seq"][0])
    walk = [start]
    level = depth(ping, start)
    while True:
        there = step(ping, walk[-1], "over")
        assert there is not None
        if depth(ping, there) < level:
            break
        walk.append(there)
    assert len(walk) > 5
    for seq in reversed(walk[:-1]):
        assert step(ping, walk.pop(), "over", 1, BACKWARD) == seq


def test_over_backwards_enters_no_function(ping: Recording) -> None:
    reader = ping.reader
    rows = reader.events(reader.first_seq, reader.last_seq)
    for seq in range(50, reader.last_seq, 97):
        there = step(ping, seq, "over", 1, BACKWARD)
        if there is not None and int(rows["kind"][seq]) != k.EV_FRAME_LEAVE:
            assert depth(ping, there) <= depth(ping, seq)


def test_out_backwards_goes_to_the_line_that_called(ping: Recording) -> None:
    reader = ping.reader
    entered = reader.find_events([int(k.EV_FRAME_ENTER)], 0, reader.last_seq, 10_000)
    for row in entered[:200:7]:
        inside = step(ping, int(row["seq"]), "into")
        assert inside is not None
        stack = reader.state_at(int(row["seq"])).stack
        there = step(ping, int(row["seq"]), "out", 1, BACKWARD)
        if there is None:
            continue
        assert there < int(row["seq"])
        assert len(reader.state_at(there).stack) == len(stack) - 1
        if len(stack) > 1:
            assert reader.state_at(there).stack[-1][:2] == stack[-2][:2]


def test_the_ends_of_the_recording(ping: Recording) -> None:
    reader = ping.reader
    for kind in ("event", "over", "into", "packet", "kick"):
        assert step(ping, reader.last_seq, kind) is None
        assert step(ping, reader.first_seq, kind, 1, BACKWARD) is None
        assert step(ping, reader.first_seq, kind, 1_000_000 if kind != "into" else 100_000) is None
    assert step(ping, -1, "event") == reader.first_seq
    assert step(ping, -1, "into") == reader.first_seq
    with pytest.raises(InputError, match="step"):
        step(ping, 0, "sideways")
    with pytest.raises(InputError, match="count"):
        step(ping, 0, "event", 0)


def test_packets_and_kicks_are_counted_over_blocks(ping: Recording) -> None:
    reader = ping.reader
    for kind, numbers in (("packet", (k.EV_FRAME_TX, k.EV_FRAME_RX)), ("kick", (k.EV_KICK,))):
        rows = reader.find_events([int(n) for n in numbers], 0, reader.last_seq, 1000)["seq"].tolist()
        assert len(rows) >= 2
        assert step(ping, 0, kind, 2) == rows[1]
        assert step(ping, reader.last_seq, kind, 2, BACKWARD) in (rows[-2], rows[-3] if len(rows) > 2 else rows[-2])


def test_lost_events_are_stepped_over(tmp_path: Path) -> None:
    script = Script(tmp_path / "a.ringscope")
    for _ in range(5):
        script.log.emit(k.EV_MARK, 0)
    script.lose(10)
    for _ in range(5):
        script.log.emit(k.EV_MARK, 0)
    recording = script.open()
    with recording.reader:
        assert step(recording, 4, "event") == 15
        assert step(recording, 3, "event", 3) == 16
        assert step(recording, 15, "event", 1, BACKWARD) == 4
        assert step(recording, 17, "event", 4, BACKWARD) == 3
        assert step(recording, 4, "into") == 15
        assert step(recording, 15, "into", 1, BACKWARD) == 4
        assert step(recording, 15, "event", 9) is None
        assert step(recording, 8, "event") == 15


def test_the_next_event_of_a_kind_and_of_an_object(ping: Recording) -> None:
    reader = ping.reader
    rows = reader.events(0, reader.last_seq)
    for seq in (0, 500, 2000, reader.last_seq - 3):
        here = rows[seq]
        after = rows[seq + 1 :].tolist()
        same_kind = next((r[0] for r in after if r[3] == here["kind"]), None)
        same_object = next((r[0] for r in after if r[4] == here["obj"]), None)
        both = next((r[0] for r in after if r[3] == here["kind"] and r[4] == here["obj"]), None)
        assert next_event(ping, seq, FORWARD, int(here["kind"])) == same_kind
        assert next_event(ping, seq, FORWARD, None, int(here["obj"])) == same_object
        assert next_event(ping, seq, FORWARD, int(here["kind"]), int(here["obj"])) == both
        before = rows[:seq].tolist()[::-1]
        assert next_event(ping, seq, BACKWARD, None, int(here["obj"])) == next((r[0] for r in before if r[4] == here["obj"]), None)
        assert next_event(ping, seq, BACKWARD) == (seq - 1 if seq else None)
