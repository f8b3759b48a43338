"""What a picture shows of widgets that scroll: every column, the rows around the focus, no scroll bars."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractScrollArea, QPlainTextEdit, QScrollBar, QTableView

from ringscope.figures.fitting import shared
from ringscope.figures.png_file import painted
from ringscope.figures.spec import FigureSpec
from ringscope.figures.stage import Stage
from ringscope.views.realize.view import RealizeView
from ringscope.views.rings.canvas import RingCanvas
from ringscope.views.rings.view import RingsView
from ringscope.views.timeline.view import Tracks
from ringscope.views.types.view import TypesView
from ringscope.widgets.stack_rows import CopyTable, RowsModel
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import make_session


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small recording for all."""
    return make_session(tmp_path_factory.mktemp("fitting") / "s.ringscope", turns=20)


@pytest.fixture
def reader(recording: Path, qapp: object) -> Iterator[SessionReader]:
    """A reader of it."""
    opened = SessionReader(recording)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("now", "needed", "room", "gets"),
    [
        ([50, 300, 50], [40, 100, 120], 400, [46, 233, 120]),
        ([50, 50], [100, 100], 300, [100, 100]),
        ([100, 100, 100], [200, 60, 150], 260, [100, 60, 100]),
        ([100, 100], [100, 100], 40, [40, 40]),
    ],
)
def test_columns_share_the_width(now: list[int], needed: list[int], room: int, gets: list[int]) -> None:
    """What is needed where there is room, the rest where it was; else the widest give way, but no column vanishes."""
    found = shared(now, needed, room)
    assert all(abs(width - want) <= 1 for width, want in zip(found, gets, strict=True))


def test_headings_give_way_before_values() -> None:
    """Where the values alone have room none of them is cut; where not even they do, the widest are."""
    assert shared([60, 60, 60], [90, 90, 60], 200, [80, 30, 60]) == [80, 60, 60]
    assert shared([60, 60, 60], [90, 90, 60], 150, [80, 30, 60]) == [50, 50, 50]


def test_names_of_a_tree_come_before_its_other_columns() -> None:
    """As far as three fifths of the width, or what the others leave."""
    assert shared([100, 100, 40], [190, 150, 40], 260, [190, 150, 30], True) == [156, 64, 40]
    assert shared([100, 100, 40], [250, 30, 30], 260, [250, 30, 30], True)[0] == 200


@pytest.mark.parametrize(("size", "view"), [((1600, 1000), "window"), ((1366, 768), "window"), ((700, 700), "rings"), ((700, 600), "throughput")])
def test_values_of_tables_are_whole(reader: SessionReader, size: tuple[int, int], view: str) -> None:
    """Every state, number and queue that is seen has the width it needs, and the selected slot its height."""
    with Stage(FigureSpec("", view, size=size, focus="tx0"), reader) as stage:
        tables = [table for table in stage.widget.findChildren(CopyTable) if table.isVisible() and not table.visibleRegion().isEmpty()]
        checked = 0
        for table in tables:
            for row in table.selectionModel().selectedRows():
                assert table.viewport().rect().contains(table.visualRect(row).center())
                assert table.visualRect(row).bottom() < table.viewport().height()
            if table.accessibleName() not in ("descriptors", "values of all curves"):
                continue
            for column in range(table.model().columnCount()):
                assert table.columnWidth(column) >= table.sizeHintForColumn(column), (table.accessibleName(), column)
                checked += 1
        assert checked


@pytest.mark.parametrize("width", [700, 1000, 1200])
def test_the_bytes_of_a_frame_are_whole(reader: SessionReader, width: int) -> None:
    """No line of the frame's text runs out of its pane: the dump has rows that fit, long lines are broken."""
    with Stage(FigureSpec("", "rings", size=(width, 700), focus="tx0"), reader) as stage:
        shown = next(pane for pane in stage.widget.findChildren(QPlainTextEdit) if pane.isVisible())
        assert "0000  " in shown.toPlainText()
        assert shown.document().idealWidth() <= shown.viewport().width() + 2 or shown.lineWrapMode() == QPlainTextEdit.LineWrapMode.WidgetWidth
        rows = [line for line in shown.toPlainText().splitlines() if line.startswith("00") and line[4:6] == "  "]
        assert max(shown.fontMetrics().horizontalAdvance(row) for row in rows) <= shown.viewport().width()


