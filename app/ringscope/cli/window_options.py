"""Options that every verb with a window has."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ringscope.words import LANGUAGES

if TYPE_CHECKING:
    from ringscope.launch import WindowOptions

    SizeParam = click.ParamType[tuple[int, int]]
else:
    # generic only from click 8.3 on
    SizeParam = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])


class Size(SizeParam):
    """``WIDTHxHEIGHT`` in pixels."""

    name = "WxH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Two numbers."""
        words = str(value).lower().split("x")
        if len(words) != 2 or not all(word.isdigit() for word in words) or not all(300 <= int(word) <= 16384 for word in words):
            self.fail(f"{value!r} is not allowed; a size such as 1920x1080, from 300 to 16384 pixels", param, ctx)
        return int(words[0]), int(words[1])


def window_options(function: F) -> F:
    """Give a verb the options; it gets them as one argument ``window``."""

    @click.option("--theme", type=click.Choice(["light", "dark", "auto"]), default=None, help="Colours; auto follows the desktop.")
    @click.option("--size", type=Size(), default=None, metavar="WxH", help="The window's size in pixels.")
    @click.option("--view", default="", metavar="NAME", help="The view in front: types, objects, realize, rings, throughput, events.")
    @click.option("--lang", type=click.Choice(LANGUAGES), default=None, help="The window's language; without it the desktop's.")
    @click.option("--screenshot", type=click.Path(path_type=Path, dir_okay=False), default=None, hidden=True)
    @click.option("--after", "after_s", type=click.FloatRange(0.1, 3600), default=4.0, hidden=True)
    @click.option("--fps-report", type=click.Path(path_type=Path, dir_okay=False), default=None, hidden=True)
    @click.option("--watchdog", is_flag=True, hidden=True)
    @wraps(function)
    def with_options(*args: Any, **given: Any) -> Any:
        own = {name: given.pop(name) for name in ("theme", "size", "view", "lang", "screenshot", "after_s", "fps_report", "watchdog")}
        return function(*args, window=_options(own), **given)

    return with_options  # type: ignore[return-value]


def _options(given: dict[str, Any]) -> Callable[[], WindowOptions]:
    """The options as a function: `WindowOptions` is Qt's side of the house, and a verb may find that it has no display."""

    def make() -> WindowOptions:
        from ringscope.launch import WindowOptions
        from ringscope.views import TITLES
        from ringscope_core.scenario.errors import InputError

        if given["view"] and given["view"] not in TITLES:
            raise InputError("view", given["view"], f"one of {', '.join(TITLES)}")
        return WindowOptions(**{name: value for name, value in given.items() if value is not None})

    return make
