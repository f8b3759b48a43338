"""The panel of one chain: its descriptors, those of its indirect table, and the bytes of the frame that used it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from ringscope.store import Store
from ringscope.theme import Theme, mono_font
from ringscope.views.rings.frame import FrameUse, find_frame, header_lines, hex_dump, searched_all, summary
from ringscope.views.rings.model import FREE, Descriptor, RingSnapshot
from ringscope.views.rings.split import SplitSnapshot
from ringscope.widgets.stack_rows import CopyTable, RowsModel
from ringscope.words import t
from ringscope_core.trace.levels import LEVEL_NAMES, LEVEL_PACKETS
from ringscope_core.trace.state import MachineState

_HEX_LINE: Final = 73
"""Letters of a line of the dump: offset, sixteen bytes in two groups, the same as text."""
_HALF_LINE: Final = 39
"""The same of eight bytes, for a narrow picture."""


class ChainPanel(QWidget):
    """Shows the chain of one head; refreshes only when its descriptors, state or frame changed."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self._key: tuple[object, ...] = ()
        self._row: int = 16
        """Bytes on a line of the dump."""
        self._said: str = ""
        """The frame in words and lines of sixteen bytes, however many there is room for."""
        self.shown: tuple[int, int, list[Descriptor]] = (0, -1, [])
        """Ring, what events call the chain, and its descriptors."""
        self._title = QLabel(t("No chain selected"))
        self._title.setProperty("role", "heading")
        self._title.setContentsMargins(8, 5, 8, 3)
        self._title.setWordWrap(True)
        self._model = RowsModel(SplitSnapshot.chain_headings, right=(2, 3), parent=self)
        self._table = CopyTable()
        self._table.setModel(self._model)
        self._table.set_widths((96, 116, 58, 52))
        self._table.setAccessibleName(t("descriptors of the chain"))
        self._bytes = QPlainTextEdit()
        self._bytes.setReadOnly(True)
        self._bytes.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._bytes.setFont(mono_font(8.0))
        self._bytes.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self._bytes.setAccessibleName(t("bytes of the frame"))
        self._split = split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._table)
        split.addWidget(self._bytes)
        split.setSizes([84, 150])
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._title)
        layout.addWidget(split, 1)

    @property
    def table(self) -> CopyTable:
        """The chain's descriptors."""
        return self._table

    @property
    def bytes_text(self) -> QPlainTextEdit:
        """The bytes of the frame that used the chain."""
        return self._bytes

    def fit_figure(self, room: int) -> int:
        """Share at most `room` pixels of height between descriptors and bytes as a picture needs them; the pixels taken, title included."""
        title = self._title.heightForWidth(self.width())
        table = self._table.horizontalHeader().height() + self._table.verticalHeader().defaultSectionSize() * max(len(self._model.rows), 1) + 2
        lines = self._bytes.blockCount()
        metrics = self._bytes.fontMetrics()
        text = round(lines * metrics.lineSpacing() + 2 * self._bytes.document().documentMargin()) + 4
        free = self.width() - 2 * self._bytes.document().documentMargin()
        if self._row == 16 and metrics.horizontalAdvance("0" * _HEX_LINE) >= free:
            # the bytes are written again with the next refresh, in rows that fit: more of them
            self._row, self._key = 8, ()
            text = 2 * text
        if metrics.horizontalAdvance("0" * (_HEX_LINE if self._row == 16 else _HALF_LINE)) < free:
            # the dump keeps its lines; only long lines of the header are broken
            self._bytes.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
            text += metrics.lineSpacing()
        least = self._table.horizontalHeader().height() + 2 * self._table.verticalHeader().defaultSectionSize()
        room = max(room - title - self._split.handleWidth(), 2 * least)
        table = min(table, max(room - text, least))
        text = min(text, room - table)
        self._split.setSizes([table, text])
        return title + table + self._split.handleWidth() + text

    def heading_at(self, column: int) -> str:
        """A column's heading."""
        return self._model.headings[column]

    def theme_changed(self, theme: Theme) -> None:
        """Take the theme's sizes and fonts anew."""
        self._bytes.setFont(mono_font(8.0))

    def show_chain(self, state: MachineState, snap: RingSnapshot | None, head: int) -> None:
        """Show the chain that begins at `head`."""
        if snap is None or not 0 <= head < snap.num:
            self._set_empty(t("Click a slot to see its chain") if snap is not None else "")
            return
        chain = snap.chain(head)
        kind = int(snap.states[head])
        use = find_frame(self.store, snap.oid, snap.ident_of(head), state.seq)
        key = (self.store.generation, snap.oid, head, kind, tuple(chain), use)
        if key == self._key:
            return
        self._key = key
        self.shown = (snap.oid, snap.ident_of(head), list(chain))
        self._title.setText(snap.chain_title(head, chain))
        self._model.set_headings(snap.chain_headings)
        self._model.set_rows([snap.chain_cells(item) for item in chain])
        about, data = self._frame_text(state, snap, head, kind, use)
        self._said = f"{about}{hex_dump(data)}"
        self._bytes.setPlainText(f"{about}{hex_dump(data, row=self._row)}")

    def _set_empty(self, text: str) -> None:
        if self._key != (text,):
            self._key = (text,)
            self.shown = (0, -1, [])
            self._title.setText(text or t("No chain"))
            self._model.set_rows([])
            self._said = ""
            self._bytes.setPlainText("")

    def _frame_text(self, state: MachineState, snap: RingSnapshot, head: int, kind: int, use: FrameUse | None) -> tuple[str, bytes]:
        """What is said of the frame, and its bytes."""
        if use is None and state.level < LEVEL_PACKETS:
            return t("No frames are recorded at trace level {level_names}.", level_names=LEVEL_NAMES[state.level]), b""
        if use is None:
            if searched_all(self.store, snap.oid, state.seq):
                return t("No recorded frame has used {buffer_word} up to this moment.", buffer_word=snap.buffer_word(head)), b""
            return t("None of this ring's newest frames has used {buffer_word}; older ones were not searched.", buffer_word=snap.buffer_word(head)), b""
        lines = [_when(use, snap.buffer_word(head), kind)]
        reader = self.store.reader
        kept = 0 < use.packet <= reader.packet_count
        data = reader.packet_bytes(use.packet) if kept else b""
        lines.extend(header_lines(state, use, reader.packet_header(use.packet) if kept else None))
        lines.append(summary(data) if data else t("{length} bytes, not kept by the recorder", length=use.length))
        return "\n".join([*lines, "", ""] if data else lines), data

    def text(self) -> str:
        """The chain and its bytes as text."""
        return f"{self._title.text()}\n{self._model.text()}\n{self._said}"


def _when(use: FrameUse, word: str, kind: int) -> str:
    text = t(
        "frame #{packet}: {length} bytes received at event {seq}" if use.receive else "frame #{packet}: {length} bytes sent at event {seq}",
        packet=use.packet,
        length=use.length,
        seq=use.seq,
    )
    if kind == FREE:
        return t("{words}\n(the last that used {word}; the slot is free now)", words=text, word=word)
    return text if use.current and kind != 1 else t("{words}\n(an earlier trip of {word}; this one has no frame yet)", words=text, word=word)
