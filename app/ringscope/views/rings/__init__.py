"""Each virtqueue as a ring and as a table: slot states, indices, event index, chains and their bytes."""

from __future__ import annotations

from ringscope.views.rings.view import RingsView
from ringscope.views.spec import ViewSpec

VIEW = ViewSpec(
    name="rings",
    title="Rings",
    icon="rings",
    area="center",
    make=RingsView,
    tip="Virtqueues, split and packed: descriptors, indices, event suppression, chains to bytes",
)
