"""The parts of a scenario file, as types.  `load` checks a file against them and names what is wrong."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ringscope_core.guest.config import (
    PERSONALITIES,
    RX_MODES,
    TRANSPORTS,
    TX_LAYOUTS,
    ActionSpec,
    DriverConfig,
    TrafficSpec,
)
from ringscope_core.scenario.units import duration_ns, size_bytes

Duration = Annotated[str, Meta(extra={"allowed": "duration"})]
"""Text such as ``20ms``; see `units.duration_ns`."""
Size = Annotated[str, Meta(extra={"allowed": "size"})]
Mac = Annotated[str, Meta(extra={"allowed": "mac"})]
Address = Annotated[str, Meta(extra={"allowed": "ip4"})]
Count = Annotated[int, Meta(ge=0, le=2**62)]
RingSize = Annotated[int, Meta(ge=0, le=1024, extra={"allowed": "ring size"})]
"""Descriptors of a ring; 0 is what the device proposes."""


class Machine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[machine]``: the board."""

    type: Literal["pc-i440fx-4.1", "pc-q35-4.1", "pc-i440fx-7.2", "pc-q35-7.2", "pc", "q35"] = "pc-i440fx-4.1"
    """QEMU's machine type; ``pc`` and ``q35`` are those of the profile's own release."""
    ram: Size = "128M"
    """Guest memory, such as ``128M`` or ``1G``."""

    def ram_bytes(self) -> int:
        """Guest RAM in bytes."""
        return size_bytes("machine.ram", self.ram)


