"""Where in a file of figures something stands."""

from __future__ import annotations

import re
from pathlib import Path


class Lines:
    """Where things stand in the text; tomllib does not say."""

    def __init__(self, path: Path, text: str) -> None:
        self._name = path.name
        self._lines = text.splitlines()
        self._tables = [number for number, line in enumerate(self._lines) if re.match(r"\s*\[\[\s*figure\s*\]\]", line)]
        self._defaults = next((number for number, line in enumerate(self._lines) if re.match(r"\s*\[\s*defaults\s*\]", line)), 0)

    def where(self, figure: int, key: str = "") -> str:
        """``FILE:LINE`` of a key of figure number `figure` (from 0), of the defaults (-1), or of the top level (-2)."""
        start = self._start(figure)
        pattern = re.compile(rf"\s*[\[\"']*{re.escape(key)}[\]\"']*\s*(?:[.=\]]|$)") if key else None
        for number in range(start, len(self._lines)):
            if pattern is not None and pattern.match(self._lines[number]):
                return f"{self._name}:{number + 1}"
            if figure >= -1 and number > start and re.match(r"\s*\[", self._lines[number]) and not re.match(r"\s*\[\s*[\"'\d]", self._lines[number]):
                break
        return f"{self._name}:{start + 1}"

    def _start(self, figure: int) -> int:
        if figure < 0:
            return self._defaults if figure == -1 else 0
        return self._tables[figure] if figure < len(self._tables) else 0
