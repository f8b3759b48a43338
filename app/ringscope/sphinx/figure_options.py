"""The options of a figure, as directives take them: the command line's own checks, the settings of ``conf.py`` where a page says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from docutils.parsers.rst import directives
from docutils.parsers.rst.directives.images import Figure

from ringscope.figures import parse
from ringscope.figures.spec import FigureSpec
from ringscope.sphinx.settings import AUTO, FORMATS, THEMES
from ringscope.sphinx.source_files import find_layout

if TYPE_CHECKING:
    from sphinx.environment import BuildEnvironment

    from ringscope.sphinx.settings import Settings

_WORDS: Final = ("focus", "at", "layout", "size", "scale", "theme", "lang", "callout", "crop", "filter", "format", "alt")
PICTURE_OPTIONS: Final[dict[str, Callable[[str], Any]]] = dict.fromkeys(_WORDS, directives.unchanged)
"""What decides the picture: checked when all of it is known, so that a page of either markup gets the command line's words."""
FRAME_OPTIONS: Final[dict[str, Callable[[str], Any]]] = {
    "name": directives.unchanged,
    "width": directives.length_or_percentage_or_unitless,
    "align": Figure.align,
    "class": directives.class_option,
    "figwidth": Figure.figwidth_value,
}
"""What a figure of docutils has as well."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure with what a page says about its files."""

    spec: FigureSpec
    theme: str
    """A theme of figures, or ``auto``."""
    format: str
    alt: str
    """Empty: what the recording says."""


def picture_of(options: dict[str, Any], source: str, view: str, settings: Settings, env: BuildEnvironment) -> Picture:
    """The picture that a directive's options describe.  Raises InputError, which names the option."""
    theme = _choice(options, "theme", settings.figure_theme, THEMES)
    form = _choice(options, "format", settings.figure_format, FORMATS)
    parse.parse_view(view)
    size = parse.parse_size(_text(options, "size"), view) if "size" in options else settings.figure_size
    scale = parse.parse_scale(_text(options, "scale")) if "scale" in options else settings.figure_scale
    callouts = parse.parse_callouts(line.strip() for line in str(options.get("callout") or "").splitlines() if line.strip())
    spec = FigureSpec(
        source=source,
        view=view,
        focus=_text(options, "focus"),
        at=_text(options, "at"),
        layout=find_layout(env, _text(options, "layout")) if _text(options, "layout") else "",
        size=size,
        # vectors have no pixels, and their names must not differ by them
        scale=scale if form == "png" else 1.0,
        theme="light" if theme == AUTO else theme,
        lang=lang_of(options, settings),
        callouts=callouts,
        crop=_text(options, "crop"),
        filter=_text(options, "filter"),
    )
    parse.check(spec, f".{form}")
    return Picture(spec, theme, form, " ".join(_text(options, "alt").split()))


def lang_of(options: dict[str, Any], settings: Settings) -> str:
    """The language that a directive's options ask for, else the project's.  Raises InputError."""
    return parse.parse_lang(_text(options, "lang")) if _text(options, "lang") else settings.lang


def _text(options: dict[str, Any], name: str) -> str:
    return str(options.get(name) or "").strip()


def _choice(options: dict[str, Any], name: str, otherwise: str, allowed: tuple[str, ...]) -> str:
    return parse.parse_choice(name, _text(options, name) if name in options else otherwise, allowed)
