"""What a recording offers to change at a moment: names, feature bits, options, traffic.  A dialog's pickers are filled from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringscope_core.engine.control import option_value
from ringscope_core.engine.feature_bits import FEATURES
from ringscope_core.engine.replayable import scenario_of
from ringscope_core.engine.run import Run
from ringscope_core.hw.monitor import device_list_properties
from ringscope_core.hw.monitor_error import MonitorError
from ringscope_core.hw.qdev.opts import split_options

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording
    from ringscope_core.scenario.model import Scenario
    from ringscope_core.trace.state import MachineState


@dataclass(frozen=True)
class Bit:
    """A feature bit that the device offers at the moment, and whether the driver took it."""

    number: int
    name: str
    text: str
    taken: bool


@dataclass(frozen=True)
class Option:
    """A property of a device, its type, and what the scenario gives it ("" for its default)."""

    name: str
    type: str
    value: str


@dataclass
class Device:
    """A device of the scenario that has an id."""

    name: str
    driver: str
    options: list[Option] = field(default_factory=list)
    bits: list[Bit] = field(default_factory=list)
    link_up: bool = True


@dataclass
class Choices:
    """Everything that can be picked."""

    devices: list[Device] = field(default_factory=list)
    backends: list[str] = field(default_factory=list)
    traffic: list[dict[str, Any]] = field(default_factory=list)
    inside_turn: bool = False
    """Calls are open at the moment: a change waits for the end of the turn."""


def choices_at(recording: Recording, seq: int) -> Choices:
    """What can be changed after event `seq`.  Raises ReplayError when the recording cannot be run again, SessionError."""
    scenario = scenario_of(recording.reader)
    state = recording.reader.state_at(seq)
    found = Choices(inside_turn=bool(state.stack))
    found.backends = [option_value(text, "id") for text in scenario.netdev if option_value(text, "id")]
    found.traffic = [
        {"kind": entry.kind, "rate_pps": entry.rate_pps, "size": entry.size, "count": entry.count, "burst": entry.burst, "flows": entry.flows}
        for entry in scenario.traffic
    ]
    listed = _properties(scenario)
    for text in scenario.device:
        parts = split_options(text)
        name, driver = option_value(text, "id"), parts[0].removeprefix("driver=")
        if name:
            options = [Option(prop, kind, option_value(text, prop)) for prop, kind in listed.get(driver, [])]
            found.devices.append(Device(name, driver, options, *_negotiated(recording, state, name)))
    return found


def _properties(scenario: Scenario) -> dict[str, list[tuple[str, str]]]:
    """(name, type) of what each driver of the scenario takes, by driver."""
    world = Run(scenario, digests=False).world
    found: dict[str, list[tuple[str, str]]] = {}
    for text in scenario.device:
        driver = split_options(text)[0].removeprefix("driver=")
        try:
            found[driver] = sorted((str(row["name"]), str(row["type"])) for row in device_list_properties(world, driver))
        except MonitorError:
            found[driver] = []
    return found


def _negotiated(recording: Recording, state: MachineState, name: str) -> tuple[list[Bit], bool]:
    """The feature bits of the device with id `name`, and whether its cable is in."""
    names = recording.names
    for oid in state.objects:
        if names.path(oid) == f"/machine/peripheral/{name}/virtio-backend":
            offered, taken = (state.value(oid, recording.field_id(f"VirtIODevice.{word}_features")) or 0 for word in ("host", "guest"))
            up = state.value(oid, recording.field_id("VirtIONet.status"))
            return [Bit(bit, *FEATURES[bit], bool(taken >> bit & 1)) for bit in sorted(FEATURES) if offered >> bit & 1], up is None or bool(up & 1)
    return [], True
