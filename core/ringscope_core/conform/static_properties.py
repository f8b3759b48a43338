"""Properties as a real QEMU lists them: device-list-properties, qom-list-properties, ``-device TYPE,help``."""

from __future__ import annotations

from typing import Any, Final

from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.static_compare import Comparer
from ringscope_core.conform.static_machine import NEWER_PROPERTIES, CannotMake, machine_for, new_machine
from ringscope_core.hw import monitor
from ringscope_core.qom.profile import DEFAULT_MACHINE, PROFILE_4_1

DEVICE: Final = "device-list-properties"
QOM: Final = "qom-list-properties"
HELP: Final = "device_help"
SEPARATOR: Final = " "


def recognize(data: Any) -> bool:
    """An object with one of the two lists, by machine type and type, or with help texts by type."""
    return isinstance(data, dict) and any(isinstance(data.get(key), dict) for key in (DEVICE, QOM, HELP))


def cases(data: Any) -> list[str]:
    """A case for each list of each type."""
    found = [SEPARATOR.join((key, machine, name)) for key in (DEVICE, QOM) for machine, types in data.get(key, {}).items() for name in types]
    return found + [SEPARATOR.join((HELP, name)) for name in data.get(HELP, {})]


def run(data: Any, case_id: str, profile: str) -> Outcome:
    """Compare one."""
    comparer = Comparer(case_id)
    key, *rest = case_id.split(SEPARATOR)
    machine_type, typename = (DEFAULT_MACHINE, rest[0]) if key == HELP else (rest[0], rest[1])
    try:
        world = new_machine(profile, machine_for(profile, machine_type)).world
    except CannotMake as error:
        return comparer.skip(str(error))
    if world.types.lookup(typename) is None:
        return comparer.skip(f"type {typename} is not modelled")
    if key == HELP:
        recorded = data[HELP][typename]
        if profile == PROFILE_4_1:
            return comparer.skip("4.1's help has another form")
        comparer.equal("exit code", recorded.get("rc", 0), 0)
        comparer.lines("help", recorded["stdout"].splitlines(), monitor.device_help(world, typename).splitlines())
        return comparer.outcome
    rows: list[dict[str, Any]] = data[key][machine_type][typename]
    got: list[dict[str, Any]] = [dict(row) for row in (monitor.device_list_properties if key == DEVICE else monitor.qom_list_properties)(world, typename)]
    if profile == PROFILE_4_1:
        if world.types.get(typename).abstract:
            return comparer.skip("an abstract type of 4.1 has no properties to list")
        _compare_4_1(comparer, rows, got)
        return comparer.outcome
    comparer.equal("names", [row["name"] for row in rows], [row["name"] for row in got])
    by_name = {row["name"]: row for row in got}
    for row in rows:
        comparer.equal(str(row["name"]), row, by_name.get(row["name"], "nothing"))
    return comparer.outcome


OLDER_PROPERTIES: Final = ("command_serr_enable",)


def _compare_4_1(comparer: Comparer, rows: list[dict[str, Any]], got: list[dict[str, Any]]) -> None:
    """4.1 has fewer properties, one more, tells no defaults, and its order is not known."""
    ours = {row["name"]: row for row in got if row["name"] not in OLDER_PROPERTIES}
    recorded = {row["name"]: {name: value for name, value in row.items() if name != "default-value"} for row in rows if row["name"] not in NEWER_PROPERTIES}
    comparer.equal("names", sorted(recorded), sorted(ours))
    for name, row in recorded.items():
        comparer.equal(str(name), row, ours.get(name, "nothing"))
