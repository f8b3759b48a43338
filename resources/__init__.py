"""What Ringscope ships besides code: icons, fonts, scenarios, captures.

Read with ``importlib.resources.files("ringscope_resources")``; `path` is the short way to one file.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent
"""The folder; resources are always installed as plain files, since Qt and pcap readers open them by path."""


def path(*parts: str) -> Path:
    """Path of the resource ``parts[0]/parts[1]/...``; FileNotFoundError names it when there is no such resource."""
    found = ROOT.joinpath(*parts)
    if not found.exists():
        raise FileNotFoundError(f"no resource {'/'.join(parts)}")
    return found


def icon(name: str) -> Path:
    """Path of the icon `name`, e.g. ``icon("run")``.  Toolbar icons draw in ``currentColor``, which the theme replaces."""
    return path("icons", f"{name}.svg")


def fonts() -> list[Path]:
    """The font files that ship, so that a window and a figure look the same on every machine."""
    return sorted(ROOT.joinpath("fonts").glob("*.?tf"))
