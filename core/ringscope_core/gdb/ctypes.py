"""C types as expressions and printed values need them: kinds, sizes, members, and their spelling.

Structures come from `trace.structs`; what their fields' types are called but not laid out there (lists, address spaces) is opaque: it
prints as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ringscope_core.trace.structs import STRUCTS

INT: Final = "int"
BOOL: Final = "bool"
CHAR: Final = "char"
ENUM: Final = "enum"
POINTER: Final = "pointer"
ARRAY: Final = "array"
STRUCT: Final = "struct"
FUNCTION: Final = "function"
VOID: Final = "void"
OPAQUE: Final = "opaque"
POINTER_BYTES: Final = 8

COUNTS: Final[Mapping[str, int]] = {
    "OBJECT_CLASS_CAST_CACHE": 4,
    "MAX_INTERFACES": 32,
    "ETH_ALEN": 6,
    "MAX_QUEUE_NUM": 1024,
    "VIRTIO_QUEUE_MAX": 1024,
    "PCI_NUM_REGIONS": 7,
    "QEMU_PCI_VGA_NUM_REGIONS": 3,
    "BITS_TO_LONGS(DEVICE_CATEGORY_MAX)": 1,
}
"""QEMU's constants in the bounds of arrays."""


@dataclass(frozen=True)
class CType:
    """One type.  `name` is its spelling; `target` what a pointer points at, an array consists of, a function returns."""

    kind: str
    name: str
    size: int = 0
    signed: bool = False
    target: CType | None = None
    count: int = 0

    @property
    def scalar(self) -> bool:
        """Whether a value of it is one number."""
        return self.kind in (INT, BOOL, CHAR, ENUM, POINTER)

    @property
    def points_to_function(self) -> bool:
        """Whether it is a pointer to a function."""
        return self.kind == POINTER and self.target is not None and self.target.kind == FUNCTION

    @property
    def points_to_char(self) -> bool:
        """Whether gdb prints what it points at as a string."""
        return self.kind == POINTER and self.target is not None and self.target.kind == CHAR


@dataclass(frozen=True)
class Member:
    """A member of a structure; `full` is the field's name in the tables of fields (``mac_table.in_use``), "" for none."""

    name: str
    offset: int
    ctype: CType
    full: str


def _base(kind: str, name: str, size: int, signed: bool = False) -> CType:
    return CType(kind, name, size, signed)


VOID_TYPE: Final = CType(VOID, "void", 1)
CHAR_TYPE: Final = _base(CHAR, "char", 1, True)
BOOL_TYPE: Final = _base(BOOL, "bool", 1)
INT_TYPE: Final = _base(INT, "int", 4, True)
UINT_TYPE: Final = _base(INT, "unsigned int", 4)
LONG_TYPE: Final = _base(INT, "long", 8, True)
ULONG_TYPE: Final = _base(INT, "unsigned long", 8)
INT128_TYPE: Final = _base(INT, "Int128", 16, True)

