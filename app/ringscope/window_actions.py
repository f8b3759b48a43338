"""Every command of the window, declared once: text, shortcut, menu, icon, help.

Menus, the transport bar, the command palette and the sheet of hotkeys are all made from this table.
"""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from ringscope.icons import icon
from ringscope.theme import Theme
from ringscope.window_debug_actions import DEBUG_ACTIONS, DEBUG_MENU
from ringscope.window_spec import ActionSpec
from ringscope.window_time_actions import SPEED_MENU, TIME_ACTIONS, TIME_MENU
from ringscope.words import t

ACTIONS: Final = (
    ActionSpec("open", "&File", "&Open session...", "Ctrl+O", "open", "Open a recorded session, or a capture as one"),
    ActionSpec("save", "&File", "&Save session as...", "Ctrl+S", "save", "Keep this recording under a name of your own"),
    ActionSpec("export", "&File", "&Export...", "Ctrl+E", "export", "Write this session, or a part of it, for another tool"),
    ActionSpec("picture", "&File", "Save &picture of the window...", "Ctrl+P", "export", "Write the window as a PNG"),
    ActionSpec(
        "figure_command", "&File", "Copy window as fi&gure command", "Ctrl+Shift+P", "copy", "Copy the `ringscope figure` command that draws this window"
    ),
    ActionSpec("quit", "&File", "-&Quit", "Ctrl+Q", "", "End Ringscope and its engine"),
    ActionSpec("copy_table", "&Edit", "&Copy view as text", "Ctrl+Shift+C", "copy", "Copy what the current view shows as a table"),
    ActionSpec(
        "view_figure_command", "&Edit", "Copy view as fi&gure command", "Ctrl+Shift+F", "copy", "Copy the `ringscope figure` command that draws this view"
    ),
    ActionSpec("find", "&Edit", "&Find in view", "Ctrl+F", "search", "Search in the current view"),
    ActionSpec("filter", "&Edit", "Fi&lter", "Ctrl+L", "filter", "Put the keyboard into the filter box"),
    ActionSpec("clear_filter", "&Edit", "Clear fil&ter", "Ctrl+Shift+L", "", "Show everything again"),
    ActionSpec("palette", "&Edit", "-Command &palette", "Ctrl+K", "palette", "Any command, view, object or function by name"),
    ActionSpec("preferences", "&Edit", "-&Preferences...", "Ctrl+,", "settings", "QEMU's source tree"),
    ActionSpec("restart", "&Run", "Re&start", "F3", "restart", "Begin another run of the same scenario"),
    ActionSpec("run", "&Run", "&Run", "", "run", "Run or pause"),
    ActionSpec("toggle", "&Run", "Run or pause", "Space", "", "Run when paused, pause when running"),
    ActionSpec("slower", "&Run", "-Slo&wer", "-", "", "A tenth of the speed"),
    ActionSpec("faster", "&Run", "&Faster", "+", "", "Ten times the speed"),
    ActionSpec("mark", "&Run", "-&Mark this moment", "M", "mark", "Put a mark on the time line"),
    ActionSpec("link", "&Run", "&Link up or down", "Ctrl+D", "link", "Pull the network cable, or plug it in again (set_link)"),
    ActionSpec("branch", "&Run", "-&Branch from here...", "Ctrl+Shift+R", "branch", "Run this again to the moment in focus, and on with something changed"),
    ActionSpec("compare", "&Run", "&Compare with parent...", "Ctrl+Shift+D", "compare", "Where this branch and what it came from part, side by side"),
    ActionSpec("next_run", "&Run", "Show the &next run", "Ctrl+Shift+G", "", "The parent or another branch, at the same moment"),
    ActionSpec("trace_counters", "&Run", "-Trace &counters", "", "", "Record counters and keyframes of the data path"),
    ActionSpec("trace_packets", "&Run", "Trace &packets", "", "", "Record one event for each frame"),
    ActionSpec("trace_full", "&Run", "Trace &everything", "", "", "Record every ring operation"),
    *DEBUG_ACTIONS,
    *TIME_ACTIONS,
    ActionSpec("back", "&Go", "&Back", "Alt+Left", "back", "Where you looked before"),
    ActionSpec("forward", "&Go", "&Forward", "Alt+Right", "forward", "Undo Back"),
    ActionSpec("previous", "&Go", "-&Previous event", ",", "", "The event before, without running anything"),
    ActionSpec("next", "&Go", "&Next event", ".", "", "The event after, without running anything"),
    ActionSpec("previous_mark", "&Go", "Previous mar&k", "Ctrl+Left", "", "The mark before"),
    ActionSpec("next_mark", "&Go", "Next m&ark", "Ctrl+Right", "", "The mark after"),
    ActionSpec("first", "&Go", "Fi&rst event", "Ctrl+Home", "", "The beginning of the recording"),
    ActionSpec("last", "&Go", "&Last event", "Ctrl+End", "", "The newest event, and follow it"),
    ActionSpec("follow", "&Go", "Follo&w the end", "F4", "follow", "Stay at the newest event while the recording grows"),
    ActionSpec("cause", "&Go", "-Go to &cause", "C", "", "The event that led to the one in focus"),
    ActionSpec("theme", "&View", "-Light or dark &theme", "Ctrl+T", "theme", "Switch between the light and the dark theme"),
    ActionSpec("reset_layout", "&View", "&Reset layout", "", "layout", "Put every dock back where it was at first"),
    ActionSpec("full_screen", "&View", "F&ull screen", "Alt+Return", "", "Use the whole screen"),
    ActionSpec("keys", "&Help", "&Keyboard", "?", "help", "Every hotkey on one sheet"),
    ActionSpec("about", "&Help", "&About Ringscope", "", "info", "Version and what this is"),
)
CHECKABLE: Final = ("follow", "play", "play_back", "loop", "trace_counters", "trace_packets", "trace_full")
MENUS: Final = ("&File", "&Edit", "&View", "&Run", DEBUG_MENU, TIME_MENU, SPEED_MENU, "&Go", "&Help")
PANEL_KEYS: Final = (
    ("Left, Right", "Time line: the event before, the event after"),
    ("Shift+Left, Shift+Right", "Time line: a tenth of what is visible"),
    ("Home, End", "Time line: first event; newest event, and follow"),
    ("Wheel, Ctrl+wheel", "Time line and graphs: zoom where the pointer is"),
    ("Right click", "On a value: where it was written last, where it changes next"),
    ("Shift+drag", "Time line: choose a range to loop over or to export"),
    ("Double click", "Events: go to the cause; time line: show everything"),
)
"""Keys that belong to a widget, for the sheet of hotkeys."""


