"""Shifts that mean the same compiled and not.

mypyc writes a literal as a C ``int``: ``1 << n`` with an `i64` `n` is then a shift of 32 bits, and wrong from bit 31 on.
"""

from __future__ import annotations

from mypy_extensions import i64


def bit(n: i64) -> i64:
    """The word with bit `n` (0..63) set; bit 63 as the signed twin."""
    one = n ^ n | 1
    word = one << n
    return word if n < 63 else -word


def ones(size: i64) -> i64:
    """All ones in `size` bytes (1, 2 or 4)."""
    return bit(8 * size) - 1
