"""The picture: a box a type, its interfaces as chips inside, and elbowed edges."""

from __future__ import annotations

from collections import Counter
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem, QGraphicsScene, QGraphicsSceneMouseEvent, QStyleOptionGraphicsItem, QWidget

from ringscope.theme import LIGHT, Theme, mono_font, ui_font
from ringscope.type_rows import TypeForest, TypeRow, size_text
from ringscope.views.types.layout import Box, edge_points, forest_graph, layout
from ringscope.words import t

PAD: Final = 9.0
NAME_LINE: Final = 20.0
SIZE_LINE: Final = 15.0
CHIP_LINE: Final = 18.0
_KNOB: Final = 7.0


class TypeItem(QGraphicsItem):
    """One type.  `hit` is None without a search, else whether the search found it."""

    def __init__(self, row: TypeRow, graph: TypeGraph) -> None:
        super().__init__()
        self.row, self._graph = row, graph
        self.box = Box(0, 0, 0, 0)
        self.instances = 0
        self.selected = False
        self.hit: bool | None = None
        self.children_count = 0
        self.folded = False
        self.setAcceptHoverEvents(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(_tip(row))

    def size(self) -> tuple[float, float]:
        """Width and height that the texts need."""
        name = QFontMetricsF(ui_font(10, True)).horizontalAdvance(self.row.name) + 34
        small = QFontMetricsF(mono_font(8.5))
        word = QFontMetricsF(ui_font(8)).horizontalAdvance(t("abstract")) + 12 if self.row.abstract else 0
        sizes = max(small.horizontalAdvance(text) for text in self._size_lines()) + 4 + word
        chips = [QFontMetricsF(ui_font(8)).horizontalAdvance(chip) + 14 for chip in self.row.interfaces]
        width = max([name, sizes, *chips]) + 2 * PAD
        height = 7 + NAME_LINE + SIZE_LINE * 2 + CHIP_LINE * len(chips) + 5
        return width, height

    def _size_lines(self) -> tuple[str, str]:
        return t("instance {size}", size=size_text(self.row.instance_size)), t("class    {size}", size=size_text(self.row.class_size))

    def boundingRect(self) -> QRectF:
        """The box and the fold knob at its right edge."""
        return QRectF(-2, -2, self.box.width + _KNOB + 4, self.box.height + 4)

    def _knob(self) -> QRectF:
        return QRectF(self.box.width - _KNOB, self.box.height / 2 - _KNOB, 2 * _KNOB, 2 * _KNOB)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Frame, name, sizes, chips, count and knob."""
        theme = self._graph.theme
        painter.setOpacity(0.32 if self.hit is False else 1.0)
        frame = QRectF(0, 0, self.box.width, self.box.height)
        fill = theme.color("flash") if self.hit else theme.color("accent.soft" if self.selected else "raised")
        pen = QPen(theme.color("accent" if self.selected else "border"), 2.2 if self.selected else 1.2)
        if self.row.abstract and not self.selected:
            pen = QPen(theme.color("text.faint"), 1.2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(fill)
        painter.drawRoundedRect(frame, 5, 5)
        self._paint_texts(painter, theme)
        self._paint_chips(painter, theme)
        self._paint_count(painter, theme)
        self._paint_knob(painter, theme)

    def _paint_texts(self, painter: QPainter, theme: Theme) -> None:
        font = ui_font(10, True)
        font.setItalic(self.row.abstract)
        painter.setFont(font)
        painter.setPen(theme.color("text"))
        painter.drawText(QRectF(PAD, 5, self.box.width - 2 * PAD, NAME_LINE), Qt.AlignmentFlag.AlignVCenter, self.row.name)
        if self.row.abstract:
            painter.setFont(ui_font(8))
            painter.setPen(theme.color("text.muted"))
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(PAD, 6 + NAME_LINE + SIZE_LINE, self.box.width - 2 * PAD, SIZE_LINE), side, t("abstract"))
        painter.setFont(mono_font(8.5))
        for place, (text, size) in enumerate(zip(self._size_lines(), (self.row.instance_size, self.row.class_size), strict=True)):
            painter.setPen(theme.color("unknown" if size is None else "text.muted"))
            painter.drawText(QRectF(PAD, 6 + NAME_LINE + SIZE_LINE * place, self.box.width - PAD, SIZE_LINE), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_chips(self, painter: QPainter, theme: Theme) -> None:
        painter.setFont(ui_font(8))
        metrics = QFontMetricsF(painter.font())
        top = 7 + NAME_LINE + 2 * SIZE_LINE
        for place, chip in enumerate(self.row.interfaces):
            box = QRectF(PAD, top + CHIP_LINE * place + 2, metrics.horizontalAdvance(chip) + 12, CHIP_LINE - 3)
            painter.setPen(QPen(theme.color("group.object"), 1))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(box, 7, 7)
            painter.setPen(theme.color("group.object"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, chip)

    def _paint_count(self, painter: QPainter, theme: Theme) -> None:
        if not self.instances:
            return
        text = f"\u00d7{self.instances}"
        painter.setFont(ui_font(8.5, True))
        width = QFontMetricsF(painter.font()).horizontalAdvance(text) + 10
        box = QRectF(self.box.width - width - 6, 7, width, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(box, 8, 8)
        painter.setPen(theme.color("text.on_accent"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_knob(self, painter: QPainter, theme: Theme) -> None:
        if not self.children_count:
            return
        knob = self._knob()
        painter.setPen(QPen(theme.color("border"), 1.2))
        painter.setBrush(theme.color("surface"))
        painter.drawEllipse(knob)
        painter.setPen(QPen(theme.color("text.muted"), 1.4))
        middle = knob.center()
        painter.drawLine(QPointF(middle.x() - 3, middle.y()), QPointF(middle.x() + 3, middle.y()))
        if self.folded:
            painter.drawLine(QPointF(middle.x(), middle.y() - 3), QPointF(middle.x(), middle.y() + 3))

    def mousePressEvent(self, event: QGraphicsSceneMouseEvent) -> None:
        """The knob folds, the rest selects."""
        if self.children_count and self._knob().adjusted(-3, -3, 3, 3).contains(event.pos()):
            self._graph.toggle(self.row.name)
        else:
            self._graph.picked.emit(self.row.name)


def _tip(row: TypeRow) -> str:
    lines = [row.name + (t(" (abstract)") if row.abstract else ""), t("parent: {parent}", parent=row.parent or t("none"))]
    lines += [
        f"{what}: {struct or t('unknown')}, {size_text(size)}"
        for what, struct, size in ((t("instance"), row.instance_struct, row.instance_size), (t("class"), row.class_struct, row.class_size))
    ]
    lines += [f"{hook}: {function}" for hook, function in row.hooks]
    if row.interfaces:
        lines.append(t("implements ") + ", ".join(row.interfaces))
    return "\n".join(lines)


class TypeGraph(QGraphicsScene):
    """All items.  `picked` carries a clicked type's name; `rearranged` tells that folding moved things."""

    picked = Signal(str)
    rearranged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.items_by_name: dict[str, TypeItem] = {}
        self.folded: set[str] = set()
        self._forest: TypeForest | None = None
        self._edges: list[QGraphicsPathItem] = []

    def show_forest(self, forest: TypeForest) -> None:
        """Build items for every type and lay them out."""
        self.clear()
        self._edges = []
        self._forest = forest
        self.folded &= set(forest.rows)
        self.items_by_name = {}
        for name, row in forest.rows.items():
            item = TypeItem(row, self)
            item.children_count = len(forest.children[name])
            self.addItem(item)
            self.items_by_name[name] = item
        self.arrange()

    def arrange(self) -> None:
        """Lay out what is not folded away."""
        if self._forest is None:
            return
        graph = forest_graph(self._forest.children, self._forest.roots, frozenset(self.folded))
        boxes = layout(graph, {name: self.items_by_name[name].size() for name in graph})
        for name, item in self.items_by_name.items():
            item.setVisible(name in boxes)
            item.folded = name in self.folded
            if name in boxes:
                item.prepareGeometryChange()
                item.box = boxes[name]
                item.setPos(boxes[name].x, boxes[name].y)
        for edge in self._edges:
            self.removeItem(edge)
        self._edges = [self._edge(boxes[parent], boxes[child]) for parent, child in graph.edges]
        self.rearranged.emit()

    def _edge(self, parent: Box, child: Box) -> QGraphicsPathItem:
        points = edge_points(parent, child)
        path = QPainterPath(QPointF(*points[0]))
        for point in points[1:]:
            path.lineTo(*point)
        item = QGraphicsPathItem(path)
        item.setPen(QPen(self.theme.color("text.faint"), 1.1))
        item.setZValue(-1)
        self.addItem(item)
        return item

    def toggle(self, name: str) -> None:
        """Fold or unfold below `name`."""
        self.folded ^= {name}
        self.arrange()

    def set_counts(self, counts: Counter[str]) -> None:
        """Instances at the moment."""
        for name, item in self.items_by_name.items():
            if item.instances != counts[name]:
                item.instances = counts[name]
                item.update()

    def select(self, name: str) -> None:
        """Show `name` as selected, and unfold what hides it."""
        item = self.items_by_name.get(name)
        if item is not None and not item.isVisible() and self._forest is not None:
            self.folded -= {row.name for row in self._forest.chain(name)[1:]}
            self.arrange()
        for other in self.items_by_name.values():
            if other.selected != (other is item):
                other.selected = other is item
                other.update()

    def search(self, text: str) -> list[str]:
        """Light what `text` is part of (name, interface, hook or structure) and dim the rest; the names found."""
        needle = text.strip().lower()
        found: list[str] = []
        for name, item in self.items_by_name.items():
            hit = bool(needle) and needle in _tip(item.row).lower()
            item.hit = hit if needle else None
            item.update()
            if hit:
                found.append(name)
        return found

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.theme = theme
        self.setBackgroundBrush(theme.color("surface"))
        for edge in self._edges:
            edge.setPen(QPen(theme.color("text.faint"), 1.1))
        self.update()
