"""Layout files: how the docks of a window stand, as the window remembers it.  Nothing else of a person's settings is read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope.figures.files import write_whole
from ringscope.settings import LAYOUT_VERSION, VERSION
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.settings import Settings
    from ringscope.window import Window

MAX_BYTES: Final = 1 << 20
_ALLOWED: Final = "a layout file as the window saves it (its window.json, or one that `Copy window as figure command` wrote)"


@dataclass(frozen=True, slots=True)
class Layout:
    """The docks' arrangement as text, and whether it is that of a narrow window."""

    docks: str
    narrow: bool

    def put_into(self, settings: Settings) -> None:
        """Have a window that is made with `settings` stand so."""
        settings.put("layout_version", _kind(self.narrow))
        settings.put("docks", self.docks)


def _kind(narrow: bool) -> str:
    return f"{LAYOUT_VERSION}{' narrow' if narrow else ''}"


def read_layout(path: str) -> Layout:
    """The layout in a file; raises InputError for ``layout``."""
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise InputError("layout", path, _ALLOWED)
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        values = document["values"]
        docks, kind = str(values["docks"]), str(values["layout_version"])
        version = document["version"]
    except OSError as error:
        raise InputError("layout", path, f"a layout file that can be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("layout", path, _ALLOWED) from None
    if version != VERSION or kind.partition(" ")[0] != str(LAYOUT_VERSION):
        raise InputError("layout", path, f"a layout of this Ringscope's window (version {LAYOUT_VERSION}, not {kind or 'none'})")
    return Layout(docks, kind.endswith("narrow"))


def layout_of(window: Window) -> Layout:
    """How `window` stands."""
    return Layout(window.docks.state(), window.docks.narrow)


def save_layout(layout: Layout, folder: Path, stem: str) -> Path:
    """Write a layout file for a session called `stem`; its name tells layouts apart.  Raises InputError when the folder cannot be written."""
    values = {"docks": layout.docks, "layout_version": _kind(layout.narrow)}
    text = json.dumps({"version": VERSION, "values": values}, indent=1, sort_keys=True) + "\n"
    path = folder / f"{stem}.layout-{hashlib.sha256(text.encode()).hexdigest()[:6]}.json"
    write_whole(path, text.encode())
    return path
