"""The place of one view in a dock: builds the view when it is first seen and refreshes it when something changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import LIGHT, Theme
from ringscope.views import load_view
from ringscope.views.spec import View
from ringscope.words import later, t

NEEDS_MACHINE: Final = frozenset(("types", "typetree", "objects", "realize", "rings", "throughput"))
"""Views of what a recorded machine did."""
UNKNOWN: Final = later("Unknown: this session was made of a capture and holds frames only.")


class ViewHost(QWidget):
    """Holds the view `name`.  `dirty` asks for a refresh at the next frame in which the host is visible."""

    def __init__(self, name: str, store: Store, focus: Focus, commands: Commands, built: Callable[[ViewHost], None]) -> None:
        super().__init__()
        self.name = name
        self.view: View | None = None
        self.dirty: bool = True
        self.urgent: bool = True
        """A person did something: refresh at the next frame, whatever the view's rate."""
        self._refreshed_at: float = 0.0
        self.cost_ms: float = 0.0
        """What the last refresh took."""
        self._store, self._focus, self._commands = store, focus, commands
        self._theme: Theme = LIGHT
        self._built = built
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._unknown: QLabel | None = None

    def build(self) -> View:
        """The view, made now when it does not exist yet."""
        if self.view is None:
            view = load_view(self.name).make(self._store, self._focus, self._commands)
            view.set_theme(self._theme)
            self._layout.addWidget(view)
            # Qt would show it only when the event loop runs again
            view.show()
            self._say_unknown(view)
            self.setFocusProxy(view)
            self.view = view
            self._built(self)
        return self.view

    def showEvent(self, event: QShowEvent) -> None:
        """Build at first sight; what changed while hidden is shown now."""
        self.build()
        self.dirty = self.urgent = True
        super().showEvent(event)

    def set_theme(self, theme: Theme) -> None:
        """Paint with `theme`."""
        self._theme = theme
        if self.view is not None:
            self.view.set_theme(theme)
        self.dirty = self.urgent = True

    def _say_unknown(self, view: View) -> None:
        """Where the recording is a capture's frames, a view of the machine has nothing to show and says so in place of an empty picture."""
        unknown = self.name in NEEDS_MACHINE and self._store.meta.get("source") == "capture"
        if unknown and self._unknown is None:
            self._unknown = QLabel(t(UNKNOWN))
            self._unknown.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._unknown.setWordWrap(True)
            self._unknown.setProperty("role", "muted")
            self._layout.addWidget(self._unknown)
        if self._unknown is not None and self._unknown.isHidden() == unknown:
            self._unknown.setVisible(unknown)
            view.setVisible(not unknown)

    def refresh(self) -> bool:
        """Refresh the view when it is due and visible; true when it was."""
        if not self.dirty or self.view is None or not self.isVisible():
            return False
        start = time.perf_counter()
        # a tick early is on time: else the rates would beat against the timer
        if not self.urgent and start - self._refreshed_at < 1 / self.view.live_hz - 0.008:
            return False
        self._refreshed_at = start
        self.dirty = self.urgent = False
        self._say_unknown(self.view)
        self.view.refresh()
        self.cost_ms = (time.perf_counter() - start) * 1000
        return True
