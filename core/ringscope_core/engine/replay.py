"""Runs a recording again: the same scenario, the same seed, and between turns what the recording says happened there.

A run is deterministic but for what came from outside: commands, changes of the trace level, samples below level full (a watched
run takes them by the wall clock), marks, what a slow disk lost, and its end.  All of these take effect between turns, and the
recording tells their place: the number of the next event and the virtual time.  Everything else the machine does by itself,
and each event that it makes is compared with the recorded one, wall time aside.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from ringscope_core.engine.compare import Comparer, ReplayError
from ringscope_core.engine.control import apply_control
from ringscope_core.engine.errors import CancelledError
from ringscope_core.engine.guide import CONTROL, Guide, Item
from ringscope_core.engine.headless import limit_replay
from ringscope_core.engine.moment import end_of
from ringscope_core.engine.pacing import MAX
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.replayable import scenario_of, seed_of, start_level, without_output, writes_capture
from ringscope_core.engine.run import FINISHED, FOREVER, KEYFRAME_EVENTS, SAMPLE_NS, Run
from ringscope_core.net.errors import NetOptionError
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_DROPPED, EV_MARK, EV_SAMPLE, EV_TRACE_LEVEL
from ringscope_core.trace.levels import LEVEL_FULL

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

Progress = Callable[[int, int], bool]
"""Told (events made, events in all) now and then; false ends the replay."""

_LOOK_TURNS: Final = 64
"""Between two reports, and two looks whether the machine has strayed without making an event."""


class Rerun(Run):
    """A run that follows a recording up to event `to`, from `build` on; then it is a run like any other.

    `reader` is the caller's and used in the run's thread alone, until `build` returns.  `recorder` writes the events again, into a
    session of their own.  `factor` is the speed afterwards: the way there is flat out.
    """

    def __init__(
        self,
        reader: SessionReader,
        to: int,
        *,
        to_vt: int = 0,
        recorder: Recorder | None = None,
        live: bool = False,
        factor: float = MAX,
        progress: Progress | None = None,
    ) -> None:
        """Raises ReplayError when the recording cannot be run again."""
        self.reader: SessionReader = reader
        self.to: int = to
        self.to_vt: int = to_vt
        """Not before this virtual time, ns."""
        self.done: bool = False
        """The recording's part is over."""
        self.cancel: bool = False
        """Set by anybody: end the replay with `CancelledError`."""
        self._progress: Progress | None = progress
        self._factor: float = factor
        self._guide: Guide = Guide(reader, to)
        scenario = scenario_of(reader)
        self._folder: Path | None = None
        if any(writes_capture(option) for option in scenario.netdev):
            self._folder = Path(mkdtemp(prefix="ringscope-replay-"))
            scenario.netdev = [without_output(option, self._folder) for option in scenario.netdev]
        super().__init__(scenario, seed=seed_of(reader), trace_level=start_level(reader), recorder=recorder, live=live, factor=MAX, digests=False)

    def _attach_event_sinks(self, digests: bool) -> None:
        super()._attach_event_sinks(digests)
        # texts get the numbers they had: who only looked at the run may have named some first
        for text in self.reader.strings[1:]:
            self.log.text(text)
        self._comparer: Comparer = Comparer(self.reader, self.log.strings.texts, self.log.sink)
        self.log.sink = self._comparer
        end = end_of(self.reader)
        if end is not None and self.to < end.seq:
            self._comparer.last = end.seq - 1

    @property
    def compared(self) -> int:
        """Events that were found equal."""
        return self._comparer.compared

    def replayed(self) -> list[int]:
        """Events made so far, and events to make."""
        return [int(self.log.seq), self.to + 1]

    # -- the way there ------------------------------------------------------------------------------------------------
    def build(self) -> bool:
        """As `Run.build`, and on to the end of the turn in which event `to` was made.  Raises ReplayError, CancelledError."""
        if self.debugger is not None:
            self.debugger.sleep(True)
        self.preparing = True
        built = super().build()
        if built:
            limit_replay(self, _packets(self.reader))
            self._follow()
        self._arrive()
        self._awake()
        return built

    def _awake(self) -> None:
        """The run is where it begins: from here on it can be stopped."""
        self.preparing = False
        if self.debugger is not None:
            self.debugger.sleep(False)

    def _follow(self) -> None:
        turns = 0
        going = self._goes_on()
        while going:
            turns += 1
            if turns % _LOOK_TURNS == 0:
                self._look()
            # when time has come here, before the turn: a run that stood at a breakpoint on a time was given commands there.  One that
            # came after a turn in which nothing moved (else it had another time) finds the same machine here
            self._obey()
            if self.run_state == FINISHED:
                if self._goes_on():
                    raise self._astray("the run had ended")
                return
            moved = self.turn()
            # only after a turn: what is due at the moment has happened then
            going = self._goes_on()
            if going and not moved and not self.pass_time():
                raise self._astray("nothing more happens")

    def _goes_on(self) -> bool:
        return int(self.log.seq) <= self.to or int(self.clock.now_ns) < self.to_vt

    def _look(self) -> None:
        """Now and then: whether to go on, and whether time has passed an event that did not come."""
        if self.cancel or (self._progress is not None and not self._progress(int(self.log.seq), self.to + 1)):
            raise CancelledError
        item = self._guide.peek(int(self.log.seq))
        if item is not None and item.seq == int(self.log.seq) and item.vt < int(self.clock.now_ns):
            raise self._astray(f"{_title(item)} at {item.vt} ns was passed")
        rows = self.reader.events(int(self.log.seq), int(self.log.seq))
        if len(rows) and int(rows["vt"][0]) < int(self.clock.now_ns):
            raise self._astray("its time has passed")

    def _astray(self, why: str) -> ReplayError:
        """What to raise: the first event that differs says more than that the end was not reached."""
        try:
            self.log.flush()
        except ReplayError as error:
            return error
        return ReplayError(str(self.reader.path), f"event {int(self.log.seq)} does not come when it is run again: {why}")

    def _arrive(self) -> None:
        """From here on nobody guides."""
        self.log.flush()
        self._comparer.on = False
        self.done = True
        self.pacing.set_factor(self._factor)
        self._sample_due = 0

    # -- between turns ------------------------------------------------------------------------------------------------
    def _end_turn(self) -> None:
        if self.done:
            super()._end_turn()
            return
        now = int(self.clock.now_ns)
        while self._marks and now >= self._marks[0][0]:
            _, name, note = self._marks.pop(0)
            self.mark(name, note)
        self._obey()
        self._keep()

    def _sample(self, force: bool) -> None:
        if self.done:
            super()._sample(force)
        else:
            # at the end of the building
            self._obey()
            self._keep(True)

    def _obey(self) -> None:
        """Do what the recording says was done here."""
        while True:
            item = self._guide.peek(int(self.log.seq))
            if item is None or item.seq != int(self.log.seq) or item.vt != int(self.clock.now_ns):
                return
            self._guide.take(item)
            self._do(item)

    def _do(self, item: Item) -> None:
        if item.kind == CONTROL:
            self.record_control(item.name, item.arguments)
            # what could not be done then can not be done now
            with suppress(InputError, NetOptionError):
                apply_control(self, item.name, item.arguments)
        elif item.kind == EV_SAMPLE:
            self.log.emit(EV_SAMPLE, 0)
            self._keep(True)
        elif item.kind == EV_TRACE_LEVEL:
            self.log.set_level(item.a0)
            if item.a0 == LEVEL_FULL:
                self._keep(True)
        elif item.kind == EV_DROPPED:
            self.log.emit(EV_DROPPED, 0, item.a0, item.a1)
            self._keep(True)
        elif item.kind == EV_MARK:
            self.mark(self._text(item.a0), self._note_of(item.seq))
        elif item.a0 == FINISHED:
            self._set_state(FINISHED, self._text(item.a1))
        else:
            raise self._astray(f"its run state {item.a0} comes from nowhere")

    def _text(self, number: int) -> str:
        return self.reader.strings[number] if 0 <= number < len(self.reader.strings) else ""

    def _note_of(self, seq: int) -> str:
        return next((mark.note for mark in self.reader.marks() if mark.seq == seq), "")

    def _keep(self, force: bool = False) -> None:
        """Keyframes and counters of the new recording, where they are of use."""
        recorder = self.recorder
        now, full = int(self.clock.now_ns), self.log.level >= LEVEL_FULL
        if recorder is None:
            return
        recorder.tick()
        many = full and int(self.log.seq) - recorder.keyframe_seq > KEYFRAME_EVENTS
        if not force and not many and not (full and now >= self._sample_due):
            return
        self._sample_due = now + SAMPLE_NS
        recorder.flush()
        for part in self.machine.instruments:
            part.sample()
        if int(self.log.seq) - 1 > recorder.keyframe_seq:
            recorder.keyframe(self.state())
        recorder.counters(now, int(self.clock.wall_ns), self.machine.counters)

    def _next_vt(self, until_vt: int) -> int:
        if self.done:
            return super()._next_vt(until_vt)
        item = self._guide.peek(int(self.log.seq))
        there = item.vt if item is not None and item.seq == int(self.log.seq) else FOREVER
        last = self.to_vt if self.to_vt > int(self.clock.now_ns) else -1
        times = [int(self.loop.next_deadline_ns()), self._marks[0][0] if self._marks else -1, there if there < FOREVER else -1, last]
        return min((vt for vt in times if vt >= 0), default=-1)

    def close(self) -> None:
        """As `Run.close`; captures that it wrote go."""
        super().close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _packets(reader: SessionReader) -> int:
    """The number of frames that a headless run was limited to, 0 for none."""
    found = reader.meta.get("packets", 0)
    return found if isinstance(found, int) else 0


def _title(item: Item) -> str:
    return f"the command {item.name}" if item.kind == CONTROL else "what happened between turns"
