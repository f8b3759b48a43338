"""gdb's console beside the window: an inferior with a reader and a control client of its own, used by one back thread alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ringscope_core.engine.client import QmpClient
    from ringscope_core.gdb.console import Console
    from ringscope_core.gdb.inferior import RecordedInferior


class Answer(NamedTuple):
    """What came of one line."""

    text: str
    seq: int
    """Where the console stands after it."""
    at_end: bool
    """Whether that is the live end of the recording."""
    points: tuple[dict[str, Any], ...]
    """Breakpoints after it, where the recording keeps them and no engine."""
    prompt: str


class ConsoleSession:
    """Made in any thread, used in one.  What it opens, `close` closes."""

    def __init__(self, path: Path, address: str, tree: str = "") -> None:
        """`address` is the engine's, empty for a recording; `tree` QEMU's sources, empty for none."""
        self._path, self._address, self._tree = path, address, tree
        self._control: QmpClient | None = None
        self._inferior: RecordedInferior | None = None
        self._console: Console | None = None

    def execute(self, line: str, seq: int, at_end: bool, points: Sequence[Mapping[str, Any]]) -> Answer:
        """Carry out `line` standing at event `seq` (or at the live end), with the window's breakpoints."""
        console = self._open()
        inferior = self._inferior
        assert inferior is not None
        inferior.refresh()
        if not inferior.live:
            self._take_points(points)
        if at_end and inferior.live:
            inferior.goto(inferior.last)
        elif seq != inferior.seq:
            inferior.goto(seq)
        text = console.execute(line)
        kept = () if inferior.live else tuple(point.to_plain() for point in inferior.points())
        return Answer(text, inferior.seq, inferior.live and inferior.seq >= inferior.last, kept, console.prompt)

    def complete(self, text: str) -> list[str]:
        """What `text` may become."""
        return list(self._open().complete(text))

    def interrupt(self) -> None:
        """End the move under way; from any thread."""
        if self._inferior is not None:
            self._inferior.interrupt()

    def close(self) -> None:
        """Close the reader and the connection."""
        if self._inferior is not None:
            self._inferior.recording.reader.close()
        if self._control is not None:
            self._control.close()
        self._inferior = self._console = self._control = None

    def _take_points(self, points: Sequence[Mapping[str, Any]]) -> None:
        assert self._inferior is not None
        self._inferior.set_points(points)

    def _open(self) -> Console:
        if self._console is None:
            from ringscope_core.engine.client import QmpClient
            from ringscope_core.engine.monitor_at import MonitorAt
            from ringscope_core.gdb.console import Console
            from ringscope_core.gdb.inferior import LiveInferior, RecordedInferior
            from ringscope_core.query.recording import Recording
            from ringscope_core.session.reader import SessionReader

            recording = Recording(SessionReader(self._path))
            if self._address:
                self._control = QmpClient(self._address)
                self._inferior = LiveInferior(recording, self._control)
            else:
                self._inferior = RecordedInferior(recording)
                self._inferior.monitor = MonitorAt(recording.reader)
            self._console = Console(self._inferior)
            if self._tree:
                self._console.source.set_tree(Path(self._tree).expanduser())
        return self._console
