"""What is measured: direction, ring, shape of a chain, frame length, peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NUM: Final = 256
"""Entries of every data queue."""
SHAPES: Final = ("one", "two", "indirect")
"""One descriptor; header and frame in a descriptor each; those two in an indirect table."""
LENGTHS: Final = (64, 1500)
NOBODY: Final = "nobody"
NIC: Final = "nic"
UDP: Final = "udp"
BACKEND: Final = "backend"
PEERS: Final = {
    NOBODY: "no peer: the device's whole path, then the frame is dropped unread",
    NIC: "a second NIC on a hub: each frame is copied from one guest buffer into another",
    UDP: "a UDP socket on loopback, one system call a frame",
    BACKEND: "frames that wait at the backend; the same frames for a foreign MAC address (filtered) are subtracted",
}
"""Peers by name, with what they do."""


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    direction: str
    """``tx`` or ``rx``."""
    packed: bool
    shape: str
    length: int
    """Bytes of a frame, without the virtio-net header."""
    peer: str

    @property
    def name(self) -> str:
        """Such as ``tx split one 64 nobody``."""
        return f"{self.direction} {'packed' if self.packed else 'split'} {self.shape} {self.length} {self.peer}"

    @property
    def copies(self) -> bool:
        """Whether the bytes of a frame are copied."""
        return self.peer != NOBODY

    @property
    def batch(self) -> int:
        """Chains that one kick announces: a full ring less one."""
        return (NUM - 1) // (2 if self.shape == "two" else 1)


def all_cases() -> list[Case]:
    """The whole table, in its order."""
    kinds = [("tx", NOBODY), ("tx", NIC), ("tx", UDP), ("rx", BACKEND)]
    return [Case(d, packed, shape, length, peer) for d, peer in kinds for packed in (False, True) for shape in SHAPES for length in LENGTHS]


def trace_cases() -> list[Case]:
    """Where the cost of tracing is measured."""
    return [
        Case("tx", False, "one", 64, NOBODY),
        Case("tx", False, "two", 64, NOBODY),
        Case("tx", False, "indirect", 64, NOBODY),
        Case("tx", True, "one", 64, NOBODY),
        Case("rx", False, "one", 64, BACKEND),
    ]
