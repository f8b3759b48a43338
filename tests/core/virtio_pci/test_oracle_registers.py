"""Register cases of the oracle, replayed on our machine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.cases import register_cases
from tests.oracle.replay import unlisted
from tests.oracle.target import RingscopeTarget

CASES = register_cases()
EVERY = 10
"""One case in so many runs in the fast part."""


def check(case: dict[str, Any]) -> None:
    differences = unlisted(case, RingscopeTarget, {"final", "peer"})
    assert differences == []


@pytest.mark.parametrize("case", CASES[::EVERY], ids=lambda case: str(case["id"]))
def test_some_cases(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.slow
def test_every_case() -> None:
    assert len(CASES) > 200
    for case in CASES:
        check(case)
