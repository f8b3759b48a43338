"""The pages of the branch dialog: one for each kind of change, filled from what the recording offers."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from ringscope.theme import SPACE, mono_font
from ringscope.words import later, t
from ringscope_core.engine.branch_choices import Choices, Device

BROADCAST: Final = "ffffffffffff 525400123456 0800 " + "00" * 46
"""A frame to begin with when no packet is selected."""
ACTIONS: Final = {
    "reset": (later("Reset the device and set it up again"), ()),
    "break": (later("Break a ring on purpose"), ("queue", "fault")),
    "queue-reset": (later("Reset one queue"), ("queue",)),
    "remove": (later("Unbind the driver"), ()),
    "probe": (later("Bind the driver again"), ()),
    "promisc": (later("Promiscuous mode"), ("number",)),
    "allmulti": (later("All multicast"), ("number",)),
    "pairs": (later("Use so many queue pairs"), ("number",)),
    "mac": (later("Another Ethernet address"), ("mac",)),
    "vlan-add": (later("Add a VLAN id to the filter"), ("number",)),
    "vlan-del": (later("Remove a VLAN id from the filter"), ("number",)),
    "offloads": (later("Turn receive offloads on or off (bits)"), ("number",)),
    "rescan": (later("Look at the bus again"), ()),
}
"""What the guest's driver can be made to do, in words, and the fields it takes."""
LIST_HEIGHT: Final = 200
"""Of feature bits and frames, in pixels."""
FAULTS: Final = ("bad-table", "zero-length", "bad-order")


class Page(QWidget):
    """One kind of change.  `line` is the change as a person would write it; `changed` when it is another."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setHorizontalSpacing(3 * SPACE)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)

    def line(self) -> str:
        """The change in words."""
        return t("none")

    def missing(self) -> str:
        """What has to be given still, before the line can be one."""
        return ""

    def _combo(self, label: str, values: list[str], editable: bool = False) -> QComboBox:
        box = QComboBox()
        box.addItems(values)
        box.setEditable(editable)
        box.setAccessibleName(label)
        box.currentTextChanged.connect(lambda _: self.changed.emit())
        self.form.addRow(label, box)
        return box

    def _edit(self, label: str, text: str, hint: str = "") -> QLineEdit:
        edit = QLineEdit(text)
        edit.setAccessibleName(label)
        edit.setPlaceholderText(hint)
        edit.textChanged.connect(lambda _: self.changed.emit())
        self.form.addRow(label, edit)
        return edit

    def _words(self, text: str) -> None:
        label = QLabel(text)
        label.setWordWrap(True)
        label.setProperty("role", "muted")
        self.form.addRow(label)


class NonePage(Page):
    """Nothing changes."""

    def __init__(self) -> None:
        super().__init__()
        self._words(t("The run goes on as it would have: to see more of it, or at another trace level."))


class InjectPage(Page):
    """A frame from the network."""

    def __init__(self, choices: Choices, frame: bytes) -> None:
        super().__init__()
        self._net = self._combo(t("From backend"), choices.backends)
        self._frame = QPlainTextEdit(frame.hex(" ") if frame else BROADCAST)
        self._frame.setFont(mono_font(9.5))
        self._frame.setFixedHeight(LIST_HEIGHT - 40)
        self._frame.setAccessibleName(t("Frame in hexadecimal"))
        self._frame.setTabChangesFocus(True)
        self._frame.textChanged.connect(self.changed)
        self.form.addRow(t("Frame"), self._frame)
        self._words(t("Bytes in hexadecimal, from the destination address on") + (t("; those of the selected packet.") if frame else "."))

    def line(self) -> str:
        """``inject net=.. frame=..``."""
        return f"inject net={self._net.currentText()} frame={''.join(self._frame.toPlainText().split())}"


class LinkPage(Page):
    """A cable."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._name = self._combo(t("Cable of"), [*(device.name for device in choices.devices), *choices.backends])
        up = choices.devices[0].link_up if choices.devices else True
        self._up = self._combo(t("Then"), [t("pulled out"), t("plugged in")] if up else [t("plugged in"), t("pulled out")])

    def line(self) -> str:
        """``link net0 off``."""
        return f"link {self._name.currentText()} {'on' if self._up.currentText() == t('plugged in') else 'off'}"


