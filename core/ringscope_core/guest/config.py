"""How the guest behaves: what a scenario's ``[driver]`` table and ``[[traffic]]`` entries become."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

RX_AUTO: Final[i64] = 0
"""Mergeable when negotiated, else small: as Linux chooses without receive offloads."""
RX_SMALL: Final[i64] = 1
RX_BIG: Final[i64] = 2

RX_MODES: Final = ("auto", "small", "big")
"""Names of the receive buffer layouts, by value."""

TX_SINGLE: Final[i64] = 0
"""Header and frame in one descriptor (any_layout)."""
TX_SPLIT: Final[i64] = 1
"""The header in a descriptor of its own."""

TX_LAYOUTS: Final = ("single", "split")
"""Names of the transmit layouts, by value."""

TRAFFIC_KINDS: Final = ("ping", "udp-echo", "bulk-tx", "bulk-rx", "mixed")
"""The workloads, by name."""


@final
class DriverConfig:
    """Settings of the virtio-net driver; the defaults are Linux's."""

    def __init__(self) -> None:
        self.mrg_rxbuf: bool = True
        self.event_idx: bool = True
        self.indirect: bool = True
        """Use indirect tables for chains of more than one descriptor, when negotiated."""
        self.msix: bool = True
        """Use MSI-X; otherwise the interrupt pin and the ISR register."""
        self.queue_pairs: i64 = 0
        """Queue pairs to use, 0 for all that the device offers."""
        self.napi_weight: i64 = 64
        self.napi_tx: bool = True
        """Complete transmits from NAPI; otherwise from the next transmit, as Linux before 5.3."""
        self.xmit_more: bool = True
        """One notification for all frames that are sent together; otherwise one a frame."""
        self.rx_mode: i64 = RX_AUTO
        self.rx_buffer: i64 = 1536
        """Bytes of a mergeable receive buffer, header included."""
        self.tx_layout: i64 = TX_SINGLE
        self.tx_fragments: i64 = 1
        """Descriptors a frame's bytes are spread over, 1 to 17."""
        self.mtu: i64 = 1500
        """Largest IP packet the stack sends; the device's own MTU, when it has one, limits it further."""
        self.promisc: bool = True
        self.allmulti: bool = False
        self.mac: str = ""
        """Address to set by control command; empty keeps the device's."""
        self.ip: str = "10.0.2.15"
        self.peer_ip: str = "10.0.2.2"
        self.seed: int = 1
        """What differs between runs of one scenario: identifiers, ports, the phase of paced traffic."""
        self.vlans: list[int] = []
        """VLAN ids to add to the device's filter."""
        self.multicast: list[str] = []
        """Multicast addresses for the device's filter table."""


@final
class TrafficSpec:
    """One workload.  Times are virtual ns since the driver came up."""

    def __init__(self, kind: str) -> None:
        self.kind: str = kind
        self.rate_pps: float = 0.0
        """Frames a second on the virtual clock, 0 for as fast as the ring takes them."""
        self.size: i64 = 64
        """Bytes of a frame (bulk), or of the payload (ping, udp-echo)."""
        self.count: i64 = 0
        """Frames to send (bulk-rx: to receive), 0 for no end."""
        self.burst: i64 = 1
        """Frames sent together at each tick of a paced workload."""
        self.start_ns: i64 = 0
        self.stop_ns: i64 = 0
        """0 for never."""
        self.device: i64 = 0
        """Which probed device, in the order of the bus scan."""
        self.flows: i64 = 1
        """Flows to spread over the queue pairs."""
