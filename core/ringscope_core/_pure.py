"""Make Python import this package's sources although compiled modules lie beside them.

A compiled module is a ``.so`` beside its ``.py``, and Python prefers the former.  A finder in front of the
ordinary ones looks for the source alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

_PREFIX = "ringscope_core."


class _SourceFinder(MetaPathFinder):
    """Finds modules of the core by source file only."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not fullname.startswith(_PREFIX) or path is None:
            return None
        for folder in path:
            spec = FileFinder(folder, (SourceFileLoader, [".py"])).find_spec(fullname, target)
            if spec is not None:
                return spec
        return None


def prefer_sources() -> None:
    """Put the finder in place, once."""
    if not any(isinstance(finder, _SourceFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _SourceFinder())
