"""What a figure is: the words that the command line, a file of figures and the Sphinx directives share.

Every picture is made from a `FigureSpec`, every transcript from a `TextSpec`; both are plain values, so that two of them can be
compared and one of them names an entry of the cache.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from ringscope_core.scenario.errors import InputError

DEFAULT_SIZE: Final = (1600, 1000)
DEFAULT_FPS: Final = 25
"""Pictures a second of an animation."""
FIGURE_THEMES: Final = ("light", "dark", "print")
PICTURES: Final = (".png", ".svg", ".pdf")
ANIMATIONS: Final = (".gif", ".webp")
TEXTS: Final = (".rst", ".md", ".txt")
"""Suffixes of output files, by what they hold."""


class Callout(NamedTuple):
    """A remark at a place of a picture, with a line to it."""

    target: str
    """What it points at, in the view's own words: ``desc:5``, ``frame:virtio_init``, ``type:virtio-device``, ``row:3``, the name of a part."""
    text: str


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """One picture of a view of a scenario or a session."""

    source: str
    """A scenario that ships, a scenario file (.toml) or a session (.ringscope)."""
    view: str
    """A name of `ringscope.views`, or ``window``."""
    focus: str = ""
    """An object, ring or packet: a QOM path or its end, ``net0``, ``net0.rx0``, ``packet:7``.  Empty: what the view shows by itself."""
    at: str = ""
    """``1.5s``, ``seq:N``, ``mark:NAME``, ``break:FUNCTION``; empty: the telling moment of the view."""
    layout: str = ""
    """A layout file as the window saves it; only of ``window``."""
    size: tuple[int, int] = DEFAULT_SIZE
    """Width and height in logical pixels."""
    scale: float = 1.0
    """Pixels of the image for each logical one; nothing for vector files."""
    theme: str = "light"
    lang: str = "en"
    callouts: tuple[Callout, ...] = ()
    crop: str = ""
    """The name of a part of the view; only that part is drawn, at the size it has in the whole."""
    filter: str = ""
    """Of lists of events: an expression of the filter language."""

    def with_(self, **changes: Any) -> FigureSpec:
        """The same with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class TextSpec:
    """A transcript: what commands print at a moment of a scenario or a session, or the table of a view."""

    source: str
    commands: tuple[str, ...] = ()
    """Words of the console (``bt``, ``p *obj``), the monitor (``info qtree``), ``ring net0.tx0``, ``events FILTER``.

    They run in order, each where the one before ended.
    """
    view: str = ""
    """Instead of commands: the view whose table twin is printed."""
    focus: str = ""
    at: str = ""
    lang: str = "en"
    filter: str = ""
    """Of a view's list of events."""


def parse_callout(text: str) -> Callout:
    """``TARGET:TEXT``; the text starts behind the last ``:`` of the target, which itself may be ``desc:5``.  Raises InputError.

    A doubled colon is part of a name: ``type:memory-region::owner``.
    """
    target, mark, rest = _cut(text)
    if mark and target.strip() in KEYED_TARGETS:
        number, mark, rest = _cut(rest)
        target = f"{target.strip()}:{number.strip()}"
    if not (mark and target.strip() and rest.strip()):
        raise InputError("callout", text, "TARGET:TEXT, such as desc:5:the head of the chain")
    return Callout(target.strip(), rest.strip())


def _cut(text: str) -> tuple[str, str, str]:
    """As `str.partition` at the first colon that stands alone."""
    found = re.search(r"(?<!:):(?!:)", text)
    return (text[: found.start()], ":", text[found.end() :]) if found else (text, "", "")


KEYED_TARGETS: Final = (
    *("desc", "avail", "used", "chain", "queue"),
    *("frame", "call", "line", "checkpoint", "field"),
    *("type", "object", "row", "event", "column"),
    *("plot", "track", "mark", "tab", "part", "text"),
)
"""Targets that have a word behind them: ``desc:5``."""
