"""RSS and hash report on the bare device of profile 7.2: which queue, which header, and the record of both."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio_net.rss import REPORT_NONE, REPORT_TCPV4, RssData, with_hash
from ringscope_core.hw.virtio_net.rss_ctrl import handle_mq_7_2, handle_rss
from ringscope_core.net.packet import ethernet, ipv4, tcp
from ringscope_core.net.toeplitz import toeplitz
from tests.core.virtio.bare import MRG, V1, Bare

KEY = bytes(range(40))
A, B = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
TCP4 = ethernet(bytes(6), bytes(6), 0x0800, ipv4(A, B, 6, tcp(A, B, 3, 4, 0, 0, 0, b"")))


def config(types: int, table: list[int], queues: int, key: bytes = KEY, unclassified: int = 0) -> bytes:
    """struct virtio_net_rss_config."""
    return struct.pack(f"<IHH{len(table)}HHB", types, len(table) - 1, unclassified, *table, queues, len(key)) + key


def test_the_hash_chooses_from_the_table() -> None:
    rss = RssData()
    rss.redirect, rss.key, rss.hash_types = True, KEY, 2
    rss.indirections_table = [5, 6, 7, 8]
    value = toeplitz(KEY, A + B + b"\0\3\0\4")
    assert rss.steer(0, TCP4, 0) == 5 + value % 4
    assert (rss.value, rss.report) == (value, REPORT_TCPV4)
    assert rss.steer(5 + value % 4, TCP4, 0) == -1
    rss.redirect = False
    assert rss.steer(0, TCP4, 0) == -1


def test_what_is_not_hashed_goes_to_the_unclassified_queue() -> None:
    rss = RssData()
    rss.redirect, rss.default_queue = True, 3
    assert rss.steer(0, TCP4, 0) == 3
    assert (rss.value, rss.report) == (0, REPORT_NONE)


def test_the_hash_lies_behind_num_buffers() -> None:
    assert with_hash(bytes(20) + b"frame", 0x01020304, 2) == bytes(12) + b"\4\3\2\1\2\0" + bytes(2) + b"frame"


def negotiated() -> Bare:
    bare = Bare()
    bare.n.v7_2 = True
    bare.n.guest_features |= 1 << f.VIRTIO_NET_F_RSS | 1 << f.VIRTIO_NET_F_HASH_REPORT
    bare.n.max_queues = 4
    bare.n.rss.populate_hash = True
    return bare


def test_a_short_key_leaves_the_rest_of_the_old_one() -> None:
    n = negotiated().n
    assert handle_rss(n, config(1, [0], 1), True) == 1
    assert handle_rss(n, config(1, [0], 1, b"\xff" * 3), True) == 1
    assert n.rss.key == b"\xff" * 3 + KEY[3:]


@pytest.mark.parametrize("size", range(len(config(1, [0, 1], 2))))
def test_no_cut_configuration_is_taken(size: int) -> None:
    n = negotiated().n
    assert handle_rss(n, config(1, [0, 1], 2)[:size], True) == 0
    assert not n.rss.enabled


def test_without_rss_the_data_path_takes_no_detour() -> None:
    bare = negotiated()
    assert not bare.n.rx_detour
    handle_rss(bare.n, config(1, [0], 1), True)
    bare.n.update_rx_detour()
    assert bare.n.rx_detour
    assert Bare(V1 | MRG).n.rx_detour is False


def test_a_frame_that_waits_is_hashed_when_the_command_lets_it_in() -> None:
    """Setting the number of pairs delivers what waits, inside the command that has just switched hashing on."""
    bare = Bare()
    n = bare.n
    n.v7_2 = True
    n.guest_features |= 1 << f.VIRTIO_NET_F_RSS
    n.multiqueue = True
    n.rss.redirect = True
    bare.arrive(TCP4)
    bare.give(0, 2000)
    assert handle_mq_7_2(n, 1, config(2, [0], 1)) == 0
    assert [length for _, length in bare.used(0)] == [12 + len(TCP4)]
    assert (n.rss.report, n.rss.value) == (REPORT_TCPV4, toeplitz(KEY, A + B + b"\0\3\0\4"))
