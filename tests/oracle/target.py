"""A machine of profile 4.1 for tests: made from a recorded case's configuration."""

from __future__ import annotations

from typing import Any

from ringscope_core.conform.case import BAR_ADDRESSES, CaseConfig, PeerSpec
from ringscope_core.conform.machine_target import SLOT, MachineTarget
from ringscope_core.conform.static_machine import NEWER_PROPERTIES
from ringscope_core.trace.levels import LEVEL_FULL

__all__ = ["BAR_ADDRESSES", "BDF", "RingscopeTarget", "config_of"]

BDF = SLOT << 3


def config_of(config: dict[str, Any], profile: str = "4.1") -> CaseConfig:
    """A recorded configuration; in profile 4.1 without the properties that it lacks: a case that needs one differs, it does not stop the replay."""
    newer = NEWER_PROPERTIES if profile == "4.1" else ()
    props = {name: str(value) for name, value in config["props"].items() if name not in newer}
    peer = config["peer"]
    spec = PeerSpec(peer["kind"], peer.get("queues", 1), bool(peer.get("vnet_hdr")))
    machine = "pc-i440fx-4.1" if profile == "4.1" else config["machine"]
    return CaseConfig(machine, config["device"], props, spec, config.get("ram") or 8 << 20)


class RingscopeTarget(MachineTarget):
    """Tracing everything; profile 4.1 unless said."""

    def __init__(self, config: dict[str, Any] | CaseConfig, level: int = int(LEVEL_FULL), profile: str = "4.1") -> None:
        super().__init__(config if isinstance(config, CaseConfig) else config_of(config, profile), profile, level)
