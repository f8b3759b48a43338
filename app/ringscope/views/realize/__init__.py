"""The realize as gdb shows it and as a nested timeline, with checkpoints and the fields each call wrote."""

from __future__ import annotations

from ringscope.views.realize.view import RealizeView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(
    name="realize",
    title=later("Realize"),
    icon="realize",
    area="center",
    make=RealizeView,
    tip=later("Call stack and nested timeline of the realize, checkpoints, fields written"),
)
