"""A branch that goes on live: what the engine process needs of it."""

from __future__ import annotations

import json
from pathlib import Path

from ringscope_core.engine.branch import BranchRun, Parent, changed_scenario, note_branch
from ringscope_core.engine.change import Change, parse_change
from ringscope_core.engine.moment import parse_moment
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.replayable import seed_of
from ringscope_core.engine.run import Run
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter


def change_from_text(text: str) -> Change:
    """A change from a line or from JSON; raises InputError."""
    if not text.lstrip().startswith(("{", '"')):
        return parse_change(text)
    try:
        plain = json.loads(text)
    except ValueError as error:
        raise InputError("--change", text, f"JSON ({error})") from None
    return Change.from_plain(plain)


class LiveBranch:
    """The parent's recording, the moment and the change.  Raises SessionError, ReplayError, InputError."""

    def __init__(self, path: Path, at: str, change: str) -> None:
        self.reader: SessionReader = SessionReader(path)
        try:
            self.parent: Parent = Parent(path, parse_moment(self.reader, at), change_from_text(change))
            self.scenario: Scenario = changed_scenario(self.reader, self.parent.change)
            self.scenario.seed = seed_of(self.reader)
        except BaseException:
            self.reader.close()
            raise

    @property
    def duration_ns(self) -> int:
        """The scenario's end, where it lies behind the moment; 0 for none."""
        end = self.scenario.run.duration_ns()
        return end if self.parent.change.from_start or end > max(self.parent.moment.vt, self.reader.vt_at_seq(self.parent.moment.seq)) else 0

    def meta(self, session: Path, trace: str) -> dict[str, object]:
        """What the branch's session, at `session`, says of its run; `trace` is the level asked for."""
        if session.exists() and session.samefile(self.parent.path):
            raise InputError("--session", str(session), "another file than the recording itself: both stay")
        meta = self.parent.meta(self.reader, self.scenario)
        if self.parent.change.from_start:
            meta["trace"] = trace
        return meta

    def make_run(self, writer: SessionWriter, recorder: Recorder, factor: float, level: int) -> Run:
        """The run, not yet built."""
        if self.parent.change.from_start:
            return Run(self.scenario, trace_level=level, recorder=recorder, live=True, factor=factor, digests=False)

        def tell(seq: int, vt: int) -> None:
            note_branch(writer, self.reader, self.parent, seq, vt)

        return BranchRun(self.reader, self.parent.moment, self.parent.change, recorder=recorder, live=True, factor=factor, level=level, tell=tell)

    def close(self) -> None:
        """Let go of the parent's recording."""
        self.reader.close()
