"""The ``ringscope figure`` command for what a window shows: what somebody found by looking goes into a document as words."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from ringscope.figures.files import make_folder
from ringscope.figures.focusing import Aim, words_of
from ringscope.figures.layouts import layout_of, save_layout
from ringscope.figures.parse import MAX_SIZE, WINDOW, least_size
from ringscope.figures.record import record
from ringscope.sources.engine import EngineControls
from ringscope.words import language, t
from ringscope_core.query.decode import format_clock
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.load import load
from ringscope_core.session.annotate import data_folder
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from ringscope.sources.engine import EngineOptions
    from ringscope.views.spec import View
    from ringscope.window import Window

MOST_NS: Final = 10_000_000_000
"""A longer run is not run again to see whether it comes out the same; it can be saved."""
MOST_EVENTS: Final = 400_000
_TYPE_VIEWS: Final = ("types", "typetree", "inspector", WINDOW)
"""Views that show the type in focus."""
_PACKET_VIEWS: Final = ("rings", "inspector", WINDOW)
_FIELDS: Final = ("kind", "obj", "vt", "a0", "a1", "a2", "a3", "a4", "a5")
"""What two runs have in common when they are the same; the wall clock is not."""


class FigureCommand(NamedTuple):
    """A line for a shell, and a line for the person."""

    line: str
    said: str


def figure_command(window: Window, whole: bool) -> FigureCommand:
    """The command that draws what `window` shows: the view in front, or the `whole` window with its layout.

    Raises InputError where there is none: a run that nobody has saved and that cannot be had again.
    """
    view = None if whole else window.current_view()
    if not whole and view is None:
        raise InputError("view", "none", t("a view that is open"))
    name = WINDOW if view is None else _name_of(window, view)
    words = ["ringscope", "figure"]
    source, note = _source(window)
    words += [*source, "--view", name]
    words += _looking(window, name, window.focus.oid if view is None else view.shown_object())
    words += _dressed(window, window if view is None else view, name)
    if view is None:
        path = _layout(window)
        words += ["--layout", str(path)]
        note = t("{what}; the layout is in {path}", what=note, path=path)
    words += ["-o", f"{name}.png"]
    return FigureCommand(shlex.join(words), t("copied: {what}", what=note))


def _name_of(window: Window, view: View) -> str:
    return next(name for name, host in window.hosts.items() if host.view is view)


def _looking(window: Window, view: str, oid: int) -> list[str]:
    """Moment, focus (on `oid`) and filter."""
    focus, store = window.focus, window.store
    words = ["--at", f"seq:{focus.seq}"]
    place = focus.place
    particular = oid == place.oid
    aim = Aim(
        oid if oid and store.names.knows(oid) else 0,
        place.field if particular else -1,
        place.head if particular else -1,
        place.packet if view in _PACKET_VIEWS else 0,
        place.type_name if view in _TYPE_VIEWS else "",
        place.subject,
        place.seq,
    )
    said = words_of(store.recording, aim)
    if said:
        words += ["--focus", said]
    if focus.filter.strip():
        words += ["--filter", focus.filter]
    return words


def _dressed(window: Window, widget: QWidget, view: str) -> list[str]:
    """Size, scale, theme and language."""
    least = least_size(view)
    width, height = (min(max(have, low), most) for have, low, most in zip((widget.width(), widget.height()), least, MAX_SIZE, strict=True))
    words = ["--size", f"{width}x{height}"]
    ratio = widget.devicePixelRatioF()
    if ratio != 1:
        words += ["--scale", f"{ratio:g}"]
    if window.theme.name != "light":
        words += ["--theme", window.theme.name]
    if language() != "en":
        words += ["--lang", language()]
    return words


def _layout(window: Window) -> Path:
    """Save the layout beside the session, or with the person's data where that is not possible."""
    path = window.store.reader.path
    controls = window.commands.controls
    if not (isinstance(controls, EngineControls) and controls.owns(path)):
        try:
            return save_layout(layout_of(window), path.absolute().parent, path.stem)
        except InputError:
            # a folder that cannot be written
            pass
    return save_layout(layout_of(window), make_folder(data_folder() / "layouts", "layout"), "window")


# -- the source ---------------------------------------------------------------------------------------------------------
def _source(window: Window) -> tuple[list[str], str]:
    """What the figure is drawn of, as words, and what that is."""
    path = window.store.reader.path.absolute()
    controls = window.commands.controls
    if not (isinstance(controls, EngineControls) and controls.owns(path)):
        return [str(path)], t("a figure of {name}", name=path.name)
    why = _not_again(window, controls.options)
    if why:
        raise InputError("session", "not saved", t("save it first (Ctrl+S), open it and copy again: {why}", why=why))
    options = controls.options
    words = [options.scenario]
    for setting in [*options.settings, f"run.duration={window.store.reader.last_vt}ns"]:
        words += ["--set", setting]
    return words, t("a figure of a new run of {name}, which comes out the same", name=options.scenario)


def _not_again(window: Window, options: EngineOptions) -> str:
    """Why a new run of the scenario would not show the same, "" when it does."""
    reader, seq = window.store.reader, window.focus.seq
    if options.branch_of is not None or isinstance(reader.meta.get("branch"), dict):
        return t("it is a branch")
    if reader.meta.get("time") != "deterministic":
        return t("its time goes with the wall clock")
    if reader.controls():
        return t("it was changed while it ran ({command})", command=reader.controls()[0].name)
    if reader.first_seq > 0 or reader.gaps():
        return t("a part of it was not kept")
    if reader.last_vt > MOST_NS or seq > MOST_EVENTS:
        return t("it has come to {time} s", time=format_clock(reader.last_vt))
    return _compared(reader, options, seq)


def _compared(reader: SessionReader, options: EngineOptions, seq: int) -> str:
    """Run it again and compare, event by event up to the one in focus."""
    said = t("a new run of its scenario does not come out the same")
    with tempfile.TemporaryDirectory(prefix="ringscope-") as folder:
        path = Path(folder) / "again.ringscope"
        try:
            record(load(options.scenario, list(options.settings)), path, min(reader.vt_at_seq(seq) + 1, reader.last_vt))
            again = SessionReader(path)
        except (InputError, SessionError):
            return said
        try:
            mine, other = reader.events(0, seq), again.events(0, seq)
            same = len(mine) == len(other) and all(np.array_equal(mine[name], other[name]) for name in _FIELDS)
            texts = again.strings[: len(reader.strings)] == reader.strings[: len(again.strings)]
        finally:
            again.close()
    return "" if same and texts else said
