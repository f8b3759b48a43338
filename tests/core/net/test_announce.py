"""Announcing: the frame, the rounds and their distance, who takes part."""

from __future__ import annotations

import itertools

import pytest

from ringscope_core.net.announce import AnnounceParameters, SelfAnnouncer, announce_frame, qemu_announce_self
from ringscope_core.net.client import NetClientState
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_net_client_setup, qemu_new_nic
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

MS = 1_000_000
MAC = bytes.fromhex("525400123456")


class Wire(NetClientState):
    """Keeps what comes, and whether it came with a header; may refuse."""

    def __init__(self, host: NetHost, name: str) -> None:
        super().__init__(host, "wire", name, "wire")
        self.raw: list[tuple[int, bytes]] = []
        self.cooked: list[bytes] = []
        self.full = False

    def receive(self, frame: bytes) -> int:
        self.cooked.append(frame)
        return len(frame)

    def receive_raw(self, frame: bytes) -> int:
        if self.full:
            return 0
        self.raw.append((int(self.host.loop.clock.now_ns), frame))
        return len(frame)


class Nic(NetClientState):
    def __init__(self, host: NetHost, name: str) -> None:
        super().__init__(host, "nic", name)
        self.announced = 0

    def announce(self) -> None:
        self.announced += 1


class Lan:
    def __init__(self, *names: str) -> None:
        self.clock = Clock()
        self.host = NetHost(EventLog(self.clock), MainLoop(self.clock))
        self.wires = [Wire(self.host, f"w{name}") for name in names]
        self.nics = [Nic(self.host, name) for name in names]
        for wire, nc in zip(self.wires, self.nics, strict=True):
            qemu_net_client_setup(wire)
            qemu_new_nic([nc], [wire]).mac = MAC

    def run_until(self, ms: int) -> None:
        loop = self.host.loop
        while 0 <= loop.next_deadline_ns() <= ms * MS:
            self.clock.advance_to(loop.next_deadline_ns())
            loop.run_timers()
        self.clock.advance_to(ms * MS)


def test_the_frame_is_a_reverse_arp_request() -> None:
    frame = announce_frame(MAC)
    assert frame.hex() == "f" * 12 + MAC.hex() + "8035" + "0001080006040003" + MAC.hex() + "00000000" + MAC.hex() + "00000000" + "00" * 18


def test_rounds_grow_apart_up_to_the_maximum() -> None:
    lan = Lan("a")
    qemu_announce_self(SelfAnnouncer(lan.host), AnnounceParameters(50, 220, 5, 100))
    lan.run_until(10_000)
    assert [at // MS for at, _ in lan.wires[0].raw] == [0, 50, 200, 420, 640]
    assert lan.wires[0].cooked == []
    assert lan.nics[0].announced == 5


@pytest.mark.parametrize(("step", "pauses"), [(-60, [50, 1000, 1000]), (1 << 62, [50, 1000, 1000]), (0, [50, 50, 50])])
def test_steps_out_of_range_are_the_maximum(step: int, pauses: list[int]) -> None:
    lan = Lan("a")
    qemu_announce_self(SelfAnnouncer(lan.host), AnnounceParameters(50, 1000, 4, step))
    lan.run_until(100_000)
    times = [at // MS for at, _ in lan.wires[0].raw]
    assert [b - a for a, b in itertools.pairwise(times)] == pauses


def test_a_new_call_replaces_the_one_under_way_and_none_rounds_end_it() -> None:
    lan = Lan("a")
    announcer = SelfAnnouncer(lan.host)
    qemu_announce_self(announcer, AnnounceParameters(50, 50, 5, 0))
    lan.run_until(60)
    qemu_announce_self(announcer, AnnounceParameters(10, 10, 2, 0))
    lan.run_until(1000)
    assert [at // MS for at, _ in lan.wires[0].raw] == [0, 50, 60, 70]
    qemu_announce_self(announcer, AnnounceParameters(10, 10, 3, 0))
    qemu_announce_self(announcer, AnnounceParameters(10, 10, 0, 0))
    lan.run_until(2000)
    assert len(lan.wires[0].raw) == 5


def test_only_those_named() -> None:
    lan = Lan("a", "b")
    params = AnnounceParameters(50, 50, 1, 0)
    params.interfaces = ["b", "nobody"]
    qemu_announce_self(SelfAnnouncer(lan.host), params)
    assert [len(wire.raw) for wire in lan.wires] == [0, 1]
    assert [nc.announced for nc in lan.nics] == [0, 1]


def test_a_frame_that_waits_stays_raw() -> None:
    lan = Lan("a")
    wire = lan.wires[0]
    wire.full = True
    qemu_announce_self(SelfAnnouncer(lan.host), AnnounceParameters(50, 50, 1, 0))
    assert wire.raw == []
    wire.full = False
    wire.receive_disabled = False
    wire.incoming_queue.flush()
    assert [frame for _, frame in wire.raw] == [announce_frame(MAC)]
