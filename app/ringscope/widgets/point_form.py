"""The parts of a breakpoint as a form: what, where, condition, counts, message; the part that is wrong turns red and says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QCompleter, QFormLayout, QLabel, QLineEdit, QSpinBox, QWidget

from ringscope.focus import Focus
from ringscope.theme import mono_font
from ringscope.widgets.filter_box import FilterBox
from ringscope.words import later, t
from ringscope_core.query.breakpoints import parse_breakpoint
from ringscope_core.query.sources import checkpoints_of
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.store import Store


class Sort(NamedTuple):
    """A sort of place: `what` as breakpoints have it (or a sort that only `run until` has), how it is called, an example."""

    what: str
    title: str
    example: str


SORTS: Final = (
    Sort("function", later("Function"), "virtio_net_device_realize"),
    Sort("checkpoint", later("Line"), "virtio_net_device_realize:2705"),
    Sort("event", later("Event"), "kick"),
    Sort("field", later("Field change"), later("VirtIODevice.status, or net0.VirtIODevice.status")),
    Sort("time", later("Virtual time"), later("1.5s, 20ms, 300us")),
)
PLACE_FIELDS: Final = ("breakpoint", "what", "where", "function", "checkpoint", "event", "kind", "field", "object", "time", "seek", "packet", "number")
"""Fields of an InputError that speak of the place."""
_MOST_OFFERS: Final = 3000


class PointForm(QWidget):
    """`plain` is what was filled in; `check` marks what is wrong."""

    def __init__(self, store: Store, sorts: tuple[Sort, ...] = SORTS, stops: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self._sorts = sorts
        self._kept: dict[str, Any] = {}
        self.what = QComboBox()
        self.what.setAccessibleName(t("what"))
        self.what.addItems([t(sort.title) for sort in sorts])
        self.where = QLineEdit()
        self.where.setAccessibleName(t("where"))
        self.where.setFont(mono_font(9.5))
        self._offers = QStringListModel(self)
        completer = QCompleter(self._offers, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(14)
        self.where.setCompleter(completer)
        # a box of its own focus: what is typed here filters nothing
        self.condition = FilterBox(store, Focus(self))
        self.condition.setAccessibleName(t("condition"))
        self.condition.setPlaceholderText(t("every time; or such as  obj == net0 and value == 15"))
        self.ignore, self.every = _count(0, t("ignore count")), _count(1, t("every Nth hit"))
        self.log = QLineEdit()
        self.log.setAccessibleName(t("message"))
        self.log.setPlaceholderText(t("stop; or a message to log instead, such as  status is {value}"))
        self.temporary = QCheckBox(t("Delete it after it has stopped once"))
        self.enabled = QCheckBox(t("Enabled"))
        self.enabled.setChecked(True)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "problem")
        self.problem.setAccessibleName(t("problem"))
        self._lines: dict[str, QLineEdit] = {"where": self.where, "condition": self.condition, "log": self.log}
        self._build(stops)
        self.what.currentIndexChanged.connect(self._what_changed)
        for line in self._lines.values():
            line.textEdited.connect(lambda _: self._clear())
        self._what_changed(0)

    def _build(self, stops: bool) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(t("Stop at"), self.what)
        form.addRow(t("Where"), self.where)
        form.addRow(t("Only if"), self.condition)
        if stops:
            form.addRow(t("Ignore the first"), self.ignore)
            form.addRow(t("Then each Nth"), self.every)
            form.addRow(t("Instead of stopping"), self.log)
            form.addRow("", self.temporary)
            form.addRow("", self.enabled)
        form.addRow(self.problem)
        self.setMinimumWidth(560)

    @property
    def sort(self) -> Sort:
        """The sort of place that is chosen."""
        return self._sorts[max(self.what.currentIndex(), 0)]

    def plain(self) -> dict[str, object]:
        """What was filled in, in plain form."""
        return {
            **self._kept,
            "what": self.sort.what,
            "where": self.where.text().strip(),
            "condition": self.condition.text().strip() if self.condition.isEnabled() else "",
            "enabled": self.enabled.isChecked(),
            "ignore": self.ignore.value(),
            "every": self.every.value(),
            "temporary": self.temporary.isChecked(),
            "log": self.log.text().strip(),
        }

    def fill(self, point: Mapping[str, Any]) -> None:
        """Show an existing breakpoint, or what a new one begins with."""
        self._kept = {name: point[name] for name in ("oid",) if name in point}
        place = next((number for number, sort in enumerate(self._sorts) if sort.what == point.get("what")), 0)
        self.what.setCurrentIndex(place)
        self.where.setText(str(point.get("where", "")))
        self.condition.setText(str(point.get("condition", "")))
        self.ignore.setValue(int(point.get("ignore", 0)))
        self.every.setValue(int(point.get("every", 1)))
        self.log.setText(str(point.get("log", "")))
        self.temporary.setChecked(bool(point.get("temporary", False)))
        self.enabled.setChecked(bool(point.get("enabled", True)))
        self._clear()

    def check(self) -> bool:
        """Whether it is right; what is not turns red, has the keyboard, and is told below."""
        try:
            parse_breakpoint(self.plain(), self.store.recording)
        except InputError as error:
            self.show_problem(error)
            return False
        self._clear()
        return True

    def show_problem(self, error: InputError) -> None:
        """Mark the part that `error` speaks of."""
        part = "where" if error.field in PLACE_FIELDS else "log" if error.field in ("log", "message") else "condition"
        self._clear()
        line = self._lines[part]
        _set_validity(line, "invalid")
        line.setFocus(Qt.FocusReason.OtherFocusReason)
        allowed = error.allowed if len(error.allowed) < 300 else error.allowed[:297] + "..."
        given = t("'{value}' is not allowed", value=error.value) if str(error.value) else t("is missing")
        self.problem.setText(f"{error.field}: {given}; {allowed}")
        self.problem.show()

    def _clear(self) -> None:
        for name, line in self._lines.items():
            if name != "condition":
                _set_validity(line, "")
        self.problem.hide()
        self.problem.setText("")

    def _what_changed(self, _: int) -> None:
        sort = self.sort
        self.where.setPlaceholderText(t("such as  {example}", example=sort.example))
        self._offers.setStringList(offers(self.store, sort.what))
        self.condition.setEnabled(sort.what in ("function", "checkpoint", "event", "field"))
        self._clear()


def offers(store: Store, what: str) -> list[str]:
    """What may stand in the place of a breakpoint of this sort."""
    reader = store.reader
    if what == "function":
        return sorted(spec.name for spec in reader.functions.values() if spec.args or checkpoints_of(spec.name))
    if what == "checkpoint":
        names = sorted(spec.name for spec in reader.functions.values())
        return [f"{name}:{line}" for name in names for line in checkpoints_of(name)][:_MOST_OFFERS]
    if what == "event":
        return [spec.name for spec in reader.kinds.values()]
    if what == "field":
        return _fields(store)[:_MOST_OFFERS]
    if what == "mark":
        return [mark.name for mark in reader.marks()]
    return []


def _fields(store: Store) -> list[str]:
    """Fields of any object, and those that an object has now."""
    fields = store.reader.fields
    plain = sorted(f"{spec.struct}.{spec.name}" for spec in fields.values())
    state = store.state_at(store.last_seq) if store.last_seq >= 0 else None
    of_objects = [
        f"{store.name_of(oid)}.{fields[number].struct}.{fields[number].name}"
        for oid, values in (state.fields.items() if state is not None else ())
        for number in values
        if number in fields
    ]
    return [*plain, *sorted(of_objects)]


def _count(least: int, name: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(least, 1_000_000_000)
    box.setValue(least)
    box.setGroupSeparatorShown(True)
    box.setAccessibleName(name)
    box.setMaximumWidth(160)
    box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
    return box


def _set_validity(line: QLineEdit, validity: str) -> None:
    if line.property("validity") != validity:
        line.setProperty("validity", validity)
        line.style().unpolish(line)
        line.style().polish(line)
