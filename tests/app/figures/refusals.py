"""How what people write is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringscope_core.scenario.errors import InputError


def refusal(field: str, ask: Callable[[], object]) -> str:
    """The one line with which `ask` is refused, which is about `field`."""
    with pytest.raises(InputError) as caught:
        ask()
    said = str(caught.value)
    assert caught.value.field == field
    assert "\n" not in said
    return said
