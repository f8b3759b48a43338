"""The dialog that asks what a branch changes."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QFrame, QLabel, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from ringscope.theme import SPACE, mono_font
from ringscope.window_branch_pages import ActionPage, FeaturePage, InjectPage, LinkPage, NonePage, OptionPage, Page, SetPage, TrafficPage
from ringscope.words import later, t
from ringscope_core.engine.branch_choices import Choices
from ringscope_core.engine.change import Change, parse_change
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.levels import LEVEL_NAMES

_STACK_HEIGHT: Final = 320
"""Room for the tallest page, in pixels: words that wrap tell their height too late."""
TITLES: Final = (
    later("Nothing: go on from here"),
    later("A frame comes from the network"),
    later("The network cable"),
    later("Feature bits, negotiated again"),
    later("An option of a device"),
    later("The driver does something (reset, fault, filter ...)"),
    later("The guest's traffic"),
    later("The scenario, from the start"),
)


class Wanted(NamedTuple):
    """What the dialog was left with.  `trace` is a level's name, "" for flat out's own; `record` where to keep the recording, None for nowhere."""

    change: Change
    paused: bool
    speed: str
    trace: str
    record: Path | None


class BranchDialog(QDialog):
    """`place` says in words where the branch begins; `frame` are the selected packet's bytes, or none; `record` where it is kept, "" for not."""

    def __init__(self, place: str, choices: Choices, frame: bytes, record: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Branch from here"))
        self.setMinimumWidth(640)
        self._pages: list[Page] = [
            NonePage(),
            InjectPage(choices, frame),
            LinkPage(choices),
            FeaturePage(choices),
            OptionPage(choices),
            ActionPage(choices),
            TrafficPage(choices),
            SetPage(),
        ]
        self.kind = QComboBox()
        self.kind.addItems([t(title) for title in TITLES])
        self.kind.setAccessibleName(t("What changes"))
        self.stack = QStackedWidget()
        self.stack.setMinimumHeight(_STACK_HEIGHT)
        for page in self._pages:
            self.stack.addWidget(page)
            page.changed.connect(self._show)
        self.line = QLabel()
        self.line.setFont(mono_font(9.5))
        self.line.setWordWrap(True)
        self.line.setAccessibleName(t("The change in words"))
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "muted")
        self.paused = QCheckBox(t("Stand at the first event of the change"))
        self.paused.setChecked(True)
        self.speed = self._combo(t("Speed afterwards"), ("1", "0.1", "10", "max"))
        self.trace = self._combo(t("Trace level"), tuple(reversed(LEVEL_NAMES)))
        self.record = QLineEdit(record)
        self.record.setPlaceholderText(t("goes with the window unless saved"))
        self.record.setAccessibleName(t("Keep the recording in"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText(t("Branch"))
        for button in self.buttons.buttons():
            button.setIcon(QIcon())
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._assemble(place, choices.inside_turn)
        self.kind.currentIndexChanged.connect(self._turn_to)
        self.kind.setCurrentIndex(3 if any(device.bits for device in choices.devices) else 0)
        self._show()

    @staticmethod
    def _combo(name: str, values: tuple[str, ...]) -> QComboBox:
        box = QComboBox()
        box.addItems(list(values))
        box.setAccessibleName(name)
        return box

    def _assemble(self, place: str, inside: bool) -> None:
        where = QLabel(place)
        where.setWordWrap(True)
        where.setFont(mono_font(9.5))
        head = QFormLayout()
        head.setHorizontalSpacing(3 * SPACE)
        head.addRow(t("From"), where)
        if inside:
            note = QLabel(t("This lies inside a turn of the machine: the change waits for its end."))
            note.setProperty("role", "muted")
            note.setWordWrap(True)
            head.addRow("", note)
        head.addRow(t("Change"), self.kind)
        tail = QFormLayout()
        tail.setHorizontalSpacing(3 * SPACE)
        tail.addRow(t("In words"), self.line)
        tail.addRow("", self.paused)
        tail.addRow(t("Speed"), self.speed)
        tail.addRow(t("Trace level"), self.trace)
        tail.addRow(t("Keep in"), self.record)
        rule = QFrame()
        rule.setFrameShape(QFrame.Shape.HLine)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(5 * SPACE, 4 * SPACE, 5 * SPACE, 3 * SPACE)
        layout.setSpacing(3 * SPACE)
        layout.addLayout(head)
        layout.addWidget(self.stack, 1)
        layout.addWidget(rule)
        layout.addLayout(tail)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)

    def _turn_to(self, place: int) -> None:
        self.stack.setCurrentIndex(place)
        self._show()

    def _parsed(self) -> tuple[Change | None, str]:
        page = self._pages[self.stack.currentIndex()]
        if page.missing():
            return None, page.missing()
        try:
            return parse_change(page.line()), ""
        except InputError as error:
            return None, str(error)

    def _show(self) -> None:
        change, problem = self._parsed()
        text = self._pages[self.stack.currentIndex()].line()
        self.line.setText(text if len(text) <= 80 else f"{text[:80]}...")
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.ok.setEnabled(change is not None)

    def wanted(self) -> Wanted:
        """What was chosen; after it was accepted."""
        change, _ = self._parsed()
        assert change is not None
        record = self.record.text().strip()
        speed = self.speed.currentText()
        return Wanted(change, self.paused.isChecked(), speed, self.trace.currentText(), Path(record) if record else None)
