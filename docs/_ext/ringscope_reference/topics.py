"""Every topic of the directive: what makes its blocks, and which sources a page with it depends on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ringscope.cli.main import VERBS

from . import events, exports, fidelity, filters, packages, places, protocol, scenario, verbs, views
from .blocks import Block
from .declared import source_of

_MADE_FROM: Final[dict[str, tuple[Callable[[], list[Block]], tuple[str, ...]]]] = {
    "verbs": (verbs.verbs, ("ringscope.cli.main", *(f"ringscope.cli.{verb}" for verb in VERBS))),
    "views": (views.views, ("ringscope.views", "ringscope.views.spec")),
    "keys": (views.keys, ("ringscope.window_actions", "ringscope.window_debug_actions", "ringscope.window_time_actions")),
    "themes": (views.themes, ("ringscope.theme",)),
    "settings": (views.settings, ("ringscope.settings",)),
    "events": (events.events, ("ringscope_core.trace.kinds",)),
    "units": (events.units, ("ringscope_core.trace.kinds",)),
    "levels": (events.levels, ("ringscope_core.trace.levels",)),
    "filters": (filters.filters, ("ringscope_core.query.filters", "ringscope_core.trace.kinds")),
    "scenario": (scenario.scenario, ("ringscope_core.scenario.model", "ringscope_core.scenario.validate")),
    "shipped": (scenario.shipped, ("ringscope_core.scenario.shipped",)),
    "protocol": (protocol.commands, ("ringscope_core.engine.protocol", "ringscope_core.engine.control", "ringscope_core.hw.monitor_queries")),
    "breakpoints": (protocol.breakpoints, ("ringscope_core.query.point",)),
    "console": (protocol.console, ("ringscope_core.gdb.words",)),
    "exports": (exports.exports, ("ringscope_core.export.formats",)),
    "columns": (exports.columns, ("ringscope_core.export.tables", "ringscope_core.export.event_columns", "ringscope_core.trace.kinds")),
    "session": (exports.session, ("ringscope_core.session.schema", "ringscope_core.session.words")),
    "places": (places.places, places.SOURCES),
    "deviations": (fidelity.deviations, ()),
    "cases": (fidelity.cases, ()),
    "packages": (packages.packages, ()),
}

Topic = Callable[[], tuple[list[Block], list[str]]]


def _topic(make: Callable[[], list[Block]], modules: tuple[str, ...]) -> Topic:
    return lambda: (make(), [str(source_of(module)) for module in modules])


TOPICS: Final[dict[str, Topic]] = {name: _topic(make, modules) for name, (make, modules) in _MADE_FROM.items()}
