"""The command that a window copies draws what the window shows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from ringscope.cli.main import main
from ringscope.commands import Commands
from ringscope.figures.difference import compare
from ringscope.figures.from_window import figure_command
from ringscope.figures.layouts import Layout, layout_of, read_layout, save_layout
from ringscope.figures.parse import parse_size
from ringscope.figures.png_file import png_bytes
from ringscope.figures.record import record
from ringscope.figures.recordings import Recordings
from ringscope.figures.spec import FigureSpec
from ringscope.figures.stage import Stage
from ringscope.focus import Focus
from ringscope.settings import Settings
from ringscope.sources.engine import EngineControls, EngineOptions
from ringscope.sources.playback import Playback
from ringscope.sources.session import SessionControls
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT
from ringscope.views.spec import View
from ringscope.window import Window
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.oids import is_ring
from tests.app.test_window import settle

SETTINGS = ["run.duration=260ms"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little of the default scenario, in a folder whose name a shell would take apart."""
    folder = tmp_path_factory.mktemp("the recordings")
    with Recordings(folder) as recordings:
        path = recordings.path("default", SETTINGS)
    return path.rename(folder / "it's one.ringscope")


@pytest.fixture
def opened(recorded: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    """A window on it, as the verb open makes one."""
    store, focus = Store(SessionReader(recorded)), Focus()
    focus.seq = store.last_seq
    playback = Playback(store, focus)
    window = Window(store, focus, Commands(SessionControls(store, focus, playback)), LIGHT, Settings(tmp_path / "window.json"), playback=playback)
    window._timer.stop()
    window.verbs.figure_command = figure_command
    window.verbs.show_state()
    window.resize(1400, 860)
    window.show()
    qtbot.waitExposed(window)
    settle(window)
    yield window
    window.close()
    store.reader.close()


def copied(window: Window, action: str) -> list[str]:
    """The words that an action puts on the clipboard."""
    QGuiApplication.clipboard().clear()
    window.commands_by_name[action].trigger()
    return shlex.split(QGuiApplication.clipboard().text())


def drawn(words: list[str], folder: Path) -> bytes:
    """What the command writes."""
    assert words[:2] == ["ringscope", "figure"]
    assert words[-2] == "-o"
    path = folder / words[-1]
    with pytest.raises(SystemExit) as ended:
        main([*words[1:-1], str(path)])
    assert not ended.value.code
    return path.read_bytes()


def grabbed(window: Window, widget: QWidget) -> bytes:
    """What is on screen once it is at rest: on a busy machine what a view does a little later comes a little later."""
    found, same = b"", 0
    while same < 3:
        window.tick()
        QTest.qWait(20)
        before, found = found, png_bytes(widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32))
        same = same + 1 if found == before else 0
    return found


class Shown(NamedTuple):
    """What somebody sees: the moment, the object, the words of the view, and which views there are, with their sizes."""

    seq: int
    oid: int
    head: int
    text: str
    sizes: dict[str, tuple[int, int]]


def seen(focus: Focus, root: QWidget, view: View | None) -> Shown:
    """What `root` shows."""
    sizes = {type(found).__name__: (found.width(), found.height()) for found in root.findChildren(View) if found.isVisibleTo(root)}
    return Shown(focus.seq, focus.oid, focus.head, view.table_text() if view is not None else "", sizes)


def staged(words: list[str]) -> Shown:
    """What the command's figure shows.  It has no scroll bars and shows all columns, so its pixels are not those of the screen."""
    settings = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    options = {word: words[place + 1] for place, word in enumerate(words[:-1]) if word.startswith("--") and word != "--set"}
    spec = FigureSpec(
        words[2],
        options["--view"],
        focus=options.get("--focus", ""),
        at=options.get("--at", ""),
        layout=options.get("--layout", ""),
        size=parse_size(options["--size"], options["--view"]),
        theme=options.get("--theme", "light"),
        filter=options.get("--filter", ""),
    )
    with Recordings() as recordings, Stage(spec, recordings.open(spec.source, settings)) as stage:
        views = [found for found in stage.widget.findChildren(View) if found.isVisibleTo(stage.widget)]
        return seen(stage.focus, stage.widget, views[0] if len(views) == 1 else None)


@pytest.mark.parametrize("name", ["rings", pytest.param("types", marks=pytest.mark.slow), pytest.param("realize", marks=pytest.mark.slow), "timeline"])
def test_the_command_draws_the_view(opened: Window, tmp_path: Path, name: str) -> None:
    """At the moment, the object, the size and the theme on screen; pixel by pixel where nothing scrolls."""
    store = opened.store
    ring = next(oid for oid in store.names.known() if is_ring(oid) and store.name_of(oid) == "tx0")
    opened.set_theme(DARK)
    opened.focus.select(seq=store.last_seq - 400, oid=ring, head=3)
    view = opened.show_view(name)
    settle(opened)
    grabbed(opened, view)
    words = copied(opened, "view_figure_command")
    assert words[2] == str(store.reader.path)
    assert words[words.index("--view") + 1] == name
    assert words[words.index("--size") + 1] == f"{view.width()}x{view.height()}"
    assert words[words.index("--theme") + 1] == "dark"
    picture = drawn(words, tmp_path)
    image = QImage.fromData(picture)
    assert (image.width(), image.height()) == (view.width(), view.height())
    here, there = seen(opened.focus, opened, view), staged(words)
    assert (there.seq, there.text) == (here.seq, here.text)
    assert len(there.text) > 100
    if name in ("rings", "timeline"):
        assert there.oid == ring
    if name == "timeline":
        found = compare(grabbed(opened, view), picture, ".png")
        assert not found.data, found.text


