"""Changing single values of a saved device: where they lie in their sections."""

from __future__ import annotations

PCI, MSIX, TRANSPORT, CORE, SHAPE, QUEUES, NET = range(1, 8)

STATUS, ISR, QUEUE_SEL, CONFIG_VECTOR, FEATURES = (CORE, 0, 1), (CORE, 1, 1), (CORE, 2, 2), (CORE, 4, 2), (CORE, 6, 8)
BROKEN, ENDIAN, CONFIG_LEN = (CORE, 18, 1), (CORE, 22, 1), (CORE, 23, 4)
MAX_QUEUES, CURR_QUEUES, MULTIQUEUE, HAS_VNET_HDR, HAS_UFO = (SHAPE, 0, 2), (SHAPE, 2, 2), (SHAPE, 4, 1), (SHAPE, 6, 1), (SHAPE, 7, 1)
NUM_QUEUES = (QUEUES, 0, 4)
LINK_STATUS, IN_USE, FIRST_MULTI = (NET, 6, 2), (NET, 14, 4), (NET, 18, 4)
MSIX_ENTRIES = (MSIX, 0, 2)
IRQ_STATE = (PCI, -1, 1)
QUEUE_BYTES = 44

Place = tuple[int, int, int]


def queue(index: int, field: str) -> Place:
    """A value of one queue."""
    offset, size = {
        "num": (0, 4), "desc": (4, 8), "avail": (12, 8), "used": (20, 8), "vector": (28, 2), "last": (30, 2), "used_idx": (32, 2), "inuse": (40, 4),
    }[field]  # fmt: skip
    return QUEUES, 4 + QUEUE_BYTES * index + offset, size


def config(offset: int, size: int = 1) -> Place:
    """A byte of configuration space."""
    return PCI, 4 + offset, size


def sections(data: bytes) -> dict[int, tuple[int, int]]:
    """Start and length of each section's content."""
    at = 6
    for _ in range(2):
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    out = {}
    while at < len(data):
        tag, length = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 6], "little")
        out[tag] = (at + 6, length)
        at += 6 + length
    return out


def _find(data: bytes, place: Place) -> tuple[int, int]:
    """Where a value starts and how long it is; a negative offset counts from the section's end."""
    tag, offset, size = place
    start, length = sections(data)[tag]
    return start + (offset if offset >= 0 else length + offset), size


def get(data: bytes, place: Place) -> int:
    """A value of the stream."""
    start, size = _find(data, place)
    return int.from_bytes(data[start : start + size], "little")


def put(data: bytes, place: Place, value: int) -> bytes:
    """The stream with another value."""
    start, size = _find(data, place)
    return data[:start] + value.to_bytes(size, "little") + data[start + size :]


def splice(data: bytes, tag: int, offset: int, cut: int, new: bytes) -> bytes:
    """The stream with `cut` bytes of a section replaced, the section's length corrected."""
    start, length = sections(data)[tag]
    at = start + offset
    return data[: start - 4] + (length - cut + len(new)).to_bytes(4, "little") + data[start:at] + new + data[at + cut :]
