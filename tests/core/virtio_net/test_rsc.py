"""Receive segment coalescing: nothing of a stream is lost or moved, nothing is left behind when the device goes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio_net.rsc import rsc_enable, rsc_stats
from ringscope_core.net.packet import ethernet, ipv4, ipv6, tcp
from ringscope_core.net.parse import parse
from ringscope_core.qom.errp import Errp
from tests.core.virtio.bare import MRG, V1, WRITE, Bare

A4, B4 = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
A6, B6 = bytes(15) + b"\1", bytes(15) + b"\2"
ALL = 1 << f.VIRTIO_NET_F_RSC_EXT | 1 << f.VIRTIO_NET_F_GUEST_TSO4 | 1 << f.VIRTIO_NET_F_GUEST_TSO6


def segment(seq: int, data: bytes, flags: int = 16, v6: bool = False, port: int = 1) -> bytes:
    """A frame with the header of a tap in front."""
    source, destination = (A6, B6) if v6 else (A4, B4)
    body = tcp(source, destination, port, 80, seq & 0xFFFFFFFF, 7, flags, data)
    if v6:
        return bytes(12) + ethernet(bytes(6), bytes(6), 0x86DD, ipv6(source, destination, 6, body))
    return bytes(12) + ethernet(bytes(6), bytes(6), 0x0800, ipv4(source, destination, 6, body))


class Coalescing(Bare):
    """A device that coalesces, with buffers enough for one frame each."""

    def __init__(self, buffers: int = 200) -> None:
        super().__init__(V1 | MRG)
        self.n.host_hdr_len = self.n.guest_hdr_len
        self.n.rsc_timeout = 1000
        rsc_enable(self.n, ALL)
        for head in range(buffers):
            self.desc(0, head, 0x200000 + 4096 * head, 4096, WRITE)
        self.publish(0, *range(buffers))

    def got(self) -> list[tuple[bytes, bytes]]:
        """Header and frame of everything received; a frame lies in one buffer."""
        out = []
        for head, length in self.used(0):
            data = self.read(0x200000 + 4096 * head, length)
            out.append((data[:12], data[12:]))
        return out

    def timer(self) -> None:
        self.ctx.clock.advance_to(self.ctx.clock.now_ns + 1000)
        self.settle()


@pytest.mark.parametrize("v6", [False, True])
def test_segments_become_one_frame(v6: bool) -> None:
    bare = Coalescing()
    for i in range(4):
        bare.arrive(segment(100 * i, bytes([i]) * 100, v6=v6))
    assert bare.got() == []
    bare.timer()
    ((header, frame),) = bare.got()
    assert header == bytes((4, 4 if v6 else 1, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0))
    assert frame[-400:] == b"".join(bytes([i]) * 100 for i in range(4))
    (stats,) = rsc_stats(bare.n).values()
    assert (stats["received"], stats["coalesced"], stats["cache"], stats["timer"]) == (4, 3, 1, 1)


@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.sampled_from([16, 16, 16, 24, 17, 2]), st.integers(0, 1), st.sampled_from([0, 0, 0, 0, 5, -5]), st.booleans()),
        max_size=25,
    )
)
def test_every_byte_arrives_once_and_in_order(steps: list[tuple[int, int, int, int, bool]]) -> None:
    """What the driver gets of a flow is what came, cut otherwise at most."""
    bare = Coalescing()
    sent: dict[tuple[bool, int], list[tuple[int, bytes]]] = {}
    seqs = {(v6, port): 1000 for v6 in (False, True) for port in (0, 1)}
    for size, flags, port, skip, v6 in steps:
        seq = seqs[v6, port] + skip
        data = bytes((seq + i) * 7 & 0xFF for i in range(size))
        seqs[v6, port] = seq + size
        sent.setdefault((v6, port), []).append((seq, data))
        bare.arrive(segment(seq, data, flags, v6, port))
    bare.timer()
    assert not any(chain.segments for chain in bare.n.rsc_chains.values())
    received: dict[tuple[bool, int], list[tuple[int, bytes]]] = {}
    for _, frame in bare.got():
        parsed = parse(frame)
        v6 = parsed.ethertype == 0x86DD
        assert parsed.error in ("", "IPv4 header checksum")
        ip = 14 + (40 if v6 else 20)
        port, _, seq = struct.unpack(">HHI", frame[ip : ip + 8])
        received.setdefault((v6, port), []).append((seq, frame[ip + 20 :]))

    def bytes_of(pieces: list[tuple[int, bytes]]) -> list[tuple[int, int]]:
        return [(seq + i, byte) for seq, data in pieces for i, byte in enumerate(data)]

    # a SYN passes what is cached, so its bytes may come sooner
    key = sorted if any(flags == 2 for _, flags, _, _, _ in steps) else list
    assert {flow: key(bytes_of(pieces)) for flow, pieces in received.items()} == {flow: key(bytes_of(pieces)) for flow, pieces in sent.items()}


def test_unrealize_forgets_what_is_cached() -> None:
    bare = Coalescing()
    bare.arrive(segment(1, b"data"))
    bare.n.property_set_bool(False, "realized", Errp())
    assert (bare.n.rsc_chains, bare.ctx.loop.next_deadline_ns()) == ({}, -1)


def test_a_segment_without_a_buffer_is_lost_and_counted() -> None:
    bare = Coalescing(0)
    bare.arrive(segment(1, b"data"))
    bare.timer()
    assert rsc_stats(bare.n)["ip4"]["purge_failed"] == 1
    assert bare.got() == []
