"""The packet in focus: where it passed, its headers, its bytes."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QToolButton, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.icons import icon
from ringscope.store import Store
from ringscope.theme import Theme
from ringscope.views.inspector.dissect import dissect
from ringscope.views.inspector.page import Page, table
from ringscope.widgets.hex_view import HexView
from ringscope.widgets.tree_list import Node
from ringscope.words import later, t
from ringscope_core.export.vnet_pseudo import fields
from ringscope_core.query.decode import format_clock
from ringscope_core.session.errors import SessionError

_WAYS: Final = {0: later("transmitted by the guest"), 1: later("received by the guest")}


class PacketPage(Page):
    """Headers above, bytes below, and buttons to the neighbours."""

    def __init__(self, store: Store, focus: Focus, commands: Commands) -> None:
        super().__init__(store, focus, commands)
        self.tree = table([t("Field"), t("Value")], (36, 64), {1}, t("Headers"))
        self.bytes = HexView()
        self._buttons: dict[str, QToolButton] = {}
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 0, 8, 0)
        for name, text, step in (("back", t("Previous"), -1), ("forward", t("Next"), 1)):
            button = QToolButton()
            button.setText(text)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.clicked.connect(lambda _=False, step=step: self._go(step))
            self._buttons[name] = button
            row.addWidget(button)
        row.addStretch(1)
        self.body.addWidget(bar)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.tree)
        split.addWidget(self.bytes)
        split.setSizes([300, 220])
        self.body.addWidget(split, 1)

    def _go(self, step: int) -> None:
        packet = min(max(self.focus.packet + step, 1), self.store.reader.packet_count)
        rows = self.store.reader.packets(packet, packet)
        if rows:
            self.focus.select(packet=packet, seq=rows[0].seq, subject="packet")

    def refresh(self) -> None:
        """The focused packet."""
        reader, packet = self.store.reader, self.focus.packet
        rows = reader.packets(packet, packet) if packet else []
        if not rows:
            self.title.setText(t("No packet in focus"))
            self.subtitle.setText(
                t("Choose an event of group packet, or a descriptor with a frame.") if not packet else t("Packet {packet} was not recorded.", packet=packet)
            )
            self.tree.put(Node(None, []))
            self.bytes.show_bytes(b"")
            return
        row = rows[0]
        self.title.setText(t("Packet {packet}", packet=packet))
        way = t(_WAYS.get(row.direction, later("direction unknown")))
        queue, head = (str(number) if number >= 0 else t("unknown") for number in (row.queue, row.head))
        where = t("virtqueue {queue}  ·  head {head}", queue=queue, head=head) if row.queue >= 0 or row.head >= 0 else t("virtqueue and head unknown")
        self.subtitle.setText(
            t(
                "{way}  ·  {where}\n{length} B at {time} s, event {seq} of {last_seq}",
                way=way,
                where=where,
                length=row.length,
                time=format_clock(row.vt),
                seq=row.seq,
                last_seq=self.store.last_seq,
            )
        )
        try:
            data, header = reader.packet_bytes(packet), reader.packet_header(packet)
        except SessionError:
            data, header = b"", None
        self.tree.put(_header_tree(data, header))
        self.bytes.show_bytes(data, 8 if self.width() < 460 else 16)

    def set_theme(self, theme: Theme) -> None:
        """Icons in the new colours."""
        super().set_theme(theme)
        for name, button in self._buttons.items():
            button.setIcon(icon(name, theme))

    def text(self) -> str:
        """Headers and bytes."""
        return f"{self.heading()}\n{self.tree.text()}\n{self.bytes.toPlainText()}"


def _header_tree(data: bytes, header: bytes | None) -> Node:
    root = Node(None, [])
    heads: dict[str, Node] = {}
    if header:
        first = root.add(Node("virtio_net_hdr", ["virtio_net_hdr", ""], heading=True))
        for place, (name, value) in enumerate(fields(header)):
            first.add(Node(("virtio_net_hdr", place), [name, value]))
    for place, (layer, name, value) in enumerate(dissect(data)):
        head = heads.get(layer) or root.add(Node(layer, [layer, ""], heading=True))
        heads[layer] = head
        head.add(Node((layer, place), [name, value]))
    return root
