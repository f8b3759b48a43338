"""The expert list: what the driver did that is worth knowing, counted by severity; a button of each shows only those."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.vectors import drawn
from ringscope.words import t
from ringscope_core.query.decode import format_count
from ringscope_core.trace.kinds import ENUMS, EV_EXPERT

SEVERITIES: Final = ENUMS["severity"]
"""From the least to the worst."""
FILTER: Final = "kind == expert"
_BATCH: Final = 20000
_DOT: Final = 10


def filter_of(severity: str) -> str:
    """The filter that shows the entries of one severity."""
    return f"{FILTER} and severity == {severity}"


class ExpertCounts:
    """How many entries of each severity the recording has; looks at each event once."""

    def __init__(self) -> None:
        self.counts: list[int] = [0] * len(SEVERITIES)
        self._next_seq: int = 0
        self._seen: int = 0

    def extend(self, store: Store) -> bool:
        """Count what came since the last call; true when that was anything."""
        reader = store.reader
        total = reader.event_counts().get(int(EV_EXPERT), 0)
        if total == self._seen:
            return False
        self._seen = total
        while True:
            rows = reader.find_events((int(EV_EXPERT),), max(self._next_seq, store.first_seq), store.last_seq, _BATCH)
            found = np.bincount(np.clip(rows["a0"], 0, len(SEVERITIES) - 1), minlength=len(SEVERITIES))
            self.counts = [count + int(more) for count, more in zip(self.counts, found, strict=True)]
            if len(rows):
                self._next_seq = int(rows[-1]["seq"]) + 1
            if len(rows) < _BATCH:
                return True


class ExpertBar(QWidget):
    """A button for all entries and one for each severity that occurs, the worst first; `wanted` carries the filter to set, "" for none."""

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts = ExpertCounts()
        self.all = self._button(FILTER)
        self.all.setText(t("Expert"))
        self.all.setToolTip(t("What the driver did that is worth knowing: what QEMU does there, and which clause says what"))
        self.buttons: dict[str, QToolButton] = {severity: self._button(filter_of(severity)) for severity in reversed(SEVERITIES)}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button in (self.all, *self.buttons.values()):
            row.addWidget(button)
        self._show_counts()

    def _button(self, text: str) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.clicked.connect(lambda checked: self.wanted.emit(text if checked else ""))
        return button

    def refresh(self, store: Store, current: str) -> None:
        """Count what is new, and press the button whose filter is `current`."""
        if self._counts.extend(store):
            self._show_counts()
        self.all.setChecked(current == FILTER)
        for severity, button in self.buttons.items():
            button.setChecked(current == filter_of(severity))

    def forget(self) -> None:
        """Another recording is in the store."""
        self._counts = ExpertCounts()
        self._show_counts()

    def _show_counts(self) -> None:
        counts = self._counts.counts
        self.all.setEnabled(sum(counts) > 0)
        self.all.setAccessibleName(t("expert entries: {n}", n=sum(counts)))
        for severity, count in zip(SEVERITIES, counts, strict=True):
            button = self.buttons[severity]
            words = t(
                "{n} expert entry of severity {severity}" if count == 1 else "{n} expert entries of severity {severity}",
                n=format_count(count),
                severity=t(severity),
            )
            button.setText(format_count(count))
            button.setToolTip(t("Only the {words}", words=words))
            button.setAccessibleName(words)
            button.setVisible(count > 0)

    def set_theme(self, theme: Theme) -> None:
        """Dots in the new colours."""
        for severity, button in self.buttons.items():
            button.setIcon(_dot(theme, severity))

    def text(self) -> str:
        """The counts in words, the worst first; empty when there are none."""
        rows = [f"{count} {t(severity)}" for severity, count in zip(SEVERITIES, self._counts.counts, strict=True) if count]
        return t("Expert: {counts}", counts=", ".join(reversed(rows))) if rows else ""


def _dot(theme: Theme, severity: str) -> QIcon:
    """A disc in the colour of `severity`."""
    result = QIcon()
    for scale in (1, 2):
        pixmap = QPixmap(_DOT * scale, _DOT * scale)
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        p = QPainter(pixmap)
        _disc(p, QRectF(0, 0, _DOT, _DOT), theme.severity(severity))
        p.end()
        result.addPixmap(drawn(pixmap, lambda target, box: _disc(target, box, theme.severity(severity))))
    return result


def _disc(p: QPainter, box: QRectF, color: QColor) -> None:
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(color)
    p.drawEllipse(box.adjusted(1, 1, -1, -1))
