"""Durations and sizes as people write them: ``3s``, ``250us``, ``128M``."""

from __future__ import annotations

import re
from typing import Final

from ringscope_core.scenario.errors import InputError

_NS: Final[dict[str, int]] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}
_BYTES: Final[dict[str, int]] = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h)?", re.ASCII)
_SIZE: Final = re.compile(r"(\d+)\s*([kKmMgG]?)(?:i?[bB])?", re.ASCII)

DURATION_ALLOWED: Final = "a duration such as 500us, 20ms, 3s or 2m"
SIZE_ALLOWED: Final = "a size such as 64M or 1G"
MAX_NS: Final = 1 << 62


def duration_ns(field: str, text: str) -> int:
    """Virtual ns of a duration; a bare number is seconds; empty is 0.  Raises InputError."""
    if not text:
        return 0
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise InputError(field, text, DURATION_ALLOWED)
    ns = round(float(found[1]) * _NS[found[2] or "s"])
    if ns > MAX_NS:
        raise InputError(field, text, DURATION_ALLOWED)
    return ns


def size_bytes(field: str, text: str) -> int:
    """Bytes of a size; raises InputError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise InputError(field, text, SIZE_ALLOWED)
    return int(found[1]) * _BYTES[found[2].lower()]
