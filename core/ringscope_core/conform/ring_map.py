"""Where a case's rings lie, learnt from its register writes, so that memory can be shown as what it means."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ringscope_core.conform.case import Op

DESC_BYTES: Final = 16
PACKED_BIT: Final = 34
_FLAGS: Final = {1: "NEXT", 2: "WRITE", 4: "INDIRECT", 0x80: "AVAIL", 0x8000: "USED"}
_PARTS: Final = {0x20: ("desc", 0), 0x24: ("desc", 32), 0x28: ("driver", 0), 0x2C: ("driver", 32), 0x30: ("device", 0), 0x34: ("device", 32)}
MAX_LINES: Final = 12


@dataclass
class RingPlace:
    """One queue as the driver has set it up so far."""

    index: int
    size: int = 256
    desc: int = 0
    driver: int = 0
    device: int = 0


def flag_names(flags: int) -> str:
    """Descriptor flags by name."""
    names = [name for bit, name in _FLAGS.items() if flags & bit]
    rest = flags & ~sum(_FLAGS)
    return "|".join([*names, *([hex(rest)] if rest else [])]) or "0"


class RingMap:
    """Follows a case's operations."""

    def __init__(self) -> None:
        self.rings: dict[int, RingPlace] = {}
        self.selected: int = 0
        self.feature_word: int = 0
        self.features: int = 0

    @property
    def packed(self) -> bool:
        """The driver took packed rings."""
        return bool(self.features >> PACKED_BIT & 1)

    def follow(self, op: Op) -> None:
        """Learn from one operation."""
        if op[0] != "w":
            return
        _, bar, offset, _, value = op[:5]
        if bar == 4:
            self._modern(offset, value)
        elif bar == 0:
            self._legacy(offset, value)

    def _ring(self) -> RingPlace:
        return self.rings.setdefault(self.selected, RingPlace(self.selected))

    def _modern(self, offset: int, value: int) -> None:
        if offset == 0x08:
            self.feature_word = value
        elif offset == 0x0C and self.feature_word < 2:
            shift = 32 * self.feature_word
            self.features = self.features & ~(0xFFFFFFFF << shift) | value << shift
        elif offset == 0x14 and value == 0:
            self.rings.clear()
        elif offset == 0x16:
            self.selected = value
        elif offset == 0x18:
            self._ring().size = value or 256
        elif offset in _PARTS:
            name, shift = _PARTS[offset]
            ring = self._ring()
            setattr(ring, name, getattr(ring, name) & ~(0xFFFFFFFF << shift) | (value & 0xFFFFFFFF) << shift)

    def _legacy(self, offset: int, value: int) -> None:
        if offset == 0x0E:
            self.selected = value
        elif offset == 0x08:
            ring = self._ring()
            ring.desc = value << 12
            ring.driver = ring.desc + DESC_BYTES * ring.size
            ring.device = ring.driver + 6 + 2 * ring.size + 4095 & ~4095
        elif offset == 0x12 and value == 0:
            self.rings.clear()

    # -- memory -------------------------------------------------------------------------------------------------------
    def decode(self, address: int, data: bytes) -> list[str]:
        """What `data` at `address` means; nothing where no ring is."""
        lines: list[str] = []
        for ring in self.rings.values():
            if self.packed:
                lines += self._packed(ring, address, data)
            else:
                lines += self._split(ring, address, data)
        return lines[:MAX_LINES]

    def _descriptors(self, ring: RingPlace, address: int, data: bytes) -> list[str]:
        lines: list[str] = []
        for slot in range(ring.size):
            start = ring.desc + DESC_BYTES * slot - address
            if start >= len(data):
                break
            if start < 0 or start + DESC_BYTES > len(data):
                continue
            gpa, length, third, fourth = struct.unpack_from("<QIHH", data, start)
            if self.packed:
                lines.append(f"vq[{ring.index}].desc[{slot}] addr {gpa:#x} len {length} id {third} flags {flag_names(fourth)}")
            else:
                lines.append(f"vq[{ring.index}].desc[{slot}] addr {gpa:#x} len {length} flags {flag_names(third)} next {fourth}")
        return lines

    def _words(self, base: int, count: int, address: int, data: bytes) -> dict[int, int]:
        """The 16 bit words at `base` that lie wholly in `data`, by number."""
        found: dict[int, int] = {}
        first = max(0, (address - base + 1) // 2)
        for number in range(first, count):
            start = base + 2 * number - address
            if start + 2 > len(data):
                break
            found[number] = struct.unpack_from("<H", data, start)[0]
        return found

    def _split(self, ring: RingPlace, address: int, data: bytes) -> list[str]:
        name = f"vq[{ring.index}]"
        lines = self._descriptors(ring, address, data) if ring.desc else []
        if ring.driver:
            for number, word in self._words(ring.driver, ring.size + 3, address, data).items():
                what = {0: "flags", 1: "idx", ring.size + 2: "used_event"}.get(number, f"ring[{number - 2}]")
                lines.append(f"{name}.avail.{what} = {word}")
        if ring.device:
            # an element is four words: id and length, of two each
            for number, word in self._words(ring.device, 4 * ring.size + 3, address, data).items():
                named = {0: "flags", 1: "idx", 4 * ring.size + 2: "avail_event"}
                what = named.get(number, "")
                if not what:
                    slot, part = divmod(number - 2, 4)
                    what = f"ring[{slot}].{('id', 'id+2', 'len', 'len+2')[part]}"
                    if part % 2 and word == 0:
                        continue
                lines.append(f"{name}.used.{what} = {word}")
        return lines

    def _packed(self, ring: RingPlace, address: int, data: bytes) -> list[str]:
        lines = self._descriptors(ring, address, data) if ring.desc else []
        for slot in range(ring.size if not lines else 0):
            # the device writes the last 8 bytes of a descriptor, or its flags alone
            start = ring.desc + DESC_BYTES * slot + 14 - address
            if 0 <= start <= len(data) - 2:
                ident = f" id {struct.unpack_from('<H', data, start - 2)[0]}" if start >= 2 else ""
                lines.append(f"vq[{ring.index}].desc[{slot}]{ident} flags {flag_names(struct.unpack_from('<H', data, start)[0])}")
        for what, base in (("driver", ring.driver), ("device", ring.device)):
            if base:
                for number, word in self._words(base, 2, address, data).items():
                    lines.append(f"vq[{ring.index}].{what}.{('off_wrap', 'flags')[number]} = {word:#x}")
        return lines
