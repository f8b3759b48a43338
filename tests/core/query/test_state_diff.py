"""Differences of states, in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringscope_core.query.recording import Recording
from ringscope_core.query.state_diff import state_diff
from ringscope_core.session.keyframes import copy
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.fields import field
from ringscope_core.trace.state import F_LAST_AVAIL, MachineState, ObjectState, RingImage
from tests.core.session.recording import RING, make


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    path = tmp_path_factory.mktemp("diff") / "a.ringscope"
    make(path, 300)
    with SessionReader(path) as reader:
        yield Recording(reader)


def words(recording: Recording, a: MachineState, b: MachineState, **options: bool) -> list[str]:
    return [str(found) for found in state_diff(recording, a, b, **options)]


def test_a_moment_equals_itself(recording: Recording) -> None:
    assert state_diff(recording, 100, 100) == []


def test_one_packet_in_words(recording: Recording) -> None:
    found = [str(row) for row in state_diff(recording, 9, 15)]
    assert "00:04.0 rx0 avail.idx (byte 2): 1 -> 2" in found
    assert "00:04.0 rx0 used.idx (byte 2): 1 -> 2" in found
    assert any(line.startswith("00:04.0 rx0 descriptor ") and " addr (byte " in line for line in found)
    assert "00:04.0 rx0 VirtQueue.last_avail_idx: 1 -> 2" in found
    assert any(line.startswith("00:04.0 rx0 used.ring[1].len (byte 16): 0 -> 60") for line in found)


def test_both_ways_agree(recording: Recording) -> None:
    forward, back = state_diff(recording, 4, 90), state_diff(recording, 90, 4)
    assert [(d.where, d.new, d.old) for d in forward] == [tuple(d) for d in back]
    assert len(state_diff(recording, 4, 90, limit=3)) == 3


def test_calls_objects_and_fields(recording: Recording) -> None:
    a = recording.reader.state_at(20)
    b = copy(a)
    b.run_state = 2
    b.stack.append([3, 77, 0, 0, 0, 0, 19])
    b.objects[1].ref = 5
    b.objects[9] = ObjectState(0, 0, 8)
    b.fields[1] = {field("VirtIODevice.status"): 0x0F}
    b.fields[RING][F_LAST_AVAIL] = 0
    del b.rings[RING]
    found = words(recording, a, b)
    assert found[0] == "run state: running -> paused"
    assert found[1].startswith("call frame 1 (outermost is 0): absent -> ")
    assert found[1].endswith("line 77")
    assert any(line.endswith(" references: 1 -> 5") for line in found)
    assert any(line.endswith(" VirtIODevice.status: 0x0 -> 0xf") for line in found)
    assert any(line.endswith(" VirtQueue.last_avail_idx: 3 -> 0") for line in found)
    assert found[-1] == "00:04.0 rx0 ring memory: 64 descriptors -> absent"


def test_addresses_count_only_when_asked_for(recording: Recording) -> None:
    a = recording.reader.state_at(20)
    b = copy(a)
    b.objects[1].addr += 0x1000
    assert len(words(recording, a, b)) == 1
    assert words(recording, a, b, addresses=False) == []
    b.objects[1].addr = 0
    assert words(recording, a, b, addresses=False)[0].endswith(" address: an address -> NULL")


def test_packed_and_indirect(recording: Recording) -> None:
    a, b = MachineState(), MachineState()
    a.rings[RING], b.rings[RING] = RingImage(8, 0, 0, 0, True), RingImage(8, 0, 0, 0, True)
    b.rings[RING].desc[16 * 3 + 12] = 7
    b.rings[RING].used[2] = 1
    b.rings[RING].indirect[5] = bytearray(32)
    assert words(recording, a, b) == [
        "00:04.0 rx0 descriptor 3 id (byte 60): 0 -> 7",
        "00:04.0 rx0 device event suppression.flags (byte 2): 0 -> 1",
        "00:04.0 rx0 indirect table of head 5: absent -> 2 descriptors",
    ]
