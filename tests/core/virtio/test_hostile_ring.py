"""Any byte anywhere in the rings: the device answers with virtio_error or does its work, and keeps to the buffers it was given."""

from __future__ import annotations

import os
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.virtio.bare import BUFFERS_AT, EVENT_IDX, INDIRECT, MRG, NEXT, V1, WRITE, Bare

EXAMPLES = 2000 if os.environ.get("RINGSCOPE_DEEP") else 25

ABOVE_RINGS = 0x50000
"""Buffers may be anywhere from here on, so that what lies below the rings may not change."""

descriptor = st.tuples(
    st.one_of(st.integers(BUFFERS_AT, BUFFERS_AT + 0x4000), st.integers(ABOVE_RINGS, 2**64 - 1), st.just(0x3FFFF0)),
    st.one_of(st.integers(0, 200), st.integers(0, 2**32 - 1)),
    st.one_of(st.sampled_from([0, NEXT, WRITE, WRITE | NEXT, INDIRECT]), st.integers(0, 65535)),
    st.one_of(st.integers(0, 7), st.integers(0, 65535)),
)
FRAMES = st.lists(st.binary(max_size=300), max_size=3)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    table=st.lists(descriptor, min_size=8, max_size=8),
    heads=st.lists(st.one_of(st.integers(0, 7), st.integers(0, 65535)), min_size=8, max_size=8),
    idx=st.one_of(st.integers(0, 8), st.integers(0, 65535)),
    features=st.sampled_from([V1 | MRG, V1, MRG, 0, V1 | MRG | EVENT_IDX]),
    queue=st.sampled_from([0, 1, 2]),
    frames=FRAMES,
)
def test_hostile_rings(table: list[tuple[int, int, int, int]], heads: list[int], idx: int, features: int, queue: int, frames: list[bytes]) -> None:
    bare = Bare(features, size=8)
    vq = bare.vq(queue)
    before = vq.used_idx
    for slot, (addr, length, flags, following) in enumerate(table):
        bare.desc(queue, slot, addr, length, flags, following)
    bare.write(vq.vring_avail, struct.pack("<HH8H", 0, idx, *heads))
    image = bytes(bare.ctx.memory.read(0, 0x10000))
    bare.kick(queue)
    for frame in frames:
        bare.arrive(frame)
    assert bare.read(0, 0x10000) == image, "nothing below the rings was given to the device"
    assert 0 <= vq.inuse <= vq.vring_num
    assert (vq.last_avail_idx - vq.used_idx) & 0xFFFF == vq.inuse or bare.n.broken
    # every element that came back was taken before
    assert (vq.used_idx - before) & 0xFFFF <= (vq.last_avail_idx - 0) & 0xFFFF
    if bare.n.broken:
        assert bare.world.messages


@settings(max_examples=EXAMPLES, deadline=None)
@given(order=st.permutations(range(8)), lengths=st.lists(st.integers(13, 400), min_size=8, max_size=8), burst=st.integers(1, 8))
def test_no_descriptor_is_used_twice_or_lost(order: list[int], lengths: list[int], burst: int) -> None:
    bare = Bare(V1 | MRG | EVENT_IDX, size=8)
    for head in range(8):
        bare.desc(1, head, BUFFERS_AT + 512 * head, lengths[head])
    for start in range(0, 8, burst):
        bare.publish(1, *order[start : start + burst])
        bare.kick(1)
    assert [head for head, _ in bare.used(1)] == list(order)
    assert [len(frame) + 12 for frame in bare.peer.frames] == [lengths[head] for head in order]
