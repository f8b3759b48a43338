"""Text with places where it may be broken, laid out in lines as gdb does: at the last such place before the line is full."""

from __future__ import annotations


class Flow:
    """Collects text.  `wrap` marks a place where a line may end; the next line begins with `indent` spaces."""

    def __init__(self, width: int = 0) -> None:
        self._width: int = width
        self._done: list[str] = []
        self._line: str = ""
        self._break: int = -1
        self._indent: int = 0

    def wrap(self, indent: int) -> None:
        """A line may end here."""
        self._break, self._indent = len(self._line), indent

    def put(self, text: str) -> None:
        """More text, without line ends."""
        self._line += text
        # gdb breaks as soon as the last column is filled
        while self._width and len(self._line) >= self._width and self._break > 0:
            self._done.append(self._line[: self._break])
            self._line = " " * self._indent + self._line[self._break :]
            self._break = -1

    def text(self) -> str:
        """Everything, with line ends between the lines."""
        return "\n".join([*self._done, self._line])
