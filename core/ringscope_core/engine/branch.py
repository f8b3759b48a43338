"""Running on from a moment of a recording with something changed: a run, and a session, of its own.

Up to that moment the run makes the recorded events again, with their numbers; they are compared on the way.  A change waits for
the end of the turn that the moment lies in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringscope_core.engine.change import NONE, OPTION, SET, Change
from ringscope_core.engine.control import apply_control, device_place, with_options
from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.moment import Moment
from ringscope_core.engine.pacing import MAX
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.replay import Progress, Rerun
from ringscope_core.engine.replayable import scenario_of, seed_of, start_level
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.net.backends.options import NetdevOptions
from ringscope_core.qom.types_json import types_json
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_NAMES

KEEP_LEVEL: Final = -1
"""The trace level stays what it was at the moment."""
_DEFAULT_NS: Final = 1_000_000_000
"""How long a branch runs on from the end of its parent."""


class BranchRun(Rerun):
    """A run that follows a recording to a moment, changes, and goes on.

    `level` is the trace level from there on.  `tell` hears where the change took effect, before the machine is changed.
    """

    def __init__(
        self,
        reader: SessionReader,
        moment: Moment,
        change: Change,
        *,
        recorder: Recorder | None = None,
        live: bool = False,
        factor: float = MAX,
        level: int = KEEP_LEVEL,
        progress: Progress | None = None,
        tell: Callable[[int, int], None] | None = None,
    ) -> None:
        """Raises ReplayError when the recording cannot be run again."""
        self.change: Change = change
        self.took_effect: int = -1
        """Number of the first event that may be another than the parent's."""
        self._level: int = level
        self._drop: bool = recorder is not None and recorder.live
        self._tell: Callable[[int, int], None] | None = tell
        if recorder is not None:
            # the way there is made of what was whole: nothing of it gets lost
            recorder.live = False
        super().__init__(reader, moment.seq, to_vt=moment.vt, recorder=recorder, live=live, factor=factor, progress=progress)

    def build(self) -> bool:
        """As `Rerun.build`, and the change.  Raises InputError or NetOptionError when it cannot be made."""
        built = super().build()
        if not built:
            raise InputError("--at", self.to, "nothing: that run did not start, so only a change from the start is possible (set ...)")
        self.took_effect = int(self.log.seq)
        if self._level != KEEP_LEVEL:
            self.log.set_level(self._level)
        self._keep(True)
        if self.recorder is not None:
            self.recorder.live = self._drop
        if self._tell is not None:
            self._tell(self.took_effect, int(self.clock.now_ns))
        # one that is to stand at its beginning stands at the first event of the change
        super()._awake()
        if self.change.command:
            self.record_control(self.change.command, self.change.arguments)
            apply_control(self, self.change.command, self.change.arguments)
        return True

    def _awake(self) -> None:
        """Not yet."""


def changed_scenario(reader: SessionReader, change: Change) -> Scenario:
    """The parent's scenario as the branch has it; the parent's own for a change at a moment.  Raises ReplayError, InputError."""
    if change.kind == SET:
        return scenario_of(reader, [str(setting) for setting in change.arguments["settings"]])
    scenario = scenario_of(reader)
    if change.kind == OPTION and change.from_start:
        _change_options(scenario, str(change.arguments["device"]), change.arguments["options"])
    return scenario


def _change_options(scenario: Scenario, name: str, options: dict[str, Any]) -> None:
    """A device's, or a backend's."""
    for place, text in enumerate(scenario.netdev):
        if NetdevOptions(text).id == name:
            scenario.netdev[place] = with_options(text, options)
            return
    place = device_place(scenario.device, name)
    scenario.device[place] = with_options(scenario.device[place], options)


