"""The expert list of the Events view, on a run whose driver does what ends QEMU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.theme import DARK, LIGHT
from ringscope.views.events.view import EventsView
from ringscope.views.inspector.view import InspectorView
from ringscope_core.engine.headless import Goal, Headless
from ringscope_core.engine.process import session_meta
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.qom.types_json import types_json
from ringscope_core.query.filters import completions
from ringscope_core.scenario.load import load
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.kinds import EV_EXPERT
from ringscope_core.trace.log import SEVERITY_INFO


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of five bytes in a chain without room for a header, and a remark on two rings."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.ringscope"
    scenario = load("ping")
    writer = SessionWriter(path, session_meta(scenario, scenario.seed, "full"))
    run = Run(scenario, recorder=Recorder(writer))
    assert run.build()
    writer.add_types(list(types_json(run.world)))
    Headless(run, Goal(virtual_ns=50_000_000)).to_the_end()
    info = run.guest.interfaces[0]
    ring = info.rings[1]
    for index in (0, 1):
        run.log.emit(EV_EXPERT, info.rings[index].oid, SEVERITY_INFO, run.log.text("something to know"))
    ring.add(0x100000, 5, 0)
    ring.publish()
    info.transport.kick(ring)
    run.finish(Headless(run, Goal(virtual_ns=60_000_000)).to_the_end())
    run.close()
    writer.close()
    return path


@pytest.fixture
def hostile(hostile_file: Path, qapp: object) -> Iterator[Store]:
    reader = SessionReader(hostile_file)
    yield Store(reader)
    reader.close()


@pytest.fixture
def view(hostile: Store, focus: Focus, qtbot: QtBot) -> EventsView:
    made = EventsView(hostile, focus, Commands())
    qtbot.addWidget(made)
    made.set_theme(LIGHT)
    made.resize(1000, 600)
    made.show()
    settle(made)
    return made


def settle(view: EventsView) -> None:
    view.refresh()
    while view.unfinished:
        view.refresh()


def kinds_shown(view: EventsView) -> list[str]:
    return [line.texts[3] for line in view.rows.lines(0, view.rows.count())]


def test_entries_are_counted_by_severity(view: EventsView) -> None:
    bar = view.experts
    assert bar.text() == "Expert: 1 error, 2 info"
    assert [bar.buttons[name].isVisible() for name in ("error", "warning", "info")] == [True, False, True]
    assert bar.buttons["info"].accessibleName() == "2 expert entries of severity info"
    assert bar.all.accessibleName() == "expert entries: 3"
    assert view.table_text().startswith("Expert: 1 error, 2 info\nEvent\t")


def test_a_button_shows_only_those_and_again_everything(view: EventsView, focus: Focus, hostile: Store) -> None:
    everything = view.rows.count()
    QTest.mouseClick(view.experts.all, Qt.MouseButton.LeftButton)
    settle(view)
    assert kinds_shown(view) == ["expert"] * 3 and view.experts.all.isChecked()
    QTest.mouseClick(view.experts.buttons["error"], Qt.MouseButton.LeftButton)
    settle(view)
    assert kinds_shown(view) == ["expert"] and not view.experts.all.isChecked() and view.experts.buttons["error"].isChecked()
    QTest.mouseClick(view.experts.buttons["error"], Qt.MouseButton.LeftButton)
    settle(view)
    assert focus.filter == "" and view.rows.count() == everything


def test_an_entry_says_what_qemu_does_and_leads_to_its_moment(view: EventsView, focus: Focus, hostile: Store, qtbot: QtBot) -> None:
    focus.set_filter("kind == expert and severity == error")
    settle(view)
    line = view.rows.lines(0, 1)[0]
    assert line.texts[-1].startswith("error: QEMU aborts: a chain to send is shorter than the virtio_net_hdr")
    assert line.color == LIGHT.severity("error")
    view._choose(0)
    assert focus.seq == int(line.texts[0]) and hostile.name_of(focus.oid) == "tx0"
    inspector = InspectorView(hostile, focus, Commands())
    qtbot.addWidget(inspector)
    inspector.show_page("event")
    assert "QEMU aborts: a chain to send is shorter" in inspector.page.subtitle.text()


def test_colours_follow_severity_and_theme(view: EventsView, focus: Focus) -> None:
    focus.set_filter("kind == expert and severity == info")
    settle(view)
    assert view.rows.lines(0, 1)[0].color == LIGHT.severity("info")
    view.set_theme(DARK)
    assert view.rows.lines(0, 1)[0].color == DARK.severity("info")


def test_the_filter_language_completes_them(hostile: Store) -> None:
    assert completions("kind == expe", hostile.recording)[1] == ["expert"]
    assert completions("severity == ", hostile.recording)[1] == ["error", "info", "warning"]


def test_a_recording_without_entries(store: Store, focus: Focus, qtbot: QtBot) -> None:
    made = EventsView(store, focus, Commands())
    qtbot.addWidget(made)
    made.refresh()
    assert not made.experts.all.isEnabled() and made.experts.text() == ""
    assert made.table_text().startswith("Event\t")
