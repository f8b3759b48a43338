"""What the window remembers between starts: theme, docks, sizes.  A small versioned file; a damaged one is set aside."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import platformdirs

from ringscope.words import t

VERSION: Final = 1
"""Version of the file; another one is ignored, not guessed at."""
LAYOUT_VERSION: Final = 5
"""Version of the arrangement of docks; raised when a dock is added or renamed, so that an old layout is not forced on a new window."""

PREFERENCES: Final = {
    "qemu_tree": "Folder of a QEMU 4.1.0 source tree, for the source lines beside calls.",
    "console_history": "What was typed at the console, newest last.",
    "language": "The window's language, `en` or `zh`; empty: that of the desktop.",
    "keep": "The size within which an unsaved run keeps its recording.",
}
"""Values that views read and change, through `Commands.preference`, and what each is."""

ENVIRONMENT: Final = {
    "RINGSCOPE_PURE": "`1`: run the core's sources uncompiled.",
    "RINGSCOPE_QEMU": "The QEMU of `conform --live` and `bench --against-qemu`; without it `qemu-system-x86_64`.",
    "RINGSCOPE_CONFIG": "The folder of the window's settings.",
    "RINGSCOPE_DATA": "The folder of recordings that nobody has saved yet.",
    "RINGSCOPE_STATE": "A file that the window keeps its state in, as JSON, for scripts that press keys.",
    "QT_QPA_PLATFORM": "Qt's platform; `offscreen` draws without a display.",
}
"""Variables of the environment that are looked at."""


def settings_file() -> Path:
    """Where the settings live; ``RINGSCOPE_CONFIG`` names another folder (tests)."""
    folder = os.environ.get("RINGSCOPE_CONFIG", "")
    return (Path(folder) if folder else Path(platformdirs.user_config_dir("ringscope"))) / "window.json"


class Settings:
    """Values by name, all strings, read once and written when the window closes."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or settings_file()
        self.values: dict[str, str] = {}
        self.problem: str = ""
        """One line on why the file was not used, empty when it was."""
        self._load()

    def _load(self) -> None:
        if not self.path.exists():
            return
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            if document["version"] != VERSION:
                self.problem = t(
                    "{path} has version {version}, {understood} is understood; it is not used", path=self.path, version=document["version"], understood=VERSION
                )
                return
            self.values = {str(key): str(value) for key, value in document["values"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.problem = t("{path} cannot be read ({error}); the settings start anew", path=self.path, error=error)

    def get(self, name: str, default: str = "") -> str:
        """The value `name`."""
        return self.values.get(name, default)

    def put(self, name: str, value: str) -> None:
        """Remember `value`."""
        self.values[name] = value

    def save(self) -> str:
        """Write the file whole; returns one line when that failed, else nothing."""
        text = json.dumps({"version": VERSION, "values": self.values}, indent=1, sort_keys=True)
        fresh = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self.path)
        except OSError as error:
            return t("the settings were not saved ({error})", error=error)
        return ""
