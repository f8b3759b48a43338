"""Whether a window can be opened here.  Qt ends the program when it cannot, so this is asked before Qt is."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Final

_HEADLESS: Final = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


def _can_connect(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        return probe.connect_ex(address) == 0


def _x_answers(display: str) -> bool:
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return any(_can_connect(socket.AF_UNIX, address) for address in (path, f"\0{path}"))
    try:
        return _can_connect(socket.AF_INET, (host, 6000 + int(number)))
    except OSError:
        return False


def missing_display() -> str:
    """Why no window can be opened, in one line; empty when one can."""
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    if not sys.platform.startswith("linux") or platform in _HEADLESS:
        return ""
    wayland, display = os.environ.get("WAYLAND_DISPLAY", ""), os.environ.get("DISPLAY", "")
    if wayland:
        path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / wayland
        if path.exists() and _can_connect(socket.AF_UNIX, str(path)):
            return ""
    if display:
        return "" if _x_answers(display) else f"no X server answers at DISPLAY={display}"
    return f"no Wayland compositor answers at WAYLAND_DISPLAY={wayland}" if wayland else "neither DISPLAY nor WAYLAND_DISPLAY is set"
