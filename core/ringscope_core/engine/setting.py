"""``x-ringscope-set``: values of a run that may be changed by hand without the recording telling a lie.

What may: properties that QEMU would let one set at that moment (its own errors say why not), the link, what the guest's driver
can be told, and bytes of guest memory that no ring lies in.  A device's own fields may not: they follow from what the driver did,
and a change behind its back would be a device that QEMU is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ringscope_core.qom.errp import Errp
from ringscope_core.qom.object import Object
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.state import MachineState

if TYPE_CHECKING:
    from ringscope_core.engine.run import Run

Arguments = Mapping[str, Any]

MOST_BYTES: Final = 4096
"""Bytes of guest memory that are written at once."""
_ACTIONS: Final = {
    "driver.promisc": "promisc",
    "driver.allmulti": "allmulti",
    "driver.mac": "mac",
    "driver.queue_pairs": "pairs",
    "driver.offloads": "offloads",
}
"""What the driver can be told, and the action that tells it."""
LINK: Final = "link"
SETTABLE: Final = (LINK, *_ACTIONS)
"""Names that are no property and can be set."""
_NOT_BY_HAND: Final = {
    "realized": "device_add and device_del do that, so that the guest hears of it",
}


def apply_set(run: Run, a: Arguments) -> None:
    """Carry the command out, between turns.  Raises InputError with the reason when it cannot be."""
    check_set(run, a)
    if "memory" in a:
        run.machine.memory.write(_signed(int(a["memory"])), bytes.fromhex(a["value"]))
        # nothing that the device remembers of memory holds any longer
        run.machine.memory.turn += 1
        return
    target = object_of(run, a)
    name = str(a.get("property") or a.get("field"))
    if name == LINK:
        run.machine.set_link(_id_of(target), bool(a["value"]))
    elif name in _ACTIONS:
        _tell_driver(run, _id_of(target), _ACTIONS[name], a["value"])
    else:
        errp = Errp()
        target.property_set_qobject(a["value"], name, errp)
        if errp.error is not None:
            raise InputError(name, a["value"], f"QEMU says: {errp.error.text}")


def check_set(run: Run, a: Arguments) -> None:
    """Whether the command can be carried out, as far as that can be told beforehand: looks, does nothing.  Raises InputError."""
    given = [name for name in ("memory", "property", "field") if name in a]
    if len(given) != 1:
        raise InputError("x-ringscope-set", " and ".join(given), "exactly one of property, field, memory")
    if "value" not in a:
        raise InputError("value", "", "it must be given")
    if "memory" in a:
        _check_memory(run, a)
        return
    target = object_of(run, a)
    name = str(a.get("property") or a.get("field"))
    if name in SETTABLE:
        _id_of(target)
        if name == LINK and not isinstance(a["value"], bool):
            raise InputError(name, a["value"], "true or false")
        return
    prop = target.property_find(name)
    if prop is None:
        what = (
            "a property that the object has"
            if "property" in a
            else f"a device's fields follow from what its driver does; what can be set: {', '.join(SETTABLE)}"
        )
        raise InputError(name, a["value"], what)
    if name in _NOT_BY_HAND:
        raise InputError(name, a["value"], _NOT_BY_HAND[name])
    if not prop.writable:
        raise InputError(name, a["value"], "the property can only be read")


def object_of(run: Run, a: Arguments) -> Object:
    """The object that ``object`` names: a path, a device's id, or a number.  Raises InputError."""
    wanted = a.get("object")
    found: Object | None = None
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        found = run.world.objects.get(wanted)
    elif isinstance(wanted, str) and wanted:
        found = run.world.resolve_path(wanted)
        if found is None and not wanted.startswith("/"):
            found = run.world.resolve_path(f"/machine/peripheral/{wanted}")
    if found is None:
        raise InputError("object", wanted if wanted is not None else "", "the path, the id or the number of an object that there is")
    return found


def _id_of(target: Object) -> str:
    """The id of the card that an object is, or is part of; raises InputError."""
    at: Object | None = target
    while at is not None and at.parent is not None:
        if at.parent.path_component() == "peripheral":
            return at.path_component()
        at = at.parent
    raise InputError("object", target.typename, "a network card with an id, or a part of one")


def _tell_driver(run: Run, device: str, action: str, value: object) -> None:
    # the table of commands stands above this file
    from ringscope_core.engine.control import CHANGING

    fields: dict[str, object] = {"do": action, "device": _place_of(run, device)}
    fields["mac" if action == "mac" else "number"] = value if action == "mac" else int(value) if isinstance(value, int) else value
    CHANGING["x-ringscope-action"](run, fields)


def _place_of(run: Run, device: str) -> int:
    from ringscope_core.engine.control import interface_of

    return run.guest.interfaces.index(interface_of(run, device))


# -- memory -----------------------------------------------------------------------------------------------------------
def _signed(address: int) -> int:
    return address - (1 << 64) if address >= 1 << 63 else address


def _check_memory(run: Run, a: Arguments) -> None:
    address, text = a["memory"], a["value"]
    if not isinstance(address, int) or isinstance(address, bool) or not 0 <= address < 1 << 64:
        raise InputError("memory", address, "a guest physical address")
    try:
        data = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    if not 1 <= len(data) <= MOST_BYTES:
        raise InputError("value", text, f"1 to {MOST_BYTES} bytes in hexadecimal")
    if run.machine.memory.mapped_length(_signed(address), len(data)) != len(data):
        raise InputError("memory", f"0x{address:x}", "guest RAM, and in one piece")
    end = address + len(data)
    for name, first, last in ring_areas(run):
        if first < end and address < last:
            raise InputError(
                "memory", f"0x{address:x}", f"memory outside the rings: {name} lies from 0x{first:x} to 0x{last - 1:x}, and a recording keeps every write there"
            )


def ring_areas(run: Run) -> list[tuple[str, int, int]]:
    """(what, first, behind the last) of the memory that the rings of the machine lie in, indirect tables included."""
    state = MachineState()
    for part in run.machine.instruments:
        part.snapshot(state)
    run.guest.snapshot(state)
    areas: list[tuple[str, int, int]] = []
    for ring in state.rings.values():
        for name, start, size in (
            ("a descriptor table", ring.desc_gpa, len(ring.desc)),
            ("an available ring", ring.avail_gpa, len(ring.avail)),
            ("a used ring", ring.used_gpa, len(ring.used)),
        ):
            areas.append((name, start, start + size))
        for head, table in ring.indirect.items():
            start = int.from_bytes(ring.desc[16 * head : 16 * head + 8], "little")
            areas.append(("an indirect table", start, start + len(table)))
    return areas
