"""What the window does so that no recording is lost: damaged files, recordings that nobody saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox

from ringscope.sources.keep import notes_of
from ringscope.sources.unsaved import UnsavedFolder, unsaved_root
from ringscope.window_unsaved import UnsavedOffer
from ringscope.words import t
from ringscope_core.query.opening import open_for_view
from ringscope_core.session.errors import DamagedSession, SessionError
from ringscope_core.session.salvage import salvage

if TYPE_CHECKING:
    from ringscope.sources.engine import EngineControls
    from ringscope.window import Window
    from ringscope_core.session.reader import SessionReader


class Trust:
    """Beside one window, for its life."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._held: UnsavedFolder | None = None
        self._offer = UnsavedOffer(window)
        window.rescue = self.rescue
        window.closing.connect(self.let_go)

    def offer_unsaved(self) -> None:
        """Offer what an earlier window left behind."""
        self._offer.start()

    # -- opening --------------------------------------------------------------------------------------------------------
    def open(self, path: Path) -> SessionReader:
        """A reader of the file, of what is whole of it when it is damaged.  Raises SessionError."""
        reader = open_for_view(path)
        self.let_go()
        if path.parent.parent == unsaved_root():
            # while it is looked at here, nobody else is to delete or offer it
            self._held = UnsavedFolder.hold(path.parent)
        return reader

    def let_go(self) -> None:
        """The recording that was opened from the unsaved ones is no longer looked at."""
        if self._held is not None:
            self._held.release()
            self._held = None

    def tell(self, reader: SessionReader) -> None:
        """Say what is missing of it."""
        if reader.damage:
            self._window.show_problem(f"{reader.origin}: {reader.damage}.")

    def rescue(self, error: SessionError) -> bool:
        """Damage came to light while the file was read: go on with what is whole.  False when that is nothing."""
        reader = self._window.store.reader
        if not isinstance(error, DamagedSession) or reader.damage or self._window.store.live:
            return False
        try:
            rest = salvage(reader.path, error.reason)
        except SessionError:
            return False
        self._window.store.open(rest, False)
        self.tell(rest)
        return True

    # -- closing --------------------------------------------------------------------------------------------------------
    def ask_before_closing(self, controls: EngineControls) -> None:
        """From now on a recording with marks or notes of a person is not dropped without a question."""
        self._window.may_close = lambda: self._may_close(controls)

    def _may_close(self, controls: EngineControls) -> bool:
        if not controls.holds_unsaved or self._window.store.reader.path != controls.session or not self._noted():
            return True
        answer = ask(self._window)
        if answer == QMessageBox.StandardButton.Save:
            return self._window.verbs.save()
        if answer == QMessageBox.StandardButton.Ignore:
            controls.keep_unsaved = True
        return answer != QMessageBox.StandardButton.Cancel

    def _noted(self) -> bool:
        """Whether a person left something in the recording that no saved copy has."""
        try:
            return notes_of(self._window.store.reader) > self._window.verbs.saved_notes
        except SessionError:
            return False


def ask(window: Window) -> QMessageBox.StandardButton:
    """Save, keep for the next start, discard, or stay."""
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(t("Unsaved recording"))
    box.setText(t("This recording has marks or notes of yours and is not saved."))
    box.setInformativeText(t("Keep it, and the next start of Ringscope offers it again."))
    kinds = QMessageBox.StandardButton
    box.setStandardButtons(kinds.Save | kinds.Ignore | kinds.Discard | kinds.Cancel)
    box.button(QMessageBox.StandardButton.Save).setText(t("Save as..."))
    box.button(QMessageBox.StandardButton.Ignore).setText(t("Keep"))
    box.setDefaultButton(QMessageBox.StandardButton.Save)
    return QMessageBox.StandardButton(box.exec())
