"""Which layout a ring has decides once what the whole view shows of it."""

from __future__ import annotations

from ringscope.views.rings.model import RingSnapshot
from ringscope.views.rings.packed import PackedSnapshot
from ringscope.views.rings.split import SplitSnapshot
from ringscope_core.trace.state import RingImage


def ring_snapshot(oid: int, image: RingImage, fields: dict[int, int]) -> RingSnapshot:
    """The snapshot of ring `oid` from its memory and its fields."""
    return PackedSnapshot(oid, image, fields) if image.packed else SplitSnapshot(oid, image, fields)
