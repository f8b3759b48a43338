"""The registry of views: one line each.

A view's module is imported when it is first asked for, so that the window comes up before the heavy ones load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ringscope.words import later

if TYPE_CHECKING:
    from ringscope.views.spec import ViewSpec

ALL_VIEWS: Final = ("types", "objects", "realize", "rings", "throughput", "events")
"""The views, in the order of their tabs and hotkeys; each is a package ``ringscope.views.<name>`` that exports ``VIEW``."""
PANELS: Final = ("typetree", "inspector", "breakpoints", "notebook", "timeline")
"""Views that stand beside the others all the time; made and registered in the same way."""
TITLES: Final[dict[str, tuple[str, str]]] = {
    "types": (later("Types"), "types"),
    "objects": (later("Objects"), "objects"),
    "realize": (later("Realize"), "realize"),
    "rings": (later("Rings"), "rings"),
    "throughput": (later("Throughput"), "throughput"),
    "events": (later("Events"), "events"),
    "typetree": (later("Type tree"), "types"),
    "inspector": (later("Inspector"), "inspector"),
    "breakpoints": (later("Breakpoints"), "breakpoints"),
    "notebook": (later("Notebook"), "note"),
    "timeline": (later("Time"), "time"),
}
"""Title and icon of each, in the order of the menu: known without importing the views."""


def load_view(name: str) -> ViewSpec:
    """The view or panel `name`; KeyError when the registry does not list it."""
    if name not in (*ALL_VIEWS, *PANELS):
        raise KeyError(name)
    # not above: the names of the views are asked for where no Qt is wanted
    from ringscope.views.spec import ViewSpec

    spec = import_module(f"ringscope.views.{name}").VIEW
    assert isinstance(spec, ViewSpec)
    return spec
