"""How virtual time passes: by what happens, as fast as it goes; at a factor of the wall clock; or with the wall clock."""

from __future__ import annotations

from typing import Final

from ringscope_core.trace.clock import Clock

MAX: Final = 0.0
"""The factor that means: do not wait."""


class Pacing:
    """Virtual ns allowed by the wall clock: ``anchor + (wall - anchor_wall) * factor``.

    In deterministic time the wall only holds virtual time back; in real time it also moves it.
    """

    def __init__(self, clock: Clock, realtime: bool, factor: float) -> None:
        self.clock: Clock = clock
        self.realtime: bool = realtime
        self.factor: float = factor if not realtime or factor > 0 else 1.0
        self._anchor_vt: int = 0
        self._anchor_wall: int = 0
        self.anchor()

    def anchor(self) -> None:
        """Time was stood still (a pause) or the factor changes: count from now on."""
        self._anchor_vt = int(self.clock.now_ns)
        self._anchor_wall = int(self.clock.refresh_wall())

    def set_factor(self, factor: float) -> None:
        """Virtual ns a wall ns, `MAX` for no limit; real time needs a limit and takes 1 for none."""
        self.factor = factor if not self.realtime or factor > 0 else 1.0
        self.anchor()

    def allowed_vt(self) -> int:
        """The virtual time that the wall clock has got to; far away without a limit."""
        if self.factor <= 0:
            return 1 << 62
        return self._anchor_vt + int((int(self.clock.wall_ns) - self._anchor_wall) * self.factor)

    def follow(self) -> None:
        """Real time: virtual time goes with the wall clock, whatever happens."""
        if self.realtime:
            self.clock.advance_to(self.allowed_vt())

    def wait_s(self, vt: int) -> float:
        """Wall seconds until virtual time `vt` may come; 0 for at once."""
        if self.factor <= 0:
            return 0.0
        return max(0.0, (vt - self.allowed_vt()) / self.factor / 1e9)
