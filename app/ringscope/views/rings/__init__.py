"""Each virtqueue as a ring and as a table: slot states, indices, event index, chains and their bytes."""

from __future__ import annotations

from ringscope.views.rings.view import RingsView
from ringscope.views.spec import ViewSpec
from ringscope.words import later

VIEW = ViewSpec(
    name="rings",
    title=later("Rings"),
    icon="rings",
    area="center",
    make=RingsView,
    tip=later("Virtqueues, split and packed: descriptors, indices, event suppression, chains to bytes"),
)
