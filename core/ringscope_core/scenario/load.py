"""Scenario files: TOML, checked against the model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from ringscope_core.net.backends.generator import MAX_SIZE, MIN_SIZE
from ringscope_core.qom.profile import MACHINES
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.model import Action, Breakpoint, Driver, Scenario, Traffic
from ringscope_core.scenario.overrides import apply_settings
from ringscope_core.scenario.resources import resolve_captures
from ringscope_core.scenario.shipped import SHIPPED, shipped_path
from ringscope_core.scenario.validate import check_struct
from ringscope_core.trace.functions import function_table
from ringscope_core.trace.kinds import KIND_BY_NAME

MAX_BYTES = 1 << 20
"""A scenario file larger than this is something else."""


FRAME_OVERHEAD = 14
"""Ethernet header: a bulk entry's size is the frame's, the mtu is the packet's."""
LONGEST_DATA = 65535 - 20 - 20
"""Data of one IPv4 packet behind headers without options."""
ECHO_OVERHEAD = 28
"""IPv4 and ICMP or UDP headers: an echo entry's size is the payload's."""


def find_scenario(name: str) -> Path:
    """The file of `name`: a shipped scenario's name, or a path ending in .toml.  Raises InputError."""
    if name in SHIPPED:
        return shipped_path(name)
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return path
    raise InputError("scenario", name, f"one of {', '.join(SHIPPED)}, or a .toml file that exists")


def load(name: str, settings: list[str] | None = None) -> Scenario:
    """The scenario `name` (see `find_scenario`) with ``key=value`` settings applied (see `overrides`).  Raises InputError."""
    return parse_scenario(read_scenario(find_scenario(name)), settings)


