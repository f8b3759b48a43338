"""Where a branch's session goes when nobody says."""

from __future__ import annotations

from pathlib import Path


def free_path(parent: Path) -> Path:
    """``NAME-branch-N`` beside the parent, the first that is free."""
    number = 1
    while True:
        path = parent.with_name(f"{parent.stem}-branch-{number}{parent.suffix or '.ringscope'}")
        if not path.exists():
            return path
        number += 1
