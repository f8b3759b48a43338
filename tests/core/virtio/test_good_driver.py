"""A driver that keeps the rules: each chain comes back once, in order, with what belongs in it; saved and moved at any moment."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.rig import EVENT_IDX, MRG, PACKED, V1, Rig
from tests.core.savevm.saving import moved
from tests.core.virtio.good_driver import GoodQueue

EXAMPLES = 1500 if os.environ.get("RINGSCOPE_DEEP") else 40
SIZE = 16
CTRL = 1 << 17
BUFFERS = 0x100000
SLOT = 0x800


def in_order(some: list[bytes], every: list[bytes]) -> bool:
    """Whether `some` are among `every`, in their order, none twice."""
    rest = iter(every)
    return all(any(one == other for other in rest) for one in some)


step: Any = st.one_of(
    st.tuples(st.just("send"), st.lists(st.integers(1, 200), min_size=1, max_size=5), st.booleans()),
    st.tuples(st.just("send"), st.lists(st.integers(1, 200), min_size=1, max_size=2), st.booleans()),
    st.tuples(st.just("give"), st.lists(st.integers(12, 200), min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just("give"), st.lists(st.integers(600, 1200), min_size=1, max_size=1), st.booleans()),
    st.tuples(st.just("frame"), st.integers(1, 400)),
    st.tuples(st.just("hold"), st.booleans()),
    st.tuples(st.just("turns"), st.integers(1, 3)),
    st.sampled_from([("take",), ("stop",), ("cont",), ("move",)]),
)


class Story:
    """One run: what was sent and given, and what came of it."""

    def __init__(self, option: str, features: int, profile: str) -> None:
        self.rig = Rig(option, profile=profile, packed=bool(features & PACKED))
        self.rig.start(features, SIZE)
        self.rig.settle()
        self.tx = GoodQueue(self.rig, 1, SIZE)
        self.rx = GoodQueue(self.rig, 0, SIZE)
        self.sent: dict[int, bytes] = {}
        """Frames by number of the chain, in order."""
        self.heard: list[bytes] = []
        self.given: dict[int, list[tuple[int, int]]] = {}
        self.came: list[bytes] = []
        self.offered: list[bytes] = []
        """Every frame that came from the network, those with it that wait for buffers."""
        self.count = 0
        self.place = 0
        self.moves = 0
        self.used_tx = 0

    def memory(self, length: int) -> int:
        """A place for a buffer; places come round again long after the ring has."""
        self.place = (self.place + 1) % 0x300
        return BUFFERS + self.place * SLOT

    def perform(self, action: tuple[Any, ...]) -> None:
        """One step of either side."""
        what = action[0]
        if what == "send":
            self.send(action[1], action[2])
        elif what == "give":
            self.give(action[1], action[2])
        elif what == "frame":
            self.count += 1
            frame = self.count.to_bytes(4, "big") * (action[1] // 4 + 1)
            self.offered.append(frame)
            self.rig.arrive(frame)
        elif what == "hold":
            self.rig.peer.busy = action[1]
            if not action[1]:
                self.rig.release()
        elif what == "turns":
            self.rig.churn(action[1])
        elif what == "take":
            self.take()
        elif what == "stop":
            self.rig.machine.stop()
        elif what == "cont":
            self.rig.machine.cont()
        elif what == "move":
            self.move()

    def send(self, lengths: list[int], indirect: bool) -> None:
        if self.tx.room() < (1 if indirect else len(lengths) + 1):
            return
        self.count += 1
        frame = b""
        buffers = []
        at = self.memory(12)
        self.rig.write(at, bytes(12))
        buffers.append((at, 12, False))
        for length in lengths:
            piece = self.count.to_bytes(4, "big") * (length // 4 + 1)
            at = self.memory(length)
            self.rig.write(at, piece[:length])
            frame += piece[:length]
            buffers.append((at, length, False))
        self.tx.add(buffers, indirect)
        self.sent[self.count] = frame
        self.rig.kick(1)

    def give(self, lengths: list[int], indirect: bool) -> None:
        if self.rx.room() < (1 if indirect else len(lengths)):
            return
        parts = [(self.memory(length), length) for length in lengths]
        for at, length in parts:
            self.rig.write(at, b"\xa5" * (length + 16))
        ident = self.rx.add([(at, length, True) for at, length in parts], indirect)
        self.given[ident] = parts
        self.rig.kick(0)

    def take(self) -> None:
        self.used_tx += len(self.tx.take())
        pending = b""
        left = 0
        for ident, length in self.rx.take():
            parts = self.given.pop(ident)
            data = b"".join(self.rig.read(at, size) for at, size in parts)[:length]
            for at, size in parts:
                assert self.rig.read(at + size, 16) == b"\xa5" * 16, "written beyond a buffer"
            if left == 0:
                left = int.from_bytes(data[10:12], "little") if self.rig.n.mergeable_rx_bufs else 1
                pending = data[12:]
            else:
                pending += data
            left -= 1
            if left == 0:
                self.came.append(pending)
        assert left == 0, "a frame's buffers become used together"

    def move(self) -> None:
        self.heard += self.rig.peer.frames
        self.rig = moved(self.rig)
        self.tx.rig = self.rx.rig = self.rig
        self.moves += 1

    def end(self, stopped: bool, held: bool) -> None:
        """Let everything finish, then look at the books.

        Stopping ends what waits in the network, as in QEMU: frames for the driver that had no buffers, and the frame that the peer
        holds back.
        """
        lossy = stopped and held
        rig = self.rig
        rig.machine.cont()
        rig.release()
        for _ in range(3):
            rig.kick(1)
            rig.kick(0)
            rig.settle()
        self.take()
        heard = self.heard + rig.peer.frames
        frames = list(self.sent.values())
        if lossy:
            assert in_order(heard, frames)
        else:
            assert heard == frames
        assert self.tx.out == {} and self.used_tx == len(frames)
        assert int(rig.vq(1).inuse) == 0
        assert int(rig.vq(0).inuse) == 0
        waiting = [packet.frame for packet in rig.n.nic_queue(0).incoming_queue.packets]
        assert in_order(self.came, self.offered) if stopped else self.came + waiting == self.offered
        assert not rig.messages()
        rig.assert_fold()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    steps=st.lists(step, min_size=8, max_size=50),
    option=st.sampled_from(["", "tx=timer", "ioeventfd=off,x-txburst=2"]),
    layout=st.sampled_from(
        [("4.1", V1 | MRG), ("4.1", V1 | MRG | EVENT_IDX), ("7.2", V1 | MRG), ("7.2", V1 | MRG | PACKED), ("7.2", V1 | MRG | PACKED | EVENT_IDX)]
    ),
)
def test_each_chain_comes_back_once(steps: list[tuple[Any, ...]], option: str, layout: tuple[str, int]) -> None:
    story = Story(option, layout[1], layout[0])
    for action in steps:
        story.perform(action)
    story.end(any(action[0] in ("stop", "move") for action in steps), ("hold", True) in steps)
