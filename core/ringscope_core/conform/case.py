"""One case: how a machine is made, what is done to it step by step, and what a real QEMU answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

MSI_BASE: Final = 0x90000
MSI_DATA: Final = 0x5A5A0000
MSI_SLOTS: Final = 64
"""Cases program MSI-X vector v to write ``MSI_DATA | v`` at ``MSI_BASE + 4 * v``."""
BAR_ADDRESSES: Final = {0: 0xC000, 1: 0xFEB00000, 2: 0xC100, 4: 0xFE000000}
"""Where the BARs lie before the first operation."""
IO_BARS: Final = (0, 2)
ROOT_PORT: Final = "rp0"

Op = list[Any]
"""An operation's name and its arguments, as the file has them."""


@dataclass(frozen=True)
class PeerSpec:
    """The netdev at the other end: `kind` is none, hub, stream, socket, dgram or tap."""

    kind: str = "stream"
    queues: int = 1
    vnet_hdr: bool = False

    @property
    def takes_frames(self) -> bool:
        """Whether what the device sends can be seen."""
        return self.kind not in ("none", "hub")

    def to_json(self) -> dict[str, Any]:
        """As in a case file."""
        return {"kind": self.kind, "queues": self.queues, "vnet_hdr": self.vnet_hdr} if self.kind == "tap" else {"kind": self.kind}


@dataclass(frozen=True)
class CaseConfig:
    """What a machine needs to be made again."""

    machine: str = "pc-i440fx-4.1"
    device: str = "virtio-net-pci"
    props: dict[str, str] = field(default_factory=dict)
    peer: PeerSpec = PeerSpec()
    ram: int = 4 << 20
    """Bytes of guest memory from address 0."""

    @property
    def behind_root_port(self) -> bool:
        """The device sits on the bus of a root port."""
        return self.props.get("bus") == ROOT_PORT

    def device_option(self) -> str:
        """The -device line: in slot 04.0 unless `props` say where."""
        props: dict[str, str] = {"id": "net0"}
        if self.peer.kind != "none":
            props["netdev"] = "n0"
        if not self.behind_root_port:
            props["addr"] = "04.0"
        props |= self.props
        return ",".join([self.device, *(f"{name}={value.replace(',', ',,')}" for name, value in props.items())])

    def to_json(self) -> dict[str, Any]:
        """As in a case file."""
        return {"machine": self.machine, "device": self.device, "props": dict(self.props), "peer": self.peer.to_json(), "ram": self.ram}


@dataclass(frozen=True)
class Case:
    """A recorded sequence of operations."""

    id: str
    config: CaseConfig
    ops: list[Op]
    final: dict[str, Any]
    """QEMU's own view at the end; empty when nobody asked, or when it died."""
    family: str = ""
    title: str = ""
    since: str = ""
    """The first QEMU release that has what the case needs, "" for 4.1 or older."""
    isr_at: tuple[int, int] = (0, 0x13)
    """BAR and offset of the ISR byte."""
    status_at: tuple[int, int] = (0, 0x12)
    """BAR and offset of device_status; config_generation follows."""
    profile: str = "7.2"
    """The QEMU that recorded it."""

    @property
    def died(self) -> bool:
        """QEMU aborted in it."""
        return bool(self.ops) and self.ops[-1][0] == "died"

    def to_json(self) -> dict[str, Any]:
        """As in a case file."""
        out: dict[str, Any] = {"id": self.id, "family": self.family, "title": self.title, "config": self.config.to_json()}
        if self.since:
            out["since"] = self.since
        return out | {"isr_at": list(self.isr_at), "status_at": list(self.status_at), "ops": self.ops, "final": self.final}
