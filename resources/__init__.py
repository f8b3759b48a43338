"""What Ringscope ships besides code: icons, fonts, scenarios, captures.

Read with ``importlib.resources.files("ringscope_resources")``; `path` is the short way to one file.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent
"""The folder; resources are always installed as plain files, since Qt and pcap readers open them by path."""

FONT_FAMILIES = {"Inter": "Inter", "JetBrains Mono": "JetBrainsMono", "Ringscope Sans SC": "RingscopeSansSC"}
"""Families that ship, by how their files' names begin: ``Inter-Regular.otf``, ``Inter-Bold.otf``."""


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


def font_file(family: str, bold: bool = False, italic: bool = False) -> Path:
    """The file of a family that ships, in the style nearest to what is asked for; KeyError for another family."""
    begin = FONT_FAMILIES[family]
    for style in ("Italic",) * (italic and not bold) + ("Bold",) * bold + ("Regular",):
        found = sorted(ROOT.joinpath("fonts").glob(f"{begin}-{style}.?tf"))
        if found:
            return found[0]
    raise FileNotFoundError(f"no font file of {family}")
