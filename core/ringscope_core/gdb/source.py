"""Source lines as gdb prints them: the line itself when QEMU's tree is at hand, else where it would be."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ringscope_core.gdb.backtrace import SOURCE_PREFIX

_LARGEST: Final = 4 << 20


class Source:
    """The files that were shown, and a tree to read them from."""

    def __init__(self) -> None:
        self.tree: Path | None = None
        """The person's own QEMU tree."""
        self._told: set[str] = set()
        self._lines: dict[str, list[str]] = {}

    def set_tree(self, tree: Path | None) -> None:
        """Read from another tree from now on."""
        self.tree = tree
        self._lines.clear()

    def lines(self, path: str) -> list[str]:
        """The lines of QEMU's file `path`, none when there is no tree or no such file in it."""
        if self.tree is None:
            return []
        if path not in self._lines:
            file = self.tree / path
            try:
                text = file.read_text(errors="replace") if file.stat().st_size <= _LARGEST else ""
            except OSError:
                text = ""
            self._lines[path] = text.splitlines()
        return self._lines[path]

    def line(self, path: str, line: int) -> str:
        """One line as gdb shows it at a stop: in full once a file is known to be missing, short afterwards."""
        found = self.lines(path)
        if found:
            return (
                f"{line}\t{found[line - 1]}" if 0 < line <= len(found) else f'Line number {line} out of range; "{SOURCE_PREFIX}{path}" has {len(found)} lines.'
            )
        if path in self._told:
            return f"{line}\tin {SOURCE_PREFIX}{path}"
        self._told.add(path)
        return f"{line}\t{SOURCE_PREFIX}{path}: No such file or directory."
