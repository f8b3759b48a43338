"""The style sheet of HTML pages, and whether a page can be dark, which decides how many pictures ``auto`` is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope_resources import path

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders import Builder

LIGHT: Final = "ringscope-light"
DARK: Final = "ringscope-dark"
"""Classes of the two pictures of a figure; style sheets show one."""
_SHEET: Final = "ringscope.css"
_SYSTEM_SHEET: Final = "ringscope-system.css"
"""For themes that are dark when the reader's system is, without a switch of their own."""
_SWITCHES: Final = ("data-theme", "data-bs-theme", "data-md-color-scheme")
"""Attributes by which themes say which of the two they are; ``ringscope.css`` knows them."""
_SYSTEM: Final = "prefers-color-scheme"


def connect(app: Sphinx) -> None:
    """Add the style sheets to HTML pages."""
    # late: other extensions' style sheets are looked at as well
    app.connect("builder-inited", add_sheets, priority=900)


def add_sheets(app: Sphinx) -> None:
    """Into the head of every page; the files are copied with Sphinx's static files."""
    if app.builder.format != "html":
        return
    app.config.html_static_path.append(str(path("sphinx")))
    app.add_css_file(_SHEET)
    if _words(app.builder) == {_SYSTEM}:
        app.add_css_file(_SYSTEM_SHEET)


def has_dark(builder: Builder) -> bool:
    """Whether pages can be dark: as their theme's or the project's style sheets say.  EPUB readers decide by themselves and get light."""
    return builder.format == "html" and builder.name != "epub" and bool(_words(builder))


def _words(builder: Builder) -> set[str]:
    """What in the style sheets speaks of darkness: a switch of the theme, or the system's wish."""
    found: set[str] = getattr(builder, "ringscope_dark_words", set())
    if not hasattr(builder, "ringscope_dark_words"):
        for sheet in _sheets(builder):
            text = sheet.read_text(encoding="utf-8", errors="replace")
            found |= {word for word in (*_SWITCHES, _SYSTEM) if word in text}
        if found - {_SYSTEM}:
            found -= {_SYSTEM}
        builder.ringscope_dark_words = found  # type: ignore[attr-defined]
    return found


def _sheets(builder: Builder) -> list[Path]:
    theme = getattr(builder, "theme", None)
    folders = [Path(folder) / "static" for folder in theme.get_theme_dirs()] if theme is not None else []
    folders += [Path(builder.confdir) / folder for folder in builder.config.html_static_path]
    own = path("sphinx")
    return [sheet for folder in folders if folder != own and folder.is_dir() for sheet in sorted(folder.rglob("*.css"))]
