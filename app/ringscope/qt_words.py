"""Qt's own words (the buttons of its dialogs, the menus of its text fields) in the language in use."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLibraryInfo, QTranslator
from PySide6.QtWidgets import QApplication

from ringscope.words import language

_FILES: Final = {"zh": "qtbase_zh_CN"}
"""Qt's catalogues, which come with it, by our language."""


class _Spoken:
    """The translator that is installed."""

    def __init__(self) -> None:
        self.language = "en"
        self.translator: QTranslator | None = None


_SPOKEN: Final = _Spoken()


def speak(app: QApplication) -> None:
    """Make Qt speak the language in use; nothing happens when it does already."""
    wanted = language()
    if wanted == _SPOKEN.language:
        return
    if _SPOKEN.translator is not None:
        app.removeTranslator(_SPOKEN.translator)
        _SPOKEN.translator = None
    if wanted in _FILES:
        translator = QTranslator()
        if translator.load(_FILES[wanted], QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(translator)
            _SPOKEN.translator = translator
    _SPOKEN.language = wanted
