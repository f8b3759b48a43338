"""Where the memory of two rings differs: which descriptor, which slot, which member, and the byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from ringscope_core.trace.state import RingImage

Words = tuple[str, str, str]
"""Where, one value, the other."""

_DESCRIPTOR: Final = struct.Struct("<QIHH")
_SPLIT: Final = ("addr", "len", "flags", "next")
_PACKED: Final = ("addr", "len", "id", "flags")
_AT: Final = (0, 8, 12, 14)
_HEX: Final = ("addr", "flags")
_USED: Final = struct.Struct("<II")


def ring_words(a: RingImage, b: RingImage) -> Iterator[Words]:
    """Every member of ring memory that is different; rings of different shape differ in that alone."""
    shapes = [(name, int(getattr(a, name)), int(getattr(b, name))) for name in ("num", "packed", "desc_gpa", "avail_gpa", "used_gpa")]
    for name, old, new in shapes:
        if old != new:
            yield (name, f"0x{old:x}", f"0x{new:x}") if name.endswith("gpa") else (name, str(old), str(new))
    if (a.num, a.packed) != (b.num, b.packed):
        return
    members = _PACKED if a.packed else _SPLIT
    yield from _descriptors("descriptor", a.desc, b.desc, members)
    for part in ("avail", "used"):
        yield from _structure(part, getattr(a, part), getattr(b, part), a.num, a.packed)
    for head in sorted(a.indirect.keys() | b.indirect.keys()):
        table, other = a.indirect.get(head), b.indirect.get(head)
        if table is None or other is None or len(table) != len(other):
            yield f"indirect table of head {head}", _table(table), _table(other)
        if table is not None and other is not None:
            yield from _descriptors(f"indirect table of head {head}, descriptor", table, other, members)


def _table(data: bytearray | None) -> str:
    return "absent" if data is None else f"{len(data) // 16} descriptors"


def _descriptors(what: str, a: bytearray, b: bytearray, members: tuple[str, ...]) -> Iterator[Words]:
    """Differences of two tables, as far as both reach."""
    if a == b:
        return
    for index in range(min(len(a), len(b)) // 16):
        place = slice(16 * index, 16 * index + 16)
        if a[place] == b[place]:
            continue
        olds, news = _DESCRIPTOR.unpack(a[place]), _DESCRIPTOR.unpack(b[place])
        for member, at, old, new in zip(members, _AT, olds, news, strict=True):
            if old != new:
                where = f"{what} {index} {member} (byte {16 * index + at})"
                yield (where, f"0x{old:x}", f"0x{new:x}") if member in _HEX else (where, str(old), str(new))


def _structure(part: str, a: bytearray, b: bytearray, num: int, packed: bool) -> Iterator[Words]:
    """Differences of an available or used ring, or of a packed ring's event suppression structure."""
    if a == b:
        return
    if len(a) != len(b):
        yield f"{part} size", f"{len(a)} B", f"{len(b)} B"
        return
    if packed:
        side = "driver" if part == "avail" else "device"
        yield from _words(f"{side} event suppression", a, b, [("off_wrap", 0), ("flags", 2)])
        return
    yield from _words(part, a, b, [("flags", 0), ("idx", 2)])
    if part == "avail":
        yield from _words(part, a, b, [(f"ring[{slot}]", 4 + 2 * slot) for slot in range(num)])
    else:
        for slot in range(num):
            at = 4 + 8 * slot
            for member, old, new in zip(("id", "len"), _USED.unpack_from(a, at), _USED.unpack_from(b, at), strict=True):
                if old != new:
                    yield f"used.ring[{slot}].{member} (byte {at + (4 if member == 'len' else 0)})", str(old), str(new)
    yield from _words(part, a, b, [("used_event" if part == "avail" else "avail_event", len(a) - 2)])


def _words(part: str, a: bytearray, b: bytearray, places: list[tuple[str, int]]) -> Iterator[Words]:
    """Differences of 16-bit members at bytes."""
    for name, at in places:
        if a[at : at + 2] != b[at : at + 2]:
            yield f"{part}.{name} (byte {at})", str(int.from_bytes(a[at : at + 2], "little")), str(int.from_bytes(b[at : at + 2], "little"))