@dataclass(frozen=True)
class Parent:
    """Where a branch comes from."""

    path: Path
    moment: Moment
    change: Change

    def meta(self, reader: SessionReader, scenario: Scenario) -> dict[str, object]:
        """What the branch's session says of its run."""
        meta = session_meta(scenario, seed_of(reader), LEVEL_NAMES[start_level(reader)])
        if not self.change.from_start and reader.meta.get("packets"):
            meta["packets"] = reader.meta["packets"]
        meta["branch"] = self.branch_meta(reader, 0 if self.change.from_start else self.moment.seq + 1)
        return meta

    def branch_meta(self, reader: SessionReader, seq: int) -> dict[str, object]:
        """`meta.branch`: `seq` is the first event that may be another than the parent's."""
        return {
            "of": str(reader.meta.get("id", "")),
            "name": self.path.stem,
            "file": str(self.path.absolute()),
            "at": self.moment.seq,
            "seq": seq,
            "change": self.change.to_plain(),
        }


@dataclass(frozen=True)
class Outcome:
    """What came of a branch that ran to its end."""

    took_effect: int
    vt: int
    events: int
    compared: int
    ended: str
    messages: list[str]


def run_branch(parent: Parent, out: Path, duration_ns: int = 0, level: int = KEEP_LEVEL, progress: Progress | None = None) -> Outcome:
    """Run a branch headless, flat out, into the session `out`.

    `duration_ns` is virtual time after the moment; 0 runs to where the parent ended (or a second further, from its end).  Raises
    InputError, NetOptionError, SessionError and ReplayError, `replay.CancelledError`; nothing of `out` is left then.
    """
    with SessionReader(parent.path) as reader:
        scenario = changed_scenario(reader, parent.change)
        if out.exists() and out.samefile(parent.path):
            raise InputError("-o", str(out), "another file than the recording itself: both stay")
        writer = SessionWriter(out, parent.meta(reader, scenario))
        try:
            run, ended = _run(parent, reader, scenario, writer, duration_ns, level, progress)
        except BaseException:
            writer.close()
            out.unlink(missing_ok=True)
            raise
        writer.set_meta("ended", ended)
        writer.close()
        took = run.took_effect if isinstance(run, BranchRun) else 0
        compared = run.compared if isinstance(run, BranchRun) else 0
        return Outcome(took, int(run.clock.now_ns), int(run.log.seq), compared, ended, list(run.world.messages))


def _run(
    parent: Parent, reader: SessionReader, scenario: Scenario, writer: SessionWriter, duration_ns: int, level: int, progress: Progress | None
) -> tuple[Run, str]:
    recorder = Recorder(writer)

    def tell(seq: int, vt: int) -> None:
        note_branch(writer, reader, parent, seq, vt)

    run: Run
    if parent.change.from_start:
        first = start_level(reader) if level == KEEP_LEVEL else level
        writer.set_meta("trace", LEVEL_NAMES[first])
        run = Run(scenario, seed=seed_of(reader), trace_level=first, recorder=recorder, digests=False)
    else:
        run = BranchRun(reader, parent.moment, parent.change, recorder=recorder, level=level, progress=progress, tell=tell)
    try:
        writer.add_types(list(types_json(run.world)))
        if not run.build():
            raise InputError("change", parent.change.describe(), f"what QEMU would take: {run.failures[-1]}")
        left = max(reader.last_vt - int(run.clock.now_ns), 0)
        ended = Headless(run, Goal(duration_ns or left or _DEFAULT_NS)).to_the_end()
    finally:
        run.close()
    return run, ended


def note_branch(writer: SessionWriter, reader: SessionReader, parent: Parent, seq: int, vt: int) -> None:
    """Say in the branch's session where the change takes effect: before event `seq`, at `vt` ns."""
    writer.set_meta("branch", parent.branch_meta(reader, seq))
    writer.add_mark(seq - 1, vt, "branch", parent.change.describe() if parent.change.kind != NONE else "nothing changes")


def default_level(change_level: str) -> int:
    """A level's number from its name; ``keep`` for `KEEP_LEVEL`.  Raises InputError."""
    if change_level == "keep":
        return KEEP_LEVEL
    if change_level not in LEVEL_NAMES:
        raise InputError("--trace", change_level, f"keep, {', '.join(LEVEL_NAMES)}")
    return LEVEL_NAMES.index(change_level)
