"""The breakpoints: list, edit, enable, and what those said that only log."""

from __future__ import annotations

from ringscope.views.breakpoints.view import BreakpointsView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(
    name="breakpoints",
    title=later("Breakpoints"),
    icon="breakpoints",
    area="right",
    make=BreakpointsView,
    tip=later("Breakpoints of the live run or of the recording, and what they logged"),
)
