"""The breakpoints: list, edit, enable, and what those said that only log."""

from __future__ import annotations

from ringscope.views.breakpoints.view import BreakpointsView
from ringscope.views.spec import ViewSpec

VIEW = ViewSpec(
    name="breakpoints",
    title="Breakpoints",
    icon="breakpoints",
    area="right",
    make=BreakpointsView,
    tip="Breakpoints of the live run or of the recording, and what they logged",
)
