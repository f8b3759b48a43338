"""Feature bits the driver knows (virtio 1.1, 5.1.3 and 6), and which of them it takes."""

from __future__ import annotations

from typing import Final

from ringscope_core.guest.config import RX_BIG, DriverConfig

F_CSUM: Final = 0
F_GUEST_CSUM: Final = 1
F_MTU: Final = 3
F_MAC: Final = 5
F_GUEST_TSO4: Final = 7
F_MRG_RXBUF: Final = 15
F_STATUS: Final = 16
F_CTRL_VQ: Final = 17
F_CTRL_RX: Final = 18
F_CTRL_VLAN: Final = 19
F_GUEST_ANNOUNCE: Final = 21
F_MQ: Final = 22
F_CTRL_MAC_ADDR: Final = 23
F_INDIRECT_DESC: Final = 28
F_EVENT_IDX: Final = 29
F_VERSION_1: Final = 32
F_SPEED_DUPLEX: Final = 63

ALWAYS: Final = (F_MTU, F_MAC, F_STATUS, F_CTRL_VQ, F_CTRL_RX, F_CTRL_VLAN, F_GUEST_ANNOUNCE, F_MQ, F_CTRL_MAC_ADDR, F_VERSION_1, F_SPEED_DUPLEX)
"""What the driver takes whenever it is offered.  Checksum and segmentation offloads are not among them: its stack computes
checksums itself and sends whole frames."""

NEEDS_CTRL_VQ: Final = (F_CTRL_RX, F_CTRL_VLAN, F_GUEST_ANNOUNCE, F_MQ, F_CTRL_MAC_ADDR)
"""Bits that are of no use without the control queue (virtio 1.1, 5.1.3.1)."""


def has(features: int, bit: int) -> bool:
    """Whether `bit` is set in the 64 bit word `features`."""
    return bool(features >> bit & 1)


def choose(offered: int, config: DriverConfig) -> int:
    """The features the driver writes: those offered that it knows and its settings allow."""
    wanted = 0
    for bit in ALWAYS:
        wanted |= 1 << bit
    if config.mrg_rxbuf:
        wanted |= 1 << F_MRG_RXBUF
    if config.event_idx:
        wanted |= 1 << F_EVENT_IDX
    if config.indirect:
        wanted |= 1 << F_INDIRECT_DESC
    if config.rx_mode == RX_BIG:
        # Large receives come with their checksum undone, so both bits or none.
        wanted |= 1 << F_GUEST_CSUM | 1 << F_GUEST_TSO4
    chosen = offered & wanted
    if not has(chosen, F_CTRL_VQ):
        for bit in NEEDS_CTRL_VQ:
            chosen &= ~(1 << bit)
    return chosen
