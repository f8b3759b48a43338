"""A backtrace that gdb printed on a real QEMU beside ours: what is equal, what stands on another line, what is missing on either side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ringscope.core_words import heard
from ringscope.theme import Theme, mono_font
from ringscope.widgets.stack_rows import CopyTable, RowsModel
from ringscope.words import later, t
from ringscope_core.gdb.backtrace import BtFrame, backtrace
from ringscope_core.gdb.pasted import EQUAL, MISSING, ONLY_HERE, OTHER_ARGUMENTS, OTHER_LINE, FrameMatch, PastedFrame, compare, parse_backtrace

if TYPE_CHECKING:
    from ringscope.focus import Focus
    from ringscope.store import Store
    from ringscope.views.realize.model import CallTree

MOST_CALLS: Final = 60
"""Calls of the innermost function that are offered."""
MAX_BYTES: Final = 4 << 20
"""A longer file is no backtrace."""
_SEVERITY: Final = {EQUAL: "ok", OTHER_LINE: "warning", OTHER_ARGUMENTS: "warning", MISSING: "error", ONLY_HERE: "info"}
_HINT: Final = later("Paste what gdb printed for bt, or open a file with it.")


class Ours(NamedTuple):
    """A stack of ours to compare with: how it is called, and the event."""

    title: str
    seq: int


def rows_of(matches: list[FrameMatch]) -> list[tuple[str, ...]]:
    """The comparison as rows: verdict, their frame, our frame, function, differences."""
    rows: list[tuple[str, ...]] = []
    for match in matches:
        theirs = f"#{match.pasted.number}" if match.pasted is not None else ""
        ours = f"#{match.ours.number}" if match.ours is not None else ""
        frame = match.pasted or match.ours
        rows.append((heard(match.verdict), theirs, ours, frame.function if frame is not None else "", "; ".join(map(heard, match.notes))))
    return rows


def summary(matches: list[FrameMatch]) -> str:
    """How many of each."""
    counts = {verdict: sum(match.verdict == verdict for match in matches) for verdict in _SEVERITY}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


class MatchDialog(QDialog):
    """Stays beside the window; a click on a row goes to our frame."""

    def __init__(self, store: Store, focus: Focus, tree: Callable[[], CallTree], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(t("Match a gdb backtrace"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(900, 600)
        self.store, self.focus, self.theme = store, focus, theme
        self._tree = tree
        self.matches: list[FrameMatch] = []
        self._ours: list[Ours] = []
        self.text = QPlainTextEdit()
        self.text.setFont(mono_font(9.0))
        self.text.setPlaceholderText("#0  virtio_net_device_realize (dev=0x55..., errp=0x7f...) at hw/net/virtio-net.c:2658\n#1  0x0000555555896628 in ...")
        self.text.setAccessibleName(t("backtrace"))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.textChanged.connect(self._changed)
        self.against = QComboBox()
        self.against.setAccessibleName(t("compare with"))
        self.against.setMinimumWidth(320)
        self.against.activated.connect(lambda _: self._compare())
        self.said = QLabel(t(_HINT))
        self.said.setProperty("role", "muted")
        self.said.setWordWrap(True)
        self.rows = RowsModel((t("result"), t("theirs"), t("ours"), t("function"), t("differences")), right=(1, 2), parent=self)
        self.table = CopyTable()
        self.table.setModel(self.rows)
        self.table.set_widths((120, 54, 54, 260, 300))
        self.table.setAccessibleName(t("comparison"))
        self.table.clicked.connect(self._go)
        self._build()

    def _build(self) -> None:
        load = QPushButton(t("Open file..."))
        load.clicked.connect(self._open)
        top = QHBoxLayout()
        top.addWidget(self.said, 1)
        top.addWidget(QLabel(t("Compare with")))
        top.addWidget(self.against)
        top.addWidget(load)
        both = QSplitter(Qt.Orientation.Vertical)
        both.setChildrenCollapsible(False)
        both.addWidget(self.text)
        both.addWidget(self.table)
        both.setSizes([220, 320])
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.addLayout(top)
        layout.addWidget(both, 1)
        layout.addWidget(buttons)

    # -- comparing ----------------------------------------------------------------------------------------------------
    def _changed(self) -> None:
        pasted = parse_backtrace(self.text.toPlainText())
        if not pasted:
            self.matches = []
            self.rows.set_rows([])
            self.against.clear()
            self.said.setText(t("no frame is in this text") if self.text.toPlainText().strip() else t(_HINT))
            return
        self._offer(pasted)
        self._compare()

    def _offer(self, pasted: list[PastedFrame]) -> None:
        """Stacks to compare with: at the focus, and at each call of the innermost function; the likest is chosen."""
        calls = self._tree().named(self.store.reader.functions, (pasted[0].function,))[:MOST_CALLS]
        # the moment at which a call stands on the line that was pasted, where it does
        places = [(call, next((point.seq for point in call.checkpoints if point.line == pasted[0].line), call.seq)) for call in calls]
        ours = [Ours(t("the stack at the focus"), -1), *(Ours(t("{function}, event {seq}", function=pasted[0].function, seq=seq), seq) for _, seq in places)]
        if ours == self._ours and self.against.count():
            return
        self._ours = ours
        self.against.clear()
        self.against.addItems([one.title for one in ours])
        scores = [self._score(pasted, one) for one in ours]
        self.against.setCurrentIndex(scores.index(max(scores)))

    def _score(self, pasted: list[PastedFrame], ours: Ours) -> int:
        rows = compare(pasted, self._frames(ours))
        return sum({EQUAL: 3, OTHER_ARGUMENTS: 2, OTHER_LINE: 2}.get(row.verdict, -1) for row in rows)

    def _frames(self, ours: Ours) -> list[BtFrame]:
        reader = self.store.reader
        state = self.store.moment(self.focus) if ours.seq < 0 else reader.state_at(ours.seq)
        return backtrace(state.stack, reader.functions, reader.strings)

    def _compare(self) -> None:
        place = self.against.currentIndex()
        if not 0 <= place < len(self._ours):
            return
        self.matches = compare(parse_backtrace(self.text.toPlainText()), self._frames(self._ours[place]))
        colors: dict[tuple[int, int], QColor] = {(row, 0): self.theme.severity(_SEVERITY[match.verdict]) for row, match in enumerate(self.matches)}
        self.rows.set_rows(rows_of(self.matches), colors)
        self.said.setText(summary(self.matches))

    def _go(self, index: QModelIndex) -> None:
        ours = self.matches[index.row()].ours
        if ours is not None:
            self.focus.select(seq=ours.seq, subject="event")

    def _open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, t("Open a backtrace"), "", t("Texts (*.txt *.log *);;All files (*)"))
        if name:
            self.load(Path(name))

    def load(self, path: Path) -> None:
        """Take the text of a file."""
        try:
            if path.stat().st_size > MAX_BYTES:
                self.said.setText(t("{path} is too large to be a backtrace", path=path))
                return
            self.text.setPlainText(path.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            self.said.setText(t("{path} cannot be read ({strerror})", path=path, strerror=error.strerror))
