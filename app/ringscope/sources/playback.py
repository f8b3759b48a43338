"""Playing a recording: the focus goes through time by itself, forward and back, at any speed, over all of it or a range.

The same for a finished session and for the recorded part of a run that still goes on.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Signal

from ringscope.commands import SPEED_MAX, SPEED_REAL
from ringscope.focus import Focus
from ringscope.player import Player
from ringscope.store import Store

WHOLE_S: Final = 10.0
"""Flat out plays the whole recording in that many seconds."""
FACTORS: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0, 1000.0)
"""Virtual time per wall time, of the keys 1 to 9."""


def factor_speed(factor: float) -> float:
    """The speed value of `factor` times virtual time (see `commands.SPEED_REAL`)."""
    return -factor


class Playback(Player):
    """Moves the focus; `tick` is called once a frame.

    `began` says that it goes on from an event in a direction, and again whenever a person moved it: who knows of breakpoints then calls
    `stop_at`.  `stopped` carries the event at which that ended it.
    """

    began = Signal(int, int)
    stopped = Signal(int)

    def __init__(self, store: Store, focus: Focus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._focus = store, focus
        self.speed = SPEED_REAL
        self._place: float = 0.0
        """Where playback stands, in events or virtual ns, with its fraction."""
        self._last: int = -1
        """Where it put the focus last; elsewhere a person did."""
        self._stop: int = -1
        """The event to stop at on the way, -1 for none."""
        store.replaced.connect(self.pause)

    # -- what a person does ---------------------------------------------------------------------------------------------
    def play(self, direction: int = 1) -> None:
        """Go on in a direction; from the other end when at this one."""
        low, high = self._bounds()
        focus = self._focus
        if focus.following and self._store.live and direction > 0 and focus.range is None:
            # a live run goes on by itself
            return
        at_end = focus.seq >= high if direction > 0 else focus.seq <= low
        if at_end or not low <= focus.seq <= high:
            focus.scrub(low if direction > 0 else high)
        elif focus.following:
            focus.scrub(focus.seq)
        self.direction, self._last = direction, -1
        self.playing = True
        self.changed.emit()

    def pause(self) -> None:
        """Stand still."""
        if self.playing:
            self.playing = False
            self.changed.emit()

    def stop_at(self, seq: int) -> None:
        """Stop at event `seq` on the way; when playback has come past it, it goes back there."""
        self._stop = seq
        if self.playing and seq >= 0 and self._passes(self._focus.seq):
            self._halt()

    def set_speed(self, speed: float) -> None:
        """From now on."""
        self.speed, self._last = speed, -1
        self.changed.emit()

    def set_looping(self, looping: bool) -> None:
        """Begin again at the end, or stop there."""
        self.looping = looping
        self.changed.emit()

    # -- a frame --------------------------------------------------------------------------------------------------------
    def tick(self, elapsed_ms: float) -> None:
        """Move the focus by `elapsed_ms` of playback."""
        if not self.playing or self._store.last_seq < 0:
            return
        if self._focus.following:
            # somebody went to the live end
            self.pause()
            return
        low, high = self._bounds()
        if self._focus.seq != self._last:
            # a person moved the focus, or playback begins: go on from there
            self._place = self._position(self._focus.seq)
            self._stop = -1
            self.began.emit(self._focus.seq, self.direction)
        self._place += self._step(elapsed_ms) * self.direction
        seq = self._store.reader.seq_at_vt(int(self._place)) if self.speed < 0 else int(self._place + 1e-6)
        if self._stop >= 0 and self._passes(seq):
            self._halt()
        elif low <= seq <= high and (seq not in (low, high) or not self._reached(seq, low, high)):
            self._go(seq)
        elif self.looping and high > low:
            self._place = self._position(low if self.direction > 0 else high)
            self._go(low if self.direction > 0 else high)
            self._stop = -1
            self.began.emit(self._focus.seq, self.direction)
        else:
            self._end(max(min(seq, high), low))

    def _passes(self, seq: int) -> bool:
        """Whether `seq` is at the stop or behind it."""
        return seq >= self._stop if self.direction > 0 else seq <= self._stop

    def _halt(self) -> None:
        at, self._stop = self._stop, -1
        self._go(at)
        self.pause()
        self.stopped.emit(at)

    def _reached(self, seq: int, low: int, high: int) -> bool:
        return seq >= high if self.direction > 0 else seq <= low

    def _go(self, seq: int) -> None:
        self._last = seq
        if seq != self._focus.seq:
            self._focus.scrub(seq)

    def _end(self, seq: int) -> None:
        """The last event of what is played: stop, or of a run that goes on, go on with it."""
        self._go(seq)
        if self.direction > 0 and self._store.live and self._focus.range is None:
            if self._focus.seq >= self._store.last_seq:
                self.pause()
                self._focus.set_following(True)
        else:
            self.pause()

    def _bounds(self) -> tuple[int, int]:
        store = self._store
        first, last = self._focus.range or (store.first_seq, store.last_seq)
        return max(first, store.first_seq), min(last, store.last_seq)

    def _step(self, elapsed_ms: float) -> float:
        """How far a frame goes, in ns or events."""
        if self.speed < 0:
            return elapsed_ms * 1e6 * -self.speed
        low, high = self._bounds()
        rate = self.speed if self.speed != SPEED_MAX else max((high - low + 1) / WHOLE_S, 1.0)
        return elapsed_ms / 1000 * rate

    def _position(self, seq: int) -> float:
        return float(self._store.reader.vt_at_seq(seq)) if self.speed < 0 else float(seq)
