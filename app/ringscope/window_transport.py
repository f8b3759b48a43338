"""The transport bar: restart, back, step, run and pause, and the speed from one event a second to flat out."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QSizePolicy, QSlider, QToolBar, QWidget

from ringscope.commands import SPEED_MAX, SPEED_REAL, Commands
from ringscope.words import t
from ringscope_core.query.decode import format_count

BUTTONS: Final = (
    ("restart", "run"),
    ("continue_back", "over_back", "step_back", "step", "step_over", "step_into", "step_out", "continue"),
)
"""The main commands as buttons, backwards left of forwards."""
STEPS: Final = 60
"""Slider positions for events a second: ten a decade, from 1 to 1 000 000."""
REAL: Final = STEPS + 1
"""The position for real time."""
FLAT_OUT: Final = STEPS + 2
"""The last position."""


def speed_at(position: int) -> float:
    """Events a second at a slider position; the last two are `SPEED_REAL` and `SPEED_MAX`."""
    if position > STEPS:
        return SPEED_MAX if position >= FLAT_OUT else SPEED_REAL
    return round(10 ** (position / 10), 1 if position < 10 else 0)


def position_of(speed: float) -> int:
    """The slider position nearest to `speed`."""
    if speed <= 0:
        return FLAT_OUT if speed == SPEED_MAX else REAL
    low, high = 0, STEPS
    while low < high:
        middle = (low + high) // 2
        if speed_at(middle) < speed * 0.999:
            low = middle + 1
        else:
            high = middle
    return low


def speed_text(speed: float) -> str:
    """A speed as the bar shows it."""
    if speed <= 0:
        return t("real time") if speed == SPEED_REAL else t("flat out") if speed == SPEED_MAX else t("{value:g}× time", value=-speed)
    return t("{speed:g} ev/s", speed=speed) if speed < 1000 else t("{speed} ev/s", speed=format_count(round(speed)))


class TransportBar(QToolBar):
    """Buttons are the window's actions, so that menu, shortcut and button are one thing."""

    def __init__(self, commands: Commands, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(t("Transport"), parent)
        self.setObjectName("transport")
        self.setMovable(False)
        self.setIconSize(QSize(16, 16))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._commands = commands
        for group in BUTTONS:
            for name in group:
                self.addAction(actions[name])
            self.addSeparator()
        self._slider = self._make_slider()
        self._label = QLabel()
        self._label.setMinimumWidth(self._label.fontMetrics().horizontalAdvance(t("1 000 000 ev/s")) + 8)
        self._label.setAccessibleName(t("Speed"))
        self.addWidget(self._slider)
        self.addWidget(self._label)
        self.addSeparator()
        commands.changed.connect(self.show_commands)
        self.show_commands()

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, FLAT_OUT)
        slider.setPageStep(10)
        slider.setFixedWidth(130)
        slider.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        slider.setAccessibleName(t("Speed in events a second"))
        slider.setToolTip(t("Speed: from one event a second, over real time, to flat out (- and +)"))
        slider.valueChanged.connect(self._moved)
        return slider

    def _moved(self, position: int) -> None:
        speed = speed_at(position)
        self._label.setText(speed_text(speed))
        self._commands.set_speed(speed)

    def show_commands(self) -> None:
        """Show what the source can do and how fast it goes."""
        commands = self._commands
        self._slider.setEnabled(commands.can_speed)
        if not self._slider.isSliderDown():
            self._slider.blockSignals(True)
            self._slider.setValue(position_of(commands.speed))
            self._slider.blockSignals(False)
            self._label.setText(speed_text(commands.speed))
        self._label.setEnabled(commands.can_speed)
