"""The guest's page allocator: rings and buffers get physically contiguous, zeroed pages."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.memory.ram import PAGE, GuestMemory

FIRST_PAGE: Final[i64] = 0x100000
"""Below 1 MiB a PC has its BIOS data, video memory and ROMs."""


class GuestOutOfMemoryError(Exception):
    """The scenario's guest RAM does not hold the rings and buffers its driver asks for."""


@final
class PageAllocator:
    """Hands out runs of pages upward from 1 MiB; a freed run serves a later request of the same size."""

    def __init__(self, memory: GuestMemory) -> None:
        self.memory: GuestMemory = memory
        self._next: i64 = FIRST_PAGE
        self._free: list[tuple[int, int]] = []

    def alloc(self, size: i64) -> i64:
        """The guest address of `size` zeroed bytes on a page boundary; raises GuestOutOfMemoryError."""
        pages = (size + PAGE - 1) // PAGE
        gpa = self._reuse(pages * PAGE)
        if gpa == 0:
            gpa = self._next
            if gpa + pages * PAGE > self.memory.end:
                raise GuestOutOfMemoryError(f"guest RAM of {self.memory.end} bytes is too small: {pages * PAGE} more bytes needed at {gpa:#x}")
            self._next = gpa + pages * PAGE
        self.memory.write(gpa, bytes(pages * PAGE))
        return gpa

    def _reuse(self, size: i64) -> i64:
        for place, (gpa, free_size) in enumerate(self._free):
            if free_size == size:
                del self._free[place]
                return gpa
        return 0

    def free(self, gpa: i64, size: i64) -> None:
        """Give back a run of `size` bytes."""
        self._free.append((gpa, (size + PAGE - 1) // PAGE * PAGE))
