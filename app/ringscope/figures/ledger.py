"""What was drawn when a file of figures was done last: so that only what changed is drawn again.

A small JSON file beside the file of figures.  Losing it costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Final

from ringscope.figures.files import write_whole
from ringscope_core.scenario.errors import InputError

VERSION: Final = 1


def ledger_file(figures: Path) -> Path:
    """Where the ledger of a file of figures lies."""
    return figures.with_name(f".{figures.stem}.drawn.json")


class Ledger:
    """Key and content of every file that was drawn."""

    def __init__(self, path: Path) -> None:
        self._path: Path = path
        self._drawn: dict[str, tuple[str, str]] = {}
        self._changed: bool = False
        # whatever is wrong with it: then everything is drawn
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["version"] == VERSION:
                self._drawn = {str(name): (str(entry["key"]), str(entry["sha256"])) for name, entry in document["drawn"].items()}

    def _name(self, output: Path) -> str:
        return Path(os.path.relpath(output, self._path.parent)).as_posix()

    def is_drawn(self, output: Path, key: str) -> bool:
        """Whether `output` is what was drawn for `key`, and nobody has touched it since."""
        known = self._drawn.get(self._name(output))
        if known is None or known[0] != key:
            return False
        try:
            return hashlib.sha256(output.read_bytes()).hexdigest() == known[1]
        except OSError:
            return False

    def note(self, output: Path, key: str, data: bytes) -> None:
        """`output` holds `data`, drawn for `key`."""
        self._drawn[self._name(output)] = (key, hashlib.sha256(data).hexdigest())
        self._changed = True

    def keep_only(self, outputs: list[Path]) -> None:
        """Forget files that are no longer asked for."""
        names = {self._name(output) for output in outputs}
        gone = [name for name in self._drawn if name not in names]
        for name in gone:
            del self._drawn[name]
            self._changed = True

    def save(self) -> None:
        """Write it when something changed; where that is not possible everything is drawn again next time."""
        if not self._changed:
            return
        drawn = {name: {"key": key, "sha256": digest} for name, (key, digest) in sorted(self._drawn.items())}
        with contextlib.suppress(InputError):
            write_whole(self._path, (json.dumps({"version": VERSION, "drawn": drawn}, indent=1) + "\n").encode())
            self._changed = False
