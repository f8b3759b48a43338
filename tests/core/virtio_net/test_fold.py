"""The fold of the events equals what the device says of itself, whatever was done to it."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

from ringscope_core.hw.virtio import virtio
from ringscope_core.net.net import qemu_flush_queued_packets, qemu_set_link
from ringscope_core.qom.errp import Errp
from ringscope_core.trace.log import ROW_DTYPE, BlockSink
from ringscope_core.trace.state import MachineState, Row, fold
from tests.core.virtio.bare import BUFFERS_AT, EVENT_IDX, MRG, V1, Bare
from tests.core.virtio_net.test_ctrl import command

FRAME = bytes(range(60))


class Rows(BlockSink):
    """Keeps every row as the fold wants it."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def on_block(self, first_seq: int, rows: bytes) -> None:
        self.rows.extend(tuple(row) for row in np.frombuffer(rows, dtype=np.dtype(ROW_DTYPE)).tolist())


class Watched(Bare):
    """A device whose events are kept from the first on."""

    def __init__(self, features: int = V1 | MRG | EVENT_IDX, **props: str) -> None:
        self.rows = Rows()
        super().__init__(features, **props)  # type: ignore[arg-type]

    def _register(self) -> None:
        self.log.sink = self.rows
        super()._register()

    def folded(self) -> MachineState:
        """What the events say."""
        self.log.flush()
        return fold(MachineState(), self.rows.rows)

    def itself(self) -> MachineState:
        """What the device says."""
        state = MachineState()
        self.world.snapshot(state)
        for instrument in self.ctx.instruments:
            instrument.snapshot(state)
        return state


def differences(one: MachineState, other: MachineState) -> list[str]:
    """Objects and fields that differ."""
    a, b = one.comparable(), other.comparable()
    out = [
        f"object {oid}: {a['objects'].get(oid)} / {b['objects'].get(oid)}"
        for oid in {*a["objects"], *b["objects"]}
        if a["objects"].get(oid) != b["objects"].get(oid)
    ]
    for oid in {*a["fields"], *b["fields"]}:
        x, y = a["fields"].get(oid, {}), b["fields"].get(oid, {})
        out += [f"{oid}.{number}: events {x.get(number)} device {y.get(number)}" for number in {*x, *y} if x.get(number) != y.get(number)]
    return out


def traffic(w: Watched) -> None:
    for head in range(3):
        w.send(FRAME, head=head)
        w.give(head + 10, 2000)
    w.arrive(FRAME)


def waiting(w: Watched) -> None:
    w.peer.busy = True
    w.send(FRAME, head=0)
    w.arrive(FRAME)


def released(w: Watched) -> None:
    waiting(w)
    w.peer.busy = False
    qemu_flush_queued_packets(w.peer)
    w.settle()


def broken(w: Watched) -> None:
    w.publish(1, 300)
    w.kick(1)


def bad_order(w: Watched) -> None:
    w.desc(1, 0, BUFFERS_AT, 20, 3, 1)
    w.desc(1, 1, BUFFERS_AT, 20)
    w.publish(1, 0)
    w.kick(1)


def reset(w: Watched) -> None:
    traffic(w)
    virtio.virtio_reset(w.n)


def link(w: Watched) -> None:
    qemu_set_link([w.n.nc()], False)
    w.send(FRAME)


def commands(w: Watched) -> None:
    command(w, 0, 0, b"\0")
    command(w, 1, 0, struct.pack("<I", 1) + bytes(6) + struct.pack("<I", 0))
    command(w, 2, 0, struct.pack("<H", 77))


def stopped(w: Watched) -> None:
    w.ctx.set_vm_running(False)
    w.send(FRAME)


def too_small(w: Watched) -> None:
    w.give(0, 30)
    w.arrive(FRAME)


def unrealized(w: Watched) -> None:
    traffic(w)
    w.n.property_set_bool(False, "realized", Errp())


@pytest.mark.parametrize("act", [traffic, waiting, released, broken, bad_order, reset, link, commands, stopped, too_small, unrealized])
@pytest.mark.parametrize("features", [V1 | MRG | EVENT_IDX, V1, 0, V1 | MRG | 1 << 19])
def test_the_fold_equals_the_device(act: Callable[[Watched], None], features: int) -> None:
    watched = Watched(features)
    act(watched)
    assert differences(watched.folded(), watched.itself()) == []


@pytest.mark.parametrize("props", [{"tx": "timer"}, {"host_mtu": "1400", "mq": "on"}, {"rx_queue_size": "100"}, {"duplex": "no"}, {"mac": "02:00:00:00:00:01"}])
def test_the_fold_equals_the_device_for_properties(props: dict[str, str]) -> None:
    watched = Watched(**props)
    if watched.errp.error is None:
        traffic(watched)
    assert differences(watched.folded(), watched.itself()) == []