_BASES: Final[dict[str, CType]] = {
    "void": VOID_TYPE,
    "char": CHAR_TYPE,
    "gchar": _base(CHAR, "gchar", 1, True),
    "signed char": _base(CHAR, "signed char", 1, True),
    "unsigned char": _base(CHAR, "unsigned char", 1),
    "uint8_t": _base(CHAR, "uint8_t", 1),
    "int8_t": _base(CHAR, "int8_t", 1, True),
    "bool": BOOL_TYPE,
    "_Bool": BOOL_TYPE,
    "short": _base(INT, "short", 2, True),
    "unsigned short": _base(INT, "unsigned short", 2),
    "int16_t": _base(INT, "int16_t", 2, True),
    "uint16_t": _base(INT, "uint16_t", 2),
    "int": INT_TYPE,
    "unsigned": UINT_TYPE,
    "unsigned int": UINT_TYPE,
    "int32_t": _base(INT, "int32_t", 4, True),
    "uint32_t": _base(INT, "uint32_t", 4),
    "long": LONG_TYPE,
    "long int": LONG_TYPE,
    "unsigned long": ULONG_TYPE,
    "long long": _base(INT, "long long", 8, True),
    "unsigned long long": _base(INT, "unsigned long long", 8),
    "int64_t": _base(INT, "int64_t", 8, True),
    "uint64_t": _base(INT, "uint64_t", 8),
    "size_t": _base(INT, "size_t", 8),
    "ptrdiff_t": _base(INT, "ptrdiff_t", 8, True),
    "hwaddr": _base(INT, "hwaddr", 8),
    "pcibus_t": _base(INT, "pcibus_t", 8),
    "Int128": INT128_TYPE,
    "OnOffAuto": _base(ENUM, "OnOffAuto", 4),
    "QEMUClockType": _base(ENUM, "QEMUClockType", 4),
}
ENUM_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "OnOffAuto": ("ON_OFF_AUTO_AUTO", "ON_OFF_AUTO_ON", "ON_OFF_AUTO_OFF"),
    "QEMUClockType": ("QEMU_CLOCK_REALTIME", "QEMU_CLOCK_VIRTUAL", "QEMU_CLOCK_HOST", "QEMU_CLOCK_VIRTUAL_RT"),
}
_FUNCTION_POINTERS: Final = {
    "DeviceRealize": "void (*)(DeviceState *, Error **)",
    "DeviceUnrealize": "void (*)(DeviceState *, Error **)",
    "DeviceReset": "void (*)(DeviceState *)",
    "BusRealize": "void (*)(BusState *, Error **)",
    "BusUnrealize": "void (*)(BusState *, Error **)",
    "VirtIOHandleOutput": "void (*)(VirtIODevice *, VirtQueue *)",
    "VirtIOHandleAIOOutput": "bool (*)(VirtIODevice *, VirtQueue *)",
    "PCIINTxRoutingNotifier": "void (*)(PCIDevice *)",
    "MSIVectorUseNotifier": "int (*)(PCIDevice *, unsigned int, MSIMessage)",
    "MSIVectorReleaseNotifier": "void (*)(PCIDevice *, unsigned int)",
    "MSIVectorPollNotifier": "void (*)(PCIDevice *, unsigned int, unsigned int)",
}
"""Names of pointers to functions."""
_FUNCTIONS: Final = frozenset(
    (
        "ObjectUnparent",
        "ObjectFree",
        "ObjectPropertyAccessor",
        "ObjectPropertyResolve",
        "ObjectPropertyRelease",
        "PCIUnregisterFunc",
        "PCIConfigReadFunc",
        "PCIConfigWriteFunc",
        "NetClientDestructor",
    )
)
"""Names of functions, which fields point at."""
_ALIASES: Final = {"Type": "TypeImpl *"}

_EXTRA: Final[dict[str, tuple[int, str, tuple[tuple[int, str, str], ...]]]] = {
    "VirtIONetPCI": (42096, "", ((0, "parent_obj", "VirtIOPCIProxy"), (33136, "vdev", "VirtIONet"))),
    "MACAddr": (6, "", ((0, "a", "uint8_t[6]"),)),
    "InterfaceClass": (112, "", ((0, "parent_class", "ObjectClass"), (96, "concrete_class", "ObjectClass *"), (104, "interface_type", "Type"))),
}
_ANONYMOUS: Final[dict[str, tuple[int, tuple[tuple[int, str, str], ...]]]] = {
    "struct {uint32_t in_use, first_multi; uint8_t multi_overflow, uni_overflow; uint8_t *macs;}": (
        24,
        (
            (0, "in_use", "uint32_t"),
            (4, "first_multi", "uint32_t"),
            (8, "multi_overflow", "uint8_t"),
            (9, "uni_overflow", "uint8_t"),
            (16, "macs", "uint8_t *"),
        ),
    ),
    "struct {VirtQueueElement *elem;}": (8, ((0, "elem", "VirtQueueElement *"),)),
}
DRIVER_STRUCTS: Final = ("vring_virtqueue", "send_queue", "receive_queue", "virtnet_info", "virtio_device", "driver", "MSIXEntry")
"""Structures of which the recording names fields and nobody says where they lie."""

SPLIT_ONLY: Final = frozenset(("avail_flags_shadow", "avail_idx_shadow"))
PACKED_ONLY: Final = frozenset(("next_avail_idx", "avail_wrap_counter", "used_wrap_counter", "event_flags_shadow"))
"""Fields that the driver's vring_virtqueue has in one layout only: a union there."""


def struct_named(name: str) -> CType | None:
    """The structure `name`, None for one that is not laid out."""
    if name in STRUCTS:
        return CType(STRUCT, name, STRUCTS[name][0])
    if name in _EXTRA:
        return CType(STRUCT, name, _EXTRA[name][0])
    if name in DRIVER_STRUCTS or name == "Error":
        return CType(STRUCT, name, 0)
    return None


def place_of(name: str) -> str:
    """FILE:LINE of the structure's definition, "" when unknown."""
    return STRUCTS[name][1] if name in STRUCTS else _EXTRA[name][1] if name in _EXTRA else ""


def struct_names() -> list[str]:
    """Every structure there is a layout of."""
    return sorted((*STRUCTS, *_EXTRA))


