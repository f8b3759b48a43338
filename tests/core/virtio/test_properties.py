"""What holds whatever a driver does: bounded work, no exception, no byte written that was not given; and good drivers lose nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.rig import BUFFERS_AT, PROFILES, Rig
from tests.core.virtio import hostile
from tests.core.virtio.hostile import SIZE, run_program

EXAMPLES = 3000 if os.environ.get("RINGSCOPE_DEEP") else 40
queue = st.integers(0, 2)
slot = st.integers(0, SIZE - 1)
address = st.one_of(st.integers(0, 63).map(lambda i: BUFFERS_AT + 256 * i), st.sampled_from(hostile.ADDRESSES), st.integers(0, 2**64 - 1))
length = st.one_of(st.integers(1, 256), st.sampled_from(hostile.LENGTHS))
flags = st.one_of(st.sampled_from(hostile.FLAGS), st.integers(0, 65535))
small = st.one_of(st.integers(0, SIZE), st.integers(0, 65535))
word = st.one_of(st.sampled_from(hostile.VALUES), st.integers(0, 2**32 - 1))
access = st.sampled_from([1, 2, 4, 8])
action: Any = st.one_of(
    st.tuples(st.just("desc"), queue, slot, address, length, flags, small),
    st.tuples(st.just("packed"), queue, slot, address, length, flags, small),
    st.tuples(st.just("table"), st.integers(0, 7).map(lambda i: 16 * i), st.lists(st.tuples(address, length, flags, small), min_size=1, max_size=6)),
    st.tuples(st.just("avail"), queue, small, st.lists(small, min_size=SIZE, max_size=SIZE)),
    st.tuples(st.just("mem"), queue, st.integers(0, 2), st.integers(0, 150), st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("kick"), st.one_of(queue, st.integers(0, 1023)), st.sampled_from([1, 2, 4])),
    st.tuples(st.just("kick"), queue, st.just(2)),
    st.tuples(st.just("turns"), st.integers(1, 3)),
    st.tuples(st.just("frame"), st.binary(max_size=300)),
    st.tuples(st.just("bar"), st.just(4), st.sampled_from(hostile.COMMON_OFFSETS), access, word),
    st.tuples(st.just("bar"), st.just(1), st.integers(0, 4095), access, word),
    st.tuples(st.just("bar"), st.just(0), st.integers(0, 31), st.sampled_from([1, 2, 4]), word),
    st.tuples(st.just("read"), st.sampled_from([0, 1, 4]), st.integers(0, 4095), st.sampled_from([1, 2, 4])),
    st.tuples(st.just("cfg"), st.integers(0, 255), st.sampled_from([1, 2, 4]), word),
    st.sampled_from([("hold", True), ("hold", False), ("stop",), ("cont",)]),
)
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=QUIET)
@given(
    program=st.lists(action, max_size=30),
    features=st.sampled_from(hostile.FEATURES),
    option=st.sampled_from(["", "tx=timer", "ioeventfd=off"]),
    profile=st.sampled_from(PROFILES),
)
def test_nothing_a_driver_does_with_split_rings_hurts(program: list[hostile.Action], features: int, option: str, profile: str) -> None:
    rig = Rig(option, profile=profile)
    rig.start(features, SIZE)
    run_program(rig, program)
    rig.assert_fold()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=QUIET)
@given(program=st.lists(action, max_size=30), features=st.sampled_from(hostile.PACKED_FEATURES), option=st.sampled_from(["", "tx=timer,ioeventfd=off"]))
def test_nothing_a_driver_does_with_packed_rings_hurts(program: list[hostile.Action], features: int, option: str) -> None:
    rig = Rig(option, profile="7.2", packed=True)
    rig.start(features, SIZE)
    assert rig.n.packed
    run_program(rig, program)
    rig.assert_fold()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("profile", PROFILES)
def test_programs_by_chance(profile: str, packed: bool) -> None:
    if packed and profile == "4.1":
        pytest.skip("4.1 has no packed rings")
    for seed in range(3000 if os.environ.get("RINGSCOPE_DEEP") else 25):
        rig = Rig(profile=profile, packed=packed)
        features = Random(seed).choice(hostile.PACKED_FEATURES if packed else hostile.FEATURES)
        rig.start(features, SIZE)
        try:
            run_program(rig, hostile.random_program(seed, packed))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


@pytest.mark.parametrize("profile", PROFILES)
def test_programs_by_chance_with_any_features(profile: str) -> None:
    """Offloads, several queues, hashing, coalescing: any subset of what is offered, with a peer that has headers too."""
    option = "mq=on,vectors=6,guest_rsc_ext=on" + (",rss=on,hash=on,packed=on" if profile == "7.2" else "")
    for seed in range(3000 if os.environ.get("RINGSCOPE_DEEP") else 25):
        choose = Random(seed)
        rig = Rig(option, profile=profile, peers=2, vnet_hdr=choose.random() < 0.7)
        offered = int(rig.n.host_features) & 2**64 - 1
        features = offered & (choose.getrandbits(64) | choose.getrandbits(64) | 1 << 32)
        rig.start(features, SIZE, pairs=2 if features >> 22 & 1 or features >> 60 & 1 else 1)
        try:
            run_program(rig, hostile.random_program(seed, bool(rig.n.packed)))
            rig.assert_fold()
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


def outcomes(pure: bool) -> list[str]:
    """What the digests are, with the model as source or compiled."""
    environment = {name: value for name, value in os.environ.items() if name != "RINGSCOPE_PURE"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    if pure:
        environment["RINGSCOPE_PURE"] = "1"
    last = "400" if os.environ.get("RINGSCOPE_DEEP") else "25"
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.virtio.digest", "0", last], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def test_compiled_equals_pure() -> None:
    """The same programs end in the same memory, events and messages, whether integers wrap at 64 bits or grow."""
    native = outcomes(pure=False)
    if native[0] != "compiled":
        pytest.skip("there is no compiled core here")
    source = outcomes(pure=True)
    assert source[0] == "pure"
    assert native[1:] == source[1:]
