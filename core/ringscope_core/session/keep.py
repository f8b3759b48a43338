"""How much an unsaved run keeps, and what it let go, in words."""

from __future__ import annotations

from typing import Final

from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.units import size_bytes
from ringscope_core.session.rows import GapRow

KEEP_DEFAULT: Final = "2G"
"""What an unsaved run of the window keeps."""
KEEP_LEAST: Final = 8 << 20
"""Less holds nothing but the building."""
KEEP_ALLOWED: Final = "a size of at least 8M, such as 512M or 2G, or all"


def keep_bytes(field: str, text: str) -> int:
    """Bytes of a size, 0 for ``all``; raises InputError."""
    if text.strip().lower() == "all":
        return 0
    try:
        size = size_bytes(field, text)
    except InputError:
        raise InputError(field, text, KEEP_ALLOWED) from None
    if size < KEEP_LEAST:
        raise InputError(field, text, KEEP_ALLOWED)
    return size


def size_words(size: int) -> str:
    """``2.0 GiB``, ``512 MiB``."""
    for unit, bits in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 1 << bits:
            value = size / (1 << bits)
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{size} bytes"


def number_words(value: int) -> str:
    """``12.3 M``, ``940``."""
    for unit, least in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= least:
            return f"{value / least:.1f} {unit}"
    return str(value)


def kept_words(keep: int, gap: GapRow | None, whole: bool = False) -> str:
    """One line on a bounded recording that has let something go, "" for any other; `whole` says all that is known."""
    if gap is None:
        return ""
    packets = f" and {number_words(gap.packets)} packets" if gap.packets and whole else ""
    head = ", all behind the building" if gap.first_seq > 0 and whole else ""
    return f"keeps the last {size_words(keep)}; {number_words(gap.events)} older events{packets} were dropped{head}"