class FeaturePage(Page):
    """Feature bits: what the driver took is ticked."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._devices = {device.name: device for device in choices.devices if device.bits}
        self._device = self._combo(t("Network card"), list(self._devices))
        self._list = QListWidget()
        self._list.setAccessibleName(t("Feature bits"))
        self._list.setFixedHeight(LIST_HEIGHT)
        self._list.itemChanged.connect(lambda _: self.changed.emit())
        self.form.addRow(t("Negotiate"), self._list)
        self._words(t("The driver resets the device and negotiates again. Ticked is what it took until then; only what the device offers is listed."))
        self._device.currentTextChanged.connect(lambda _: self._fill())
        self._fill()

    def missing(self) -> str:
        """A bit."""
        return "" if len(self.line().split()) > 2 else t("tick or untick a bit")

    def _fill(self) -> None:
        self._list.blockSignals(True)
        self._list.clear()
        device = self._devices.get(self._device.currentText())
        for bit in device.bits if device is not None else []:
            item = QListWidgetItem(f"{bit.number:2}  {bit.name}")
            item.setToolTip(bit.text)
            item.setData(Qt.ItemDataRole.UserRole, (bit.name, bit.taken))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if bit.taken else Qt.CheckState.Unchecked)
            self._list.addItem(item)
        self._list.setCurrentRow(0)
        self._list.blockSignals(False)

    def line(self) -> str:
        """``feature net0 -A +B``."""
        words = ["feature", self._device.currentText()]
        for place in range(self._list.count()):
            item = self._list.item(place)
            name, taken = item.data(Qt.ItemDataRole.UserRole)
            wanted = item.checkState() == Qt.CheckState.Checked
            if wanted != taken:
                words.append(f"{'+' if wanted else '-'}{name}")
        return " ".join(words)


class OptionPage(Page):
    """Another value of a device's option."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._devices = {device.name: device for device in choices.devices}
        self._device = self._combo(t("Device"), [*self._devices, *choices.backends])
        self._name = self._combo(t("Option"), [], editable=True)
        self._value = self._edit(t("Value"), "", t("such as 512, on, off"))
        self._start = QCheckBox(t("From the start of the run"))
        self._start.toggled.connect(lambda _: self.changed.emit())
        self.form.addRow("", self._start)
        self._words(t("Else the device is unplugged at the moment of the branch and plugged in again. A backend has its options from the start."))
        self._device.currentTextChanged.connect(lambda _: self._fill())
        self._name.currentTextChanged.connect(lambda _: self._show_type())
        self._fill()

    def _device_now(self) -> Device | None:
        return self._devices.get(self._device.currentText())

    def _fill(self) -> None:
        device = self._device_now()
        self._name.clear()
        self._name.addItems([option.name for option in device.options] if device is not None else [])
        self._name.setCurrentText("rx_queue_size" if device is not None else "")
        self._start.setEnabled(device is not None)
        self._start.setChecked(device is None)
        self._show_type()

    def _show_type(self) -> None:
        device, name = self._device_now(), self._name.currentText()
        found = next((option for option in device.options if option.name == name), None) if device is not None else None
        self._value.setPlaceholderText(found.type + (t(", now {value}", value=found.value) if found.value else "") if found is not None else t("a value"))
        self.changed.emit()

    def line(self) -> str:
        """``option net0 rx_queue_size=512``."""
        pair = f"{self._name.currentText().strip()}={self._value.text().strip()}"
        return shlex.join(["option", self._device.currentText(), pair, *(["from=start"] if self._start.isChecked() else [])])

    def missing(self) -> str:
        """What has to be given still."""
        return "" if self._name.currentText().strip() and self._value.text().strip() else t("a value is needed")


