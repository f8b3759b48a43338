"""What a command of the window is: text, keys, menu, icon, help."""

from __future__ import annotations

from typing import NamedTuple


class ActionSpec(NamedTuple):
    """One command: `menu` is the menu it stands in (``-`` before the text makes a separator above it)."""

    name: str
    menu: str
    text: str
    keys: str = ""
    icon: str = ""
    tip: str = ""
    also: tuple[str, ...] = ()
    """Other keys for the same."""

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Every key, the one that menus show first."""
        return (self.keys, *self.also) if self.keys else self.also
