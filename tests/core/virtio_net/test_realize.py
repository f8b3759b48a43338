"""Realizing the device: what it makes, QEMU's errors, and nothing left after them."""

from __future__ import annotations

import pytest

from ringscope_core.hw.virtio import virtio
from ringscope_core.qom.errp import Errp
from tests.core.virtio.bare import Bare


def test_one_pair_and_the_control_queue() -> None:
    bare = Bare(ready=False)
    n = bare.n
    assert bare.errp.error is None
    assert [(vq.vring_num, vq.handle_output.name) for vq in n.vq[:3] if vq.handle_output is not None] == [
        (256, "virtio_net_handle_rx"),
        (256, "virtio_net_handle_tx_bh"),
        (64, "virtio_net_handle_ctrl"),
    ]
    assert virtio.virtio_get_num_queues(n) == 3
    assert (n.config_size, n.mac, n.promisc, n.link_status) == (8, b"\x52\x54\x00\x12\x34\x56", 1, 1)
    # no vnet_hdr: the offload features are not offered (facts, 3.9)
    assert n.host_features & 0xFFFFFFFF == 0x79BF8064 & ~(1 << 30)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"rx_queue_size": "100"}, "Invalid rx_queue_size (= 100), must be a power of 2 between 256 and 1024."),
        ({"rx_queue_size": "2048"}, "Invalid rx_queue_size (= 2048), must be a power of 2 between 256 and 1024."),
        ({"tx_queue_size": "300"}, "Invalid tx_queue_size (= 300), must be a power of 2 between 256 and 1024"),
        ({"duplex": "both"}, "'duplex' must be 'half' or 'full'"),
        ({"speed": "-2"}, "'speed' must be between 0 and INT_MAX"),
    ],
)
def test_errors_leave_nothing_behind(props: dict[str, str], message: str) -> None:
    bare = Bare(**props)
    assert bare.errp.error is not None
    assert bare.errp.error.text == message
    assert not bare.n.realized
    assert (bare.n.vq, bare.n.nic, bare.ctx.instruments, bare.ctx.vm_state_handlers) == ([], None, [], [])
    assert [nc.name for nc in bare.ctx.net.clients] == ["n0"]
    assert bare.peer.peer is None


@pytest.mark.parametrize(
    ("props", "size", "extra"),
    [({}, 8, b""), ({"mq": "on"}, 10, b"\1\0"), ({"host_mtu": "1400"}, 12, b"\1\0\x78\5"), ({"speed": "1000", "duplex": "full"}, 17, b"\1\0\0\0\xe8\3\0\0\1")],
)
def test_the_configuration_space_ends_with_the_last_field_offered(props: dict[str, str], size: int, extra: bytes) -> None:
    bare = Bare(ready=False, **props)
    whole = bytes(virtio.virtio_config_modern_read(bare.n, i, 1) for i in range(size))
    assert whole == b"\x52\x54\x00\x12\x34\x56\x01\x00" + extra
    assert virtio.virtio_config_modern_read(bare.n, size, 1) == 0xFF


def test_an_unknown_tx_warns() -> None:
    bare = Bare(tx="both")
    assert bare.world.messages == ['warning: virtio-net: Unknown option tx=both, valid options: "timer" "bh"', 'Defaulting to "bh"']
    assert bare.n.vqs[0].tx_bh is not None


def test_queue_sizes_up_to_1024_but_transmit_stays_at_256() -> None:
    bare = Bare(ready=False, rx_queue_size="1024", tx_queue_size="1024")
    assert [vq.vring_num for vq in bare.n.vq[:3]] == [1024, 256, 64]


def test_unrealize_undoes_everything() -> None:
    bare = Bare()
    bare.send(bytes(60))
    errp = Errp()
    bare.n.property_set_bool(False, "realized", errp)
    assert errp.error is None
    assert (bare.n.vq, bare.n.nic, bare.ctx.instruments, bare.ctx.vm_state_handlers) == ([], None, [], [])
    assert [nc.name for nc in bare.ctx.net.clients] == ["n0"]
