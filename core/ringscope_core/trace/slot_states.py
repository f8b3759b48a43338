"""The derived picture of one ring, split or packed: which state each descriptor slot is in, and which chain it belongs to."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

SLOT_FREE: Final[i64] = 0
SLOT_AVAILABLE: Final[i64] = 1
SLOT_IN_FLIGHT: Final[i64] = 2
SLOT_USED: Final[i64] = 3

SLOT_NAMES: Final = ("free", "available", "in_flight", "used")
"""Words for the states, by value; also the theme's names (``ring.free``, ...)."""

NO_HEAD: Final = -1


@final
class SlotStates:
    """The derived picture of one ring.  Sequences are indexed by descriptor or by ring position (index modulo num)."""

    def __init__(self, num: int) -> None:
        self.num: int = num
        self.state: bytes = bytes(num)
        """State of each descriptor (`SLOT_NAMES`)."""
        self.head: list[int] = [NO_HEAD] * num
        """Head of the chain each descriptor belongs to, `NO_HEAD` for free ones."""
        self.place: list[int] = [NO_HEAD] * num
        """0 for the head, 1 for the next descriptor of the chain, ...; `NO_HEAD` for free ones."""
        self.avail_state: bytes = bytes(num)
        """For each available-ring position: the state of the entry it holds, `SLOT_FREE` when it is stale.  Split rings only."""
        self.used_live: bytes = bytes(num)
        """1 for each used-ring position the driver has not consumed yet.  Split rings only."""
        self.ident: list[int] = [NO_HEAD] * num
        """The buffer id of each descriptor that is not free: its head in a split ring, the driver's own number in a packed one."""
        self.avail_idx: int = 0
        self.used_idx: int = 0
        self.last_avail_idx: int = 0
        self.last_used_idx: int = 0
        """The four places where the states change: free-running in a split ring, places (0 to num - 1) in a packed one."""
        self.available: list[int] = []
        """Heads published and not taken, oldest first; in a packed ring the head is a chain's first descriptor."""
        self.in_flight: list[int] = []
        """Heads the device has taken and not given back, oldest first."""
        self.used: list[int] = []
        """Heads given back and not consumed by the driver, oldest first."""
        self.consistent: bool = True
        """False when indices and memory contradict each other (a broken driver)."""

    def count(self, state: int) -> int:
        """How many descriptors are in `state`."""
        return self.state.count(state)

    def chain(self, head: int) -> list[int]:
        """The descriptors of the chain that `head` begins, in order; empty for a free descriptor."""
        members = [index for index in range(self.num) if self.head[index] == head]
        members.sort(key=lambda index: self.place[index])
        return members


def descriptor_at(table: bytearray, index: int) -> tuple[int, int, int, int]:
    """Entry `index` of a table of descriptors: address, length in bytes, and its last two words (split: flags, next; packed: id, flags)."""
    at = 16 * index
    return (
        int.from_bytes(table[at : at + 8], "little"),
        int.from_bytes(table[at + 8 : at + 12], "little"),
        int.from_bytes(table[at + 12 : at + 14], "little"),
        int.from_bytes(table[at + 14 : at + 16], "little"),
    )
