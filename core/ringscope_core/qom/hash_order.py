"""In which order QEMU's hash tables give their keys: properties are listed, and options are set, in that order.

GLib's GHashTable with string keys (g_str_hash, open addressing with growing steps, prime moduli) holds the properties of objects and classes;
QDict (qobject/qdict.c: 512 chains, the newest first) holds the options of a device.
"""

from __future__ import annotations

from typing import Final

_MASK: Final = 0xFFFFFFFF
_MIN_SHIFT: Final = 3
_PRIMES: Final[tuple[int, ...]] = (1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381)
"""Largest prime of at most so many bits (prime_mod)."""
_QDICT_BUCKETS: Final = 512


def g_str_hash(text: str) -> int:
    """GLib's hash of a string; 0 and 1 mark empty places in a table."""
    value = 5381
    for byte in text.encode():
        value = (value * 33 + (byte - 256 if byte > 127 else byte)) & _MASK
    return max(value, 2)


class _Table:
    """The places of a GHashTable."""

    def __init__(self) -> None:
        self.size: int = 1 << _MIN_SHIFT
        self.mod: int = _PRIMES[_MIN_SHIFT]
        self.places: list[str | None] = [None] * self.size
        self.count: int = 0

    def _place(self, key: str) -> int:
        at = g_str_hash(key) * 11 % (1 << 32) % self.mod
        step = 0
        while self.places[at] is not None and self.places[at] != key:
            step += 1
            at = (at + step) & (self.size - 1)
        return at

    def insert(self, key: str) -> None:
        """g_hash_table_insert, of a key that may be there already."""
        at = self._place(key)
        if self.places[at] is None:
            self.places[at] = key
            self.count += 1
            if self.size <= self.count + self.count // 16:
                self._resize()

    def _resize(self) -> None:
        """g_hash_table_resize: in place, each key pushes out what stands where it belongs, unless that has moved already."""
        shift = max(int(self.count * 1.333).bit_length(), _MIN_SHIFT)
        old_size = self.size
        self.size = 1 << shift
        self.mod = _PRIMES[shift]
        places = self.places + [None] * (self.size - old_size)
        moved = [False] * self.size
        for start in range(old_size):
            if moved[start]:
                continue
            key = places[start]
            places[start] = None
            while key is not None:
                at = g_str_hash(key) * 11 % (1 << 32) % self.mod
                step = 0
                while moved[at]:
                    step += 1
                    at = (at + step) & (self.size - 1)
                moved[at] = True
                key, places[at] = places[at], key
        self.places = places


def hash_table_order(keys: list[str]) -> list[str]:
    """`keys`, inserted one after the other, as a GHashTable's iterator gives them."""
    table = _Table()
    for key in keys:
        table.insert(key)
    return [key for key in table.places if key is not None]


def _tdb_hash(text: str) -> int:
    data = text.encode()
    value = 0x238F13AF * len(data)
    for place, byte in enumerate(data):
        value += byte << (place * 5 % 24)
    return (1103515243 * (value & _MASK) + 12345) & _MASK


def qdict_order(keys: list[str]) -> list[str]:
    """`keys`, put in one after the other, as qdict_first and qdict_next give them."""
    chains: dict[int, list[str]] = {}
    for key in keys:
        chain = chains.setdefault(_tdb_hash(key) % _QDICT_BUCKETS, [])
        if key not in chain:
            chain.insert(0, key)
    return [key for bucket in sorted(chains) for key in chains[bucket]]
