"""The strip over the tracks: where we are in words, and the buttons of playback."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.icons import icon
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.words import later, t
from ringscope_core.query.decode import format_clock, format_count

_PLAYING: Final = (
    ("back", "play-back", later("Play backwards (Shift+P)")),
    ("play", "play", later("Play what is recorded from here on (P)")),
    ("loop", "loop", later("Play the range, or the whole recording, over and over (L)")),
)


class Strip(QFrame):
    """Labels and buttons; the panel connects what is about the picture."""

    def __init__(self, store: Store, focus: Focus, commands: Commands) -> None:
        super().__init__()
        self.setObjectName("strip")
        self._store, self._focus, self._player = store, focus, commands.playback
        self._theme: Theme | None = None
        self.moment = QLabel()
        self.moment.setAccessibleName(t("Moment"))
        self.end = QLabel()
        self.end.setProperty("role", "muted")
        self.range = QLabel()
        self.range.setAccessibleName(t("Range"))
        self.speed = QLabel()
        self.speed.setProperty("role", "muted")
        self.speed.setAccessibleName(t("Speed of playback"))
        self.follow = self.button(t("Follow"), t("Stay at the newest event (F4)"), True)
        self.axis = self.button(t("By event"), t("Spread events evenly instead of by virtual time"), True)
        self.fit = self.button(t("All"), t("Show the whole recording (double click)"), False)
        self.playing = {name: self.button("", t(tip), True) for name, _, tip in _PLAYING}
        player = self._player
        self.playing["back"].clicked.connect(lambda: player.toggle(-1))
        self.playing["play"].clicked.connect(lambda: player.toggle(1))
        self.playing["loop"].clicked.connect(lambda on: player.set_looping(bool(on)))
        player.changed.connect(self.show_player)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(6)
        for button in self.playing.values():
            row.addWidget(button)
        for label in (self.speed, self.moment, self.range):
            row.addWidget(label)
        row.addStretch(1)
        row.addWidget(self.end)
        for button in (self.axis, self.fit, self.follow):
            row.addWidget(button)
        self.show_player()

    def button(self, text: str, tip: str, checkable: bool) -> QToolButton:
        """One button of the strip."""
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text or tip)
        button.setCheckable(checkable)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setIconSize(QSize(14, 14))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly)
        return button

    def set_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self.follow.setIcon(icon("follow", theme))
        self.fit.setIcon(icon("zoom-fit", theme))
        for name, picture, _ in _PLAYING:
            self.playing[name].setIcon(icon(picture, theme))

    def show_player(self) -> None:
        """What playback does."""
        player = self._player
        self.playing["back"].setChecked(player.playing and player.direction < 0)
        self.playing["play"].setChecked(player.playing and player.direction > 0)
        self.playing["loop"].setChecked(player.looping)
        self.speed.setText(speed_words(player.speed))

    def tell(self, seq: int) -> None:
        """Say where event `seq` is, and of what."""
        store = self._store
        vt = store.reader.vt_at_seq(seq) if seq >= 0 else 0
        self.moment.setText(t("event <b>{seq}</b> &nbsp; virtual time <b>{vt}</b> s", seq=format_count(max(seq, 0)), vt=format_clock(vt)))
        self.end.setText(t("of {last}, {vt} s", last=format_count(max(store.last_seq, 0)), vt=format_clock(store.reader.last_vt)))
        chosen = self._focus.range
        self.range.setVisible(chosen is not None)
        if chosen is not None:
            self.range.setText(t("range {first} to {last}", first=format_count(chosen[0]), last=format_count(chosen[1])))


def speed_words(speed: float) -> str:
    """A playback speed, short."""
    if speed < 0:
        return f"{-speed:g}\u00d7"
    return t("all in 10 s") if not speed else t("{speed} ev/s", speed=format_count(round(speed)))
