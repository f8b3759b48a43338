"""The verbs that open windows: mistakes are one line and exit 2, and no display is no disaster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from ringscope.display import missing_display


def ringscope(*args: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a person would."""
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment}
    env = {name: value for name, value in env.items() if value != ""}
    program = [sys.executable, "-c", "from ringscope.cli.main import main; main()"]
    return subprocess.run([*program, *args], capture_output=True, text=True, timeout=120, env=env, cwd=cwd, check=False)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("open", "nowhere.ringscope"), "nowhere.ringscope"),
        (("window", "nonsense"), "nonsense"),
        (("window", "--speed", "fast"), "speed: 'fast' is not allowed"),
        (("window", "--theme", "pink"), "--theme"),
        (("window", "--size", "big"), "1920x1080"),
        (("window", "--set", "nothing.such=1"), "nothing"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(args: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = ringscope(*args, cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_session_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ringscope"
    path.write_bytes(b"not a database" * 100)
    done = ringscope("open", str(path))
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and str(path) in done.stderr


def test_open_needs_a_display_and_says_so(session_file: Path) -> None:
    done = ringscope("open", str(session_file), QT_QPA_PLATFORM="", DISPLAY="", WAYLAND_DISPLAY="")
    assert done.returncode != 0 and "neither DISPLAY nor WAYLAND_DISPLAY is set" in done.stderr and "ringscope figure" in done.stderr


def test_a_recording_opens_and_shows_a_picture(session_file: Path, tmp_path: Path) -> None:
    picture = tmp_path / "w.png"
    done = ringscope("open", str(session_file), "--size", "1366x768", "--view", "events", "--theme", "dark", "--screenshot", str(picture), "--after", "1.5")
    assert done.returncode == 0, done.stderr
    image = QImage(str(picture))
    assert (image.width(), image.height()) == (1366, 768)
    assert image.pixelColor(5, 5).lightness() < 60


def test_displays_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert "neither" in missing_display()
    monkeypatch.setenv("DISPLAY", ":987")
    assert missing_display() == "no X server answers at DISPLAY=:987"
    monkeypatch.setenv("DISPLAY", "garbage")
    assert "garbage" in missing_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-77")
    monkeypatch.delenv("DISPLAY")
    assert "wayland-77" in missing_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert missing_display() == ""
