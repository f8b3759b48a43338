"""What the benchmark's driver needs of a machine, real or ours: its buses and its memory."""

from __future__ import annotations

from typing import Protocol


class Bus(Protocol):
    """A machine as its guest sees it."""

    @property
    def view(self) -> memoryview:
        """Guest RAM from address 0 on, as bytes."""

    def config_read(self, slot: int, offset: int, size: int) -> int:
        """Read configuration space of the function in `slot` of bus 0."""

    def config_write(self, slot: int, offset: int, size: int, value: int) -> None:
        """Write configuration space of the function in `slot` of bus 0."""

    def read(self, address: int, size: int) -> int:
        """Read a memory-mapped register."""

    def write(self, address: int, size: int, value: int) -> None:
        """Write a memory-mapped register."""

    def settle(self) -> None:
        """Let bottom halves run that earlier writes scheduled."""
