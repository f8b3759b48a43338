"""Quantities as people read them: three digits and a unit."""

from __future__ import annotations

import math


def si(value: float, unit: str) -> str:
    """A quantity with three digits and k, M, G: ``1.23 Mpps``; ``-`` for nothing."""
    if not math.isfinite(value):
        return "-"
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{_three(value / factor)} {prefix}{unit}"
    text = f"{value:.3g}" if abs(value) < 99.95 else f"{value:.0f}"
    return f"{text} {unit}".rstrip()


def duration(ns: float) -> str:
    """A duration with three digits in ns, us, ms or s; ``-`` for nothing."""
    if not math.isfinite(ns):
        return "-"
    for factor, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "\N{MICRO SIGN}s")):
        if abs(ns) >= factor:
            return f"{_three(ns / factor)} {unit}"
    return f"{ns:.0f} ns"


def _three(value: float) -> str:
    # from 1000 on, three digits would be an exponent
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"
