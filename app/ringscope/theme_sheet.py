"""The style sheet: one template, filled with a theme's colours.

It shapes what a palette cannot: flat tool buttons, thin borders, the dock tabs of Qt-ADS, scroll bars.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ringscope.vectors import remembering
from ringscope_resources import path

_SHEET: Final = """
QMainWindow, QDialog { background: @window; }
QToolTip { background: @raised; color: @text; border: 1px solid @border; padding: 4px 6px; }
QMenuBar { background: @window; border-bottom: 1px solid @border; padding: 1px 4px; }
QMenuBar::item { padding: 4px 9px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @surface; border: 1px solid @border; padding: 4px; }
QMenu::item { padding: 5px 26px 5px 22px; border-radius: 3px; }
QMenu::item:selected { background: @accent.soft; }
QMenu::item:disabled { color: @text.faint; }
QMenu::separator { height: 1px; background: @grid; margin: 4px 6px; }
QToolBar { background: @window; border: none; border-bottom: 1px solid @border; padding: 3px 6px; spacing: 4px; }
QToolBar::separator { background: @border; width: 1px; margin: 4px 5px; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px 7px; color: @text; }
QToolButton:hover { background: @hover; }
QToolButton:pressed, QToolButton:checked { background: @accent.soft; border-color: @accent; }
QToolButton:disabled { color: @text.faint; }
QToolButton:focus { border-color: @accent; }
QPushButton { background: @raised; border: 1px solid @border; border-radius: 4px; padding: 4px 12px; color: @text; }
QPushButton:hover { background: @hover; }
QPushButton:focus { border-color: @accent; }
QPushButton:default { background: @accent; color: @text.on_accent; border-color: @accent; }
QPushButton:disabled, QPushButton:default:disabled, QComboBox:disabled, QLineEdit:disabled { background: @window; color: @text.faint; border-color: @border; }
QLineEdit, QSpinBox, QDoubleSpinBox { background: @surface; border: 1px solid @border; border-radius: 4px; padding: 3px 7px;
  selection-background-color: @selection; selection-color: @text; }
QPlainTextEdit, QTextEdit, QTextBrowser { background: @surface; border: 1px solid @border; border-radius: 4px;
  selection-background-color: @selection; selection-color: @text; }
QPlainTextEdit[role="flat"] { border: none; border-radius: 0; }
QLineEdit:focus, QSpinBox:focus, QPlainTextEdit:focus { border-color: @accent; }
QLineEdit[validity="valid"] { background: @filter.valid; }
QLineEdit[validity="invalid"] { background: @filter.invalid; border-color: @severity.error; }
QComboBox { background: @raised; border: 1px solid @border; border-radius: 4px; padding: 3px 8px; color: @text; }
QComboBox:focus { border-color: @accent; }
QComboBox::drop-down { border: none; width: 18px; }
@arrows
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QComboBox QAbstractItemView { background: @surface; border: 1px solid @border; selection-background-color: @accent.soft; selection-color: @text; }
QAbstractItemView { background: @surface; alternate-background-color: @stripe; border: none; outline: none;
  selection-background-color: @selection; selection-color: @text; gridline-color: @grid; }
QAbstractItemView::item:hover { background: @hover; }
QAbstractItemView::item:selected { background: @selection; color: @text; }
QTreeView::item { height: 20px; }
QHeaderView { background: @raised; border: none; }
QHeaderView::section { background: @raised; color: @text.muted; border: none; border-right: 1px solid @grid;
  border-bottom: 1px solid @border; padding: 4px 7px; font-weight: 600; }
