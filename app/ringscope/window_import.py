"""File > Open on anything: a session as it is, a capture or exported lines as a session made of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressDialog, QWidget

from ringscope.export_thread import ImportWork
from ringscope.words import t
from ringscope_core.export.imports import ALLOWED, SUFFIXES, kind_of, temporary_target
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

SHOW_AFTER_MS: Final = 400


def open_filters() -> str:
    """What the dialog that opens a file offers."""
    suffixes = " ".join(f"*{suffix}" for suffix in SUFFIXES)
    return t("Sessions and captures (*.ringscope {suffixes});;Ringscope sessions (*.ringscope);;All files (*)", suffixes=suffixes)


def open_any(path: Path, parent: QWidget, open_session: Callable[[Path], None], complain: Callable[[str], None]) -> ImportWork | None:
    """Open `path`: a session at once, anything else when a session was made of it, which lasts as long as the program.

    Gives the work that makes it, None where there is none: who closes `parent` gives it up first.
    """
    try:
        kind = kind_of(path)
        if kind == "":
            raise InputError("file", str(path), f"a Ringscope session, {ALLOWED}")
        if kind == "session":
            open_session(path)
            return None
    except (InputError, SessionError) as error:
        complain(str(error))
        return None
    target = temporary_target(path)
    work = ImportWork(path, target, parent)
    dialog = QProgressDialog(t("Reading {name} ...", name=path.name), t("Cancel"), 0, 1000, parent)
    dialog.setWindowTitle(t("Open"))
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumDuration(SHOW_AFTER_MS)
    dialog.setAutoClose(False)
    dialog.setAutoReset(False)

    def finished() -> None:
        dialog.reset()
        dialog.deleteLater()
        work.deleteLater()
        if not target.exists():
            shutil.rmtree(target.parent, ignore_errors=True)
        elif not work.given_up:
            try:
                open_session(target)
            except SessionError as error:
                complain(str(error))

    dialog.canceled.connect(work.cancel)
    work.moved.connect(lambda done, total: dialog.setValue(1000 * done // total))
    work.failed.connect(complain)
    work.finished.connect(finished)
    work.start()
    return work
