"""What plays a recording, as views and the transport see it (`sources.playback` is the one that does)."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Player(QObject):
    """Playback's surface.  This base stands still; `changed` tells of play, pause, direction, speed and loop."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.playing: bool = False
        self.direction: int = 1
        """1 forward, -1 back."""
        self.speed: float = -1.0
        """Events a second; negative: so many times virtual time; 0: all of it in a few seconds."""
        self.looping: bool = False
        """Play the focus' range, or the whole recording, over and over."""

    def play(self, direction: int = 1) -> None:
        """Go on in a direction."""

    def pause(self) -> None:
        """Stand still."""

    def toggle(self, direction: int = 1) -> None:
        """Play in a direction, or stand still when that is what it does."""
        if self.playing and self.direction == direction:
            self.pause()
        else:
            self.play(direction)

    def set_speed(self, speed: float) -> None:
        """From now on."""

    def set_looping(self, looping: bool) -> None:
        """Begin again at the end, or stop there."""
