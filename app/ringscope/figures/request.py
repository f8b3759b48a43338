"""One figure as somebody asks for it: the words of the command line and of a file of figures, checked together and made a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ringscope.figures.parse import VIEW_NAMES, check, check_text, parse_callouts, parse_lang, parse_scale, parse_size, parse_theme, parse_view
from ringscope.figures.spec import DEFAULT_SIZE, PICTURES, TEXTS, FigureSpec, TextSpec
from ringscope_core.scenario.errors import InputError

PANEL_SIZES: Final = {
    "typetree": (420, 700),
    "inspector": (480, 900),
    "breakpoints": (1000, 320),
    "notebook": (900, 600),
    "timeline": (1600, 150),
}
"""Panels are made for places of other shapes than a view's."""
_PICTURE_WORDS: Final = ("layout", "size", "scale", "theme", "callouts", "crop")
"""What says nothing to a text."""
_NAMES: Final = {"callouts": "callout", "texts": "text"}
"""Options whose words stand in the singular."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was written; "" and () for what was not."""

    source: str
    view: str = ""
    focus: str = ""
    at: str = ""
    layout: str = ""
    size: str = ""
    scale: str = ""
    theme: str = ""
    lang: str = ""
    callouts: tuple[str, ...] = ()
    crop: str = ""
    filter: str = ""
    texts: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """``key=value`` changes of the scenario."""


def spec_of(words: Words, suffix: str) -> FigureSpec | TextSpec:
    """The figure that `words` ask for as a file of type `suffix`; raises InputError naming the option."""
    suffix = suffix.lower()
    if suffix in TEXTS:
        return _text(words, suffix)
    if words.texts:
        raise InputError("text", words.texts[0], f"given with an output file ending in {' or '.join(TEXTS)}: commands print, they draw nothing")
    return picture_of(words, suffix)


def picture_of(words: Words, suffix: str) -> FigureSpec:
    """The picture that `words` ask for, or the pictures of an animation; raises InputError."""
    if not words.view:
        raise InputError("view", "", f"one of {', '.join(VIEW_NAMES)}")
    view = parse_view(words.view)
    size = parse_size(words.size, view) if words.size else PANEL_SIZES.get(view, DEFAULT_SIZE)
    spec = FigureSpec(
        words.source,
        view,
        focus=words.focus,
        at=words.at,
        layout=words.layout,
        size=size,
        scale=parse_scale(words.scale) if words.scale else 1.0,
        theme=parse_theme(words.theme) if words.theme else "light",
        lang=parse_lang(words.lang) if words.lang else "en",
        callouts=parse_callouts(words.callouts),
        crop=words.crop,
        filter=words.filter,
    )
    check(spec, suffix)
    return spec


def _text(words: Words, suffix: str) -> TextSpec:
    for name in _PICTURE_WORDS:
        value = getattr(words, name)
        if value:
            shown = value if isinstance(value, str) else value[0]
            raise InputError(_NAMES.get(name, name), shown, f"given with a picture ({', '.join(PICTURES)}) only, not with {suffix}")
    if not words.texts and not words.view:
        raise InputError("text", "", f"a command such as bt, or a view whose table is printed (for {suffix})")
    if words.texts and words.view:
        raise InputError("view", words.view, "left out where commands are given: a text is of commands or of a view")
    spec = TextSpec(words.source, words.texts, words.view, words.focus, words.at, parse_lang(words.lang) if words.lang else "en", words.filter)
    check_text(spec, suffix)
    return spec
