"""Qt's own words (the buttons of its dialogs, the menus of its text fields) in the language in use."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLibraryInfo, QTranslator
from PySide6.QtWidgets import QApplication

from ringscope.words import language

_FILES: Final = {"zh": "qtbase_zh_CN"}
"""Qt's catalogues, which come with it, by our language."""


class _Translator(QTranslator):
    """Qt's catalogue, but the names of keys stay what stands on them."""

    def translate(self, context: str, source_text: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        """Qt's text in the language, or the name of a key."""
        return source_text if context == "QShortcut" else super().translate(context, source_text, disambiguation, n)


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
        translator = _Translator()
        if translator.load(_FILES[wanted], QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(translator)
            _SPOKEN.translator = translator
    _SPOKEN.language = wanted
