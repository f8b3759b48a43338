"""Feature bits the driver knows (virtio 1.1 and 1.2, 5.1.3 and 6), and which of them it takes."""

from __future__ import annotations

from typing import Final

from ringscope_core.guest.config import LINUX, RX_BIG, RX_VECTOR, DriverConfig

F_CSUM: Final = 0
F_GUEST_CSUM: Final = 1
F_CTRL_GUEST_OFFLOADS: Final = 2
F_MTU: Final = 3
F_MAC: Final = 5
F_GUEST_TSO4: Final = 7
F_GUEST_TSO6: Final = 8
F_GUEST_ECN: Final = 9
F_GUEST_UFO: Final = 10
F_HOST_TSO4: Final = 11
F_HOST_TSO6: Final = 12
F_HOST_ECN: Final = 13
F_HOST_UFO: Final = 14
F_MRG_RXBUF: Final = 15
F_STATUS: Final = 16
F_CTRL_VQ: Final = 17
F_CTRL_RX: Final = 18
F_CTRL_VLAN: Final = 19
F_CTRL_RX_EXTRA: Final = 20
F_GUEST_ANNOUNCE: Final = 21
F_MQ: Final = 22
F_CTRL_MAC_ADDR: Final = 23
F_NOTIFY_ON_EMPTY: Final = 24
F_ANY_LAYOUT: Final = 27
F_INDIRECT_DESC: Final = 28
F_EVENT_IDX: Final = 29
F_VERSION_1: Final = 32
F_RING_PACKED: Final = 34
F_IN_ORDER: Final = 35
F_RING_RESET: Final = 40
F_HASH_REPORT: Final = 57
F_RSS: Final = 60
F_RSC_EXT: Final = 61
F_SPEED_DUPLEX: Final = 63

ALWAYS: Final = (F_MTU, F_MAC, F_STATUS, F_CTRL_VQ, F_CTRL_RX, F_CTRL_VLAN, F_GUEST_ANNOUNCE, F_MQ, F_CTRL_MAC_ADDR, F_VERSION_1, F_SPEED_DUPLEX)
"""What the driver takes whenever it is offered."""

NEEDS: Final = (
    (F_CTRL_RX, F_CTRL_VQ),
    (F_CTRL_VLAN, F_CTRL_VQ),
    (F_CTRL_RX_EXTRA, F_CTRL_VQ),
    (F_GUEST_ANNOUNCE, F_CTRL_VQ),
    (F_MQ, F_CTRL_VQ),
    (F_CTRL_MAC_ADDR, F_CTRL_VQ),
    (F_CTRL_GUEST_OFFLOADS, F_CTRL_VQ),
    (F_HASH_REPORT, F_CTRL_VQ),
    (F_RSS, F_CTRL_VQ),
    (F_GUEST_TSO4, F_GUEST_CSUM),
    (F_GUEST_TSO6, F_GUEST_CSUM),
    (F_GUEST_UFO, F_GUEST_CSUM),
    (F_HOST_TSO4, F_CSUM),
    (F_HOST_TSO6, F_CSUM),
    (F_HOST_UFO, F_CSUM),
)
"""Bits that are of no use without another (virtio 1.2, 5.1.3.1)."""

RX_OFFLOADS: Final = 1 << F_GUEST_CSUM | 1 << F_GUEST_TSO4 | 1 << F_GUEST_TSO6 | 1 << F_GUEST_ECN | 1 << F_GUEST_UFO | 1 << F_RSC_EXT
"""What the guest offloads command switches."""
LARGE_RECEIVE: Final = 1 << F_GUEST_TSO4 | 1 << F_GUEST_TSO6 | 1 << F_GUEST_UFO


def has(features: int, bit: int) -> bool:
    """Whether `bit` is set in the 64 bit word `features`."""
    return bool(features >> bit & 1)


def choose(offered: int, config: DriverConfig, off: int = 0, on: int = 0) -> int:
    """The features the driver writes: those offered that it knows and its settings allow, without the bits `off` and with `on`."""
    chosen = offered & (_wanted(config) | on) & ~off
    for bit, needed in NEEDS:
        if not has(chosen, needed):
            chosen &= ~(1 << bit)
    # one of two others
    if not has(chosen, F_GUEST_TSO4) and not has(chosen, F_GUEST_TSO6):
        chosen &= ~(1 << F_GUEST_ECN | 1 << F_RSC_EXT)
    if not has(chosen, F_HOST_TSO4) and not has(chosen, F_HOST_TSO6):
        chosen &= ~(1 << F_HOST_ECN)
    if has(chosen, F_VERSION_1):
        chosen &= ~(1 << F_ANY_LAYOUT | 1 << F_NOTIFY_ON_EMPTY)
    return chosen


def _wanted(config: DriverConfig) -> int:
    wanted = 0
    for bit in ALWAYS:
        wanted |= 1 << bit
    small = config.rx_mode == RX_VECTOR
    for on, bits in (
        (config.mrg_rxbuf, 1 << F_MRG_RXBUF),
        (config.event_idx and config.personality == LINUX, 1 << F_EVENT_IDX),
        (config.indirect, 1 << F_INDIRECT_DESC),
        (config.packed, 1 << F_RING_PACKED),
        (config.in_order, 1 << F_IN_ORDER),
        (config.any_layout, 1 << F_ANY_LAYOUT),
        (config.notify_on_empty, 1 << F_NOTIFY_ON_EMPTY),
        (config.ring_reset, 1 << F_RING_RESET),
        (config.tx_csum, 1 << F_CSUM),
        (config.tx_csum and config.tx_tso, 1 << F_HOST_TSO4 | 1 << F_HOST_TSO6 | 1 << F_HOST_ECN),
        (config.tx_csum and config.tx_ufo, 1 << F_HOST_UFO),
        (config.rx_csum, 1 << F_GUEST_CSUM | 1 << F_CTRL_GUEST_OFFLOADS),
        (config.rx_csum and config.rx_gso and not small, 1 << F_GUEST_TSO4 | 1 << F_GUEST_TSO6 | 1 << F_GUEST_ECN),
        (config.rx_csum and config.rx_ufo and not small, 1 << F_GUEST_UFO),
        (config.rx_csum and config.rx_gso and config.rsc and not small, 1 << F_RSC_EXT),
        (config.rss, 1 << F_RSS),
        (config.hash_report, 1 << F_HASH_REPORT),
        (config.alluni or config.nomulti or config.nouni or config.nobcast, 1 << F_CTRL_RX_EXTRA),
        # large receives come with their checksum undone, so both bits or none
        (config.rx_mode == RX_BIG, 1 << F_GUEST_CSUM | 1 << F_GUEST_TSO4),
    ):
        if on:
            wanted |= bits
    return wanted
