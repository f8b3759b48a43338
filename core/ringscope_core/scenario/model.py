"""The parts of a scenario file, as types.  `load` checks a file against them and names what is wrong."""

from __future__ import annotations

from typing import Annotated, Literal

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
    mrg_rxbuf: bool = True
    event_idx: bool = True
    """linux only: who polls wants no events."""
    indirect: bool = True
    packed: bool = True
    in_order: bool = True
    any_layout: bool = True
    notify_on_empty: bool = False
    ring_reset: bool = True
    tx_csum: bool = False
    tx_tso: bool = False
    tx_ufo: bool = False
    rx_csum: bool = False
    rx_gso: bool = False
    rx_ufo: bool = False
    rsc: bool = False
    rss: bool = False
    hash_report: bool = False
    msix: bool = True
    queue_pairs: Annotated[int, Meta(ge=0, le=511)] = 0
    rx_ring: RingSize = 0
    tx_ring: RingSize = 0
    burst: Annotated[int, Meta(ge=1, le=1024)] = 32
    free_thresh: Annotated[int, Meta(ge=1, le=1024)] = 32
    napi_weight: Annotated[int, Meta(ge=1, le=1024)] = 64
    napi_tx: bool = True
    xmit_more: bool = True
    rx_mode: Literal["auto", "small", "big", "vector"] = "auto"
    rx_buffer: Annotated[int, Meta(ge=64, le=65536)] = 1536
    tx_layout: Literal["single", "split"] = "single"
    tx_fragments: Annotated[int, Meta(ge=1, le=17)] = 1
    mtu: Annotated[int, Meta(ge=68, le=65535)] = 1500
    promisc: bool = True
    allmulti: bool = False
    alluni: bool = False
    nomulti: bool = False
    nouni: bool = False
    nobcast: bool = False
    recover: bool = False
    mac: Mac = ""
    ip: Address = "10.0.2.15"
    peer_ip: Address = "10.0.2.2"
    vlans: list[Annotated[int, Meta(ge=0, le=4095)]] = msgspec.field(default_factory=list)
    multicast: list[Mac] = msgspec.field(default_factory=list)
    unicast: list[Mac] = msgspec.field(default_factory=list)

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
    rate_pps: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    size: Annotated[int, Meta(ge=0, le=65535)] = 64
    count: Count = 0
    burst: Annotated[int, Meta(ge=1, le=65536)] = 1
    start: Duration = "0s"
    stop: Duration = ""
    device: Annotated[int, Meta(ge=0, le=31)] = 0
    flows: Annotated[int, Meta(ge=1, le=100)] = 1
    ipv6: bool = False
    ecn: bool = False

    def spec(self) -> TrafficSpec:
        """What the guest takes."""
        spec = TrafficSpec(self.kind)
        spec.rate_pps, spec.size, spec.count, spec.burst = self.rate_pps, self.size, self.count, self.burst
        spec.start_ns, spec.stop_ns = duration_ns("traffic.start", self.start), duration_ns("traffic.stop", self.stop)
        spec.device, spec.flows = self.device, self.flows
        spec.ipv6, spec.ecn = self.ipv6, self.ecn
        return spec


class Action(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[action]]``: what the guest's driver does at a moment; see `guest.actions`."""

    at: Duration
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
    device: Annotated[int, Meta(ge=0, le=31)] = 0
    queue: Annotated[int, Meta(ge=0, le=1023)] = 0
    number: Annotated[int, Meta(ge=0, le=2**62)] = 0
    """Queue pairs, VLAN id, 0 or 1 for a switch, feature bits of offloads."""
    mac: Mac = ""
    fault: Literal["bad-table", "zero-length", "bad-order"] = "bad-table"

    def spec(self) -> ActionSpec:
        """What the guest takes."""
        spec = ActionSpec(self.do, duration_ns("action.at", self.at))
        spec.device, spec.queue, spec.number = self.device, self.queue, self.number
        spec.text = self.fault if self.do == "break" else self.mac
        return spec


class Time(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[time]``: how virtual time passes."""

    mode: Literal["deterministic", "realtime"] = "deterministic"
    guest_turn_ns: Annotated[int, Meta(ge=0, le=10**9)] = 2000
    """Virtual ns that a turn of the guest costs in deterministic mode."""
    device_turn_ns: Annotated[int, Meta(ge=0, le=10**9)] = 1000


class Run(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[run]``: when the run ends by itself; neither means when all traffic is done."""

    duration: Duration = ""
    packets: Count = 0

    def duration_ns(self) -> int:
        """Virtual ns, 0 for no limit."""
        return duration_ns("run.duration", self.duration)


class Mark(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[mark]]``: a moment with a name."""

    at: Duration
    name: str
    note: str = ""

    def at_ns(self) -> int:
        """Virtual time of the mark."""
        return duration_ns("mark.at", self.at)


class Breakpoint(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[breakpoint]]``: exactly one of a QEMU function (with a line, if wanted), a kind of event, a field, a virtual time.

    See `query.breakpoints.Breakpoint`, which checks the names when the run begins.
    """

    function: str = ""
    line: Annotated[int, Meta(ge=0, le=100000)] = 0
    event: str = ""
    field: str = ""
    """``Struct.field`` of any object, or ``OBJECT.Struct.field``."""
    at: Duration = ""
    condition: str = ""
    """A filter that the event has to fulfil."""
    enabled: bool = True
    temporary: bool = False
    ignore: Count = 0
    every: Annotated[int, Meta(ge=1, le=2**62)] = 1
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
    title: str = ""
    description: str = ""
    profile: Literal["4.1", "7.2"] = "4.1"
    """Which QEMU is modelled (`qom.profile`)."""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    machine: Machine = msgspec.field(default_factory=Machine)
    netdev: list[str] = msgspec.field(default_factory=list)
    """QEMU's ``-netdev`` option strings."""
    device: list[str] = msgspec.field(default_factory=list)
    """QEMU's ``-device`` option strings."""
    driver: Driver = msgspec.field(default_factory=Driver)
    traffic: list[Traffic] = msgspec.field(default_factory=list)
    action: list[Action] = msgspec.field(default_factory=list)
    time: Time = msgspec.field(default_factory=Time)
    run: Run = msgspec.field(default_factory=Run)
    mark: list[Mark] = msgspec.field(default_factory=list)
    breakpoint: list[Breakpoint] = msgspec.field(default_factory=list)
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
