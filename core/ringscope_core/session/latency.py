"""Latency histograms in few bytes: where the counts begin, then the counts up to the last that is not zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringscope_core.session.packing import PackingError
from ringscope_core.session.rows import Ints
from ringscope_core.trace.counters import BUCKETS


def encode(counts: Sequence[int]) -> bytes:
    """The histogram's `BUCKETS` counts as a blob, empty when nothing was counted."""
    used = [i for i, n in enumerate(counts) if n]
    if not used:
        return b""
    first, last = used[0], used[-1]
    wide = max(counts) >= 1 << 32
    return bytes((first, 8 if wide else 4)) + np.array(counts[first : last + 1], "<u8" if wide else "<u4").tobytes()


def decode(blob: bytes) -> Ints:
    """The inverse of `encode`; raises PackingError."""
    out = np.zeros(int(BUCKETS), np.int64)
    if not blob:
        return out
    if len(blob) < 2 or blob[1] not in (4, 8) or (len(blob) - 2) % blob[1]:
        raise PackingError("a latency histogram is not in its format")
    counts = np.frombuffer(blob, f"<u{blob[1]}", offset=2).astype(np.int64)
    if blob[0] + len(counts) > len(out):
        raise PackingError("a latency histogram is too long")
    out[blob[0] : blob[0] + len(counts)] = counts
    return out
