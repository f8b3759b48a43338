"""``x-ringscope-memory``: guest memory as it is at the moment, and where there is none."""

from __future__ import annotations

from typing import Final

from ringscope_core.memory.ram import GuestMemory
from ringscope_core.scenario.errors import InputError

MOST_BYTES: Final = 1 << 20
"""Bytes read at once."""
SPACES: Final = ("gpa",)
"""Address spaces: guest physical."""


def read_memory(memory: GuestMemory, address: int, size: int, space: str = "gpa") -> dict[str, object]:
    """`size` bytes from `address` on: ``data`` in hexadecimal, and in ``holes`` the (address, bytes) where there is neither RAM nor ROM.

    Holes read as zeros, as a guest's processor would read them.  Raises InputError.
    """
    if space not in SPACES:
        raise InputError("space", space, f"one of {', '.join(SPACES)}")
    if not 0 <= address < 1 << 64:
        raise InputError("addr", address, "an address of 64 bits")
    if not 1 <= size <= MOST_BYTES or address + size > 1 << 64:
        raise InputError("size", size, f"1 to {MOST_BYTES} bytes, up to the end of the address space")
    parts: list[bytes] = []
    holes: list[list[int]] = []
    at, left = address, size
    while left:
        signed = at - (1 << 64) if at >= 1 << 63 else at
        length = int(memory.section_length(signed, left))
        found = bool(memory.mapped_length(signed, 1)) or bool(memory.rom_length(signed, 1))
        parts.append(memory.read(signed, length) if found else bytes(length))
        if not found:
            holes.append([at, length])
        at, left = at + length, left - length
    return {"addr": address, "size": size, "space": space, "data": b"".join(parts).hex(), "holes": holes}
