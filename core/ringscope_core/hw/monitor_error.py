"""How a monitor's query fails."""

from __future__ import annotations

from typing import final


@final
class MonitorError(Exception):
    """A query cannot be answered; the text is QEMU's.  `not_found` asks for class DeviceNotFound instead of GenericError."""

    def __init__(self, text: str, not_found: bool = False) -> None:
        super().__init__(text)
        self.not_found: bool = not_found
