"""How the window stands, as JSON in a file: a debugging aid for people and for tests that press keys.

``RINGSCOPE_STATE=FILE`` has the window write FILE, whole, whenever something in it changed.  `docs/reference/window.md` says what it holds.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

if TYPE_CHECKING:
    from ringscope.window import Window

VARIABLE: Final = "RINGSCOPE_STATE"
LISTED: Final = ("id", "what", "where", "condition", "enabled", "ignore", "every", "temporary", "log", "hits")


def state_of(window: Window) -> dict[str, Any]:
    """Where the window looks, how the source stands, what is said."""
    store, focus, commands = window.store, window.focus, window.commands
    stop = commands.stop if commands.stands_at(focus.seq) else None
    row = store.row(focus.seq)
    kind = store.kind(int(row["kind"])) if row is not None else None
    stack = store.moment(focus).stack if focus.seq >= 0 else []
    spec = store.function(stack[-1][0]) if stack else None
    keyboard = QApplication.focusWidget()
    dialog = QApplication.activeModalWidget() or next((w for w in QApplication.topLevelWidgets() if w.isVisible() and w.isModal()), None)
    return {
        "session": str(store.reader.path),
        "state": commands.state,
        "live": store.live,
        "seq": focus.seq,
        "first": store.first_seq,
        "last": store.last_seq,
        "following": focus.following,
        "kind": kind.name if kind is not None else "",
        "depth": len(stack),
        "call": f"{spec.name}:{stack[-1][1]}" if spec is not None else "",
        "vt": int(row["vt"]) if row is not None else -1,
        "stop": stop._asdict() if stop is not None else None,
        "points": [{name: point.get(name) for name in LISTED} for point in commands.points],
        "object": store.name_of(focus.oid),
        "keyboard": keyboard.accessibleName() if isinstance(keyboard, QWidget) else "",
        "text": keyboard.text() if isinstance(keyboard, QLineEdit) else "",
        "dialog": dialog.windowTitle() if dialog is not None else "",
        "views": [name for name, host in window.hosts.items() if host.isVisible()],
        "said": window.status.currentMessage(),
        "problem": window.banner.text if window.banner.isVisible() else "",
    }


class StateFile:
    """Writes `state_of` when it changed; does nothing without the variable."""

    def __init__(self, window: Window) -> None:
        name = os.environ.get(VARIABLE, "")
        self.path: Path | None = Path(name) if name else None
        self._window = window
        self._written = ""

    def write(self) -> None:
        """Once a tick."""
        if self.path is None:
            return
        text = json.dumps(state_of(self._window), indent=1)
        if text != self._written:
            self._written = text
            fresh = self.path.with_name(self.path.name + ".new")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self.path)
