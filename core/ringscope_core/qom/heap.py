"""Host addresses of the things that QEMU allocates: known ones as facts, the rest by a deterministic allocator.

An address stays with its object for life and is not used again, so a recording names each thing uniquely.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.qom.symbols import HEAP

ARENA_TYPES: Final = "types"
ARENA_CLASSES: Final = "classes"
ARENA_OBJECTS: Final = "objects"

_ARENA_STARTS: Final[dict[str, int]] = {
    # behind the addresses of the same kind that are facts
    ARENA_TYPES: 0x555556312000,
    ARENA_CLASSES: 0x5555563D2000,
    ARENA_OBJECTS: 0x55555729F000,
}
_MALLOC_HEADER: Final = 8
_MALLOC_ALIGN: Final = 16


@final
class Heap:
    """malloc's stand-in: stable per run, in the style of the addresses that are known."""

    def __init__(self) -> None:
        self._next: dict[str, int] = dict(_ARENA_STARTS)
        self._taken: set[str] = set()
        self.modelled: set[int] = set()
        """Addresses that this allocator made up."""

    def alloc(self, key: str, size: i64, arena: str = ARENA_OBJECTS) -> i64:
        """An address for `size` bytes; the first allocation of a `key` that is a fact gets the fact."""
        known = HEAP.get(key)
        if known is not None and key not in self._taken:
            self._taken.add(key)
            return known
        addr = self._next[arena]
        step = (int(size) + _MALLOC_HEADER + _MALLOC_ALIGN - 1) // _MALLOC_ALIGN * _MALLOC_ALIGN
        self._next[arena] = addr + max(step, 2 * _MALLOC_ALIGN)
        self.modelled.add(addr)
        return addr
