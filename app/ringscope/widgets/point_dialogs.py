"""Dialogs that ask for a breakpoint, and for a place to run to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from ringscope.widgets.point_form import SORTS, PointForm, Sort
from ringscope.words import later, t
from ringscope_core.query.travel import seek
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.store import Store

UNTIL_SORTS: Final = (*SORTS, Sort("packet", later("Packet number"), "7"), Sort("seq", later("Event number"), "12345"))
PACKET_EVENTS: Final = "frame_tx,frame_rx"


class _PointDialog(QDialog):
    """A form with two buttons; stays open while something is wrong."""

    def __init__(self, title: str, hint: str, verb: str, form: PointForm, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.form = form
        words = QLabel(hint)
        words.setProperty("role", "muted")
        words.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(verb)
        for button in self.buttons.buttons():
            button.setIcon(QIcon())
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 12)
        layout.setSpacing(10)
        layout.addWidget(words)
        layout.addWidget(form)
        layout.addWidget(self.buttons)
        form.where.setFocus()


class PointDialog(_PointDialog):
    """Ask for a new breakpoint or for changes of one; `done_with` gets its plain form."""

    def __init__(self, store: Store, point: Mapping[str, Any], done_with: Callable[[dict[str, object]], None], parent: QWidget | None = None) -> None:
        number = int(point.get("id", 0))
        title = t("Breakpoint {number}", number=number) if number else t("Add breakpoint")
        hint = t("Live it stops the machine; in a recording Continue goes to it, forwards and backwards.")
        super().__init__(title, hint, t("Change") if number else t("Add"), PointForm(store), parent)
        self._done_with = done_with
        self.form.fill(point)

    def accept(self) -> None:
        """Close when everything is right."""
        if self.form.check():
            self._done_with(self.form.plain())
            super().accept()


class UntilDialog(_PointDialog):
    """Ask for a place to run to.  `to_event` gets an event number, `to_point` a breakpoint in plain form."""

    def __init__(self, store: Store, to_event: Callable[[int], None], to_point: Callable[[dict[str, object]], None], parent: QWidget | None = None) -> None:
        form = PointForm(store, UNTIL_SORTS, stops=False)
        super().__init__(t("Run until"), t("Runs on from here to the next such place: over the recording, then the machine."), t("Run"), form, parent)
        self._store, self._to_event, self._to_point = store, to_event, to_point

    def accept(self) -> None:
        """Run when everything is right."""
        form = self.form
        what = form.sort.what
        if what not in ("packet", "seq"):
            if form.check():
                super().accept()
                self._to_point({name: value for name, value in form.plain().items() if name in ("what", "where", "condition")})
            return
        try:
            self._go_to_number(what, form.where.text().strip())
        except InputError as error:
            form.show_problem(error)
            return
        super().accept()

    def _go_to_number(self, what: str, text: str) -> None:
        number = int(text) if text.isdecimal() else -1
        if number < 0:
            raise InputError("number", text, t("a whole number from 0"))
        if what == "seq":
            if number <= self._store.last_seq or not self._store.live:
                number = seek(self._store.recording, f"#{number}")
            self._to_event(number)
        elif number <= self._store.reader.packet_count or not self._store.live:
            self._to_event(seek(self._store.recording, f"packet:{number}"))
        else:
            self._to_point({"what": "event", "where": PACKET_EVENTS, "condition": f"packet == {number}"})
