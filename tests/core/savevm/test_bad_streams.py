"""Streams that no device wrote: they load to a consistent machine or say what is wrong; nothing raises, hangs, or grows without bound."""

from __future__ import annotations

import os
import tracemalloc
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope_core.hw.savevm.device import load
from tests.core.life.inventory import inventory
from tests.core.rig import EVENT_IDX, MRG, PROFILES, V1, Rig
from tests.core.savevm.saving import device_state, fresh, picture
from tests.core.virtio.hostile import check

CTRL = 1 << 17
FRAME = bytes(range(60))
EXAMPLES = 3000 if os.environ.get("RINGSCOPE_DEEP") else 60


def busy_machine(profile: str, packed: bool = False) -> Rig:
    """A device with something in every section of its state."""
    rig = Rig(profile=profile, packed=packed)
    rig.start(V1 | MRG | CTRL | EVENT_IDX | 1 << 19)
    rig.settle()
    rig.command(1, 0, b"\1\0\0\0\2\0\0\0\0\1\0\0\0\0")
    for head in range(5):
        rig.send(FRAME, head)
        rig.give(head)
    rig.arrive(FRAME)
    return rig


SOURCES = {profile: busy_machine(profile) for profile in PROFILES}
STATES = {profile: device_state(rig) for profile, rig in SOURCES.items()}
IMAGES = {profile: rig.image() for profile, rig in SOURCES.items()}


def target(profile: str) -> Rig:
    """A machine with the same memory, ready to load."""
    other = fresh(SOURCES[profile])
    other.machine.stop()
    other.machine.memory.view[:] = IMAGES[profile]
    other.sizes = dict(SOURCES[profile].sizes)
    return other


def after(other: Rig, error: str) -> None:
    """What holds after any load."""
    check(other)
    if error:
        assert other.status() == 0 or int(other.n.status) == 0
        assert not other.n.broken and int(other.n.guest_features) == 0
        assert all(int(vq.vring_desc) == 0 for vq in other.n.vq)
    other.assert_fold()
    other.machine.cont()
    other.churn(5)
    check(other)
    other.machine.cfg_write(4 << 3, 4, 2, 7)
    other.place_bars_as_they_were()
    other.start_again()
    other.peer.frames.clear()
    other.send(FRAME)
    assert other.peer.frames == [FRAME], "a driver can always begin anew"


mutation = st.one_of(
    st.tuples(st.just("byte"), st.integers(0, 1 << 16), st.integers(0, 255)),
    st.tuples(st.just("word"), st.integers(0, 1 << 16), st.sampled_from([0, 1, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])),
    st.tuples(st.just("cut"), st.integers(0, 1 << 16), st.integers(0, 64)),
    st.tuples(st.just("insert"), st.integers(0, 1 << 16), st.binary(min_size=1, max_size=20)),
    st.tuples(st.just("end"), st.integers(0, 1 << 16), st.just(0)),
)


def mutate(data: bytes, changes: list[tuple[str, int, object]]) -> bytes:
    """The stream with some things done to it."""
    out = bytearray(data)
    for what, where, value in changes:
        at = where % (len(out) + 1)
        if what == "byte" and at < len(out):
            out[at] = value  # type: ignore[assignment]
        elif what == "word":
            out[at : at + 4] = value.to_bytes(4, "little")  # type: ignore[attr-defined]
        elif what == "cut":
            del out[at : at + value]  # type: ignore[operator]
        elif what == "insert":
            out[at:at] = value  # type: ignore[assignment]
        elif what == "end":
            del out[at:]
    return bytes(out)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(mutation, min_size=1, max_size=4), profile=st.sampled_from(PROFILES))
def test_a_changed_stream_loads_or_says_why_not(changes: list[tuple[str, int, object]], profile: str) -> None:
    other = target(profile)
    after(other, load(other.proxy, mutate(STATES[profile], changes)))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_byte_changed(profile: str) -> None:
    choose = Random(1)
    step = 1 if os.environ.get("RINGSCOPE_DEEP") else 23
    other = target(profile)
    for at in range(0, len(STATES[profile]), step):
        data = bytearray(STATES[profile])
        data[at] ^= 1 << choose.randrange(8)
        load(other.proxy, bytes(data))
        check(other)
    after(other, load(other.proxy, STATES[profile][:100]))


@pytest.mark.parametrize("profile", PROFILES)
def test_every_length(profile: str) -> None:
    other = target(profile)
    step = 1 if os.environ.get("RINGSCOPE_DEEP") else 29
    for length in range(0, len(STATES[profile]), step):
        assert load(other.proxy, STATES[profile][:length]), length
    assert "bytes too many" in load(other.proxy, STATES[profile] + b"\0")
    assert load(other.proxy, STATES[profile]) == ""
    assert picture(other) == picture(SOURCES[profile])


@pytest.mark.parametrize("profile", PROFILES)
def test_bad_streams_leave_nothing_behind(profile: str) -> None:
    other = target(profile)
    load(other.proxy, STATES[profile][:500])
    before = inventory(other.machine)
    for seed in range(200):
        choose = Random(seed)
        data = bytearray(STATES[profile])
        for _ in range(3):
            data[choose.randrange(len(data))] = choose.randrange(256)
        load(other.proxy, bytes(data))
        load(other.proxy, STATES[profile][:500])
    assert inventory(other.machine) == before


def test_what_a_stream_claims_is_not_allocated() -> None:
    other = target("4.1")
    data = STATES["4.1"]
    tracemalloc.start()
    for at in range(0, len(data) - 4, 31):
        load(other.proxy, data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :])
        other.log.flush()
        other.sink.rows.clear()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_machine_streams() -> None:
    rig = busy_machine("4.1")
    data = rig.machine.save_state()
    other = fresh(rig)
    assert other.machine.load_state(b"") == "machine: truncated, 4 bytes are needed and 0 are left"
    assert other.machine.load_state(b"RSVX" + data[4:]) == "machine: not the state of a machine"
    assert other.machine.load_state(data[:4] + b"\7\0" + data[6:]) == "machine: version 7 is not 1"
    assert other.machine.load_state(data + b"\0") == "machine: 1 bytes too many"
    assert other.machine.load_state(data[:-6]).startswith("machine: ")
    renamed = data.replace(b"/machine/peripheral/net0", b"/machine/peripheral/net1")
    assert other.machine.load_state(renamed) == "Unknown savevm section or instance '/machine/peripheral/net1'"
    assert other.image() == bytes(len(other.image()))
    alone = fresh(rig, plug=False)
    assert alone.machine.load_state(data) == "Unknown savevm section or instance '/machine/peripheral/net0'"
    empty = alone.machine.save_state()
    assert other.machine.load_state(empty) == "machine: nothing is there of /machine/peripheral/net0"
    assert other.machine.load_state(data) == ""
    assert other.image() == rig.image()
    for seed in range(40):
        choose = Random(seed)
        bad = bytearray(data)
        bad[choose.randrange(300)] ^= 1 << choose.randrange(8)
        other.machine.load_state(bytes(bad))
        check(other)
