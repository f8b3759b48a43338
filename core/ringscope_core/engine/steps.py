"""How far one step goes."""

from __future__ import annotations

from typing import Final

from ringscope_core.query.steps import KICK_KINDS, PACKET_KINDS
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_LEAVE
from ringscope_core.trace.levels import LEVEL_FULL, LEVEL_NAMES, LEVEL_PACKETS

STEP_KINDS: Final = ("event", "over", "into", "out", "packet", "kick", "turn")
MOST_STEPS: Final = 1_000_000_000
_ENTER: Final = int(EV_FRAME_ENTER)
_AT: Final = int(EV_FRAME_AT)
_LEAVE: Final = int(EV_FRAME_LEAVE)
_LEVELS: Final = {"packet": int(LEVEL_PACKETS), "kick": int(LEVEL_FULL)}
"""The lowest trace level at which a run has what the step goes by."""


class Step:
    """A step under way: its kind, how many of it are left, and the depth of the stack where it began."""

    def __init__(self, kind: str, count: int) -> None:
        self.kind: str = kind
        self._count: int = count
        self._depth: int = 0

    @staticmethod
    def checked(kind: str, count: int, level: int) -> Step:
        """A step at a trace level; raises InputError."""
        if kind not in STEP_KINDS:
            raise InputError("step", kind, ", ".join(STEP_KINDS))
        if not 1 <= count <= MOST_STEPS:
            raise InputError("count", str(count), f"1 to {MOST_STEPS}")
        if level < _LEVELS.get(kind, 0):
            raise InputError("step", kind, f"possible from trace level {LEVEL_NAMES[_LEVELS[kind]]} on; it is {LEVEL_NAMES[level]}")
        return Step(kind, count)

    def begin(self, depth: int) -> None:
        """Begin where `depth` frames are open; out of everything leads to the end of the turn."""
        self._depth = depth
        if self.kind == "out" and depth == 0:
            self.kind = "turn"

    def reached(self, kind: int, depth: int) -> bool:
        """Whether the step ends at this event, after which `depth` frames are open."""
        match self.kind:
            case "event":
                return True
            case "into":
                return kind in (_ENTER, _AT) or depth == 0
            case "over":
                return kind == _LEAVE and depth < self._depth or depth <= self._depth and kind in (_ENTER, _AT) or depth == 0 == self._depth
            case "out":
                return kind == _LEAVE and depth < self._depth
            case "packet":
                return kind in PACKET_KINDS
            case "kick":
                return kind in KICK_KINDS
        return False

    def counted(self, depth: int) -> bool:
        """One step is done; whether it was the last."""
        self._count -= 1
        if self._count > 0:
            self.begin(depth)
            return False
        return True
