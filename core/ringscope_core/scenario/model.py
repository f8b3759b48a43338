"""The parts of a scenario file, as types.  `load` checks a file against them and names what is wrong."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ringscope_core.guest.config import RX_MODES, TX_LAYOUTS, DriverConfig, TrafficSpec
from ringscope_core.scenario.units import duration_ns, size_bytes

Duration = Annotated[str, Meta(extra={"allowed": "duration"})]
"""Text such as ``20ms``; see `units.duration_ns`."""
Size = Annotated[str, Meta(extra={"allowed": "size"})]
Mac = Annotated[str, Meta(extra={"allowed": "mac"})]
Address = Annotated[str, Meta(extra={"allowed": "ip4"})]
Count = Annotated[int, Meta(ge=0, le=2**62)]


class Machine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[machine]``: the board."""

    type: Literal["pc-i440fx-4.1", "pc"] = "pc-i440fx-4.1"
    ram: Size = "128M"

    def ram_bytes(self) -> int:
        """Guest RAM in bytes."""
        return size_bytes("machine.ram", self.ram)


class Driver(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``[driver]``: how the guest's driver behaves; see `guest.config.DriverConfig`."""

    enabled: bool = True
    """Whether the guest boots at all."""
    mrg_rxbuf: bool = True
    event_idx: bool = True
    indirect: bool = True
    msix: bool = True
    queue_pairs: Annotated[int, Meta(ge=0, le=511)] = 0
    napi_weight: Annotated[int, Meta(ge=1, le=1024)] = 64
    napi_tx: bool = True
    xmit_more: bool = True
    rx_mode: Literal["auto", "small", "big"] = "auto"
    rx_buffer: Annotated[int, Meta(ge=64, le=65536)] = 1536
    tx_layout: Literal["single", "split"] = "single"
    tx_fragments: Annotated[int, Meta(ge=1, le=17)] = 1
    mtu: Annotated[int, Meta(ge=68, le=65535)] = 1500
    promisc: bool = True
    allmulti: bool = False
    mac: Mac = ""
    ip: Address = "10.0.2.15"
    peer_ip: Address = "10.0.2.2"
    vlans: list[Annotated[int, Meta(ge=0, le=4095)]] = msgspec.field(default_factory=list)
    multicast: list[Mac] = msgspec.field(default_factory=list)

    def config(self) -> DriverConfig:
        """What the guest takes."""
        config = DriverConfig()
        for name in self.__struct_fields__:
            if name not in ("enabled", "rx_mode", "tx_layout"):
                setattr(config, name, getattr(self, name))
        config.rx_mode = RX_MODES.index(self.rx_mode)
        config.tx_layout = TX_LAYOUTS.index(self.tx_layout)
        if config.rx_mode:
            config.mrg_rxbuf = False
        return config


class Traffic(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[traffic]]`` entry; see `guest.config.TrafficSpec`."""

    kind: Literal["ping", "udp-echo", "bulk-tx", "bulk-rx", "mixed"]
    rate_pps: Annotated[float, Meta(ge=0, le=1e9)] = 0.0
    size: Annotated[int, Meta(ge=0, le=65535)] = 64
    count: Count = 0
    burst: Annotated[int, Meta(ge=1, le=65536)] = 1
    start: Duration = "0s"
    stop: Duration = ""
    device: Annotated[int, Meta(ge=0, le=31)] = 0
    flows: Annotated[int, Meta(ge=1, le=100)] = 1

    def spec(self) -> TrafficSpec:
        """What the guest takes."""
        spec = TrafficSpec(self.kind)
        spec.rate_pps, spec.size, spec.count, spec.burst = self.rate_pps, self.size, self.count, self.burst
        spec.start_ns, spec.stop_ns = duration_ns("traffic.start", self.start), duration_ns("traffic.stop", self.stop)
        spec.device, spec.flows = self.device, self.flows
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
    """One ``[[breakpoint]]``: exactly one of a QEMU function (with a line, if wanted), a kind of event, a virtual time."""

    function: str = ""
    line: Annotated[int, Meta(ge=0, le=100000)] = 0
    event: str = ""
    at: Duration = ""
    enabled: bool = True

    def at_ns(self) -> int:
        """Virtual time, 0 when it is not a time."""
        return duration_ns("breakpoint.at", self.at)


class Scenario(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole scenario."""

    name: str
    title: str = ""
    description: str = ""
    profile: Literal["4.1"] = "4.1"
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    machine: Machine = msgspec.field(default_factory=Machine)
    netdev: list[str] = msgspec.field(default_factory=list)
    """QEMU's ``-netdev`` option strings."""
    device: list[str] = msgspec.field(default_factory=list)
    """QEMU's ``-device`` option strings."""
    driver: Driver = msgspec.field(default_factory=Driver)
    traffic: list[Traffic] = msgspec.field(default_factory=list)
    time: Time = msgspec.field(default_factory=Time)
    run: Run = msgspec.field(default_factory=Run)
    mark: list[Mark] = msgspec.field(default_factory=list)
    breakpoint: list[Breakpoint] = msgspec.field(default_factory=list)
    expect_error: str = ""
    """The message that creating the devices must end with; empty when it must succeed."""

    def driver_config(self) -> DriverConfig:
        """What the guest's driver takes."""
        config = self.driver.config()
        config.seed = self.seed
        return config

    def traffic_specs(self) -> list[TrafficSpec]:
        """What the guest's programs take."""
        return [entry.spec() for entry in self.traffic]
