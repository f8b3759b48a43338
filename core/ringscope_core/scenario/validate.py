"""Plain data against the model: the first thing that is wrong becomes an `InputError` with its path."""

from __future__ import annotations

import typing
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from ringscope_core.net.addresses import ip4_from_text, mac_from_text
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.units import DURATION_ALLOWED, SIZE_ALLOWED, duration_ns, size_bytes

_TRUE = ("on", "yes", "true", "1")
_FALSE = ("off", "no", "false", "0")
MIN_RAM = 16 << 20
MAX_RAM = 3 << 30
"""Above are the windows that BARs are placed in."""
BOOL_ALLOWED = "on or off"
ALLOWED = {
    "duration": DURATION_ALLOWED,
    "size": f"{SIZE_ALLOWED}, from 16M to 3G, in whole pages",
    "mac": "an Ethernet address such as 52:54:00:12:34:56",
    "ip4": "an IPv4 address such as 10.0.2.15",
    "ring size": "0 for what the device proposes, or a power of two from 2 to 1024",
}
"""What texts and numbers with a rule of their own may be (``Meta.extra["allowed"]`` in the model)."""


def fields_of(struct: type) -> dict[str, Any]:
    """A struct's field types by name, in the order of the model."""
    hints = typing.get_type_hints(struct, include_extras=True)
    return {name: hints[name] for name in struct.__struct_fields__}  # type: ignore[attr-defined]


def check(path: str, value: object, kind: Any, *, from_text: bool = False) -> object:
    """`value` as `kind` wants it; with `from_text` numbers and switches may be text (``--set``).  Raises InputError."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return check_struct(path, value, kind, from_text=from_text)
    origin = get_origin(kind)
    if origin is list:
        return _check_list(path, value, get_args(kind)[0], from_text)
    if origin is Annotated:
        base, *metas = get_args(kind)
        checked = check(path, value, base, from_text=from_text)
        for meta in metas:
            if isinstance(meta, Meta):
                _check_meta(path, value, checked, meta)
        return checked
    if origin is Literal:
        return _check_choice(path, value, get_args(kind))
    return _check_scalar(path, value, kind, from_text)


def check_struct(path: str, value: object, struct: type[msgspec.Struct], *, from_text: bool = False) -> dict[str, object]:
    """A table with only the struct's fields, each checked; required ones must be there."""
    where = path or "scenario"
    if not isinstance(value, dict):
        raise InputError(where, value, "a table")
    known = fields_of(struct)
    for name in value:
        if name not in known:
            raise InputError(_join(path, str(name)), name, f"{where} has {', '.join(known)}")
    for name in msgspec.structs.fields(struct):
        if name.required and name.name not in value:
            raise InputError(_join(path, name.name), "", "it must be given")
    return {name: check(_join(path, name), item, known[name], from_text=from_text) for name, item in value.items()}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _check_list(path: str, value: object, item: Any, from_text: bool) -> list[object]:
    if from_text and isinstance(value, str):
        value = [part for part in value.split(";") if part]
    if not isinstance(value, list):
        raise InputError(path, value, "a list")
    return [check(f"{path}.{place}", entry, item, from_text=from_text) for place, entry in enumerate(value)]


def _check_choice(path: str, value: object, choices: tuple[object, ...]) -> object:
    if value not in choices:
        raise InputError(path, value, "one of " + ", ".join(str(choice) for choice in choices))
    return value


def _check_scalar(path: str, value: object, kind: Any, from_text: bool) -> object:
    if kind is bool:
        return _check_bool(path, value)
    if kind is int:
        return _check_int(path, value, from_text)
    if kind is float:
        return _check_float(path, value, from_text)
    if kind is str:
        if not isinstance(value, str):
            raise InputError(path, value, "a text")
        return value
    raise TypeError(f"{path}: the model has a type that nobody checks: {kind!r}")


def _check_bool(path: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE:
        return True
    if isinstance(value, str) and value.lower() in _FALSE:
        return False
    raise InputError(path, value, BOOL_ALLOWED)


def _check_int(path: str, value: object, from_text: bool) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if from_text and isinstance(value, str):
        try:
            return int(value.replace("_", ""), 0)
        except ValueError:
            raise InputError(path, value, "a whole number") from None
    raise InputError(path, value, "a whole number")


def _check_float(path: str, value: object, from_text: bool) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if from_text and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise InputError(path, value, "a number") from None
    raise InputError(path, value, "a number")


def _check_meta(path: str, raw: object, value: object, meta: Meta) -> None:
    if isinstance(value, (int, float)) and meta.ge is not None and meta.le is not None and not meta.ge <= value <= meta.le:
        raise InputError(path, raw, f"from {_number(meta.ge)} to {_number(meta.le)}")
    extra = meta.extra or {}
    rule = str(extra.get("allowed", ""))
    if rule == "ring size":
        _check_ring_size(path, raw, value)
    else:
        _check_text(path, str(value), rule)


def _check_ring_size(path: str, raw: object, value: object) -> None:
    """Split rings are as long as a power of two (virtio 1.1, 2.6), and the drivers keep to that for packed ones."""
    if isinstance(value, int) and value and (value < 2 or value & (value - 1)):
        raise InputError(path, raw, ALLOWED["ring size"])


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check_text(path: str, text: str, rule: str) -> None:
    """Texts with a form: durations, sizes, addresses; an empty one is "not given", but for sizes and IP addresses."""
    if rule == "duration":
        duration_ns(path, text)
    elif rule == "size":
        size = size_bytes(path, text)
        if not MIN_RAM <= size <= MAX_RAM or size % 4096:
            raise InputError(path, text, ALLOWED["size"])
    elif rule == "mac" and text:
        _address(path, text, mac_from_text, ALLOWED["mac"])
    elif rule == "ip4":
        _address(path, text, ip4_from_text, ALLOWED["ip4"])


def _address(path: str, text: str, parse: typing.Callable[[str], bytes], allowed: str) -> None:
    try:
        parse(text)
    except ValueError:
        raise InputError(path, text, allowed) from None
