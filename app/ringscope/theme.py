"""Colours, fonts and spacing by meaning, for a light and a dark window.

The core says ``available``; here stands which blue that is.  No colour stands anywhere else in the application.
Ring states and queue directions are told apart under the common colour deficiencies, and texts keep a
contrast of at least 4.5 to 1 on every surface they lie on; `tests/app/test_theme.py` measures both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from ringscope.qt_words import speak
from ringscope.theme_sheet import style_sheet
from ringscope.vectors import remembering
from ringscope_resources import fonts as font_files

SPACE: Final = 4
"""The grid of all margins and gaps, in pixels: use multiples of it."""
ROW: Final = 22
"""Height of a table row in pixels."""

UI_FAMILIES: Final = ("Inter", "Noto Sans", "Segoe UI", "Helvetica Neue", "DejaVu Sans")
MONO_FAMILIES: Final = ("JetBrains Mono", "DejaVu Sans Mono", "Noto Sans Mono", "Consolas", "Menlo")
HAN_FAMILY: Final = "Ringscope Sans SC"
"""Behind each of them: the family of Chinese characters (`tools/make_fonts.py`), whatever the language, since people write marks and call-outs as they like."""

_LIGHT: Final[Mapping[str, str]] = {
    # surfaces, from the back to the front
    "window": "#eef1f5",
    "surface": "#ffffff",
    "raised": "#f7f9fb",
    "stripe": "#f5f7fa",
    "hover": "#e6eef8",
    "selection": "#cfe2f8",
    "border": "#ccd3dc",
    "grid": "#e1e6ec",
    # text
    "text": "#18202b",
    "text.muted": "#505c6c",
    "text.faint": "#5f6b7b",
    "text.on_accent": "#ffffff",
    "unknown": "#5f6b7b",
    "value": "#0b4f8a",
    "link": "#0a5cb3",
    # the one accent, and the cursor in time
    "accent": "#0a5cb3",
    "accent.soft": "#dbe9f9",
    "cursor": "#b3126a",
    "mark": "#7a4d00",
    "flash": "#ffe08a",
    "filter.valid": "#dff3e4",
    "filter.invalid": "#fbdedd",
    # slots of a ring
    "ring.free": "#dde2e9",
    "ring.available": "#1f6fb8",
    "ring.in_flight": "#eda41f",
    "ring.used": "#8a2f6b",
    "ring.text.free": "#3d4855",
    "ring.text.available": "#ffffff",
    "ring.text.in_flight": "#1d1600",
    "ring.text.used": "#ffffff",
    "ring.head": "#0a5cb3",
    "ring.tail": "#a84300",
    # the three parties of a ring
    "side.driver": "#0f766e",
    "side.memory": "#505c6c",
    "side.device": "#a84300",
    # directions
    "queue.tx": "#b84a00",
    "queue.rx": "#0a66b0",
    "queue.ctrl": "#4a5560",
    # how bad it is
    "severity.info": "#0a5cb3",
    "severity.ok": "#14713a",
    "severity.warning": "#8a5200",
    "severity.error": "#b3201f",
    # groups of event kinds
    "group.run": "#505c6c",
    "group.error": "#b3201f",
    "group.call": "#6f42a8",
    "group.object": "#0f766e",
    "group.field": "#64700c",
    "group.register": "#8a5200",
    "group.ring": "#0a66b0",
    "group.notify": "#a8246f",
    "group.packet": "#b84a00",
    "group.device": "#3f51b5",
}

_DARK: Final[Mapping[str, str]] = {
    "window": "#14181e",
    "surface": "#1b2027",
    "raised": "#232a33",
    "stripe": "#1f252d",
    "hover": "#2a3441",
    "selection": "#29486a",
    "border": "#3a4452",
    "grid": "#2c343f",
    "text": "#e8ecf1",
    "text.muted": "#b0bac7",
    "text.faint": "#98a3b2",
    "text.on_accent": "#0d1116",
    "unknown": "#98a3b2",
    "value": "#9cd0ff",
    "link": "#7fbcff",
    "accent": "#74b6ff",
    "accent.soft": "#21384f",
    "cursor": "#ff7ab8",
    "mark": "#f0c36a",
    "flash": "#5c4a12",
    "filter.valid": "#173a26",
    "filter.invalid": "#4a2024",
    "ring.free": "#38424f",
    "ring.available": "#5aaaf2",
    "ring.in_flight": "#f5b83d",
    "ring.used": "#d77bb0",
    "ring.text.free": "#d8dfe8",
    "ring.text.available": "#08131f",
    "ring.text.in_flight": "#1d1600",
    "ring.text.used": "#1f0816",
    "ring.head": "#74b6ff",
    "ring.tail": "#ff9d5c",
    "side.driver": "#5ccdc1",
    "side.memory": "#b0bac7",
    "side.device": "#ff9d5c",
    "queue.tx": "#ff9d5c",
    "queue.rx": "#66b5ff",
    "queue.ctrl": "#b0bac7",
    "severity.info": "#74b6ff",
    "severity.ok": "#6fd08f",
    "severity.warning": "#f0b95a",
    "severity.error": "#ff8a80",
    "group.run": "#b0bac7",
    "group.error": "#ff8a80",
    "group.call": "#c9a0f5",
    "group.object": "#5ccdc1",
    "group.field": "#c3cf5e",
    "group.register": "#f0b95a",
    "group.ring": "#66b5ff",
    "group.notify": "#ff8fc8",
    "group.packet": "#ff9d5c",
    "group.device": "#a3b1ff",
}

_PRINT: Final[Mapping[str, str]] = {
    **_LIGHT,
    # paper
    "window": "#ffffff",
    "surface": "#ffffff",
    "raised": "#f2f2f2",
    "stripe": "#f7f7f7",
    "hover": "#ffffff",
    "selection": "#dcdcdc",
    "border": "#bdbdbd",
    "grid": "#d0d0d0",
    "text": "#000000",
    "text.muted": "#303030",
    "text.faint": "#454545",
    "unknown": "#454545",
    # states stay apart in grey: nearly white, middle, light, nearly black
    "ring.free": "#eeeeee",
    "ring.available": "#4a78aa",
    "ring.in_flight": "#e8c070",
    "ring.used": "#4a0f38",
    "ring.text.free": "#000000",
}

RING_STATES: Final = ("free", "available", "in_flight", "used")
"""The states of a slot that have a colour (``ring.<state>``) and a text colour on it (``ring.text.<state>``)."""


@dataclass(frozen=True)
class Theme:
    """Named meanings and what they look like.  `name` is ``light``, ``dark`` or, for figures, ``print``."""

    name: str
    hexes: Mapping[str, str]

    @property
    def dark(self) -> bool:
        """Whether the surfaces are darker than the text."""
        return self.name == "dark"

    def hex(self, meaning: str) -> str:
        """The colour of `meaning` as ``#rrggbb``; KeyError when the theme has no such meaning."""
        return self.hexes[meaning]

    def color(self, meaning: str, alpha: int = 255) -> QColor:
        """The colour of `meaning`, `alpha` from 0 (clear) to 255."""
        color = QColor(self.hexes[meaning])
        color.setAlpha(alpha)
        return color

    def ring(self, state: str) -> QColor:
        """The colour of a ring slot's state: free, available, in_flight or used."""
        return self.color(f"ring.{state}")

    def ring_text(self, state: str) -> QColor:
        """The colour of text on `ring(state)`."""
        return self.color(f"ring.text.{state}")

    def queue(self, direction: str, pair: int = 0) -> QColor:
        """The colour of a queue: direction tx, rx or ctrl; later pairs of a multiqueue device are lighter or darker shades."""
        color = self.color(f"queue.{direction}")
        step = 100 + 18 * (pair % 5)
        if pair == 0:
            return color
        return color.darker(step) if self.dark else color.lighter(step)

    def group(self, group: str) -> QColor:
        """The colour of a group of event kinds; a group from a newer file gets the muted text colour."""
        return self.color(f"group.{group}" if f"group.{group}" in self.hexes else "text.muted")

    def severity(self, severity: str) -> QColor:
        """The colour of info, ok, warning or error."""
        return self.color(f"severity.{severity}")


