"""A desk for the window: an X server of its own, the program on it as a person starts it, and fingers that press keys.

What the window makes of them is read from the file that ``RINGSCOPE_STATE`` names (`ringscope.window_state`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

NEEDED: Final = {"Xvfb": "xvfb", "xdotool": "xdotool", "import": "imagemagick"}
"""Programs and the Debian packages that bring them (`tools.system_packages`)."""
PATIENCE_S: Final = 60.0
"""How long anything may take on a machine that is busy with other tests."""


def missing_tools() -> list[str]:
    """Debian packages of what is needed and not there."""
    return [package for program, package in NEEDED.items() if shutil.which(program) is None]


class Desk:
    """An X server; ends with `close`."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        read, write = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as stream:
            number = stream.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        self.display = f":{number}"

    def run(self, *command: str, check: bool = True) -> str:
        """Run a program on this display; what it prints."""
        environment = {**os.environ, "DISPLAY": self.display}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=check).stdout

    def picture(self, path: Path) -> Path:
        """The whole screen as a PNG."""
        self.run("import", "-window", "root", str(path))
        return path

    def pixels(self) -> bytes:
        """The whole screen, raw."""
        command = ["import", "-window", "root", "-depth", "8", "rgb:-"]
        return subprocess.run(command, env={**os.environ, "DISPLAY": self.display}, capture_output=True, timeout=PATIENCE_S, check=True).stdout

    def close(self) -> None:
        """End the server."""
        self._server.terminate()
        self._server.wait(10)


class Program:
    """The window on a desk: `press` keys, `type` text, look at `state`."""

    def __init__(self, desk: Desk, folder: Path, *arguments: str) -> None:
        self.desk, self.folder = desk, folder
        self._file = folder / "state.json"
        self._errors = folder / "stderr.txt"
        environment = {name: value for name, value in os.environ.items() if name not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
        environment |= {"DISPLAY": desk.display, "QT_QPA_PLATFORM": "xcb", "RINGSCOPE_STATE": str(self._file), "RINGSCOPE_CONFIG": str(folder / "config")}
        size = "x".join(map(str, desk.size))
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen([sys.executable, "-m", "ringscope", *arguments, "--size", size], env=environment, stderr=errors)
        try:
            self.until(lambda now: bool(now), "the window's state")
            self._window = self._find()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self.desk.run("xdotool", "windowfocus", self._window)

    def _find(self) -> str:
        """The window's number, as soon as the server shows it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = self.desk.run("xdotool", "search", "--onlyvisible", "--pid", str(self._process.pid), check=False).split()
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError("no window came up")

    @property
    def state(self) -> dict[str, Any]:
        """How the window stands, empty before it said so."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def until(self, test: Callable[[dict[str, Any]], object], about: str = "") -> dict[str, Any]:
        """Wait until the state is as wanted; returns it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            now = self.state
            if now and test(now):
                return now
            if self._process.poll() is not None:
                raise AssertionError(f"the program ended with {self._process.returncode}: {self._errors.read_text()[-2000:]}")
            time.sleep(0.02)
        raise AssertionError(f"{about or 'what was waited for'} did not come; the window says {json.dumps(self.state, indent=1)}")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, as X names them (``shift+F10``, ``Return``)."""
        self._look_here()
        for key in keys:
            self.desk.run("xdotool", "key", "--clearmodifiers", key)

    def _look_here(self) -> None:
        """The keyboard back to the window: without a window manager nobody gives it back when a dialog has closed."""
        if not self.state.get("dialog"):
            self.desk.run("xdotool", "windowfocus", self._window)

    def type(self, text: str) -> None:
        """Type a text where the keyboard is."""
        self.desk.run("xdotool", "type", "--clearmodifiers", "--delay", "8", text)

    def picture(self, name: str) -> Path:
        """A picture of the screen in the test's folder, for people to look at: what the state tells is painted by then."""
        time.sleep(0.5)
        return self.desk.picture(self.folder / f"{name}.png")

    def close(self) -> str:
        """Close it as a person does; what it complained about."""
        if self._process.poll() is None:
            self.press("ctrl+q")
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return self._errors.read_text()


Start = Callable[..., Program]
"""What the fixture `start` gives: a size and arguments, then the program."""