class Driver(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[driver]``: how the guest's driver behaves; see `guest.config.DriverConfig`."""

    enabled: bool = True
    """Whether the guest boots at all."""
    personality: Literal["linux", "virtio-user"] = "linux"
    """Whose habits it has; ``driver = "virtio-user"`` in place of the table says the same."""
    transport: Literal["auto", "modern", "legacy"] = "auto"
    """``modern``, ``legacy``, or with ``auto`` the modern interface where there is one."""
    mrg_rxbuf: bool = True
    """Mergeable receive buffers, when the device offers them."""
    event_idx: bool = True
    """linux only: who polls wants no events."""
    indirect: bool = True
    """Indirect descriptor tables, when offered."""
    packed: bool = True
    """Packed rings, when offered (profile 7.2)."""
    in_order: bool = True
    """Buffers used in the order in which they were made available, when offered."""
    any_layout: bool = True
    """Headers and frames in any descriptors, when offered (legacy)."""
    notify_on_empty: bool = False
    """An interrupt whenever a ring runs empty (legacy)."""
    ring_reset: bool = True
    """Resetting a queue alone, when offered."""
    tx_csum: bool = False
    """Leave checksums to the device."""
    tx_tso: bool = False
    """Leave TCP segmentation to the device; needs ``tx_csum``."""
    tx_ufo: bool = False
    """Leave UDP fragmentation to the device; needs ``tx_csum``."""
    rx_csum: bool = False
    """Accept frames whose checksum is not done."""
    rx_gso: bool = False
    """Accept TCP frames larger than the MTU; needs ``rx_csum``."""
    rx_ufo: bool = False
    """Accept UDP frames larger than the MTU; needs ``rx_csum``."""
    rsc: bool = False
    """Accept TCP segments that the device has coalesced."""
    rss: bool = False
    """Have the device choose the queue by a hash of the addresses (profile 7.2)."""
    hash_report: bool = False
    """A header that carries the hash (profile 7.2)."""
    msix: bool = True
    """MSI-X vectors; otherwise the interrupt pin."""
    queue_pairs: Annotated[int, Meta(ge=0, le=511)] = 0
    """Pairs of queues to use, 0 for all that the device has."""
    rx_ring: RingSize = 0
    """Descriptors of a receive ring, 0 for what the device proposes."""
    tx_ring: RingSize = 0
    """Descriptors of a transmit ring, 0 for what the device proposes."""
    burst: Annotated[int, Meta(ge=1, le=1024)] = 32
    """virtio-user: frames taken or sent at once."""
    free_thresh: Annotated[int, Meta(ge=1, le=1024)] = 32
    """virtio-user: free descriptors at which buffers are freed and posted."""
    napi_weight: Annotated[int, Meta(ge=1, le=1024)] = 64
    """linux: frames that one poll takes."""
    napi_tx: bool = True
    """linux: completions of transmission come from NAPI."""
    xmit_more: bool = True
    """linux: one notification for frames that are sent together."""
    rx_mode: Literal["auto", "small", "big", "vector"] = "auto"
    """Receive buffers instead of mergeable ones: ``small``, ``big``, or ``vector`` (virtio-user)."""
    rx_buffer: Annotated[int, Meta(ge=64, le=65536)] = 1536
    """Bytes of a mergeable receive buffer."""
    tx_layout: Literal["single", "split"] = "single"
    """``split`` gives the header a descriptor of its own."""
    tx_fragments: Annotated[int, Meta(ge=1, le=17)] = 1
    """Descriptors that a frame's bytes are spread over."""
    mtu: Annotated[int, Meta(ge=68, le=65535)] = 1500
    """Largest IP packet, bytes; the device's own limits it further."""
    promisc: bool = True
    """Receive frames for any address."""
    allmulti: bool = False
    """Receive every multicast frame."""
    alluni: bool = False
    """Receive every unicast frame."""
    nomulti: bool = False
    """Receive no multicast frame."""
    nouni: bool = False
    """Receive no unicast frame."""
    nobcast: bool = False
    """Receive no broadcast frame."""
    recover: bool = False
    """Reset and set up again a device that needs a reset."""
    mac: Mac = ""
    """The driver's own address, set by control command; empty for the device's."""
    ip: Address = "10.0.2.15"
    """The guest's IPv4 address."""
    peer_ip: Address = "10.0.2.2"
    """The host's IPv4 address."""
    vlans: list[Annotated[int, Meta(ge=0, le=4095)]] = msgspec.field(default_factory=list)
    """VLANs that the receive filter lets pass."""
    multicast: list[Mac] = msgspec.field(default_factory=list)
    """Multicast addresses of the receive filter."""
    unicast: list[Mac] = msgspec.field(default_factory=list)
    """Further unicast addresses of the receive filter."""

    def config(self) -> DriverConfig:
        """What the guest takes."""
        config = DriverConfig()
        for name in self.__struct_fields__:
            if name not in ("enabled", "personality", "transport", "rx_mode", "tx_layout"):
                setattr(config, name, getattr(self, name))
        config.personality = PERSONALITIES.index(self.personality)
        config.transport = TRANSPORTS.index(self.transport)
        config.rx_mode = RX_MODES.index(self.rx_mode)
        config.tx_layout = TX_LAYOUTS.index(self.tx_layout)
        if config.rx_mode:
            config.mrg_rxbuf = False
        return config


class Traffic(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[traffic]]`` entry; see `guest.config.TrafficSpec`."""

    kind: Literal["ping", "udp-echo", "bulk-tx", "bulk-rx", "mixed", "tcp-bulk", "udp-bulk"]
    """``ping``, ``udp-echo``, ``bulk-tx``, ``bulk-rx``, ``mixed``, ``tcp-bulk`` (TCP data, `size` bytes a piece), ``udp-bulk`` (datagrams of `size` bytes)."""
    rate_pps: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    """Frames a second of virtual time, 0 for as fast as it goes."""
    size: Annotated[int, Meta(ge=0, le=65535)] = 64
    """Bytes of payload; what is longer than the MTU is cut by the device or its peer when that was negotiated, else by the driver."""
    count: Count = 0
    """Frames after which it ends, 0 for no end."""
    burst: Annotated[int, Meta(ge=1, le=65536)] = 1
    """Frames sent together."""
    start: Duration = "0s"
    """When it begins."""
    stop: Duration = ""
    """When it ends, empty for never."""
    device: Annotated[int, Meta(ge=0, le=31)] = 0
    """The guest's interface, from 0."""
    flows: Annotated[int, Meta(ge=1, le=100)] = 1
    """Streams with ports of their own."""
    ipv6: bool = False
    """tcp-bulk: over IPv6."""
    ecn: bool = False
    """tcp-bulk: with the CWR flag, as ECN has it."""

    def spec(self) -> TrafficSpec:
        """What the guest takes."""
        spec = TrafficSpec(self.kind)
        spec.rate_pps, spec.size, spec.count, spec.burst = self.rate_pps, self.size, self.count, self.burst
        spec.start_ns, spec.stop_ns = duration_ns("traffic.start", self.start), duration_ns("traffic.stop", self.stop)
        spec.device, spec.flows = self.device, self.flows
        spec.ipv6, spec.ecn = self.ipv6, self.ecn
        return spec


ACTION_WORDS: Final = {
    "reset": "resets the device and sets it up from the start",
    "remove": "unbinds the driver",
    "probe": "binds it again",
    "rescan": "looks at the PCI buses again: cards that are gone, cards that are new",
    "queue-reset": "resets virtqueue `queue` alone (VIRTIO_F_RING_RESET)",
    "break": "gives the device a chain on `queue` that no driver may give: `fault` says which",
    "pairs": "uses `number` queue pairs",
    "promisc": "`number` 1 or 0",
    "allmulti": "`number` 1 or 0",
    "mac": "takes the address `mac`",
    "vlan-add": "lets VLAN `number` pass",
    "vlan-del": "lets VLAN `number` pass no more",
    "offloads": "receive offloads by their feature bits in `number`",
}
"""What each ``do`` of an ``[[action]]`` does."""


class Action(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[action]]``: what the guest's driver does at a moment; see `guest.actions`."""

    at: Duration
    """The moment, virtual time."""
    do: Literal[
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
    ]
    """What is done; `guest.actions` does it."""
    device: Annotated[int, Meta(ge=0, le=31)] = 0
    """The guest's interface, from 0."""
    queue: Annotated[int, Meta(ge=0, le=1023)] = 0
    """The virtqueue, for ``queue-reset`` and ``break``."""
    number: Annotated[int, Meta(ge=0, le=2**62)] = 0
    """Queue pairs, VLAN id, 0 or 1 for a switch, feature bits of offloads."""
    mac: Mac = ""
    """The address, for ``mac``."""
    fault: Literal["bad-table", "zero-length", "bad-order"] = "bad-table"
    """What is wrong with the chain that ``break`` gives to the device."""

    def spec(self) -> ActionSpec:
        """What the guest takes."""
        spec = ActionSpec(self.do, duration_ns("action.at", self.at))
        spec.device, spec.queue, spec.number = self.device, self.queue, self.number
        spec.text = self.fault if self.do == "break" else self.mac
        return spec


class Time(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[time]``: how virtual time passes."""

    mode: Literal["deterministic", "realtime"] = "deterministic"
    """``deterministic``: turns cost what is declared here. ``realtime``: virtual time follows the wall clock."""
    guest_turn_ns: Annotated[int, Meta(ge=0, le=10**9)] = 2000
    """Virtual ns that a turn of the guest costs in deterministic mode."""
    device_turn_ns: Annotated[int, Meta(ge=0, le=10**9)] = 1000
    """Virtual ns that a turn of the device costs in deterministic mode."""


class Run(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[run]``: when the run ends by itself; neither means when all traffic is done."""

    duration: Duration = ""
    """Virtual time, empty for no limit."""
    packets: Count = 0
    """Frames delivered, 0 for no limit."""

    def duration_ns(self) -> int:
        """Virtual ns, 0 for no limit."""
        return duration_ns("run.duration", self.duration)


class Mark(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[mark]]``: a moment with a name."""

    at: Duration
    """The moment, virtual time."""
    name: str
    """Its name, for ``mark:NAME``."""
    note: str = ""
    """A text for people."""

    def at_ns(self) -> int:
        """Virtual time of the mark."""
        return duration_ns("mark.at", self.at)


class Breakpoint(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[breakpoint]]``: exactly one of a QEMU function (with a line, if wanted), a kind of event, a field, a virtual time.

    See `query.breakpoints.Breakpoint`, which checks the names when the run begins.
    """

    function: str = ""
    """A QEMU function that the model has; it stops at the function's first statement."""
    line: Annotated[int, Meta(ge=0, le=100000)] = 0
    """A line of `function` that the model passes (a checkpoint), 0 for its first statement."""
    event: str = ""
    """A kind of event, several with commas, ``*`` for every one."""
    field: str = ""
    """``Struct.field`` of any object, or ``OBJECT.Struct.field``."""
    at: Duration = ""
    """A virtual time; it stops before anything happens then."""
    condition: str = ""
    """A filter that the event has to fulfil."""
    enabled: bool = True
    """Whether it is at work from the start."""
    temporary: bool = False
    """Gone after it has stopped the run."""
    ignore: Count = 0
    """Matches that pass first."""
    every: Annotated[int, Meta(ge=1, le=2**62)] = 1
    """Of the others each so-many-th stops."""
    log: str = ""
    """A message to write instead of stopping."""

    def at_ns(self) -> int:
        """Virtual time, 0 when it is not a time."""
        return duration_ns("breakpoint.at", self.at)

    def plain(self) -> dict[str, object]:
        """What `query.breakpoints.Breakpoint.from_plain` takes."""
        if self.function:
            what, where = ("checkpoint", f"{self.function}:{self.line}") if self.line else ("function", self.function)
        elif self.event or self.field:
            what, where = ("event", self.event) if self.event else ("field", self.field)
        else:
            what, where = "time", str(self.at_ns())
        common = {name: getattr(self, name) for name in ("condition", "enabled", "temporary", "ignore", "every", "log")}
        return {"what": what, "where": where, **common}


class Scenario(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole scenario."""

    name: str
    """Its name, as ``ringscope run`` takes it."""
    title: str = ""
    """A few words for lists."""
    description: str = ""
    """What it shows, for people."""
    profile: Literal["4.1", "7.2"] = "4.1"
    """Which QEMU is modelled (`qom.profile`)."""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    """Where everything random begins: the same seed gives the same events."""
    machine: Machine = msgspec.field(default_factory=Machine)
    """The board."""
    netdev: list[str] = msgspec.field(default_factory=list)
    """QEMU's ``-netdev`` option strings."""
    device: list[str] = msgspec.field(default_factory=list)
    """QEMU's ``-device`` option strings."""
    driver: Driver = msgspec.field(default_factory=Driver)
    """How the guest's driver behaves."""
    traffic: list[Traffic] = msgspec.field(default_factory=list)
    """What the guest sends and asks for."""
    action: list[Action] = msgspec.field(default_factory=list)
    """What the guest's driver does at a moment."""
    time: Time = msgspec.field(default_factory=Time)
    """How virtual time passes."""
    run: Run = msgspec.field(default_factory=Run)
    """When the run ends by itself."""
    mark: list[Mark] = msgspec.field(default_factory=list)
    """Moments with a name."""
    breakpoint: list[Breakpoint] = msgspec.field(default_factory=list)
    """Where the run stops."""
    expect_error: str = ""
    """The message that creating the devices must end with; empty when it must succeed."""

    def machine_type(self) -> str:
        """The board's machine type with its release, such as ``pc-i440fx-4.1``."""
        board = {"pc": "pc-i440fx", "q35": "pc-q35"}.get(self.machine.type)
        return self.machine.type if board is None else f"{board}-{self.profile}"

    def driver_config(self) -> DriverConfig:
        """What the guest's driver takes."""
        config = self.driver.config()
        config.seed = self.seed
        return config

    def traffic_specs(self) -> list[TrafficSpec]:
        """What the guest's programs take."""
        return [entry.spec() for entry in self.traffic]

    def action_specs(self) -> list[ActionSpec]:
        """What the guest's drivers are made to do."""
        return [entry.spec() for entry in self.action]
