"""What a case is replayed on: our machine, or a real QEMU."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray


class TargetError(Exception):
    """The machine of a case cannot be made, or cannot go on; the text says why."""


class TargetDied(Exception):
    """The program under test ended: `code` and its last messages."""

    def __init__(self, code: int | None, messages: list[str]) -> None:
        super().__init__(f"it ended with {code}: {' '.join(messages)}")
        self.code: int | None = code
        self.messages: list[str] = messages


class Target(Protocol):
    """A machine with the device of a case: BARs placed, command register 7, nothing else touched since power-on."""

    def cfg_read(self, off: int, size: int) -> int:
        """Read PCI configuration space."""

    def cfg_write(self, off: int, size: int, value: int) -> None:
        """Write PCI configuration space."""

    def bar_read(self, bar: int, off: int, size: int) -> int:
        """Bus read relative to a BAR."""

    def bar_write(self, bar: int, off: int, size: int, value: int) -> None:
        """Bus write relative to a BAR."""

    def ram(self) -> NDArray[Any]:
        """The guest's memory as writable bytes."""

    def ram_written(self) -> None:
        """The guest wrote its memory."""

    def inject(self, queue: int, frame: bytes) -> None:
        """A frame arrives at the netdev; then everything settles."""

    def link(self, up: bool) -> None:
        """QMP set_link on the NIC."""

    def announce(self, initial: int, max_ms: int, rounds: int, step: int) -> None:
        """QMP announce-self."""

    def sleep(self, ms: int) -> None:
        """Time passes."""

    def settle(self) -> None:
        """Run bottom halves and deliver frames until nothing moves."""

    def take_tx(self) -> list[tuple[int, bytes]]:
        """Frames that the peer got since the last call."""

    def take_peer(self) -> dict[str, int]:
        """What the device told a tap since the last call, changes only."""

    def take_messages(self) -> list[str]:
        """Messages printed since the last call."""

    def final(self) -> dict[str, Any]:
        """The device's internal state, as a case's `final` has it."""

    def close(self) -> None:
        """End it."""