LIGHT: Final = Theme("light", _LIGHT)
DARK: Final = Theme("dark", _DARK)
PRINT: Final = Theme("print", _PRINT)
THEMES: Final[Mapping[str, Theme]] = {"light": LIGHT, "dark": DARK}
"""What a window can wear."""
FIGURE_THEMES: Final[Mapping[str, Theme]] = {**THEMES, "print": PRINT}
"""What a figure can."""


def theme_named(name: str) -> Theme:
    """The theme `name`; ``auto`` follows the desktop.  KeyError for another name."""
    if name != "auto":
        return THEMES[name]
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return LIGHT
    return DARK if app.palette().color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


def _bundled_families() -> list[str]:
    """Load the fonts that ship with the application; their families."""
    found: list[str] = []
    for path in font_files():
        font_id = QFontDatabase.addApplicationFont(str(path))
        found.extend(QFontDatabase.applicationFontFamilies(font_id) if font_id >= 0 else [])
    return found


class _Fonts:
    """The families in use, looked up once an application runs (a QFontDatabase needs one)."""

    def __init__(self) -> None:
        self.ui = ""
        self.mono = ""

    def resolve(self) -> None:
        """Choose families: bundled ones first, then the best of the system."""
        if self.ui:
            return
        families = set(_bundled_families()) | set(QFontDatabase.families())
        general = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
        self.ui = next((name for name in UI_FAMILIES if name in families), general)
        self.mono = next((name for name in MONO_FAMILIES if name in families), fixed)


