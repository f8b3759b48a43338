"""Decoded things in memory: those used last, bounded by their bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Makes what is asked for, and keeps at most `limit` bytes of it (but the newest in any case)."""

    def __init__(self, limit: int) -> None:
        self._limit: int = limit
        self._things: OrderedDict[tuple[int, int], tuple[int, T]] = OrderedDict()
        self.bytes: int = 0
        """What is kept now."""

    def __contains__(self, key: tuple[int, int]) -> bool:
        """Whether it is kept now."""
        return key in self._things

    def get(self, key: tuple[int, int], make: Callable[[], tuple[int, T]]) -> T:
        """The thing of `key`; `make` gives its size in bytes and itself."""
        found = self._things.get(key)
        if found is None:
            found = self._things[key] = make()
            self.bytes += found[0]
            while self.bytes > self._limit and len(self._things) > 1:
                self.bytes -= self._things.popitem(last=False)[1][0]
        self._things.move_to_end(key)
        return found[1]
