"""Bytes as a person reads them: offsets, hexadecimal, characters."""

from __future__ import annotations

from PySide6.QtWidgets import QPlainTextEdit

from ringscope.theme import mono_font
from ringscope.words import t

SHOWN = 64 * 1024
"""Bytes shown; of more, the text says how many are left out."""


def hex_lines(data: bytes, width: int = 16, base: int = 0) -> list[str]:
    """One line for each `width` bytes; offsets count from `base`."""
    lines: list[str] = []
    half = width // 2
    for start in range(0, len(data), width):
        part = data[start : start + width]
        left, right = part[:half].hex(" "), part[half:].hex(" ")
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{base + start:04x}  {left:<{3 * half - 1}}  {right:<{3 * (width - half) - 1}}  {text}")
    return lines


class HexView(QPlainTextEdit):
    """Read-only text of `hex_lines`."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setFont(mono_font(8.5))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setAccessibleName(t("Bytes"))
        self._shown: tuple[bytes, int] | None = None
        self.bytes_a_line = 16

    def show_bytes(self, data: bytes, width: int = 16) -> None:
        """Show `data`; nothing happens when it is shown already."""
        if self._shown == (data, width):
            return
        self._shown = (data, width)
        lines = hex_lines(data[:SHOWN], width)
        if len(data) > SHOWN:
            lines.append(t("... {n} more bytes", n=len(data) - SHOWN))
        self.setPlainText("\n".join(lines))
