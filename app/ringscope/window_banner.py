"""A line across the top for what went wrong, with a button that mends it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from ringscope.core_words import heard
from ringscope.words import t


class Banner(QFrame):
    """Hidden until `show_problem`; `restart` when its button is pressed."""

    restart = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAccessibleName(t("Problem"))
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._restart = QPushButton(t("Restart"))
        self._dismiss = QPushButton(t("Dismiss"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 5, 8, 5)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._restart)
        layout.addWidget(self._dismiss)
        self._restart.clicked.connect(self.restart)
        self._dismiss.clicked.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        """What the banner says."""
        return self._text.text()

    def show_problem(self, text: str, can_restart: bool) -> None:
        """Say `text`; offer a restart when the source can."""
        text = heard(text)
        self._text.setText(text)
        self._text.setAccessibleName(text)
        self._restart.setVisible(can_restart)
        self.show()
