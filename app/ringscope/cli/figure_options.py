"""Options that every verb that draws has: what is shown, of what moment, and how."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from ringscope.cli.scenario_options import ScenarioOptions, scenario_options
from ringscope.figures.request import Words

F = TypeVar("F", bound=Callable[..., Any])


def figure_options(function: F) -> F:
    """Give a verb the argument SCENARIO|SESSION and the options; it gets them as one argument ``words``."""

    @click.argument("source", metavar="SCENARIO|SESSION")
    @click.option(
        "--view", "view", default="", metavar="NAME", help="What to draw: window, a view (types, objects, realize, rings, ...) or a panel (inspector, ...)."
    )
    @click.option(
        "--focus", "focus", default="", metavar="OBJECT", help="What it is about: net0, net0.tx0, net0.tx0[5], a QOM path, a type, packet:N, event:N."
    )
    @click.option("--layout", "layout", default="", metavar="FILE", help="A layout file as the window saves it; for the window.")
    @click.option("--size", "size", default="", metavar="WxH", help="Logical pixels; 1600x1000 for views.")
    @click.option("--scale", "scale", default="", metavar="2", help="Pixels of a PNG for each logical one.")
    @click.option("--theme", "theme", default="", metavar="T", help="light, dark or print.")
    @click.option("--lang", "lang", default="", metavar="L", help="en or zh.")
    @click.option("--callout", "callouts", multiple=True, metavar="TARGET:TEXT", help="A remark with a line to a place, such as desc:5:the head of the chain.")
    @click.option("--crop", "crop", default="", metavar="NAME", help="Only this part of the view.")
    @click.option("--filter", "filter_", default="", metavar="EXPR", help="Only these events, in views with a list of them.")
    @scenario_options
    @wraps(function)
    def with_options(*args: Any, source: str, filter_: str, options: ScenarioOptions, **rest: Any) -> Any:
        named = ("view", "focus", "layout", "size", "scale", "theme", "lang", "callouts", "crop")
        words = Words(source, filter=filter_, settings=tuple(options.all_settings), **{name: rest.pop(name) for name in named})
        return function(*args, words=words, **rest)

    return with_options  # type: ignore[return-value]