def pointer_to(target: CType) -> CType:
    """`target` ``*``."""
    space = "" if target.name.endswith("*") else " "
    return CType(POINTER, f"{target.name}{space}*", POINTER_BYTES, False, target)


def array_of(target: CType, count: int) -> CType:
    """`target` ``[count]``."""
    base, bounds = target.name, ""
    found = re.match(r"(.*?)\s*((?:\[\d+\])+)$", target.name)
    if found:
        base, bounds = found[1], found[2]
    return CType(ARRAY, f"{base} [{count}]{bounds}", target.size * count, False, target, count)


@lru_cache(maxsize=2048)
def parse_type(text: str) -> CType:
    """The type that a declaration in the table of structures names; never fails: what nobody knows is opaque."""
    text = " ".join(text.split())
    if text in _ANONYMOUS:
        return CType(STRUCT, text, _ANONYMOUS[text][0])
    if text.startswith(("QTAILQ", "QLIST", "union")):
        return _listed(text)
    if text.endswith("]"):
        base, _, bound = text[:-1].partition("[")
        count = COUNTS.get(bound) or int(bound)
        return array_of(parse_type(base), count)
    if "(*)" in text:
        return CType(POINTER, text, POINTER_BYTES, False, CType(FUNCTION, text.replace("(*)", "", 1)))
    if ":" in text:
        return parse_type(text.split(":")[0].strip())
    if text.endswith("*"):
        inner = parse_type(text[:-1].strip())
        # the spelling says const, which changes nothing else
        return CType(POINTER, text, POINTER_BYTES, False, inner)
    plain = text.removeprefix("const ").removeprefix("struct ").removeprefix("volatile ").split(" (")[0].strip()
    found = known_type(plain)
    return found if found is not None else CType(OPAQUE, plain)


def _listed(text: str) -> CType:
    if text.endswith("*"):
        return pointer_to(CType(OPAQUE, text[:-1].strip()))
    sizes = {"QTAILQ": 16, "QLIST_ENTRY": 16, "QLIST_HEAD": 8, "union": 8}
    size = next(size for start, size in sizes.items() if text.startswith(start))
    return CType(OPAQUE, text, size)


def known_type(name: str) -> CType | None:
    """A base type, a name for another type, or a structure; None for a word that names no type."""
    if name in _BASES:
        return _BASES[name]
    if name in _ALIASES:
        return parse_type(_ALIASES[name])
    if name in _FUNCTION_POINTERS:
        return CType(POINTER, name, POINTER_BYTES, False, CType(FUNCTION, _FUNCTION_POINTERS[name].replace("(*)", "", 1)))
    if name in _FUNCTIONS:
        return CType(FUNCTION, name)
    return struct_named(name)


def _rows(name: str) -> tuple[tuple[int, str, str], ...]:
    if name in STRUCTS:
        return STRUCTS[name][2]
    if name in _EXTRA:
        return _EXTRA[name][2]
    return _ANONYMOUS[name][1] if name in _ANONYMOUS else ()


@lru_cache(maxsize=256)
def members(name: str) -> tuple[Member, ...]:
    """The members of structure `name` in order; none for the driver's, whose fields have no place."""
    out: list[Member] = []
    for offset, field, text in _rows(name):
        if name == "VirtIOIRQFD" and field.startswith("msg."):
            # the message is a structure of its own; its fields stand for it
            field = field.replace(".", "_")
        out.append(Member(field, offset, parse_type(text), "" if name in _ANONYMOUS else field))
    return tuple(out)


def member(name: str, field: str) -> Member | None:
    """Member `field` of structure `name`."""
    return next((found for found in members(name) if found.name == field), None)


def base_chain(name: str) -> list[str]:
    """`name` and the structures at its beginning: what a pointer to it may be cast to."""
    out = [name]
    while True:
        first = members(out[-1])[:1]
        if not first or first[0].ctype.kind != STRUCT or first[0].ctype.name in out:
            return out
        out.append(first[0].ctype.name)


def spelled(ctype: CType) -> str:
    """The type's name as gdb writes it in ``(T *) 0x...``."""
    return "struct {...}" if ctype.name in _ANONYMOUS else ctype.name


def declaration(ctype: CType, name: str) -> str:
    """``T name;`` as `ptype` lists a member."""
    if ctype.kind == ARRAY:
        base, bounds = ctype, ""
        while base.kind == ARRAY and base.target is not None:
            bounds += f"[{base.count}]"
            base = base.target
        return f"{declaration(base, name)}{bounds}"
    if ctype.points_to_function and "(*)" in ctype.name:
        return ctype.name.replace("(*)", f"(*{name})", 1)
    text = spelled(ctype)
    return f"{text}{name}" if text.endswith("*") else f"{text} {name}"
