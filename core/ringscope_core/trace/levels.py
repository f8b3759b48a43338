"""How much of the data path is traced.  The control path (realize, registers, errors, marks) is traced at every level."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

LEVEL_COUNTERS: Final[i64] = 0
"""Counters and keyframes alone carry the data path."""
LEVEL_PACKETS: Final[i64] = 1
"""One event for each frame that passes the device, and the frame's bytes."""
LEVEL_FULL: Final[i64] = 2
"""Every ring operation: the fold of the events equals the machine."""

LEVEL_NAMES: Final = ("counters", "packets", "full")
