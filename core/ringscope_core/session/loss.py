"""What a writer could not write any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ringscope_core.session import items
from ringscope_core.trace.log import ROW_BYTES

FULL_GAP: Final = -1
"""The row of table ``gap`` that says it."""


class Loss:
    """Counts events and packets; `first_seq` and `last_seq` are -1 while no event was lost."""

    def __init__(self) -> None:
        self.first_seq: int = -1
        self.last_seq: int = -1
        self.events: int = 0
        self.packets: int = 0

    def count(self, batch: Iterable[items.Item]) -> None:
        """These were handed over and are not in the file."""
        for item in batch:
            if isinstance(item, items.Block):
                count = len(item.rows) // int(ROW_BYTES)
                self.first_seq = item.first_seq if self.first_seq < 0 else self.first_seq
                self.last_seq = item.first_seq + count - 1
                self.events += count
            elif isinstance(item, items.Packets):
                self.packets += len(item.rows)
