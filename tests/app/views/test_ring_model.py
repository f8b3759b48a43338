"""The numbers behind the Rings view."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope.views.rings.geometry import LABEL_HEIGHT, RingGeometry, spread
from ringscope.views.rings.model import AVAILABLE, IN_FLIGHT, STATES, USED, flag_words, queue_word, vring_need_event
from ringscope.views.rings.paint import runs
from ringscope.views.rings.split import SplitSnapshot
from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE
from tests.app.views.ring_states import descriptor, make_ring

U16 = st.integers(0, 0xFFFF)


def snapshot(**places: int) -> SplitSnapshot:
    """A snapshot of a hand-made ring of 16."""
    image, fields = make_ring(16, **places)
    return SplitSnapshot(0x16000, image, fields)


def test_states_follow_the_indices() -> None:
    """Published, taken and given back heads have their states; the rest is free."""
    snap = snapshot(avail=70010, last_avail=70007, used=70005, last_used=70001)
    by_word = dict(zip(STATES, snap.counts, strict=True))
    assert by_word == {"free": 7, "available": 3, "in flight": 2, "used": 4}
    assert [int(snap.states[k % 16]) for k in range(70001, 70010)] == [USED] * 4 + [IN_FLIGHT] * 2 + [AVAILABLE] * 3
    assert snap.consistent
    assert (snap.pending_avail(), snap.pending_used()) == (3, 4)


def test_indices_have_free_running_and_modulo_value() -> None:
    """Eight indices, each with its value modulo 65536 and its slot."""
    snap = snapshot(avail=70010, last_avail=70007, used=70005, last_used=70001, used_event=4466, avail_event=4470)
    found = {index.name: (index.value, index.slot, index.side) for index in snap.indices()}
    assert found == {
        "avail.idx": (4474, 10, "driver"),
        "shadow_avail_idx": (4474, 10, "device"),
        "last_avail_idx": (4471, 7, "device"),
        "avail_event": (4470, 6, "device"),
        "used.idx": (4469, 5, "device"),
        "signalled_used": (4469, 5, "device"),
        "last_used_idx": (4465, 1, "driver"),
        "used_event": (4466, 2, "driver"),
    }


def test_places_of_a_head_are_not_stale_ones() -> None:
    """A head's entries of an earlier trip round the ring are not its places."""
    snap = snapshot(avail=20, last_avail=18, used=17, last_used=15)
    assert snap.avail_place_of(19 % 16) == 19 % 16
    assert snap.used_place_of(19 % 16) == -1
    assert snap.used_place_of(16 % 16) == 0


@given(event=U16, new=U16, old=U16)
def test_need_event_is_the_specifications(event: int, new: int, old: int) -> None:
    """vring_need_event says whether the step from old to new passes event (virtio 1.3, 2.7.10)."""
    steps = (new - old) & 0xFFFF
    passed = steps > 0 and (event - old) & 0xFFFF < steps
    assert vring_need_event(event, new, old) is passed


def test_verdict_of_the_next_push() -> None:
    """With used_event at the next entry the push interrupts; further on it does not; without a valid signalled_used it does."""
    at_next = snapshot(avail=8, last_avail=6, used=5, last_used=5, used_event=5).event_indices()[0]
    beyond = snapshot(avail=8, last_avail=6, used=5, last_used=5, used_event=6).event_indices()[0]
    assert (at_next.notifies, beyond.notifies) == (True, False)
    image, fields = make_ring(16, avail=8, last_avail=6, used=5, last_used=5, used_event=6)
    from ringscope_core.trace.state import F_SIGNALLED_VALID

    fields[int(F_SIGNALLED_VALID)] = 0
    assert SplitSnapshot(1, image, fields).event_indices()[0].notifies


def test_chain_with_indirect_table() -> None:
    """The table's entries follow the head, and the head's own NEXT counts no more."""
    image, fields = make_ring(16, avail=4, last_avail=4, used=3, last_used=3)
    image.desc[48:64] = descriptor(0x5000, 48, DESC_F_INDIRECT | DESC_F_NEXT, 9)
    image.indirect[3] = bytearray(descriptor(0x6000, 12, DESC_F_NEXT, 2) + descriptor(0, 0, 0, 0) + descriptor(0x7000, 1500, DESC_F_WRITE, 0))
    chain = SplitSnapshot(1, image, fields).chain(3)
    assert [(item.slot, item.length, item.indirect) for item in chain] == [(3, 48, False), (0, 12, True), (2, 1500, True)]
    assert flag_words(chain[0].flags) == "NEXT INDIRECT"


def test_looping_chain_ends() -> None:
    """A chain that loops is cut, and the ring is called inconsistent when the driver published it."""
    image, fields = make_ring(16, avail=4, last_avail=3, used=3, last_used=3)
    image.desc[48:64] = descriptor(0x5000, 10, DESC_F_NEXT, 3)
    snap = SplitSnapshot(1, image, fields)
    assert len(snap.chain(3)) == 1
    assert not snap.consistent


@pytest.mark.parametrize(("short", "word"), [("rx0", "receiveq0"), ("tx3", "transmitq3"), ("ctrl", "controlq"), ("#7", "#7")])
def test_queue_words(short: str, word: str) -> None:
    """The specification's queue names."""
    assert queue_word(short) == word


@given(st.lists(st.integers(0, 3), max_size=60))
def test_runs_cover_everything_once(values: list[int]) -> None:
    """Runs are maximal and cover the array."""
    found = runs(np.array(values, dtype=np.uint8))
    assert [value for value, _, count in found for _ in range(count)] == values
    assert all(a[0] != b[0] for a, b in itertools.pairwise(found))


@given(st.lists(st.floats(0, 600), max_size=8))
def test_labels_do_not_overlap(wanted: list[float]) -> None:
    """Eight labels find room without overlapping, in order and inside."""
    ys = spread(sorted(wanted), LABEL_HEIGHT, 0, 600)
    assert all(b - a >= LABEL_HEIGHT - 1e-6 for a, b in itertools.pairwise(ys))
    assert all(LABEL_HEIGHT / 2 - 1e-6 <= y <= 600 - LABEL_HEIGHT / 2 + 1e-6 for y in ys)


@given(slot=st.integers(0, 255), band=st.sampled_from(["avail", "desc", "used"]))
def test_a_point_leads_back_to_its_slot(slot: int, band: str) -> None:
    """Painting and pointing agree on where a slot is."""
    from PySide6.QtCore import QRectF

    geo = RingGeometry(QRectF(0, 0, 900, 600), 256, snapshot(avail=0, last_avail=0, used=0, last_used=0).bands())
    inner, outer = geo.bands[band]
    hit = geo.hit(geo.point(slot + 0.5, (inner + outer) / 2))
    assert hit is not None
    assert (hit.band, hit.slot) == (band, slot)
