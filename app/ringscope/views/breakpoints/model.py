"""Breakpoints as rows: a check box, where and under which conditions, hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from ringscope.theme import LIGHT, Theme, mono_font
from ringscope.vectors import drawn
from ringscope.words import later, t
from ringscope_core.query.decode import format_count

Index = QModelIndex | QPersistentModelIndex
Plain = Mapping[str, Any]
WORDS: Final = {"checkpoint": later("line"), "field": later("change of")}
_NONE: Final = QModelIndex()
_DOT: Final = 12


def place_text(point: Plain) -> str:
    """Where it is, as short as it can be told."""
    what, where = str(point["what"]), str(point["where"])
    return where if what in ("function", "checkpoint") else f"{t(WORDS.get(what, what))} {where}"


def conditions_text(point: Plain) -> str:
    """What else there is to it, empty for a plain one."""
    parts: list[str] = []
    if point.get("condition"):
        parts.append(t("if {condition}", condition=point["condition"]))
    if point.get("ignore"):
        parts.append(t("ignore {ignore}", ignore=point["ignore"]))
    if int(point.get("every", 1)) > 1:
        parts.append(t("each {every}th", every=point["every"]))
    if point.get("log"):
        parts.append(t("log “{log}”", log=point["log"]))
    if point.get("temporary"):
        parts.append(t("once"))
    return ", ".join(parts)


class PointsModel(QAbstractTableModel):
    """`toggled` carries a breakpoint's id and whether it is to be enabled."""

    toggled = Signal(int, bool)
    headings: Final = (later("Breakpoint"), later("Hits"))

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.points: list[dict[str, Any]] = []
        self.hit: int = 0
        """The breakpoint at which things stand, 0 for none."""
        self.theme: Theme = LIGHT

    def put(self, points: Sequence[Plain], hit: int) -> bool:
        """Show these; true when the rows are others than before."""
        fresh = [dict(point) for point in points]
        if fresh == self.points and hit == self.hit:
            return False
        same = [point["id"] for point in fresh] == [point["id"] for point in self.points]
        if same:
            self.points, self.hit = fresh, hit
            self.repaint_all()
            return True
        self.beginResetModel()
        self.points, self.hit = fresh, hit
        self.endResetModel()
        return True

    def repaint_all(self) -> None:
        """Everything may look different."""
        if self.points:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.points) - 1, 1))

    def rowCount(self, parent: Index = _NONE) -> int:
        """Breakpoints."""
        return 0 if parent.isValid() else len(self.points)

    def columnCount(self, parent: Index = _NONE) -> int:
        """Place and hits."""
        return 0 if parent.isValid() else len(self.headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """The headings."""
        return t(self.headings[section]) if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The first column has a check box."""
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usual | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else usual

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """A click on the check box."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.toggled.emit(int(self.points[index.row()]["id"]), Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """A cell."""
        point = self.points[index.row()]
        first = index.column() == 0
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(point) if first else format_count(int(point.get("hits", 0)))
        if role == Qt.ItemDataRole.CheckStateRole and first:
            return Qt.CheckState.Checked if point.get("enabled", True) else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and first:
            return dot(self.theme, bool(point.get("enabled", True)), bool(point.get("log")), point["id"] == self.hit)
        if role == Qt.ItemDataRole.FontRole:
            # a selected row has the selection's ground: the one that was hit is told by its letters too
            return mono_font(9.0, bold=point["id"] == self.hit)
        if role == Qt.ItemDataRole.BackgroundRole:
            return self.theme.color("flash") if point["id"] == self.hit else None
        if role == Qt.ItemDataRole.ForegroundRole:
            return self.theme.color("text" if point.get("enabled", True) else "text.faint")
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{point['id']}: {point['what']} {point['where']}\n{conditions_text(point) or t('stops every time')}"
        if role == Qt.ItemDataRole.TextAlignmentRole and not first:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    @staticmethod
    def _text(point: Plain) -> str:
        more = conditions_text(point)
        return f"{place_text(point)}\n{more}" if more else place_text(point)

    def text(self) -> str:
        """Everything, tab-separated."""
        lines = [t("id\tenabled\tbreakpoint\tconditions\thits")]
        for point in self.points:
            enabled = t("yes") if point.get("enabled", True) else t("no")
            lines.append(f"{point['id']}\t{enabled}\t{point['what']} {point['where']}\t{conditions_text(point)}\t{point.get('hits', 0)}")
        return "\n".join(lines)


def dot(theme: Theme, enabled: bool, logs: bool, hit: bool = False, scale: float = 2.0) -> QPixmap:
    """The sign of a breakpoint: a disk, a diamond for one that logs, hollow when disabled; an arrow on it when things stand there."""
    picture = QPixmap(round(_DOT * scale), round(_DOT * scale))
    picture.setDevicePixelRatio(scale)
    picture.fill(QColor(0, 0, 0, 0))
    painter = QPainter(picture)
    _paint_dot(painter, theme, enabled, logs, hit)
    painter.end()

    def again(target: QPainter, box: QRectF) -> None:
        target.translate(box.topLeft())
        _paint_dot(target, theme, enabled, logs, hit)

    return drawn(picture, again)


def _paint_dot(painter: QPainter, theme: Theme, enabled: bool, logs: bool, hit: bool) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    color = theme.severity("error")
    painter.setPen(QPen(color if enabled else theme.color("text.faint"), 1.5))
    if enabled:
        painter.setBrush(color)
    box = QRectF(1.5, 1.5, _DOT - 3, _DOT - 3)
    if logs:
        painter.drawPolygon(QPolygonF([QPointF(6, 1), QPointF(11, 6), QPointF(6, 11), QPointF(1, 6)]))
    else:
        painter.drawEllipse(box)
    if hit:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("surface"))
        painter.drawPolygon(QPolygonF([QPointF(4, 3), QPointF(9.5, 6), QPointF(4, 9)]))