def read_scenario(path: Path) -> dict[str, Any]:
    """The plain data of a scenario file; raises InputError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError("scenario", str(path), f"at most {MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise InputError("scenario", str(path), f"a file that can be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise InputError("scenario", str(path), "text in UTF-8") from None
    return _toml(str(path), text)


def _toml(where: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise InputError("scenario", where, f"a TOML file ({problem})") from None


def scenario_from_text(text: str, settings: list[str] | None = None) -> Scenario:
    """A scenario from TOML text, as a session file keeps it; raises InputError."""
    return parse_scenario(_toml("text", text), settings)


def parse_scenario(data: dict[str, Any], settings: list[str] | None = None) -> Scenario:
    """Apply settings, check everything, make the `Scenario`; raises InputError."""
    if isinstance(data.get("driver"), str):
        # a personality alone
        data["driver"] = {"personality": data["driver"]}
    apply_settings(data, settings or [])
    scenario = msgspec.convert(check_struct("", data, Scenario), Scenario)
    _check_machine(scenario)
    for place, breakpoint_ in enumerate(scenario.breakpoint):
        _check_breakpoint(f"breakpoint.{place}", breakpoint_)
    for place, entry in enumerate(scenario.traffic):
        check_traffic(f"traffic.{place}", entry, scenario)
    _check_driver(scenario.driver)
    for place, action in enumerate(scenario.action):
        check_action(f"action.{place}", action, scenario)
    scenario.netdev = [resolve_captures(option) for option in scenario.netdev]
    _complete_sources(scenario)
    return scenario


def _complete_sources(scenario: Scenario) -> None:
    """A ``bulk-rx`` entry describes what a ``source`` backend sends, as far as its option string does not say it itself.

    Entry and backend belong together by their order.
    """
    sources = [place for place, option in enumerate(scenario.netdev) if option.split(",", 1)[0] in ("source", "type=source")]
    entries = [entry for entry in scenario.traffic if entry.kind == "bulk-rx"]
    for place, entry in zip(sources, entries, strict=False):
        option = scenario.netdev[place]
        given = {part.partition("=")[0] for part in option.split(",")}
        wanted = {"pps": round(entry.rate_pps), "size": entry.size, "count": entry.count, "start-ns": entry.spec().start_ns, "flows": entry.flows}
        scenario.netdev[place] = option + "".join(f",{key}={value}" for key, value in wanted.items() if key not in given)


def _check_machine(scenario: Scenario) -> None:
    machines = MACHINES[scenario.profile]
    if scenario.machine_type() not in machines:
        raise InputError("machine.type", scenario.machine.type, f"one of {', '.join(machines)} in profile {scenario.profile}")


def check_traffic(path: str, entry: Traffic, scenario: Scenario) -> None:
    """What no single field can tell: rates, devices and sizes that fit the rest of the scenario."""
    if entry.kind == "mixed" and entry.rate_pps == 0:
        raise InputError(f"{path}.rate_pps", 0, "above 0 for mixed traffic, which is divided by rate")
    if scenario.device and entry.device >= len(scenario.device):
        raise InputError(f"{path}.device", entry.device, f"from 0 to {len(scenario.device) - 1}: the scenario has no more devices")
    if entry.kind != "tcp-bulk" and (entry.ipv6 or entry.ecn):
        raise InputError(f"{path}.{'ipv6' if entry.ipv6 else 'ecn'}", True, "only for tcp-bulk")
    if entry.kind in ("tcp-bulk", "udp-bulk"):
        if not 1 <= entry.size <= LONGEST_DATA:
            raise InputError(f"{path}.size", entry.size, f"from 1 to {LONGEST_DATA} bytes of data for {entry.kind}")
        return
    frame = int(MIN_SIZE) if entry.kind in ("bulk-tx", "bulk-rx", "mixed") else 0
    most = scenario.driver.mtu + FRAME_OVERHEAD if entry.kind == "bulk-tx" else scenario.driver.mtu - ECHO_OVERHEAD
    if entry.kind == "bulk-rx":
        most = int(MAX_SIZE)
    if not frame <= entry.size <= most:
        raise InputError(f"{path}.size", entry.size, f"from {frame} to {most} bytes for {entry.kind} with an mtu of {scenario.driver.mtu}")


_NEEDS = (
    ("tx_tso", "tx_csum"),
    ("tx_ufo", "tx_csum"),
    ("rx_gso", "rx_csum"),
    ("rx_ufo", "rx_csum"),
    ("rsc", "rx_gso"),
)
"""Offloads that are of no use without another (virtio 1.2, 5.1.3.1)."""


def _check_driver(driver: Driver) -> None:
    """Settings that do not go together."""
    for name, needed in _NEEDS:
        if getattr(driver, name) and not getattr(driver, needed):
            raise InputError(f"driver.{name}", True, f"only with {needed} = true")
    if driver.rx_mode == "vector" and driver.personality != "virtio-user":
        raise InputError("driver.rx_mode", driver.rx_mode, "auto, small or big; vector is for personality virtio-user")
    if driver.personality == "virtio-user" and driver.free_thresh < driver.burst and driver.rx_mode == "vector":
        raise InputError("driver.free_thresh", driver.free_thresh, f"at least the burst, {driver.burst}, for rx_mode vector")


def check_action(path: str, action: Action, scenario: Scenario) -> None:
    """What no single field can tell: devices, addresses, numbers that fit the action."""
    if scenario.device and action.device >= len(scenario.device):
        raise InputError(f"{path}.device", action.device, f"from 0 to {len(scenario.device) - 1}: the scenario has no more devices")
    if action.do == "mac" and not action.mac:
        raise InputError(f"{path}.mac", action.mac, "an Ethernet address such as 52:54:00:12:34:56")
    least, most = {"pairs": (1, 511), "promisc": (0, 1), "allmulti": (0, 1), "vlan-add": (0, 4095), "vlan-del": (0, 4095)}.get(action.do, (0, 2**62))
    if not least <= action.number <= most:
        raise InputError(f"{path}.number", action.number, f"from {least} to {most} for {action.do}")


def _check_breakpoint(path: str, wanted: Breakpoint) -> None:
    given = [name for name in ("function", "event", "field", "at") if getattr(wanted, name)]
    if len(given) != 1:
        raise InputError(path, " and ".join(given), "exactly one of function, event, field, at")
    if wanted.line and not wanted.function:
        raise InputError(f"{path}.line", wanted.line, "only with a function")
    if wanted.function and wanted.function not in {spec.name for spec in function_table().values()}:
        raise InputError(f"{path}.function", wanted.function, "a function of QEMU that Ringscope knows")
    for event in wanted.event.split(",") if wanted.event and wanted.event != "*" else ():
        if event.strip() not in KIND_BY_NAME:
            raise InputError(f"{path}.event", wanted.event, f"one of {', '.join(KIND_BY_NAME)}")


def to_toml_data(scenario: Scenario) -> dict[str, Any]:
    """The scenario as plain data, every field present (for a session's metadata)."""
    plain = msgspec.to_builtins(scenario)
    assert isinstance(plain, dict)
    return plain
