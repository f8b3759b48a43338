"""Transmitting: bottom half, timer, burst limit, a peer that holds frames back, link and machine states."""

from __future__ import annotations

import pytest

from ringscope_core.hw.virtio import virtio
from ringscope_core.net.net import qemu_flush_queued_packets, qemu_set_link
from tests.core.virtio.bare import BUFFERS_AT, MRG, V1, WRITE, Bare

FRAME = bytes(range(60))


def post(bare: Bare, *heads: int) -> None:
    """Publish frames without a kick."""
    for head in heads:
        bare.write(BUFFERS_AT + 0x1000 * head, bytes(12) + FRAME)
        bare.desc(1, head, BUFFERS_AT + 0x1000 * head, 72)
    bare.publish(1, *heads)


def test_the_bottom_half_sends_later() -> None:
    bare = Bare()
    post(bare, 0)
    virtio.virtio_queue_notify(bare.n, 1)
    assert bare.peer.frames == []
    assert bare.n.vqs[0].tx_waiting
    assert not bare.vq(1).notification
    bare.settle()
    assert bare.peer.frames == [FRAME]
    assert not bare.n.vqs[0].tx_waiting
    assert bare.vq(1).notification


def test_the_burst_limit_makes_rounds() -> None:
    bare = Bare(x__txburst="2")
    post(bare, *range(5))
    virtio.virtio_queue_notify(bare.n, 1)
    bare.ctx.loop.run_bottom_halves()
    assert len(bare.peer.frames) == 2
    bare.settle()
    assert len(bare.peer.frames) == 5


def test_the_timer_waits_and_a_second_kick_does_not() -> None:
    bare = Bare(tx="timer")
    post(bare, 0)
    virtio.virtio_queue_notify(bare.n, 1)
    assert (bare.peer.frames, bare.ctx.loop.next_deadline_ns()) == ([], 150000)
    post(bare, 1)
    virtio.virtio_queue_notify(bare.n, 1)
    assert len(bare.peer.frames) == 2
    post(bare, 2)
    virtio.virtio_queue_notify(bare.n, 1)
    bare.ctx.clock.advance_to(150000)
    bare.settle()
    assert len(bare.peer.frames) == 3


def test_a_frame_that_the_peer_holds_back_stays_in_flight() -> None:
    bare = Bare()
    bare.peer.busy = True
    post(bare, 0, 1)
    bare.kick(1)
    assert (bare.used(1), bare.vq(1).inuse, bare.n.vqs[0].async_tx) == ([], 1, 0)
    assert not bare.vq(1).notification
    bare.peer.busy = False
    qemu_flush_queued_packets(bare.peer)
    bare.settle()
    assert (len(bare.peer.frames), bare.used(1), bare.n.vqs[0].async_tx) == (2, [(0, 0), (1, 0)], -1)


def test_without_a_peer_frames_are_used_and_counted_as_dropped() -> None:
    bare = Bare(peer=False)
    post(bare, 0)
    bare.kick(1)
    counters = bare.vq(1).counters
    assert counters is not None
    assert (bare.used(1), counters.packets, counters.drops) == ([(0, 0)], 1, 1)


def test_a_chain_shorter_than_the_header_is_a_device_error_where_qemu_aborts() -> None:
    bare = Bare()
    bare.desc(1, 0, BUFFERS_AT, 4)
    bare.publish(1, 0)
    bare.kick(1)
    assert bare.n.status == 0x4F
    assert bare.world.messages == ["virtio-net header incorrect"]
    assert bare.vq(1).inuse == 0


def test_with_the_link_down_everything_is_used_unsent() -> None:
    bare = Bare()
    qemu_set_link([bare.n.nc()], False)
    assert bare.n.link_status == 0
    assert bare.n.isr == 3
    post(bare, 0, 1)
    bare.kick(1)
    assert (bare.peer.frames, bare.used(1)) == ([], [(0, 0), (1, 0)])
    qemu_set_link([bare.n.nc()], True)
    post(bare, 2)
    bare.kick(1)
    assert bare.peer.frames == [FRAME]


def test_a_stopped_machine_sends_when_it_goes_on() -> None:
    bare = Bare()
    bare.ctx.set_vm_running(False)
    post(bare, 0)
    bare.kick(1)
    assert bare.peer.frames == []
    bare.ctx.set_vm_running(True)
    bare.settle()
    assert bare.peer.frames == [FRAME]


@pytest.mark.parametrize("features", [V1 | MRG, V1, MRG, 0])
def test_the_header_is_cut_off_by_the_negotiated_length(features: int) -> None:
    bare = Bare(features)
    assert bare.n.guest_hdr_len == (12 if features else 10)
    bare.send(FRAME)
    assert bare.peer.frames == [FRAME]


def test_writable_buffers_behind_the_frame_are_left_alone() -> None:
    bare = Bare()
    bare.write(BUFFERS_AT, bytes(12) + FRAME)
    bare.desc(1, 0, BUFFERS_AT, 72, 1, 1)
    bare.desc(1, 1, BUFFERS_AT + 0x1000, 50, WRITE)
    bare.publish(1, 0)
    bare.kick(1)
    assert bare.peer.frames == [FRAME]
    assert bare.read(BUFFERS_AT + 0x1000, 50) == bytes(50)
