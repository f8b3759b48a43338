"""Marks and the notebook: put, changed and removed at any moment, through the engine of a live run or in a finished session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ringscope.widgets.mark_dialog import MarkDialog
from ringscope.words import t
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.changes import Change, Remove, put_mark, put_note
from ringscope_core.session.errors import SessionError

if TYPE_CHECKING:
    from ringscope.window import Window


class NoteVerbs:
    """The Time menu's actions about marks and notes."""

    def __init__(self, window: Window, say: Callable[[str], None]) -> None:
        self.window = window
        self.store, self.focus, self.commands = window.store, window.focus, window.commands
        self._say = say
        self._told_beside = False
        self.table: dict[str, Callable[[], object]] = {
            "mark": self.mark,
            "edit_mark": self.edit_mark,
            "note": self.note,
            "notebook": partial(window.show_view, "notebook"),
        }
        self.commands.annotation.connect(self.carry_out)

    def show_state(self) -> None:
        """What can be done now."""
        anything = self.store.last_seq >= 0
        for name in ("mark", "note"):
            self.window.commands_by_name[name].setEnabled(anything)
        self.window.commands_by_name["edit_mark"].setEnabled(anything and bool(self.store.marks()))

    def carry_out(self, change: object) -> None:
        """Have the engine or the session take a change."""
        assert isinstance(change, Change)
        try:
            if self.commands.can("annotate"):
                self.commands.annotate(change.to_plain())
                return
            annotations = self.store.recording.annotations
            annotations.apply(change)
        except (InputError, SessionError) as error:
            self._say(str(error))
            return
        if annotations.beside and not self._told_beside:
            self._told_beside = True
            self._say(t("the session cannot be written: its marks and notes are kept in {sidecar}", sidecar=annotations.sidecar))
        self.store.annotated()

    def _here(self) -> tuple[int, int]:
        seq = self.store.last_seq if self.focus.following else self.focus.seq
        seq = max(seq, self.store.first_seq)
        return seq, self.store.reader.vt_at_seq(seq)

    def mark(self) -> None:
        """Put a mark at this moment: at the end of a live run the machine does, as an event."""
        name = t("mark {n}", n=len(self.store.marks()) + 1)
        if self.focus.following and self.store.live and self.commands.can_mark:
            self.commands.mark(name)
        else:
            self.carry_out(put_mark(*self._here(), name))
        self._say(t("{name} is set; Shift+M edits it", name=name))

    def edit_mark(self) -> None:
        """Ask what to make of the mark nearest to this moment."""
        marks = self.store.marks()
        if not marks:
            self._say(t("there are no marks: M sets one"))
            return
        here = self._here()[0]
        mark = min(marks, key=lambda m: abs(m.seq - here))
        dialog = MarkDialog(mark, self.window)
        dialog.changed.connect(lambda name, text: self._changed(partial(put_mark, mark.seq, mark.vt, name, text, mark.id)))
        dialog.removed.connect(lambda: self.carry_out(Remove("mark", mark.id)))
        dialog.open()

    def _changed(self, make: Callable[[], Change]) -> None:
        try:
            self.carry_out(make())
        except InputError as error:
            self._say(str(error))

    def note(self) -> None:
        """Put this moment, and what is looked at, into the notebook."""
        focus = self.focus
        seq, vt = self._here()
        view = self.window.current_view()
        name = next((host for host, held in self.window.hosts.items() if held.view is view and view is not None), "")
        place = {"view": name, **{key: value for key, value in focus.place._asdict().items() if key != "seq"}}
        self.carry_out(put_note(seq, vt, place, ""))
        self._say(t("noted: Ctrl+Shift+N shows the notebook"))