def test_the_command_draws_the_window_with_its_layout(opened: Window, tmp_path: Path) -> None:
    """Docks as they stand: the layout lies beside the session, under a name of its own."""
    docks = opened.docks
    docks.show("objects")
    opened.show_view("rings")
    docks.manager.setSplitterSizes(docks.docks["rings"].dockAreaWidget(), [330, 640, 430])
    opened.focus.select(seq=opened.store.last_seq - 300)
    settle(opened)
    words = copied(opened, "figure_command")
    layout = Path(words[words.index("--layout") + 1])
    assert layout.parent == opened.store.reader.path.parent
    assert read_layout(str(layout)) == layout_of(opened)
    assert drawn(words, tmp_path).startswith(b"\x89PNG")
    here, there = seen(opened.focus, opened, None), staged(words)
    assert there.seq == here.seq
    assert there.sizes.keys() == here.sizes.keys()
    for name, size in here.sizes.items():
        assert all(abs(one - other) <= 24 for one, other in zip(size, there.sizes[name], strict=True)), name
    layout.unlink()


def test_filters_and_types_are_in_the_command(opened: Window) -> None:
    """What the focus holds goes along where the view shows it."""
    opened.focus.set_filter("kind == frame_tx")
    opened.focus.select(type_name="virtio-net-pci")
    opened.show_view("types")
    settle(opened)
    words = copied(opened, "view_figure_command")
    assert words[words.index("--filter") + 1] == "kind == frame_tx"
    assert words[words.index("--focus") + 1].endswith("type:virtio-net-pci")


def test_rings_keep_the_ring_that_was_chosen_last(opened: Window, tmp_path: Path) -> None:
    """The focus is on an object meanwhile; the command names the ring that is on screen."""
    store = opened.store
    names = {store.name_of(oid): oid for oid in store.names.known()}
    view = opened.show_view("rings")
    opened.focus.select(seq=store.last_seq - 200, oid=names["tx0"])
    settle(opened)
    opened.focus.select(oid=names["net0"])
    settle(opened)
    words = copied(opened, "view_figure_command")
    assert words[words.index("--focus") + 1] == "net0.tx0"
    assert staged(words).text == view.table_text()


def test_commands_without_a_maker_are_off(window: Window) -> None:
    """A window that nobody taught offers nothing."""
    assert not window.commands_by_name["figure_command"].isEnabled()
    window.verbs.copy_figure(True)


# -- runs that nobody saved ---------------------------------------------------------------------------------------------
class _Live(EngineControls):
    """The controls of an engine that is not started, whose recording is `path`."""

    def __init__(self, options: EngineOptions, path: Path) -> None:
        super().__init__(options)
        self._owned = path

    def owns(self, path: Path) -> bool:
        return path == self._owned


def live(opened: Window, path: Path, options: EngineOptions) -> _Live:
    """Let the window show an engine's recording."""
    opened.store.open(SessionReader(path), False)
    controls = _Live(options, path)
    opened.commands.bind(controls)
    opened.focus.select(seq=opened.store.last_seq - 50)
    opened.show_view("rings")
    settle(opened)
    return controls


def test_an_unsaved_run_that_comes_out_the_same_is_its_scenario(opened: Window, tmp_path: Path) -> None:
    """No path that is gone tomorrow: the scenario with its settings, and the same picture."""
    path = tmp_path / "run.ringscope"
    settings = ("seed=9", "driver.napi_tx=true")
    record(load("default", list(settings)), path, 120_000_000)
    controls = live(opened, path, EngineOptions("default", settings))
    words = copied(opened, "view_figure_command")
    assert words[2:9] == ["default", "--set", "seed=9", "--set", "driver.napi_tx=true", "--set", "run.duration=120000000ns"]
    view = opened.current_view()
    assert view is not None
    assert staged(words).text == view.table_text()
    controls.close()


def test_an_unsaved_run_that_does_not_is_to_be_saved(opened: Window, tmp_path: Path) -> None:
    """Another seed than its options say: nothing is copied, and the status says what to do."""
    path = tmp_path / "run.ringscope"
    record(load("default", ["traffic.0.rate_pps=90"]), path, 120_000_000)
    controls = live(opened, path, EngineOptions("default"))
    assert copied(opened, "view_figure_command") == []
    assert "save it first (Ctrl+S)" in opened.status.currentMessage()
    assert "does not come out the same" in opened.status.currentMessage()
    controls.close()


# -- layout files -------------------------------------------------------------------------------------------------------
def test_layouts_are_read_and_nothing_else(tmp_path: Path) -> None:
    """A person's settings file is a layout too; of it only the docks are taken."""
    made = Layout("AAAA", True)
    path = save_layout(made, tmp_path, "s")
    assert path.name.startswith("s.layout-")
    assert read_layout(str(path)) == made
    settings = Settings(tmp_path / "window.json")
    made.put_into(settings)
    settings.put("qemu_tree", "/home/somebody/qemu")
    settings.save()
    assert read_layout(str(settings.path)) == made


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1, "values": {"docks": "x"}}', '{"version": 1, "values": {"docks": "x", "layout_version": "1"}}']
)
def test_what_is_no_layout(tmp_path: Path, text: str) -> None:
    """One line for `layout`."""
    path = tmp_path / "layout.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"^layout: "):
        read_layout(str(path))
