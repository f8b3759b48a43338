"""Topics ``views``, ``keys``, ``themes`` and ``settings``: what the window is made of, from the registries it is built from."""

from __future__ import annotations

from ringscope.settings import ENVIRONMENT, PREFERENCES
from ringscope.theme import THEMES
from ringscope.views import ALL_VIEWS, PANELS, load_view
from ringscope.window_actions import ACTIONS, MENUS, PANEL_KEYS, plain

from .blocks import Block, Section, Table, code, markdown_of
from .wording import w, window


def views() -> list[Block]:
    """Views and panels with the key that brings each to the front."""
    header = (w("name"), w("title"), w("opens"), w("shows"))
    rows = []
    for place, name in enumerate((*ALL_VIEWS, *PANELS), 1):
        spec = load_view(name)
        key = f", {code(f'Ctrl+{place}')}" if name in ALL_VIEWS else ""
        rows.append((code(name), window(spec.title), f"{w(spec.area)}{key}", window(spec.tip)))
    return [Table(header, tuple(rows), (16, 18, 22, 44))]


def keys() -> list[Block]:
    """Every command of the window by menu, with its keys; then the keys of widgets."""
    blocks: list[Block] = []
    for menu in MENUS:
        rows = tuple((plain(window(spec.text)), ", ".join(code(key) for key in spec.all_keys), window(spec.tip)) for spec in ACTIONS if spec.menu == menu)
        name = plain(menu)
        blocks.append(
            Section(
                plain(": ".join(window(part) for part in menu.split("/"))),
                f"menu-{name.lower().replace('/', '-')}",
                (Table((w("command"), w("keys"), w("does")), rows, (30, 24, 46)),),
            )
        )
    in_widgets = tuple((code(keys_), window(text)) for keys_, text in PANEL_KEYS)
    blocks.append(Section(w("In a widget"), "menu-widgets", (Table((w("keys"), w("does")), in_widgets, (34, 66)),)))
    return blocks


def themes() -> list[Block]:
    """The themes that figures and the window can have."""
    return [Table((w("name"), w("shows")), tuple((code(name), w(f"theme {name}")) for name in THEMES), (20, 80))]


def settings() -> list[Block]:
    """Preferences of the window, and variables of the environment."""
    preferences = tuple((code(name), markdown_of(means)) for name, means in PREFERENCES.items())
    variables = tuple((code(name), markdown_of(means)) for name, means in ENVIRONMENT.items())
    return [Table((w("preference"), w("means")), preferences, (26, 74)), Table((w("variable"), w("means")), variables, (26, 74))]
