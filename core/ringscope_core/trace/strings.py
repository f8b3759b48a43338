"""Text in an integer-only log: each distinct string gets a small number."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64


@final
class StringTable:
    """Numbers strings from 1 in the order of their first use; 0 is the empty string."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {"": 0}
        self.texts: list[str] = [""]

    def intern(self, text: str) -> i64:
        """The number of `text`, new or known."""
        found = self._ids.get(text)
        if found is None:
            found = len(self.texts)
            self._ids[text] = found
            self.texts.append(text)
        return found
