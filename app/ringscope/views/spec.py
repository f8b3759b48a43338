"""What a view is: a widget made from (store, focus, commands), and a line that says where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from ringscope.theme import LIGHT, Theme
from ringscope.widgets.spots import Spot, whole

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.focus import Focus
    from ringscope.store import Store


class View(QWidget):
    """The base of all views.

    A view reads `store` and `focus`, calls `commands`, and holds nothing else of the application.  The window calls `refresh` at
    most once a frame, only while the view is visible and only after something changed: the recording grew, the focus moved, the
    theme changed, or the view became visible.  A refresh should take a millisecond or two; all views share 8 ms a frame.
    """

    live_hz: float = 60.0
    """How often a second it is refreshed while it only follows a growing recording; what a person does is shown at once."""

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.focus = focus
        self.commands = commands
        self.theme: Theme = LIGHT
        """The theme to paint with; the window sets it before the first refresh."""
        self.wanted_parts: frozenset[str] = frozenset()
        """Parts that a picture points at or is cut to, which are to be in it."""

    def set_theme(self, theme: Theme) -> None:
        """Paint with `theme` from now on."""
        self.theme = theme
        self.theme_changed(theme)

    def refresh(self) -> None:
        """Show the store at the focus."""
        raise NotImplementedError

    @property
    def unfinished(self) -> bool:
        """Whether something waits to be read or drawn although nothing changed: then it is refreshed again at the next frame."""
        return False

    def theme_changed(self, theme: Theme) -> None:
        """Take over colours that were copied from the theme; those read while painting need nothing."""

    def table_text(self) -> str:
        """What the view shows, as tab-separated text: for copying, screen readers and export."""
        raise NotImplementedError

    def shown_text(self) -> str:
        """The same of what is on the screen, for documents; a view with long lists leaves out what is scrolled away."""
        return self.table_text()

    def chosen_place(self) -> tuple[str, str] | None:
        """Where a breakpoint is meant to be when a person asks for one here: what and where of it; None when nothing is chosen."""
        return None

    # -- places that a figure can point at ----------------------------------------------------------------------------------
    def parts(self) -> Mapping[str, QWidget]:
        """The view's panes by names that stay the same: ``part:NAME`` of callouts and crops."""
        return {}

    def words(self) -> list[str]:
        """What else `spot` finds at this moment, such as ``desc:5``."""
        return []

    def spot(self, target: str) -> Spot | None:
        """Where `target` stands, seen or not; None when the view has no such thing now."""
        kind, _, name = target.partition(":")
        part = self.parts().get(name) if kind == "part" else None
        return whole(part) if part is not None else None

    def places(self) -> list[str]:
        """Every target that can be pointed at now."""
        return [*(f"part:{name}" for name in self.parts()), *self.words()]

    # -- figures ------------------------------------------------------------------------------------------------------------
    def prepare_figure(self) -> None:
        """Draw finely and completely from now on: a picture need not be quick."""

    def arrange_figure(self) -> None:
        """Share the room as a picture needs it, where nobody can scroll; called once, when it has its size and shows its moment."""

    def shown_object(self) -> int:
        """The object or ring that it shows: the focus's, unless it holds on to one of its own."""
        return self.focus.oid

    def leave(self) -> None:
        """The window closes: end what runs beside it."""

    def search(self) -> None:
        """Ctrl+F: put the keyboard into the view's search field.  A view that does not override it has the window's filter box."""


@dataclass(frozen=True)
class ViewSpec:
    """One view, as the registry knows it."""

    name: str
    """Short and unique: the command line's ``--view`` and the layout file use it."""
    title: str
    icon: str
    """Name of an icon of `ringscope.icons`, empty for none."""
    area: str
    """Where it opens: left, center, right or bottom."""
    make: Callable[[Store, Focus, Commands], View]
    tip: str = ""
    """One line for the tooltip and the command palette."""
