"""How the guest behaves: what a scenario's ``[driver]`` table and ``[[traffic]]`` entries become."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

RX_AUTO: Final[i64] = 0
"""Mergeable when negotiated, big for frames that may be large, else small: as Linux chooses."""
RX_SMALL: Final[i64] = 1
RX_BIG: Final[i64] = 2
RX_VECTOR: Final[i64] = 3
"""Small buffers, rearmed and taken in blocks (DPDK's vectorized receive)."""

RX_MODES: Final = ("auto", "small", "big", "vector")
"""Names of the receive buffer layouts, by value."""

TX_SINGLE: Final[i64] = 0
"""Header and frame in one descriptor, where any layout is allowed."""
TX_SPLIT: Final[i64] = 1
"""The header in a descriptor of its own."""

TX_LAYOUTS: Final = ("single", "split")
"""Names of the transmit layouts, by value."""

LINUX: Final[i64] = 0
"""Interrupts, NAPI, one buffer a descriptor for good: Linux's virtio_net."""
VIRTIO_USER: Final[i64] = 1
"""Polling in bursts, no interrupts, descriptors in order, transmits freed in batches: DPDK's virtio driver."""

PERSONALITIES: Final = ("linux", "virtio-user")
"""Names of the drivers' habits, by value."""

TRANSPORT_AUTO: Final[i64] = 0
"""The modern interface where there is one, else the legacy one."""
TRANSPORT_MODERN: Final[i64] = 1
TRANSPORT_LEGACY: Final[i64] = 2

TRANSPORTS: Final = ("auto", "modern", "legacy")
"""Names of the PCI interfaces to drive a device by, by value."""

ACTIONS: Final = (
    "reset",
    "remove",
    "probe",
    "rescan",
    "queue-reset",
    "break",
    "pairs",
    "promisc",
    "allmulti",
    "mac",
    "vlan-add",
    "vlan-del",
    "offloads",
)
"""What a scenario can let the driver do at a moment."""
FAULTS: Final = ("bad-table", "zero-length", "bad-order")
"""Ways to break a ring, for the action ``break``: an indirect table of an impossible size, a buffer without bytes, writable before readable."""

TRAFFIC_KINDS: Final = ("ping", "udp-echo", "bulk-tx", "bulk-rx", "mixed", "tcp-bulk", "udp-bulk")
"""The workloads, by name."""


@final
class DriverConfig:
    """Settings of the virtio-net driver; the defaults are Linux's."""

    def __init__(self) -> None:
        self.personality: i64 = LINUX
        self.transport: i64 = TRANSPORT_AUTO
        # features, taken when offered
        self.mrg_rxbuf: bool = True
        self.event_idx: bool = True
        """linux only: a driver that polls asks for no events, by flags that the event index would void."""
        self.indirect: bool = True
        """Use indirect tables for chains of more than one descriptor, when negotiated."""
        self.packed: bool = True
        self.in_order: bool = True
        self.any_layout: bool = True
        """Legacy only: header and frame need not be in descriptors of their own."""
        self.notify_on_empty: bool = False
        """Legacy only: an interrupt when the device runs out of buffers, whatever else was asked for."""
        self.ring_reset: bool = True
        self.tx_csum: bool = False
        """Leave the transport checksum of what is sent to the device."""
        self.tx_tso: bool = False
        """Hand TCP data down in pieces larger than the MTU; needs tx_csum."""
        self.tx_ufo: bool = False
        """The same for UDP over IPv4."""
        self.rx_csum: bool = False
        """Accept frames whose checksum was verified, or not computed."""
        self.rx_gso: bool = False
        """Accept TCP frames larger than the MTU; needs rx_csum."""
        self.rx_ufo: bool = False
        self.rsc: bool = False
        """Let the device coalesce received segments; needs rx_gso."""
        self.rss: bool = False
        """Steer received frames by hash and indirection table."""
        self.hash_report: bool = False
        """A header of 20 bytes that carries each frame's hash."""
        # interrupts and queues
        self.msix: bool = True
        """Use MSI-X; otherwise the interrupt pin and the ISR register."""
        self.queue_pairs: i64 = 0
        """Queue pairs to use, 0 for all that the device offers."""
        self.rx_ring: i64 = 0
        """Descriptors of a receive ring, 0 for what the device proposes."""
        self.tx_ring: i64 = 0
        self.napi_weight: i64 = 64
        self.napi_tx: bool = True
        """Complete transmits from NAPI; otherwise from the next transmit, as Linux before 5.3."""
        self.xmit_more: bool = True
        """One notification for all frames that are sent together; otherwise one a frame."""
        self.burst: i64 = 32
        """virtio-user: frames taken or sent in one go."""
        self.free_thresh: i64 = 32
        """virtio-user: free descriptors below which sent frames are freed, all together, and from which on receive buffers are posted."""
        # buffers
        self.rx_mode: i64 = RX_AUTO
        self.rx_buffer: i64 = 1536
        """Bytes of a mergeable receive buffer, header included."""
        self.tx_layout: i64 = TX_SINGLE
        self.tx_fragments: i64 = 1
        """Descriptors a frame's bytes are spread over, 1 to 17."""
        # the interface
        self.recover: bool = False
        """Reset and set up again a device that needs a reset."""
        self.mtu: i64 = 1500
        """Largest IP packet the stack sends; the device's own MTU, when it has one, limits it further."""
        self.promisc: bool = True
        self.allmulti: bool = False
        self.alluni: bool = False
        self.nomulti: bool = False
        self.nouni: bool = False
        self.nobcast: bool = False
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
        self.unicast: list[str] = []
        """Further unicast addresses for it."""


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
        self.ipv6: bool = False
        """tcp-bulk: over IPv6."""
        self.ecn: bool = False
        """tcp-bulk: the first segment of a piece carries CWR."""


@final
class ActionSpec:
    """One thing the driver does at a moment.  Times are virtual ns since the machine started."""

    def __init__(self, do: str, at_ns: i64) -> None:
        self.do: str = do
        """One of `ACTIONS`."""
        self.at_ns: i64 = at_ns
        self.device: i64 = 0
        """Which interface, in the order they were found."""
        self.queue: i64 = 0
        """Which virtqueue: ``queue-reset`` and ``break``."""
        self.number: i64 = 0
        """Queue pairs, VLAN id, switch or offload bits."""
        self.text: str = ""
        """An Ethernet address, or one of `FAULTS`."""
