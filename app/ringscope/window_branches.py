"""The runs of one window: what it was opened on, and the branches made from there.  All stay; one is shown.

Switching keeps the moment and the object: up to where they part, a branch and its parent have the same events and the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from ringscope.sources.engine import EngineControls, EngineOptions
from ringscope.sources.session import SessionControls
from ringscope.window_branch_dialog import BranchDialog, Wanted
from ringscope.window_compare import CompareWindow
from ringscope.words import t
from ringscope_core.engine.branch_choices import choices_at
from ringscope_core.engine.branch_path import free_path
from ringscope_core.engine.replayable import can_branch
from ringscope_core.query.diff import event_words
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader

if TYPE_CHECKING:
    from ringscope.commands import Controls
    from ringscope.window import Window


@dataclass(eq=False)
class Shown:
    """One run of the window.  `tick` moves its playback, where that is all it can do."""

    title: str
    path: Path
    controls: Controls
    parent: Shown | None = None
    tick: Callable[[float], None] | None = None
    owned: bool = False
    """Its engine was started here, and ends with the window."""

    @property
    def live(self) -> bool:
        """Whether more is expected of it."""
        return isinstance(self.controls, EngineControls) and self.controls.state not in ("failed", "finished")


class Branches(QObject):
    """The list, and what is done with it.  `changed` when a run was added or another one is shown."""

    changed = Signal()

    def __init__(self, window: Window, controls: Controls, tick: Callable[[float], None] | None) -> None:
        super().__init__(window)
        self._window = window
        self.current: Shown = Shown(self._root_title(), window.store.reader.path, controls, tick=tick)
        self.runs: list[Shown] = [self.current]
        self._comparison: CompareWindow | None = None
        window.closing.connect(self.close)

    def _root_title(self) -> str:
        store = self._window.store
        return str(store.meta.get("scenario") or store.reader.path.stem)

    def reset(self, controls: Controls, tick: Callable[[float], None] | None) -> None:
        """Another recording was opened: what was there before goes."""
        self._end(self.runs)
        self.current = Shown(self._root_title(), self._window.store.reader.path, controls, tick=tick)
        self.runs = [self.current]
        self.changed.emit()

    def restarted(self, path: Path) -> None:
        """The run shown began anew in another file."""
        self.current.path = path

    # -- branching ------------------------------------------------------------------------------------------------------
    def ask(self) -> None:
        """The dialog, and then the branch."""
        window = self._window
        problem = self._refusal()
        if problem:
            window.show_problem(t("No branch can be made from this recording: {problem}", problem=problem))
            return
        seq = self._moment()
        record = self._suggested()
        choices = choices_at(window.store.recording, seq)
        row = window.store.row(seq)
        place = event_words(window.store.recording, row) if row is not None else t("event {seq}", seq=seq)
        dialog = BranchDialog(place, choices, self._frame(), str(record) if record is not None else "", window)
        dialog.accepted.connect(lambda: self.branch(seq, dialog.wanted()))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _refusal(self) -> str:
        store = self._window.store
        if store.last_seq < 0:
            return t("it has no events yet")
        return can_branch(store.reader)

    def _moment(self) -> int:
        store = self._window.store
        return max(min(self._window.focus.seq, store.last_seq), 0)

    def _frame(self) -> bytes:
        packet = self._window.focus.packet
        if not packet:
            return b""
        with suppress(SessionError):
            return self._window.store.reader.packet_bytes(packet)
        return b""

    def _suggested(self) -> Path | None:
        """Beside a recording that is kept; a run that goes with the window has branches that do too."""
        controls = self.current.controls
        if isinstance(controls, EngineControls) and controls.owns(self.current.path):
            return None
        return free_path(self.current.path)

    def branch(self, seq: int, wanted: Wanted) -> Shown | None:
        """Start an engine on a branch from event `seq` of the run shown, and show it as soon as there is something; None for a file that is there."""
        parent = self.current
        if wanted.record is not None and wanted.record.exists():
            self._window.show_problem(t("No branch: {record} is there already, and both stay.", record=wanted.record))
            return None
        options = EngineOptions(
            speed=wanted.speed,
            # flat out chooses its own level; a level given stays
            trace="" if wanted.trace == "full" else wanted.trace,
            record=wanted.record,
            paused=wanted.paused,
            branch_of=parent.path,
            at=f"#{seq}",
            change=json.dumps(wanted.change.to_plain()),
        )
        controls = EngineControls(options)
        number = sum(run.parent is not None for run in self.runs) + 1
        shown = Shown(f"{number}: {_short(wanted.change.describe())}", wanted.record or Path(), controls, parent, owned=True)
        controls.started.connect(lambda name: self._started(shown, Path(name)))
        controls.stopped.connect(lambda why: self._stopped(shown, why))
        controls.changed.connect(lambda: self._engine_changed(shown))
        if parent.live:
            # one machine at a time: nobody sees what the other one does meanwhile
            parent.controls.pause()
        self._window.status.showMessage(f"branching from event {seq}: {wanted.change.describe()}"[:200], 6000)
        controls.start()
        return shown

    def _started(self, shown: Shown, path: Path) -> None:
        shown.path = path
        if shown not in self.runs:
            self.runs.append(shown)
        self.show(shown)
        # it is made again from event 0 on: the moment comes by itself, and the run stands or goes on from there
        self._window.focus.set_following(True)

    def _stopped(self, shown: Shown, why: str) -> None:
        if self.current is shown:
            self._window.store.poll()
            self._window.store.set_live(False)
        self._window.show_problem(t("Branch {title}: {why}", title=shown.title, why=why.rpartition("exit code 2, ")[2]))

    def _engine_changed(self, shown: Shown) -> None:
        controls = shown.controls
        assert isinstance(controls, EngineControls)
        if controls.problem and shown not in self.runs:
            self._window.show_problem(t("No branch: {problem}", problem=controls.problem))
            controls.close()
        elif self.current is shown:
            self._window.store.set_live(shown.live)
            if controls.replay is not None:
                self._window.status.showMessage(t("running again: event {done} of {whole}", done=controls.replay[0], whole=controls.replay[1]), 1000)

    # -- switching ------------------------------------------------------------------------------------------------------
    def show(self, shown: Shown, seq: int | None = None) -> None:
        """Show another run at the same moment (or at `seq`), with the same object in focus."""
        window = self._window
        try:
            reader = SessionReader(shown.path)
        except SessionError as error:
            window.show_problem(str(error))
            return
        place, following = window.focus.place, window.focus.following
        self.current = shown
        window.on_tick = shown.tick
        window.store.open(reader, shown.live)
        window.commands.bind(shown.controls)
        # `replaced` forgot the focus: put it back, as far as this run goes
        wanted = place.seq if seq is None else seq
        window.focus.select(
            seq=max(min(wanted, window.store.last_seq), 0), oid=place.oid, field=place.field, head=place.head, packet=place.packet, type_name=place.type_name
        )
        if seq is None and shown.live and following:
            window.focus.set_following(True)
        self.changed.emit()

    def show_next(self) -> None:
        """The next run of the list, round and round."""
        place = self.runs.index(self.current)
        if len(self.runs) > 1:
            self.show(self.runs[(place + 1) % len(self.runs)])

    @property
    def can_drop(self) -> bool:
        """Whether the run shown is a branch that was made here."""
        return self.current.owned and self.current.parent is not None

    def drop(self) -> None:
        """Close the branch shown and show what it came from; also when it is not there yet.  A recording that was kept stays."""
        shown = self.current
        if not self.can_drop or shown.parent is None:
            return
        above = shown.parent
        self.runs.remove(shown)
        for run in self.runs:
            if run.parent is shown:
                run.parent = above
        self.show(above)
        shown.controls.close()

    # -- comparing ------------------------------------------------------------------------------------------------------
    def other_of_current(self) -> Path | None:
        """What the run shown is compared with: its parent, in this window or by the name that the session keeps."""
        if self.current.parent is not None:
            return self.current.parent.path
        about = self._window.store.meta.get("branch")
        if isinstance(about, dict) and about.get("file"):
            path = Path(str(about["file"]))
            beside = self.current.path.with_name(path.name)
            return next((found for found in (path, beside) if found.is_file()), None)
        return None

    @property
    def can_compare(self) -> bool:
        """Whether the run shown has a parent that is at hand."""
        return self.current.parent is not None or isinstance(self._window.store.meta.get("branch"), dict)

    def compare(self) -> None:
        """The window that shows where the run shown and its parent part."""
        other = self.other_of_current()
        if other is None:
            about = self._window.store.meta.get("branch")
            name = about.get("file", "") if isinstance(about, dict) else ""
            self._window.show_problem(t("The parent of this branch is not there any more: {name}", name=name) if name else t("This recording is no branch."))
            return
        child = self.current
        comparison = CompareWindow(other, child.path, self._window.theme, self._window)
        comparison.go.connect(lambda side, seq: self._go(other if side == 0 else child.path, seq))
        self._comparison = comparison
        comparison.show()
        comparison.start()

    def _go(self, path: Path, seq: int) -> None:
        """Show the run in the file `path` at event `seq`."""
        shown = next((run for run in self.runs if run.path == path), None)
        if shown is None:
            controls = SessionControls(self._window.store, self._window.focus, self._window.playback)
            shown = Shown(path.stem, path, controls, tick=controls.watch)
            if self.current.parent is None:
                self.current.parent = shown
            self.runs.insert(0, shown)
        if shown is self.current:
            self._window.focus.select(seq=seq)
        else:
            self.show(shown, seq)
        self._window.activateWindow()

    # -- the end --------------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """End the engines that were started here."""
        self._end(self.runs)

    @staticmethod
    def _end(runs: list[Shown]) -> None:
        for run in runs:
            if run.owned:
                run.controls.close()


def _short(text: str, most: int = 48) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
