"""The window's places: its bars, and every dock by the name of its view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from ringscope.widgets.spots import Spot, whole

if TYPE_CHECKING:
    from ringscope.window import Window


def bars(window: Window) -> dict[str, QWidget]:
    """The parts that are no views."""
    return {
        "menu": window.menuBar(),
        "transport": window.top,
        "filter": window.top.filter_box,
        "status": window.status,
        "banner": window.banner,
        "unsaved": window.unsaved,
    }


def words(window: Window) -> list[str]:
    """Bars and docks that are seen, docks behind others too, and the panes of the views that are seen."""
    out = [f"part:{name}" for name, bar in bars(window).items() if bar.isVisibleTo(window)]
    out += [f"part:{name}" for name in window.hosts]
    for name, host in window.hosts.items():
        if host.view is not None and host.isVisibleTo(window):
            out += [f"part:{name}.{part}" for part in host.view.parts()]
    return [*out, *(f"tab:{name}" for name in window.hosts if window.docks.docks[name].tabWidget().isVisibleTo(window))]


def spot(window: Window, target: str) -> Spot | None:
    """Where `target` stands; a dock behind others comes to the front when it is asked into sight."""
    kind, _, name = target.partition(":")
    if kind == "tab" and name in window.hosts:
        return whole(window.docks.docks[name].tabWidget())
    if kind != "part":
        return None
    bar = bars(window).get(name)
    if bar is not None:
        return whole(bar)
    if name in window.hosts:
        host = window.hosts[name]
        return Spot(host, host.rect(), lambda: _front(window, name))
    view_name, _, part = name.partition(".")
    view = window.hosts[view_name].view if view_name in window.hosts else None
    found = view.spot(f"part:{part}") if view is not None and part else None
    if found is None or found.widget.isVisibleTo(window):
        return found
    return found._replace(show=lambda: _front(window, view_name))


def _front(window: Window, name: str) -> None:
    window.docks.show(name)
    window.tick()
