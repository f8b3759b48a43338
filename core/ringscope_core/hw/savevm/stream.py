"""The bytes of a saved state: fixed-width little-endian values, and sections that say how long they are."""

from __future__ import annotations

from typing import final


@final
class LoadError(Exception):
    """A stream cannot be loaded; the text says why, in QEMU's words where it has some."""


@final
class SaveStream:
    """Values, one behind the other."""

    def __init__(self) -> None:
        self.data: bytearray = bytearray()

    def put(self, value: int, size: int) -> None:
        """`value` in `size` bytes; a signed twin of an unsigned value is stored as that."""
        self.data += (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def flag(self, value: bool) -> None:
        """One byte, 0 or 1."""
        self.data.append(1 if value else 0)

    def raw(self, data: bytes) -> None:
        """Bytes whose number both sides know."""
        self.data += data

    def text(self, text: str) -> None:
        """A short text with its length."""
        data = text.encode()
        self.put(len(data), 2)
        self.data += data

    def section(self, tag: int, part: SaveStream) -> None:
        """A part with its tag and length."""
        self.put(tag, 2)
        self.put(len(part.data), 4)
        self.data += part.data


@final
class LoadStream:
    """Reads what `SaveStream` wrote.  Raises LoadError rather than read beyond the end."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data: bytes = data
        self.name: str = name
        """What the stream is, for errors."""
        self.at: int = 0

    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self.data) - self.at

    def raw(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size < 0 or size > self.left():
            raise LoadError(f"{self.name}: truncated, {size} bytes are needed and {self.left()} are left")
        start = self.at
        self.at = start + size
        return self.data[start : self.at]

    def get(self, size: int) -> int:
        """An unsigned value of `size` bytes."""
        return int.from_bytes(self.raw(size), "little")

    def get64(self) -> int:
        """An address or a feature word: 64 bits as their signed twin."""
        return int.from_bytes(self.raw(8), "little", signed=True)

    def flag(self, what: str) -> bool:
        """One byte that is 0 or 1."""
        value = self.get(1)
        if value > 1:
            raise LoadError(f"{self.name}: {what} is {value}, neither 0 nor 1")
        return value == 1

    def below(self, size: int, limit: int, what: str) -> int:
        """An unsigned value that is smaller than `limit`."""
        value = self.get(size)
        if value >= limit:
            raise LoadError(f"{self.name}: {what} 0x{value:x} is not below 0x{limit:x}")
        return value

    def text(self) -> str:
        """A short text."""
        data = self.raw(self.get(2))
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise LoadError(f"{self.name}: a name is no text") from None

    def section(self, tag: int, name: str) -> LoadStream:
        """The next part, which must be the one with this tag."""
        found = self.get(2)
        if found != tag:
            raise LoadError(f"{self.name}: section {name} ({tag}) is missing, {found} is in its place")
        return LoadStream(self.raw(self.get(4)), f"{self.name}/{name}")

    def end(self) -> None:
        """Everything was read."""
        if self.left():
            raise LoadError(f"{self.name}: {self.left()} bytes too many")