class ActionPage(Page):
    """Something that the guest's driver does."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._do = self._combo(t("Action"), [f"{do}: {t(text)}" for do, (text, _) in ACTIONS.items()])
        self._device = self._spin(t("Interface"), 31)
        self._queue = self._spin(t("Queue"), 1023)
        self._queue.setValue(1)
        self._number = self._edit(t("Number"), "1", t("0 or 1, queue pairs, VLAN id, bits"))
        self._mac = self._edit(t("Address"), "52:54:00:00:00:77")
        self._fault = self._combo(t("Fault"), list(FAULTS))
        self._fields: dict[str, tuple[QWidget, Callable[[], str]]] = {
            "queue": (self._queue, self._queue.text),
            "number": (self._number, self._number.text),
            "mac": (self._mac, self._mac.text),
            "fault": (self._fault, self._fault.currentText),
        }
        self._do.currentTextChanged.connect(lambda _: self._show_fields())
        self._show_fields()

    def _spin(self, label: str, most: int) -> QSpinBox:
        box = QSpinBox()
        box.setRange(0, most)
        box.setMinimumWidth(90)
        box.setAccessibleName(label)
        box.valueChanged.connect(lambda _: self.changed.emit())
        self.form.addRow(label, box)
        return box

    def _wanted(self) -> tuple[str, tuple[str, ...]]:
        do = self._do.currentText().split(":")[0]
        return do, ACTIONS[do][1]

    def _show_fields(self) -> None:
        _, fields = self._wanted()
        for name, (widget, _) in self._fields.items():
            self.form.setRowVisible(widget, name in fields)

    def line(self) -> str:
        """``action break queue=1 fault=bad-table``."""
        do, fields = self._wanted()
        words = [f"{name}={self._fields[name][1]().strip()}" for name in fields]
        device = self._device.value()
        return " ".join(["action", do, *([f"device={device}"] if device else []), *words])


class TrafficPage(Page):
    """A program of the guest goes on in another way."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._entries = choices.traffic
        places = [f"{place}: {entry['kind']}" for place, entry in enumerate(choices.traffic) if entry["kind"] != "bulk-rx"]
        self._entry = self._combo(t("Program"), places)
        self._values: dict[str, QLineEdit] = {
            name: self._edit(label, "") for name, label in (("rate_pps", t("Frames a second")), ("size", t("Bytes")), ("count", t("In all")))
        }
        self._words(
            t("0 frames a second is as fast as it goes; 0 in all is without end. Bulk traffic from the network is a backend's and begins with the run.")
        )
        self._entry.currentTextChanged.connect(lambda _: self._fill())
        self._fill()

    def missing(self) -> str:
        """Another number."""
        return "" if len(self.line().split()) > 2 else t("change a number")

    def _place(self) -> int:
        text = self._entry.currentText()
        return int(text.split(":")[0]) if text else -1

    def _fill(self) -> None:
        place = self._place()
        for name, edit in self._values.items():
            edit.setText(f"{self._entries[place][name]:g}" if place >= 0 else "")

    def line(self) -> str:
        """``traffic 0 rate_pps=100``: what is not as it was."""
        place = self._place()
        words = [f"traffic {max(place, 0)}"]
        for name, edit in self._values.items():
            text = edit.text().strip()
            if place >= 0 and text != f"{self._entries[place][name]:g}":
                words.append(f"{name}={text}")
        return " ".join(words)


class SetPage(Page):
    """Another scenario."""

    def __init__(self) -> None:
        super().__init__()
        self._settings = self._edit(t("Settings"), "", "traffic.0.rate_pps=100 driver.event_idx=off")
        self._words(t("key=value, separated by blanks, as --set takes them. The run begins anew with them, so it may differ from event 0 on."))

    def line(self) -> str:
        """``set key=value ..``."""
        return f"set {self._settings.text()}"

    def missing(self) -> str:
        """A setting."""
        return "" if self._settings.text().strip() else t("a setting is needed")
