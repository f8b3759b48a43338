"""Even distances of virtual time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.guest.pacer import NO_LIMIT, Pacer


def test_bursts_are_due_at_even_distances() -> None:
    pacer = Pacer(1000.0, 4, 0)
    pacer.begin(100)
    assert pacer.interval_ns == 4_000_000
    assert [pacer.due(t) for t in (99, 100, 100 + 3_999_999, 100 + 4_000_000)] == [0, 4, 4, 8]
    assert pacer.next_ns(0) == 100
    assert pacer.next_ns(100) == 100 + 4_000_000


def test_flat_out_is_always_due() -> None:
    assert Pacer(0.0, 1, 0).due(0) == NO_LIMIT
    limited = Pacer(0.0, 1, 7)
    assert limited.due(0) == 7
    assert limited.next_ns(0) == -1


@given(st.floats(0.5, 1e6), st.integers(1, 64), st.integers(0, 500), st.integers(0, 10**10))
def test_waiting_for_next_makes_more_due(rate: float, burst: int, count: int, now: int) -> None:
    pacer = Pacer(rate, burst, count)
    pacer.begin(1000)
    following = pacer.next_ns(now)
    if following >= 0:
        assert following > now
        assert pacer.due(following) > pacer.due(now)
        assert pacer.due(following - 1) == pacer.due(now)
    else:
        assert pacer.due(now) == count
