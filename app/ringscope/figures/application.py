"""The Qt application that pictures are drawn with: always offscreen, always 96 dpi, so that a picture does not depend on a desktop."""

from __future__ import annotations

import os
import sys
from typing import Final

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

_HARMLESS: Final = "This plugin does not support"
"""What Qt's offscreen platform says of window hints that it has no use for."""


def _say(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    if not text.startswith(_HARMLESS):
        print(text, file=sys.stderr)


def drawing_application() -> QApplication:
    """The application; made when there is none yet.

    Must be called before any other code makes one: platform and scale are fixed when the first is made.
    """
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_FONT_DPI"] = "96"
    for name in ("QT_SCALE_FACTOR", "QT_SCREEN_SCALE_FACTORS", "QT_AUTO_SCREEN_SCALE_FACTOR", "QT_STYLE_OVERRIDE"):
        os.environ.pop(name, None)
    qInstallMessageHandler(_say)
    app = QApplication(["ringscope"])
    app.setApplicationName("ringscope")
    return app
