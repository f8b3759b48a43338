"""The root port that a case's device may be behind: its option, its place, and how the recorder sets it up."""

from __future__ import annotations

from typing import Final

PORT_OPTION: Final = "pcie-root-port,id=rp0,chassis=1,addr=05.0"
PORT_BDF: Final = 5 << 3
BEHIND_BDF: Final = 1 << 8
"""The device itself: slot 0 of bus 1."""
BRIDGE_SETUP: Final[tuple[tuple[int, int, int], ...]] = (
    (0x18, 4, 0x00010100),
    (0x1C, 2, 0xC0C0),
    (0x20, 4, 0xFEB0FEA0),
    (0x24, 4, 0xFE00FE00),
    (0x28, 4, 0),
    (0x2C, 4, 0),
    (0x04, 2, 0x0007),
)
"""Offset, size, value: bus numbers, the windows 0xc000 to 0xcfff (i/o), 0xfea00000 to 0xfebfffff and 0xfe000000 to 0xfe0fffff, decoding on."""
