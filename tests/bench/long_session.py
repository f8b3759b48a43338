"""Makes a session of any number of events, real ones: ``python -m tests.bench.long_session FILE 100000000``.

A stretch of a real run is recorded once and then written again and again through the session's own writer, with numbers, times,
causes and packets that go on, and with keyframes that are what the events fold to: `ringscope verify` finds nothing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.qom.types_json import types_json
from ringscope_core.scenario.load import load
from ringscope_core.session import blocks, keyframes
from ringscope_core.session.condense import fold_events
from ringscope_core.session.rows import EVENT_DTYPE, RAW_DTYPE, Events, Ints
from ringscope_core.session.writer import RingSample, SessionWriter
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.kinds import KINDS
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import ROW_BYTES
from ringscope_core.trace.state import MachineState

STRETCH_EVENTS: Final = 1_000_000
SAMPLES: Final = 36_000
"""Counter samples of the whole session: as many as ten minutes have."""
_LEVELS: Final = ("inuse", "available", "num")
_CHUNK: Final = 8192
_BUDGET: Final = 64 << 20


class Tape:
    """Takes what a recorder hands to its writer."""

    def __init__(self) -> None:
        self.error = None
        self.pending_bytes: int = 0
        self.texts: list[str] = []
        self.blocks: list[bytes] = []
        self.frames: list[tuple[Ints, bytes]] = []
        self.keyframes: list[dict[str, Any]] = []
        self.samples: list[tuple[int, int, list[RingSample]]] = []

    def add_strings(self, first_id: int, texts: list[str]) -> None:
        assert first_id == len(self.texts)
        self.texts += texts

    def add_block(self, first_seq: int, rows: bytes) -> None:
        assert first_seq == sum(map(len, self.blocks)) // int(ROW_BYTES)
        self.blocks.append(rows)

    def add_packet_array(self, rows: Ints, data: bytes) -> None:
        self.frames.append((rows, data))

    def add_keyframe(self, seq: int, vt: int, wall: int, plain: dict[str, Any]) -> None:
        self.keyframes.append(plain)

    def add_counters(self, vt: int, wall: int, rings: list[RingSample]) -> None:
        self.samples.append((vt, wall, rings))

    def add_mark(self, seq: int, vt: int, name: str, note: str = "") -> int:
        return 0

    def be_patient(self) -> None:
        """Nothing to wait for."""

    def pin(self) -> None:
        pass


def record(scenario: str, events: int) -> tuple[Tape, Run, int]:
    """Run `scenario` at level full for about so many events behind the building; the tape, the run, and the events of the building."""
    tape = Tape()
    recorder = Recorder(tape)  # type: ignore[arg-type]
    run = Run(load(scenario, ["count=100000000"]), trace_level=int(LEVEL_FULL), recorder=recorder, digests=False)
    assert run.build(), run.failures
    built = int(run.log.seq)
    while int(run.log.seq) - built < events:
        if not run.turn() and not run.pass_time():
            break
    run.resample()
    recorder.flush()
    return tape, run, built


class Again:
    """The stretch behind the building, to be written with everything moved on."""

    def __init__(self, tape: Tape, built: int) -> None:
        rows = blocks.as_rows(b"".join(tape.blocks))
        self.head: Events = rows[:built]
        self.rows: Events = rows[built:].copy()
        self.built: int = built
        self.tape: Tape = tape
        self.vt: int = int(rows["vt"][-1]) - int(rows["vt"][built - 1]) + 1
        self.wall: int = int(rows["wall"][-1]) - int(rows["wall"][built - 1]) + 1
        self.packets: int = sum(len(rows) for rows, _ in tape.frames)
        self._packet_kinds: list[tuple[int, str]] = [(spec.number, f"a{i}") for spec in KINDS for i, arg in enumerate(spec.args) if arg.unit == "packet"]
        self._states: list[dict[str, Any]] = self._fold()

    def _fold(self) -> list[dict[str, Any]]:
        """The states of the second time and every later one, at the keyframes of the first."""
        state = MachineState.from_plain(self.tape.keyframes[-1])
        events = np.zeros(len(self.rows), EVENT_DTYPE)
        for name in RAW_DTYPE.names or ():
            events[name] = self.rows[name]
        events["seq"] = np.arange(self.built, self.built + len(events))
        out: list[dict[str, Any]] = []
        at = 0
        for plain in self.tape.keyframes:
            end = plain["seq"] + 1 - self.built
            if end <= at:
                continue
            fold_events(state, events[at:end])
            out.append(keyframes.copy(state).to_plain())
            at = end
        return out

    def rows_of(self, time_: int) -> Events:
        """The stretch's events when it comes for the `time_`-th time, from 0."""
        rows = self.rows.copy()
        rows["vt"] += time_ * self.vt
        rows["wall"] += time_ * self.wall
        rows["cause"] += np.where(rows["cause"] >= 0, time_ * len(rows), 0)
        for kind, name in self._packet_kinds:
            rows[name] += np.where(rows["kind"] == kind, time_ * self.packets, 0)
        return rows

    def keyframes_of(self, time_: int) -> list[dict[str, Any]]:
        """Its keyframes: as the machine told them the first time, as folded later."""
        if not time_:
            return [plain for plain in self.tape.keyframes if plain["seq"] >= self.built]
        moved: list[dict[str, Any]] = []
        shift = time_ * len(self.rows)
        for plain in self._states:
            stack = [[*frame[:6], frame[6] + (shift if frame[6] >= self.built else 0)] for frame in plain["stack"]]
            moved.append({**plain, "seq": plain["seq"] + shift, "vt": plain["vt"] + time_ * self.vt, "wall": plain["wall"] + time_ * self.wall, "stack": stack})
        return moved

    def frames_of(self, time_: int) -> list[tuple[Ints, bytes]]:
        """Its packets."""
        shift = np.array([time_ * self.packets, time_ * self.vt, time_ * self.wall, 0, 0, 0, time_ * len(self.rows), 0, 0], np.int64)
        return [(rows + shift, data) for rows, data in self.tape.frames]

    def sample(self, time_: int, part: float) -> tuple[int, int, list[RingSample]]:
        """Counters when `part` of it has gone by."""
        _, _, first = self.tape.samples[0]
        _, _, last = self.tape.samples[-1]
        done = time_ + part
        rings = []
        for before, after in zip(first, last, strict=True):
            values = [
                now if name in _LEVELS else old + int((now - old) * done) for name, old, now in zip(COUNTER_NAMES, before.values, after.values, strict=True)
            ]
            rings.append(RingSample(after.oid, values, [int(n * done) for n in after.latency]))
        first_vt, first_wall = int(self.head["vt"][-1]), int(self.head["wall"][-1])
        return first_vt + int(self.vt * done), first_wall + int(self.wall * done), rings


