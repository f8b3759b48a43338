"""Types as a real QEMU lists them: parents, interfaces, chains, who implements what; compared for the types that we have."""

from __future__ import annotations

from typing import Any, Final

from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.static_compare import Comparer
from ringscope_core.conform.static_machine import CannotMake, new_machine
from ringscope_core.hw import monitor
from ringscope_core.qom.profile import DEFAULT_MACHINE, PROFILE_4_1
from ringscope_core.qom.types import TypeTable

NEWER_INTERFACES: Final = ("resettable", "vmstate-if")
"""Interfaces that came after 4.1."""
IMPLEMENTS: Final = "implements_"


def recognize(data: Any) -> bool:
    """An object with types by name, each with parent, abstract, interfaces."""
    types = data.get("types") if isinstance(data, dict) else None
    return isinstance(types, dict) and bool(types) and all(isinstance(row, dict) and {"parent", "abstract", "interfaces"} <= set(row) for row in types.values())


def cases(data: Any) -> list[str]:
    """A case for each type, each chain, each list."""
    found = [f"types {name}" for name in data["types"]]
    found += [f"chains {name}" for name in data.get("chains", {})]
    found += [key for key in data if key not in ("types", "chains", "version")]
    return found


def run(data: Any, case_id: str, profile: str) -> Outcome:
    """Compare one."""
    comparer = Comparer(case_id)
    try:
        table = new_machine(profile, DEFAULT_MACHINE).world.types
    except CannotMake as error:
        return comparer.skip(str(error))
    section, _, name = case_id.partition(" ")
    if section == "types" and name:
        return _one_type(comparer, table, name, data["types"][name], profile)
    if section == "chains" and name:
        impl = table.lookup(name)
        if impl is None:
            return comparer.skip(f"type {name} is not modelled")
        comparer.equal("chain", data["chains"][name], [ancestor.name for ancestor in impl.chain()])
        return comparer.outcome
    return _listing(comparer, table, case_id, data[case_id])


def _one_type(comparer: Comparer, table: TypeTable, name: str, row: dict[str, Any], profile: str) -> Outcome:
    impl = table.lookup(name)
    if impl is None:
        if profile == PROFILE_4_1:
            return comparer.skip(f"type {name} came after QEMU 4.1, or is not modelled")
        return comparer.skip(f"type {name} is not modelled")
    klass = impl.initialize()
    interfaces = sorted({iface.interface_type.name for iface in klass.interfaces if iface.interface_type is not None})
    expected = sorted(row["interfaces"])
    if profile == PROFILE_4_1:
        expected = [one for one in expected if one not in NEWER_INTERFACES]
    comparer.equal("parent", row["parent"], impl.info.parent or None)
    comparer.equal("abstract", row["abstract"], impl.abstract)
    comparer.equal("interfaces", expected, interfaces)
    return comparer.outcome


def _listing(comparer: Comparer, table: TypeTable, key: str, value: Any) -> Outcome:
    """A list of types: the rows of those that we have, and none of ours missing where it tells who implements something."""
    if isinstance(value, list) and value and all(isinstance(row, str) for row in value):
        ours = [impl.name for impl in table.all() if impl.info.parent == "interface"]
        comparer.equal("interfaces", [name for name in ours if name in value], ours)
        return comparer.outcome
    if not isinstance(value, list) or not all(isinstance(row, dict) and "name" in row for row in value):
        return comparer.skip("it speaks of the whole of a QEMU binary, of which we model one device")
    implements = key.removeprefix(IMPLEMENTS).replace("_", "-") if key.startswith(IMPLEMENTS) else ""
    world_rows = {str(row["name"]): row for row in monitor.qom_list_types_of(table, implements, True)}
    recorded = {row["name"]: row for row in value}
    for name, row in recorded.items():
        if table.lookup(name) is not None:
            comparer.equal(name, row, world_rows.get(name, "nothing"))
    if implements:
        comparer.equal("ours", [name for name in world_rows if name in recorded], list(world_rows))
    return comparer.outcome
