"""The word that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(text: str, known: Iterable[str]) -> str:
    """The known word nearest to `text`, "" when none is near."""
    near = difflib.get_close_matches(text, list(known), 1, 0.6)
    return near[0] if near else ""
