"""A recording as a source: nothing runs, so run means play back, and the speed is that of the focus."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject

from ringscope.commands import Controls
from ringscope.focus import Focus
from ringscope.sources.playback import Playback
from ringscope.sources.points import LocalPoints
from ringscope.store import Store
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError
from ringscope_core.session.kept_points import KeptPoints

GROWING_MS: Final = 3000.0
"""A file that did not grow for so long is taken to be finished."""


class SessionControls(Controls):
    """Run and pause are those of the playback; `watch` is called once a frame."""

    def __init__(self, store: Store, focus: Focus, playback: Playback | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._focus = store, focus
        self.playback: Playback = playback or Playback(store, focus, self)
        self.capabilities = frozenset({"pause", "speed", "playback", "break"})
        self._kept = KeptPoints(store.reader)
        self._table = LocalPoints(self._kept.read())
        self.points = self._table.points
        self._quiet_ms = 0.0
        self._known_seq = store.last_seq
        focus.following = False
        self.playback.changed.connect(self._played)
        self._played()

    def _played(self) -> None:
        self.state = "running" if self.playback.playing else "paused"
        self.speed = self.playback.speed
        self.changed.emit()

    def run(self) -> None:
        """Play on; from the beginning when at the end."""
        self.playback.play()

    def pause(self) -> None:
        """Stand still."""
        self.playback.pause()

    def set_speed(self, events_per_second: float) -> None:
        """From now on."""
        self.playback.set_speed(events_per_second)

    def close(self) -> None:
        """Another source takes the window over."""
        self.playback.changed.disconnect(self._played)

    def change_points(self, request: dict[str, object]) -> None:
        """Change the table."""
        try:
            self._table.change(request)
        except InputError as error:
            self.failed.emit(str(error))
            return
        self.points = self._table.points
        self.points_changed.emit()
        if self._store.live:
            # who writes the file keeps breakpoints of its own in it
            return
        try:
            self._kept.write(self.points)
        except SessionError as error:
            self.failed.emit(str(error))

    def tick(self, elapsed_ms: float) -> None:
        """Playback and watch in one, where no window plays."""
        self.watch(elapsed_ms)
        self.playback.tick(elapsed_ms)

    def watch(self, elapsed_ms: float) -> None:
        """Notice a file that still grows."""
        if self._store.last_seq != self._known_seq:
            self._known_seq = self._store.last_seq
            self._quiet_ms = 0.0
            self._store.set_live(True)
        elif self._store.live:
            self._quiet_ms += elapsed_ms
            if self._quiet_ms > GROWING_MS:
                self._store.set_live(False)
