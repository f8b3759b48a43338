"""How much an unsaved run keeps, as people write it."""

from __future__ import annotations

from typing import Final

from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.units import size_bytes

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
