"""The verb figures: only what changed is drawn, a check shows what differs, one figure's mistake leaves the others alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringscope.figures import batch
from tests.app.verbs import Verb

FILE = """
[defaults]
source = "small.toml"
size = "480x300"
folder = "img"

[[figure]]
output = "inspector-{theme}.svg"
view = "inspector"
focus = "net0"
theme = ["light", "dark"]

[[figure]]
output = "events.png"
view = "events"
at = "seq:500"

[[figure]]
name = "stack"
output = "bt.rst"
text = "bt"
at = "break:virtio_net_device_realize"
"""
SCENARIO = 'name = "small"\nnetdev = ["responder,id=h0"]\ndevice = ["virtio-net-pci,netdev=h0,id=net0"]\n[run]\nduration = "20ms"\n'


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a scenario and a file of figures, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SCENARIO)
    path = tmp_path / "figures.toml"
    path.write_text(FILE)
    return path


def states(out: str) -> dict[str, str]:
    """What became of each file."""
    rows = [line.split() for line in out.splitlines()[:-1]]
    return {row[1].removeprefix("img/"): row[0] for row in rows}


ALL = ("inspector-light.svg", "inspector-dark.svg", "events.png", "bt.rst")


def test_only_what_changed_is_drawn(verb: Verb, figures: Path) -> None:
    """Nothing the second time; then what was edited, deleted, or has other words; all when the scenario changed."""
    code, out, err = verb("figures", figures)
    assert (code, err) == (0, "")
    assert states(out) == dict.fromkeys(ALL, "drawn")
    assert out.splitlines()[-1].startswith("4 figures: 4 drawn; ")
    before = {name: (figures.parent / "img" / name).read_bytes() for name in ALL}
    assert states(verb("figures", figures)[1]) == dict.fromkeys(ALL, "unchanged")

    (figures.parent / "img" / "bt.rst").write_text("edited")
    (figures.parent / "img" / "events.png").unlink()
    figures.write_text(FILE.replace('focus = "net0"', 'focus = "virtio-backend"'))
    assert set(states(verb("figures", figures)[1]).values()) == {"drawn"}
    after = {name: (figures.parent / "img" / name).read_bytes() for name in ALL}
    assert [name for name in ALL if after[name] != before[name]] == ["inspector-light.svg", "inspector-dark.svg"]
    assert states(verb("figures", figures)[1]) == dict.fromkeys(ALL, "unchanged")

    (figures.parent / "small.toml").write_text(SCENARIO.replace("20ms", "25ms"))
    assert states(verb("figures", figures)[1]) == dict.fromkeys(ALL, "drawn")
    assert states(verb("figures", figures, "--force", "--only", "stack")[1]) == {"bt.rst": "drawn"}
    assert sorted(path.name for path in figures.parent.iterdir()) == [".figures.drawn.json", "figures.toml", "img", "small.toml"]
    assert sorted(path.name for path in (figures.parent / "img").iterdir()) == sorted(ALL)


def test_a_damaged_ledger_costs_time_only(verb: Verb, figures: Path) -> None:
    """Everything is drawn again, and it is whole afterwards."""
    verb("figures", figures, "--only", "stack")
    ledger = figures.parent / ".figures.drawn.json"
    for text in ("", "[]", '{"version": 1, "drawn": {"img/bt.rst": 5}}', "\x00"):
        ledger.write_text(text)
        assert states(verb("figures", figures, "--only", "stack")[1]) == {"bt.rst": "drawn"}
    assert list(json.loads(ledger.read_text())["drawn"]) == ["img/bt.rst"]


def test_a_check_shows_what_differs(verb: Verb, figures: Path) -> None:
    """Exit 0 where all is the same; 1 with a picture or a diff of the difference; figures are never written."""
    verb("figures", figures)
    assert verb("figures", figures, "--check")[0] == 0
    shown = figures.parent / "figure-differences"
    assert not shown.exists()

    (figures.parent / "img" / "bt.rst").write_text("old\n")
    (figures.parent / "img" / "inspector-dark.svg").unlink()
    light = figures.parent / "img" / "inspector-light.svg"
    (figures.parent / "img" / "events.png").write_bytes(_png(480, 300))
    kept = light.read_bytes()
    code, out, _ = verb("figures", figures, "--check")
    assert code == 1
    assert states(out) == {"inspector-light.svg": "same", "inspector-dark.svg": "missing", "events.png": "different", "bt.rst": "different"}
    assert "pixels in" in out
    assert "see figure-differences/img/events.png.png" in out
    assert sorted(path.name for path in (shown / "img").iterdir()) == ["bt.rst.diff", "events.png.png"]
    assert "-old" in (shown / "img" / "bt.rst.diff").read_text()
    assert (figures.parent / "img" / "bt.rst").read_text() == "old\n"
    assert light.read_bytes() == kept

    verb("figures", figures)
    assert verb("figures", figures, "--check")[0] == 0
    # what is no longer different is no longer shown
    assert not list(shown.rglob("*.*"))


def _png(width: int, height: int) -> bytes:
    from PySide6.QtGui import QImage

    from ringscope.figures.png_file import png_bytes

    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    return png_bytes(image)


def test_a_figure_that_fails_leaves_the_others_alone(verb: Verb, figures: Path) -> None:
    """One line with file and line number, exit 2, everything else drawn."""
    figures.write_text(FILE.replace('at = "seq:500"', 'at = "break:virtio_net_device_realise"'))
    code, out, err = verb("figures", figures)
    assert code == 2
    assert out.splitlines()[-1].startswith("4 figures: 3 drawn, 1 failed; ")
    assert err.startswith("ringscope: figures.toml:13: events: at: 'break:virtio_net_device_realise' is not allowed; ")
    assert err.count("\n") == 1
    assert not (figures.parent / "img" / "events.png").exists()
    assert verb("figures", figures, "--check")[0] == 2


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--only", "stak"), "ringscope: only: 'stak' is not allowed; one of inspector-light, inspector-dark, events, stack (did you mean stack?)\n"),
        (("--check", "--force"), "ringscope: force: 'yes' is not allowed; left out with --check, which always draws everything\n"),
        (("--diff", "x"), "ringscope: diff: 'x' is not allowed; given with --check only\n"),
    ],
)
def test_bad_options_are_one_line(verb: Verb, figures: Path, args: tuple[str, ...], says: str) -> None:
    """One line, exit 2, nothing drawn."""
    assert verb("figures", figures, *args) == (2, "", says)
    assert not (figures.parent / "img").exists()


def _never(*_: object) -> bytes:
    raise AssertionError("drawn, though it cannot be written")


@pytest.mark.parametrize("closed", [False, True], ids=["a file in the way", "a folder that may not be written"])
def test_what_cannot_be_written_is_not_drawn(verb: Verb, figures: Path, monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    """A file for each line, before any time is spent; who only wants differences shown hears it at once."""
    monkeypatch.setattr(batch, "draw_job", _never)
    place = figures.parent / "img"
    if closed:
        place.mkdir()
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place)
    else:
        place.write_text("")
    why = f"a place that can be written: {place} may not be" if closed else f"a place in folders: {place} is none"
    code, out, err = verb("figures", figures)
    assert code == 2 and out.startswith("4 figures: 4 failed; ")
    assert err.startswith("ringscope: figures.toml:7: inspector-light: output: ") and err.splitlines()[0].endswith(f" is not allowed; {why}")
    code, out, err = verb("figures", figures, "--check", "--diff", place / "x")
    assert (code, out) == (2, "") and err.startswith("ringscope: diff: ") and err.endswith(f" is not allowed; {why}\n")


def test_bad_files_are_one_line(verb: Verb, tmp_path: Path) -> None:
    """A file that is not there."""
    code, _, err = verb("figures", tmp_path / "nosuch.toml")
    assert code == 2
    assert err.startswith("ringscope: file: ")
    assert err.endswith("is not allowed; a file of figures that can be read (No such file or directory)\n")


def test_figures_are_listed(verb: Verb, figures: Path) -> None:
    """Name and output, and nothing is drawn."""
    assert verb("figures", figures, "--list", "--only", "*e*") == (
        0,
        "inspector-light\timg/inspector-light.svg\ninspector-dark\timg/inspector-dark.svg\nevents\timg/events.png\n",
        "",
    )
    assert not (figures.parent / "img").exists()


@pytest.mark.slow
def test_an_interrupt_leaves_whole_files(figures: Path) -> None:
    """Exit 130; what was drawn stays drawn and counts the next time."""
    many = "".join(f'\n[[figure]]\nname = "w{n}"\noutput = "w{n}.png"\nview = "window"\nsize = "1200x800"\n' for n in range(40))
    figures.write_text(FILE + many)
    run = subprocess.Popen(
        [sys.executable, "-m", "ringscope", "figures", str(figures)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=figures.parent,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert run.stdout is not None
    while "w1.png" not in run.stdout.readline():
        assert run.poll() is None
    time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    drawn = json.loads((figures.parent / ".figures.drawn.json").read_text())["drawn"]
    files = sorted(path.name for path in (figures.parent / "img").iterdir())
    assert not [name for name in files if name.startswith(".")]
    assert 6 <= len(drawn) < 44
    # the one that was being written may be there without its entry
    assert len(files) - len(drawn) in (0, 1)