QTabWidget::pane { border: none; border-top: 1px solid @border; }
QTabBar { background: @surface; }
QTabBar::tab { background: transparent; color: @text.muted; padding: 6px 8px; border: none; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabBar::tab:hover { color: @text; background: @hover; }
QTabBar::tab:focus { color: @accent; }
QSplitter::handle { background: @border; }
QScrollBar:vertical { background: transparent; width: 11px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 11px; margin: 0; }
QScrollBar::handle { background: @border; border-radius: 3px; margin: 2px; min-height: 26px; min-width: 26px; }
QScrollBar::handle:hover { background: @text.faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QStatusBar { background: @window; border-top: 1px solid @border; color: @text.muted; }
QStatusBar::item { border: none; }
QLabel[role="muted"] { color: @text.muted; }
QLabel[role="stop"] { color: @cursor; font-weight: 600; }
QLabel[role="problem"] { color: @severity.warning; }
QLabel[role="title"] { color: @text; font-weight: 600; font-size: 12pt; }
QLabel[role="heading"] { color: @text.muted; font-weight: 600; }
QLabel[role="mono"], QPlainTextEdit[role="mono"], QTextEdit[role="mono"] { font-family: @mono; }
QFrame#banner { background: @filter.invalid; border: none; border-bottom: 1px solid @severity.error; }
QFrame#panel { background: @surface; border: none; }
QFrame#strip { background: @raised; border: none; border-bottom: 1px solid @grid; }
QFrame#console { background: @surface; border: none; border-top: 1px solid @grid; }
QGraphicsView { background: @surface; border: none; }
QSlider::groove:horizontal { height: 4px; background: @border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent; border-radius: 2px; }
QSlider::handle:horizontal { background: @surface; border: 2px solid @accent; width: 10px; height: 10px; margin: -5px 0; border-radius: 7px; }
QSlider::handle:horizontal:focus { background: @accent; }
QSlider::handle:horizontal:disabled { border-color: @border; }
QSlider::sub-page:horizontal:disabled { background: @border; }
QToolButton#subject { padding: 4px 4px; }
QProgressBar { background: @raised; border: 1px solid @border; border-radius: 4px; text-align: center; }
QProgressBar::chunk { background: @accent.soft; }
QCheckBox { spacing: 6px; }
QDialog QCheckBox::indicator { width: 11px; height: 11px; border: 2px solid @text.muted; border-radius: 3px; background: @surface; }
QDialog QCheckBox::indicator:checked { background: @accent; }
QDialog QCheckBox::indicator:disabled { border-color: @border; }
"""

DOCK_SHEET: Final = """
ads--CDockContainerWidget { background: @window; }
ads--CDockContainerWidget > QSplitter { padding: 1px 0; }
ads--CDockSplitter::handle { background: @window; }
ads--CDockSplitter::handle:hover { background: @accent; }
ads--CDockAreaWidget { background: @surface; border: 1px solid @border; }
ads--CDockAreaTitleBar { background: @raised; border-bottom: 1px solid @border; padding: 0; }
ads--CDockAreaTabBar { background: transparent; }
ads--CDockWidgetTab { background: transparent; border: none; border-bottom: 2px solid transparent; padding: 2px 6px; min-height: 22px; }
ads--CDockWidgetTab:hover { background: @hover; }
ads--CDockWidgetTab[activeTab="true"] { background: @surface; border-bottom: 2px solid @accent; }
ads--CDockWidgetTab QLabel { color: @text.muted; }
ads--CDockWidgetTab[activeTab="true"] QLabel { color: @text; font-weight: 600; }
ads--CDockWidgetTab[focused="true"] { border-bottom-color: @accent; }
ads--CDockWidget { background: @surface; border: none; }
ads--CTitleBarButton { padding: 0; border: none; }
ads--CFloatingDockContainer { background: @window; }
#tabCloseButton { border: none; padding: 0; margin: 0 0 0 4px; }
#tabsMenuButton::menu-indicator { image: none; }
"""

_ARROWS: Final = """QComboBox::down-arrow { image: url("@file"); width: 12px; height: 12px; }"""


def _fill(template: str, hexes: Mapping[str, str], mono: str) -> str:
    # a figure's style draws its arrows as shapes
    arrows = "" if remembering() else _ARROWS.replace("@file", path("images", "chevron-down.svg").as_posix())
    text = template.replace("@mono", mono).replace("@arrows", arrows)
    for meaning in sorted(hexes, key=len, reverse=True):
        text = text.replace(f"@{meaning}", hexes[meaning])
    return text


def style_sheet(hexes: Mapping[str, str], mono: str) -> str:
    """The application's sheet in the colours `hexes`; values in the font families `mono`, quoted as in a sheet."""
    return _fill(_SHEET, hexes, mono)


def dock_sheet(hexes: Mapping[str, str]) -> str:
    """The docks' sheet; Qt-ADS takes it on its manager and would else show its own."""
    return _fill(DOCK_SHEET, hexes, "")
