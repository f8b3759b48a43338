"""The monitor's queries by their names: what each takes and what answers.  Arguments come as JSON, and are refused with QEMU's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ringscope_core.hw import monitor, monitor_pci, monitor_virtio
from ringscope_core.hw.machine import Machine
from ringscope_core.hw.monitor_error import MonitorError
from ringscope_core.hw.virtio_net.rxfilter import query_rx_filter

Arguments = dict[str, Any]
Query = Callable[[Machine, Arguments], object]


class Param(NamedTuple):
    """One argument of a command; `kind` as QEMU names it in its messages."""

    name: str
    kind: str
    required: bool


class QueryCommand(NamedTuple):
    """One query."""

    params: tuple[Param, ...]
    answer: Query


_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "any": (object,),
}
_UINT64_RANGE: Final = (-(1 << 63), (1 << 64) - 1)
"""Numbers of JSON beyond it are no integers to QEMU."""


def params_of(text: str) -> tuple[Param, ...]:
    """From ``name:kind`` words; a ``?`` after the name makes it optional, and the name ``*`` stands for any other."""
    out: list[Param] = []
    for word in text.split():
        name, kind = word.split(":")
        out.append(Param(name.rstrip("?"), kind, not name.endswith("?")))
    return tuple(out)


def check_arguments(params: tuple[Param, ...], arguments: Arguments) -> None:
    """Raises MonitorError with the words of QEMU's generated code."""
    for param in params:
        if param.name not in arguments:
            if param.required:
                raise MonitorError(f"Parameter '{param.name}' is missing")
            continue
        _check(param, arguments[param.name])
    known = {param.name for param in params}
    for name in arguments:
        if name not in known and "*" not in known:
            raise MonitorError(f"Parameter '{name}' is unexpected")


def _check(param: Param, value: object) -> None:
    if param.kind == "uint16":
        if not isinstance(value, int) or isinstance(value, bool) or not _UINT64_RANGE[0] <= value <= _UINT64_RANGE[1]:
            raise MonitorError(f"Parameter '{param.name}' expects uint64")
        if not 0 <= value <= 0xFFFF:
            raise MonitorError(f"Parameter '{param.name}' expects uint16_t")
    elif not isinstance(value, _TYPES[param.kind]) or (isinstance(value, bool) and param.kind in ("integer", "number")):
        raise MonitorError(f"Invalid parameter type for '{param.name}', expected: {param.kind}")


def _list_types(machine: Machine, a: Arguments) -> object:
    return monitor.qom_list_types(machine.world, a.get("implements", ""), a.get("abstract", False))


_ALWAYS: Final[list[tuple[str, str, Query]]] = [
    ("qom-list-types", "implements?:string abstract?:boolean", _list_types),
    ("qom-list", "path:string", lambda machine, a: monitor.qom_list(machine.world, a["path"])),
    ("qom-get", "path:string property:string", lambda machine, a: monitor.qom_get(machine.world, a["path"], a["property"])),
    ("qom-list-properties", "typename:string", lambda machine, a: monitor.qom_list_properties(machine.world, a["typename"])),
    ("device-list-properties", "typename:string", lambda machine, a: monitor.device_list_properties(machine.world, a["typename"])),
    ("query-rx-filter", "name?:string", lambda machine, a: query_rx_filter(machine.net, a.get("name", ""))),
    ("query-pci", "", lambda machine, a: monitor_pci.query_pci(machine.pci_bus)),
]
_SINCE_7_2: Final[list[tuple[str, str, Query]]] = [
    ("x-query-virtio", "", lambda machine, a: monitor_virtio.query_virtio(machine.world)),
    ("x-query-virtio-status", "path:string", lambda machine, a: monitor_virtio.query_virtio_status(machine.world, a["path"])),
    (
        "x-query-virtio-queue-status",
        "path:string queue:uint16",
        lambda machine, a: monitor_virtio.query_virtio_queue_status(machine.world, a["path"], a["queue"]),
    ),
    (
        "x-query-virtio-vhost-queue-status",
        "path:string queue:uint16",
        lambda machine, a: monitor_virtio.query_vhost_queue_status(machine.world, a["path"], a["queue"]),
    ),
    (
        "x-query-virtio-queue-element",
        "path:string queue:uint16 index?:uint16",
        lambda machine, a: monitor_virtio.query_virtio_queue_element(machine.world, a["path"], a["queue"], a.get("index", -1)),
    ),
]


def queries_of(machine: Machine) -> dict[str, QueryCommand]:
    """The queries that the machine's QEMU has."""
    rows = _ALWAYS + (_SINCE_7_2 if machine.world.v7_2 else [])
    return {name: QueryCommand(params_of(params), query) for name, params, query in rows}
