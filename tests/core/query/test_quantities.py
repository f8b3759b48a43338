"""Quantities as people read them."""

from __future__ import annotations

import pytest

from ringscope_core.query.quantities import duration, si


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 pps"), (12.34, "12.3 pps"), (1234.0, "1.23 kpps"), (1.5e6, "1.5 Mpps"), (2e9, "2 Gpps"), (999_600.0, "1000 kpps"), (float("nan"), "-")],
)
def test_quantities_carry_units(value: float, text: str) -> None:
    """Three digits, prefix, unit."""
    assert si(value, "pps") == text


@pytest.mark.parametrize(
    ("ns", "text"), [(12.0, "12 ns"), (4000.0, "4 \N{MICRO SIGN}s"), (2.5e6, "2.5 ms"), (3e9, "3 s"), (7.2e12, "7200 s"), (float("nan"), "-")]
)
def test_durations_carry_units(ns: float, text: str) -> None:
    """The unit follows the size."""
    assert duration(ns) == text
