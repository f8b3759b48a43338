"""A recording as a source: nothing runs, so run means play back, and the speed is that of the focus."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject

from ringscope.commands import SPEED_REAL, Controls
from ringscope.focus import Focus
from ringscope.sources.points import LocalPoints
from ringscope.store import Store
from ringscope_core.scenario.errors import InputError

WHOLE_S: Final = 10.0
"""Flat out plays the whole recording in that many seconds."""
GROWING_MS: Final = 3000.0
"""A file that did not grow for so long is taken to be finished."""


class SessionControls(Controls):
    """Playback moves the focus; `tick` is called once a frame."""

    def __init__(self, store: Store, focus: Focus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._focus = store, focus
        self.capabilities = frozenset({"pause", "speed", "playback", "break"})
        self._table = LocalPoints(row.spec for row in store.reader.breakpoints())
        self.points = self._table.points
        self.state = "paused"
        self.speed = SPEED_REAL
        self._place = 0.0
        """Where playback stands, in events or virtual ns, with its fraction."""
        self._last = -1
        self._quiet_ms = 0.0
        self._known_seq = store.last_seq
        focus.following = False

    def run(self) -> None:
        """Play on; from the beginning when at the end."""
        if self._focus.seq >= self._store.last_seq:
            self._focus.scrub(self._store.first_seq)
        self._last = -1
        self._go("running")

    def pause(self) -> None:
        """Stand still."""
        self._go("paused")

    def set_speed(self, events_per_second: float) -> None:
        """From now on."""
        self.speed = events_per_second
        self._last = -1
        self.changed.emit()

    def change_points(self, request: dict[str, object]) -> None:
        """Change the table."""
        try:
            self._table.change(request)
        except InputError as error:
            self.failed.emit(str(error))
            return
        self.points = self._table.points
        self.points_changed.emit()

    def _go(self, state: str) -> None:
        if self.state != state:
            self.state = state
            self.changed.emit()

    def tick(self, elapsed_ms: float) -> None:
        """Move the focus by `elapsed_ms` of playback; notice a file that still grows."""
        self._watch(elapsed_ms)
        if self.state != "running":
            return
        if self._focus.seq != self._last:
            # a person moved the focus, or playback begins: go on from there
            self._place = self._position(self._focus.seq)
        if self.speed == SPEED_REAL:
            self._place += elapsed_ms * 1e6
            seq = self._store.reader.seq_at_vt(int(self._place))
        else:
            rate = self.speed if self.speed > 0 else max(self._store.reader.event_count / WHOLE_S, 1.0)
            self._place += elapsed_ms / 1000 * rate
            seq = int(self._place + 1e-6)
        self._last = max(min(seq, self._store.last_seq), self._store.first_seq)
        self._focus.scrub(self._last)
        if self._last >= self._store.last_seq and not self._store.live:
            self._go("paused")

    def _position(self, seq: int) -> float:
        return float(self._store.reader.vt_at_seq(seq)) if self.speed == SPEED_REAL else float(seq)

    def _watch(self, elapsed_ms: float) -> None:
        if self._store.last_seq != self._known_seq:
            self._known_seq = self._store.last_seq
            self._quiet_ms = 0.0
            self._store.set_live(True)
        elif self._store.live:
            self._quiet_ms += elapsed_ms
            if self._quiet_ms > GROWING_MS:
                self._store.set_live(False)
