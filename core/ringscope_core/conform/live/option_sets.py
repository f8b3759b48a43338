"""Which devices are tried: machine types, option sets, peers."""

from __future__ import annotations

import random
from typing import Final

from ringscope_core.conform.case import CaseConfig, PeerSpec

RAM: Final = 2 << 20
BASE: Final = {"romfile": "", "ioeventfd": "off"}
"""No ROM BAR; a kick is handled inside the notifying write."""
SWITCHES: Final = (
    *("csum", "gso", "guest_csum", "guest_tso4", "guest_ufo", "host_tso4", "mrg_rxbuf", "status", "ctrl_vq", "ctrl_rx", "ctrl_vlan"),
    *("ctrl_rx_extra", "ctrl_mac_addr", "ctrl_guest_offloads", "guest_announce", "event_idx", "indirect_desc", "any_layout"),
)
"""On by default; a device without one is tried now and then."""
EXTRAS: Final = (
    {"vectors": "0"},
    {"vectors": "1"},
    {"vectors": "2"},
    {"vectors": "8"},
    {"disable-modern": "on"},
    {"disable-legacy": "on"},
    {"page-per-vq": "on"},
    {"modern-pio-notify": "on"},
    {"rx_queue_size": "512"},
    {"rx_queue_size": "1024"},
    {"tx": "timer"},
    {"x-txburst": "1"},
    {"x-txburst": "4"},
    {"host_mtu": "1400"},
    {"mac": "52:54:00:0a:0b:0c"},
    {"speed": "1000", "duplex": "full"},
    {"iommu_platform": "on"},
    {"multifunction": "on"},
)
NEWER: Final = ({"packed": "on"}, {"queue_reset": "on"}, {"rss": "on"}, {"hash": "on"}, {"rss": "on", "hash": "on"})


def _peer(rng: random.Random) -> PeerSpec:
    kind = rng.choices(("stream", "dgram", "none", "hub", "socket", "tap", "tap-mq", "tap-plain"), (40, 12, 8, 6, 6, 16, 10, 2))[0]
    if kind == "tap":
        return PeerSpec("tap", 1, True)
    if kind == "tap-mq":
        return PeerSpec("tap", rng.choice((2, 2, 3, 4)), True)
    if kind == "tap-plain":
        return PeerSpec("tap", 1, False)
    return PeerSpec(kind)


def random_config(board: random.Random, rng: random.Random, profile: str, with_tap: bool) -> CaseConfig:
    """One device; without a C compiler no tap."""
    newer = profile != "4.1"
    chipset = "q35" if board.random() < 0.1 else "i440fx"
    machine = f"pc-{chipset}-{'7.2' if newer and board.random() < 0.2 else '4.1'}"
    peer = _peer(board)
    if peer.kind == "tap" and not with_tap:
        peer = PeerSpec("stream")
    props = dict(BASE)
    if peer.queues > 1:
        props |= {"mq": "on", "vectors": str(2 * peer.queues + 2)}
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        props |= rng.choice(EXTRAS)
    if peer.vnet_hdr and rng.random() < 0.2:
        # a timer that does not expire: when it does is the host's business
        props |= {"guest_rsc_ext": "on", "rsc_interval": "4000000000"}
    if newer and rng.random() < 0.4:
        props["packed"] = "on"
    if newer and rng.random() < 0.15:
        props |= rng.choice(NEWER)
    if rng.random() < 0.25:
        for name in rng.sample(SWITCHES, rng.choice((1, 1, 2, 4))):
            props[name] = "off"
    device = rng.choices(("virtio-net-pci", "virtio-net-pci-transitional", "virtio-net-pci-non-transitional"), (88, 5, 7))[0]
    if device != "virtio-net-pci":
        for name in ("disable-modern", "disable-legacy"):
            props.pop(name, None)
    if props.get("disable-modern") == "on" and props.get("disable-legacy") == "on":
        del props["disable-legacy"]
    if props.get("disable-modern") == "on":
        for name in ("iommu_platform", "modern-pio-notify", "page-per-vq"):
            props.pop(name, None)
    if "iommu_platform" in props and device != "virtio-net-pci-non-transitional" and rng.random() < 0.9:
        # only a device without a legacy form takes it; that the others refuse it is seen now and then
        device = "virtio-net-pci-non-transitional"
        props.pop("disable-legacy", None)
    return CaseConfig(machine, device, props, peer, RAM)
