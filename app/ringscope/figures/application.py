"""The Qt application that pictures are drawn with: always offscreen, always 96 dpi, with no fonts but our own.

So a picture depends neither on a desktop nor on what a machine has installed.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from ringscope.figures.figure_style import FigureStyle
from ringscope.vectors import remember_drawings
from ringscope_resources import path

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
    os.environ["FONTCONFIG_FILE"] = str(path("fonts", "fonts.conf"))
    for name in ("FONTCONFIG_PATH", "FONTCONFIG_SYSROOT", "QT_SCALE_FACTOR", "QT_SCREEN_SCALE_FACTORS", "QT_AUTO_SCREEN_SCALE_FACTOR", "QT_STYLE_OVERRIDE"):
        os.environ.pop(name, None)
    # Qt insists on a locale with UTF-8 and says so; pictures have none of a person's own
    os.environ["LC_ALL"] = "C.UTF-8"
    qInstallMessageHandler(_say)
    remember_drawings()
    app = QApplication(["ringscope"])
    app.setStyle(FigureStyle())
    app.setApplicationName("ringscope")
    return app