def said(text: str) -> str:
    """A menu text in the language in use, its mnemonic in it, without the separator."""
    return t(text.lstrip("-"))


def plain(text: str) -> str:
    """A menu text without mnemonics (``&File``, and as Chinese menus have them ``(&F)``) and separators."""
    return re.sub(r"\(&.\)", "", text.lstrip("-")).replace("&", "")


def make_actions(parent: QWidget) -> dict[str, QAction]:
    """The actions by name, owned by `parent`."""
    actions: dict[str, QAction] = {}
    for spec in ACTIONS:
        action = QAction(said(spec.text), parent)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(keys) for keys in spec.all_keys])
        keys = f"  ({spec.keys})" if spec.keys else ""
        action.setToolTip(f"{t(spec.tip)}{keys}")
        action.setStatusTip(t(spec.tip))
        actions[spec.name] = action
        parent.addAction(action)
    for name in CHECKABLE:
        actions[name].setCheckable(True)
    return actions


def fill_menus(bar: QMenuBar, actions: dict[str, QAction]) -> dict[str, QMenu]:
    """Put the actions into menus; returns the menus by their text."""
    menus: dict[str, QMenu] = {}
    for name in MENUS:
        # a menu in a menu: "&Time/S&peed"
        above, _, text = name.rpartition("/")
        menus[name] = menus[above].addMenu(said(text)) if above else bar.addMenu(said(text))
    for spec in ACTIONS:
        menu = menus[spec.menu]
        if spec.text.startswith("-"):
            menu.addSeparator()
        menu.addAction(actions[spec.name])
    return menus


def paint_actions(actions: dict[str, QAction], theme: Theme) -> None:
    """Icons in the theme's colours."""
    for spec in ACTIONS:
        if spec.icon:
            actions[spec.name].setIcon(icon(spec.icon, theme))