_FONTS: Final = _Fonts()


def _exact(font: QFont) -> QFont:
    """Switch off contextual alternates and ligatures: ``0x12`` stays as typed, ``<=`` stays two characters, columns stay even."""
    for feature in ("calt", "liga"):
        font.setFeature(QFont.Tag(feature), 0)
    return font


@cache
def _font(mono: bool, point_size: float, bold: bool) -> QFont:
    """Made once: its copies share what Qt found for it, while a new one is looked up anew each time it paints."""
    _FONTS.resolve()
    font = QFont([_FONTS.mono if mono else _FONTS.ui, HAN_FAMILY])
    font.setPointSizeF(point_size)
    font.setBold(bold)
    if mono:
        font.setStyleHint(QFont.StyleHint.Monospace)
    return _exact(font)


def ui_font(point_size: float = 10.0, bold: bool = False) -> QFont:
    """The font of labels and menus."""
    return QFont(_font(False, point_size, bold))


def mono_font(point_size: float = 10.0, bold: bool = False) -> QFont:
    """The font of values: every digit as wide as the next."""
    return QFont(_font(True, point_size, bold))


def palette_of(theme: Theme) -> QPalette:
    """The Qt palette of a theme, disabled roles included."""
    palette = QPalette()
    role = QPalette.ColorRole
    pairs = (
        (role.Window, "window"),
        (role.WindowText, "text"),
        (role.Base, "surface"),
        (role.AlternateBase, "stripe"),
        (role.Text, "text"),
        (role.Button, "raised"),
        (role.ButtonText, "text"),
        (role.BrightText, "severity.error"),
        (role.Highlight, "selection"),
        (role.HighlightedText, "text"),
        (role.Link, "link"),
        (role.LinkVisited, "link"),
        (role.ToolTipBase, "raised"),
        (role.ToolTipText, "text"),
        (role.PlaceholderText, "text.faint"),
        (role.Light, "raised"),
        (role.Midlight, "raised"),
        (role.Mid, "border"),
        (role.Dark, "border"),
        (role.Shadow, "border"),
    )
    for where, meaning in pairs:
        palette.setColor(where, theme.color(meaning))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, theme.color("text.faint", 150))
    return palette


def apply(app: QApplication, theme: Theme) -> None:
    """Dress the whole application: style, palette, fonts, style sheet, Qt's own words; nothing happens when it is dressed so already."""
    _FONTS.resolve()
    speak(app)
    sheet = style_sheet(theme.hexes, f'"{_FONTS.mono}", "{HAN_FAMILY}"')
    if app.styleSheet() == sheet:
        return
    # figures have set a style of their own
    if not remembering() and app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette_of(theme))
    app.setFont(ui_font())
    app.setStyleSheet(sheet)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def contrast(first: QColor, second: QColor) -> float:
    """The contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lights = sorted(0.2126 * _linear(c.redF()) + 0.7152 * _linear(c.greenF()) + 0.0722 * _linear(c.blueF()) for c in (first, second))
    return (lights[1] + 0.05) / (lights[0] + 0.05)
