"""A bar that offers the recordings which an earlier window left behind.  It waits; the window goes on meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ringscope.sources.keep import copy_session
from ringscope.sources.unsaved import KEEP_BYTES, KEEP_DAYS, Unsaved, clean_up, delete_unsaved, find_unsaved
from ringscope.words import t
from ringscope_core.query.decode import format_count
from ringscope_core.session.errors import SessionError

if TYPE_CHECKING:
    from ringscope.window import Window

_ROWS: Final = 4
"""So many are seen without scrolling."""
_AGAIN_MS: Final = 5000
"""When something still grew, it is looked at again after that."""


class UnsavedBar(QFrame):
    """Hidden until there is something to offer.  What its buttons do is its owner's: `chosen` carries the verb and the recording's file."""

    chosen = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAccessibleName(t("Unsaved sessions"))
        self.offered: list[Unsaved] = []
        self._title = QLabel()
        font = self._title.font()
        font.setBold(True)
        self._title.setFont(font)
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(0, 0, 8, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(2)
        self._scroll = QScrollArea()
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._rows)
        # the strip's own ground shows through
        self._rows.setAutoFillBackground(False)
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._all = self._deleting(QPushButton(t("Delete all")), lambda: self.chosen.emit("delete all", ""))
        later = QPushButton(t("Not now"))
        later.setToolTip(t("They are offered again at the next start"))
        later.clicked.connect(self.hide)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._all)
        head.addWidget(later)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self._scroll)
        self.hide()

    def offer(self, found: list[Unsaved]) -> None:
        """Show these; hides when there are none."""
        self.offered = list(found)
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                # at once: hidden only, it would be seen until the event loop comes round
                widget.setParent(None)
                widget.deleteLater()
        for place, one in enumerate(found):
            self._fill(place, one)
        self._grid.setColumnStretch(1, 1)
        count = len(found)
        size = format_bytes(sum(one.size for one in found))
        limits = t("kept for {days} days, at most {size} GiB together", days=KEEP_DAYS, size=KEEP_BYTES >> 30)
        if count == 1:
            self._title.setText(t("A recording was not saved when an earlier window ended ({size}). Such recordings are {limits}.", size=size, limits=limits))
        else:
            self._title.setText(
                t("{count} recordings were not saved when earlier windows ended ({size}). They are {limits}.", count=count, size=size, limits=limits)
            )
        self._all.setVisible(count > 1)
        self._scroll.setFixedHeight(self._grid.sizeHint().height() if count <= _ROWS else round(self._grid.sizeHint().height() * _ROWS / count))
        self.setVisible(bool(found))

    def _fill(self, place: int, one: Unsaved) -> None:
        title = QLabel(one.title)
        title.setTextFormat(Qt.TextFormat.PlainText)
        details = QLabel(details_of(one))
        details.setTextFormat(Qt.TextFormat.PlainText)
        details.setToolTip(one.problem or str(one.path))
        details.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        name = f"{one.title}, {details_of(one)}"
        path = str(one.path)
        buttons = (
            self._button(t("Open"), t("Open {name}", name=name), lambda: self.chosen.emit("open", path)),
            self._button(t("Save as..."), t("Save {name}", name=name), lambda: self.chosen.emit("save", path)),
            self._deleting(QPushButton(t("Delete")), lambda: self.chosen.emit("delete", path), t("Delete {name}", name=name)),
        )
        for column, widget in enumerate((title, details, *buttons)):
            self._grid.addWidget(widget, place, column)

    def _button(self, text: str, name: str, action: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(name)
        button.clicked.connect(lambda: action())
        return button

    def _deleting(self, button: QPushButton, action: Callable[[], None], name: str = "") -> QPushButton:
        """The first press asks, the second deletes: what is gone is gone."""
        text = button.text()
        button.setAccessibleName(name or text)

        def pressed() -> None:
            if button.text() == text:
                button.setText(t("Really delete?"))
                QTimer.singleShot(4000, button, lambda: button.setText(text))
            else:
                button.setText(text)
                action()

        button.clicked.connect(pressed)
        return button


class UnsavedOffer(QObject):
    """Looks for what was left behind, in a thread, and does what the bar's buttons say."""

    looked = Signal(object, bool)

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._bar = window.unsaved
        self._bar.chosen.connect(self._do)
        self.looked.connect(self._show)

    def start(self) -> None:
        """Look; the bar appears when there is something."""
        Thread(target=self._look, name="unsaved", daemon=True).start()

    def _look(self) -> None:
        clean_up()
        found, busy = find_unsaved()
        try:
            self.looked.emit(found, busy)
        except RuntimeError:
            # the window closed meanwhile
            return

    def _show(self, found: object, busy: bool) -> None:
        if isinstance(found, list):
            self._bar.offer(found)
        if busy:
            QTimer.singleShot(_AGAIN_MS, self, self.start)

    def _do(self, verb: str, name: str) -> None:
        if verb == "delete all":
            problems = [delete_unsaved(one.path) for one in self._bar.offered]
            self._told(next(filter(None, problems), ""), t("deleted"))
            self._bar.offer([one for one, problem in zip(self._bar.offered, problems, strict=True) if problem])
            return
        path = Path(name)
        done = {"open": self._open, "save": self._save, "delete": self._delete}[verb](path)
        if done:
            self._bar.offer([one for one in self._bar.offered if one.path != path])

    def _open(self, path: Path) -> bool:
        opener = self._window.verbs.open_session
        if opener is None:
            return False
        try:
            opener(path)
        except SessionError as error:
            self._window.show_problem(str(error))
            return False
        return True

    def _save(self, path: Path) -> bool:
        target, _ = QFileDialog.getSaveFileName(self._window, t("Save session"), "session.ringscope", t("Ringscope sessions (*.ringscope)"))
        if not target:
            return False
        problem = copy_session(path, Path(target))
        self._told(problem, t("saved {target}", target=target))
        if problem or any(one.path == path and one.problem for one in self._bar.offered):
            # of a damaged one the copy has what is whole; the file itself stays until somebody deletes it
            return False
        return not delete_unsaved(path)

    def _delete(self, path: Path) -> bool:
        problem = delete_unsaved(path)
        self._told(problem, t("deleted"))
        return not problem

    def _told(self, problem: str, success: str) -> None:
        self._window.status.showMessage(problem or success, 8000)


def details_of(one: Unsaved) -> str:
    """When, how long, how much: one line."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.when))
    if one.problem:
        return t("{when}, {size}, {problem}; Open shows what of it is whole", when=when, size=format_bytes(one.size), problem=one.problem)
    return t(
        "{when}, {virtual_s:.3f} s, {events} events, {size}", when=when, virtual_s=one.virtual_s, events=format_count(one.events), size=format_bytes(one.size)
    )


def format_bytes(size: float) -> str:
    """A size with a unit a person reads."""
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