def test_a_selected_row_stays_in_sight_when_its_table_shrinks(qapp: object) -> None:
    """Whole; one that was scrolled away is left alone."""
    table, model = CopyTable(), RowsModel(("a",))
    model.set_rows([(str(row),) for row in range(60)])
    table.setModel(model)
    table.resize(200, 400)
    table.show()
    table.selectRow(8)
    table.resize(200, 150)
    assert table.viewport().rect().contains(table.visualRect(model.index(8, 0)))
    table.scrollToTop()
    table.resize(200, 140)
    assert table.verticalScrollBar().value() == 0
    table.close()


@pytest.mark.parametrize("view", ["realize", "rings", "throughput", "events", "objects", "inspector"])
def test_nothing_scrolls(reader: SessionReader, view: str) -> None:
    """No scroll bar is seen, and each table's columns end within it."""
    with Stage(FigureSpec("", view, size=(1200, 760)), reader) as stage:
        assert not [bar for bar in stage.widget.findChildren(QScrollBar) if bar.isVisible()]
        for table in stage.widget.findChildren(QTableView):
            if table.isVisible():
                assert table.horizontalHeader().length() <= table.viewport().width()
        assert stage.widget.findChildren(QAbstractScrollArea)


def test_realize_shows_what_was_written(reader: SessionReader) -> None:
    """The table of written fields has its old and new values in sight; the console, in which nobody types, is away."""
    with Stage(FigureSpec("", "realize", size=(1200, 760)), reader) as stage:
        view = stage.widget.findChild(RealizeView)
        assert view is not None
        header = view.field_table.horizontalHeader()
        new = view.fields.headings.index("new")
        assert 0 < header.sectionViewportPosition(new) < view.field_table.viewport().width() - header.sectionSize(new) + 1
        assert not view.console.isVisible()


def test_rings_show_the_slot_of_the_chain(reader: SessionReader) -> None:
    """The chain below the table is that of a row in sight, which is marked."""
    with Stage(FigureSpec("", "rings", size=(1200, 760)), reader) as stage:
        view = stage.widget.findChild(RingsView)
        assert view is not None
        _, head, _ = view.chain.shown
        row = view.model.row_of(head)
        assert row >= 0
        top = view.table.rowViewportPosition(row)
        assert 0 <= top <= view.table.viewport().height() - view.table.rowHeight(row)
        assert [index.row() for index in view.table.selectionModel().selectedRows()] == [row]
        assert view.table.viewport().height() >= 4 * view.table.rowHeight(row)


def test_a_type_is_large_enough_to_read(reader: SessionReader) -> None:
    """With a type in focus the others are folded away until names can be read; it stays in sight."""
    with Stage(FigureSpec("", "types", focus="virtio-net-device", size=(700, 400)), reader) as stage:
        view = stage.widget.findChild(TypesView)
        assert view is not None
        item = view.graph.items_by_name["virtio-net-device"]
        assert item.isVisible()
        shown = view.picture.mapToScene(view.picture.viewport().rect()).boundingRect()
        assert shown.contains(item.sceneBoundingRect())


@pytest.mark.parametrize(("scale", "kept"), [(1.0, True), (2.0, False)])
def test_a_larger_scale_is_painted_finer(reader: SessionReader, scale: float, kept: bool) -> None:
    """What is kept as a picture for the screen is good for its scale alone; for another one it is painted anew."""
    with Stage(FigureSpec("", "rings", size=(900, 620), scale=scale), reader) as stage:
        canvas = stage.widget.findChild(RingCanvas)
        assert canvas is not None
        canvas._scale = None
        painted(stage)
        assert (canvas._scale is not None) == kept
    with Stage(FigureSpec("", "timeline", size=(900, 300), scale=scale), reader) as stage:
        tracks = stage.widget.findChild(Tracks)
        assert tracks is not None
        tracks._still_key = ()
        painted(stage)
        assert bool(tracks._still_key) == kept
