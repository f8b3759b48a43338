"""Checks what people write about figures, for the command line, files of figures and Sphinx directives alike.  Needs no Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ringscope.figures.files import check_writable
from ringscope.figures.spec import ANIMATIONS, FIGURE_THEMES, PICTURES, TEXTS, Callout, FigureSpec, TextSpec, parse_callout
from ringscope.views import ALL_VIEWS, PANELS
from ringscope.words import LANGUAGES
from ringscope_core.query.suggest import suggestion
from ringscope_core.scenario.errors import InputError

WINDOW: Final = "window"
VIEW_NAMES: Final = (WINDOW, *ALL_VIEWS, *PANELS)
"""What can be drawn."""
TABLE_VIEWS: Final = (*ALL_VIEWS, *PANELS)
"""What has a table twin."""
MIN_SIZE: Final = (120, 80)
"""Of a view or a panel alone."""
MIN_WINDOW: Final = (960, 600)
"""The window gets no smaller."""
MAX_SIZE: Final = (8192, 8192)
MIN_SCALE: Final = 0.25
MAX_SCALE: Final = 8.0
MAX_PIXELS: Final = 1 << 27
"""Of one image: 512 MB of memory while it is drawn."""


def did_you_mean(wrong: str, known: Iterable[str], kind: str = "") -> str:
    """`` (did you mean a?)``, with `kind` before the known word that is near `wrong`; "" when none is."""
    meant = suggestion(wrong, known)
    return f" (did you mean {kind}{meant}?)" if meant else ""


def one_of(known: Iterable[str], wrong: str = "") -> str:
    """``one of a, b, c``, and which of them is near `wrong`."""
    names = list(known)
    return f"one of {', '.join(names)}{did_you_mean(wrong, names)}"


def parse_choice(field: str, text: str, known: Iterable[str]) -> str:
    """`text`, which must be one of `known`; raises InputError for `field`."""
    names = list(known)
    if text not in names:
        raise InputError(field, text, one_of(names))
    return text


def parse_view(text: str) -> str:
    """The name of a view, a panel, or ``window``; raises InputError."""
    return parse_choice("view", text, VIEW_NAMES)


def parse_table_view(text: str) -> str:
    """The name of a view or a panel, whose table is printed; raises InputError."""
    return parse_choice("view", text, TABLE_VIEWS)


def parse_theme(text: str) -> str:
    """light, dark or print; raises InputError."""
    return parse_choice("theme", text, FIGURE_THEMES)


def parse_lang(text: str) -> str:
    """en or zh; raises InputError."""
    return parse_choice("lang", text, LANGUAGES)


def parse_size(text: str, view: str = "") -> tuple[int, int]:
    """``WxH`` in logical pixels; raises InputError."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    if found is None:
        raise _wrong_size(text, view)
    size = int(found.group(1)), int(found.group(2))
    check_size(size, view)
    return size


def check_size(size: tuple[int, int], view: str = "") -> None:
    """Raise InputError for a size that is too small for `view` or too large."""
    least = least_size(view)
    if not (least[0] <= size[0] <= MAX_SIZE[0] and least[1] <= size[1] <= MAX_SIZE[1]):
        raise _wrong_size(f"{size[0]}x{size[1]}", view)


def least_size(view: str) -> tuple[int, int]:
    """The smallest width and height of a picture of `view`."""
    return MIN_WINDOW if view == WINDOW else MIN_SIZE


def _wrong_size(text: str, view: str) -> InputError:
    least = least_size(view)
    return InputError("size", text, f"WIDTHxHEIGHT from {least[0]}x{least[1]} to {MAX_SIZE[0]}x{MAX_SIZE[1]}")


def parse_scale(text: str | float) -> float:
    """Pixels of the image for each logical one; raises InputError."""
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise InputError("scale", text, f"a number from {MIN_SCALE} to {MAX_SCALE:g}")
    return scale


def parse_callouts(texts: Iterable[str]) -> tuple[Callout, ...]:
    """``TARGET:TEXT`` each; raises InputError."""
    return tuple(parse_callout(text) for text in texts)


def parse_output(path: str | Path, suffixes: tuple[str, ...] = (*PICTURES, *TEXTS)) -> Path:
    """The file to write: its name ends in one of `suffixes`, its folder exists.  Raises InputError."""
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise InputError("output", str(path), f"a file name ending in {' or '.join(suffixes)}")
    if not path.absolute().parent.is_dir():
        raise InputError("output", str(path), "a file in a folder that exists")
    if path.is_dir():
        raise InputError("output", str(path), "a file, not a folder")
    check_writable(path.parent, "output", path)
    return path


def check(spec: FigureSpec, suffix: str = ".svg") -> None:
    """Raise InputError for a picture that cannot be, as far as that shows without its recording."""
    parse_view(spec.view)
    parse_theme(spec.theme)
    parse_lang(spec.lang)
    parse_scale(spec.scale)
    check_size(spec.size, spec.view)
    suffix = suffix.lower()
    if suffix not in (*PICTURES, *ANIMATIONS):
        raise InputError("format", suffix, f"one of {', '.join((*PICTURES, *ANIMATIONS))}")
    if suffix not in (".svg", ".pdf") and spec.size[0] * spec.size[1] * spec.scale**2 > MAX_PIXELS:
        raise InputError("scale", spec.scale, f"at most {MAX_PIXELS:,} pixels of the whole image: a smaller scale or size")
    if spec.layout:
        if spec.view != WINDOW:
            raise InputError("layout", spec.layout, f"given with the view window only, not with {spec.view}")
        if not Path(spec.layout).is_file():
            raise InputError("layout", spec.layout, "a layout file that exists")


def check_text(spec: TextSpec, suffix: str = ".txt") -> None:
    """Raise InputError for a transcript that cannot be, as far as that shows without its recording."""
    if suffix.lower() not in TEXTS:
        raise InputError("format", suffix, f"one of {', '.join(TEXTS)}")
    if bool(spec.commands) == bool(spec.view):
        raise InputError("text", ", ".join(spec.commands) or "nothing", "either commands or a view")
    if spec.view:
        parse_table_view(spec.view)
    if any(not command.strip() for command in spec.commands):
        raise InputError("text", "", "a command, such as bt or info qtree")
    parse_lang(spec.lang)