def make_long_session(path: Path, events: int, scenario: str = "bulk-tx", keep_bytes: int = 0, samples: int = SAMPLES) -> SessionWriter:
    """Write a session of at least `events` events; returns its closed writer."""
    tape, run, built = record(scenario, min(STRETCH_EVENTS, events))
    again = Again(tape, built)
    writer = SessionWriter(path, {"scenario": scenario, "source": "emulated", "profile": "4.1", "trace": "full"}, keep_bytes=keep_bytes)
    writer.add_strings(0, tape.texts)
    writer.add_types(list(types_json(run.world)))
    _write_rows(writer, 0, again.head)
    for plain in [plain for plain in tape.keyframes if plain["seq"] < built]:
        _write_keyframe(writer, plain)
    writer.pin()
    times = max(-(-(events - built) // len(again.rows)), 1)
    each = max(samples // times, 1)
    for time_ in range(times):
        rows, first = again.rows_of(time_), built + time_ * len(again.rows)
        states, at = again.keyframes_of(time_), 0
        for packets, data in again.frames_of(time_):
            writer.add_packet_array(packets, data)
        for n in range(each):
            end = len(rows) * (n + 1) // each
            for plain in [plain for plain in states if first + at <= plain["seq"] < first + end]:
                _write_rows(writer, first + at, rows[at : plain["seq"] + 1 - first])
                at = plain["seq"] + 1 - first
                _write_keyframe(writer, plain)
            _write_rows(writer, first + at, rows[at:end])
            at = end
            writer.add_counters(*again.sample(time_, (n + 1) / each))
    writer.close()
    return writer


def _write_keyframe(writer: SessionWriter, plain: dict[str, Any]) -> None:
    writer.add_keyframe(plain["seq"], plain["vt"], plain["wall"], plain)


def _write_rows(writer: SessionWriter, first: int, rows: Events) -> None:
    for start in range(0, len(rows), _CHUNK):
        while writer.pending_bytes > _BUDGET and writer.error is None:
            time.sleep(0.002)
        writer.add_block(first + start, rows[start : start + _CHUNK].tobytes())


if __name__ == "__main__":
    began = time.monotonic()
    make_long_session(Path(sys.argv[1]), int(float(sys.argv[2])), *sys.argv[3:4])
    print(f"{sys.argv[1]}: {Path(sys.argv[1]).stat().st_size} bytes in {time.monotonic() - began:.1f} s")
