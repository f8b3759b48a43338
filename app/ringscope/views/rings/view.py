"""The Rings view: queues above, ring picture on the left, numbers, slot table and chain on the right."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QSplitter, QTableView, QVBoxLayout, QWidget

from ringscope.theme import ROW, Theme
from ringscope.values import offer, offer_cells
from ringscope.views.rings import places, twin
from ringscope.views.rings.canvas import RingCanvas
from ringscope.views.rings.chain import ChainPanel
from ringscope.views.rings.indices import EventIndexPanel, IndexPanel
from ringscope.views.rings.layouts import ring_snapshot
from ringscope.views.rings.model import F_BROKEN, RingSnapshot, queue_word, ring_oids
from ringscope.views.rings.queues import Card, QueueStrip, ScrollingStrip
from ringscope.views.rings.side import SidePanel
from ringscope.views.rings.table import SlotModel
from ringscope.views.rings.watches import band_watch, cell_watch, chain_watch, slot_watch
from ringscope.views.spec import View
from ringscope.widgets.spots import Spot
from ringscope.widgets.stack_rows import CopyTable
from ringscope.words import t
from ringscope_core.query.watch import Watch
from ringscope_core.trace.kinds import EV_VIRTIO_ERROR
from ringscope_core.trace.oids import is_ring
from ringscope_core.trace.state import MachineState

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.focus import Focus
    from ringscope.store import Store

NARROW_WIDTH: Final = 1100
_LEAST_SLOTS: Final = 5
"""Rows of the table of slots that a picture shows in any case."""
TEXT_INTERVAL_S: Final = 0.1
"""While traffic is followed, table and chain are rewritten ten times a second: nobody reads faster, and the frame keeps its budget."""
PARTS: Final = frozenset(("picture", "numbers", "texts"))
"""What is shown of a moment.  While traffic is followed, the picture comes in one frame and the numbers in the next: both at once make it long."""


class RingsView(View):
    """Every virtqueue at the focused moment.  The ring shown is the focus's object when that is a ring, else the last one shown."""

    live_hz = 60.0

    def __init__(self, store: Store, focus: Focus, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(store, focus, commands, parent)
        self._oid: int = 0
        self._generation: int = store.generation
        self._shown_slot: int = -1
        self._figure: bool = False
        """Whether it is drawn for a picture, where nobody scrolls."""
        self._card_shown: tuple[int, int] = (0, 0)
        """The ring whose card was scrolled to, and how many there were."""
        self._texts_at: float = 0.0
        self._subject: tuple[int, int, int] = (-1, 0, -1)
        """The recording, ring and head that everything was last shown for."""
        self._held: MachineState = MachineState()
        """The moment that is being shown, part by part."""
        self._newest: int = -1
        """The event of the newest moment that was seen."""
        self._stale: frozenset[str] = frozenset()
        """Parts that do not show the held moment yet."""
        self.strip = QueueStrip()
        self.strip.chosen.connect(self._choose_ring)
        self.cards = ScrollingStrip(self.strip)
        self.canvas = RingCanvas()
        self.canvas.picked.connect(self._pick_head)
        self.numbers = IndexPanel()
        self.events = EventIndexPanel()
        self.model = SlotModel(self)
        self.chain = ChainPanel(store)
        self.table = CopyTable()
        self.search_box = QLineEdit()
        self._build()

    def _build(self) -> None:
        self.table.setModel(self.model)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.set_widths((54, 50, 92, 92, 52, 96, 48))
        self.table.setAccessibleName(t("descriptors"))
        self.table.clicked.connect(self._row_clicked)
        self.search_box.setPlaceholderText(t("Filter slots: available, write, 0x1200, ..."))
        self.search_box.setClearButtonEnabled(True)
        self.search_box.textChanged.connect(self.model.set_filter)
        self.slots_and_chain = lower = QSplitter(Qt.Orientation.Vertical)
        lower.setChildrenCollapsible(False)
        lower.addWidget(self._table_side())
        lower.addWidget(self.chain)
        lower.setSizes([230, 240])
        self.aside = SidePanel(lower, self.numbers, self.events)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.canvas)
        split.addWidget(self.aside)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([650, 550])
        self.split = split
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.cards)
        layout.addWidget(split, 1)
        self._offer_values()

    def _offer_values(self) -> None:
        """Every number of the view can be asked who wrote it."""
        commands = self.commands
        offer_cells(self.table, lambda row, column: slot_watch(self._oid, self.model.slot_at(row), self.model.heading_at(column)), commands)
        offer_cells(self.chain.table, self._chain_value, commands)
        offer(self.canvas, self._picture_value, commands)
        offer(self.numbers, self._number_value, commands)

    def _chain_value(self, row: int, column: int) -> Watch | None:
        oid, head, chain = self.chain.shown
        return chain_watch(oid, head, chain[row], self.chain.heading_at(column)) if 0 <= row < len(chain) else None

    def _picture_value(self, point: QPoint | None) -> Watch | None:
        if point is None:
            head = self._head()
            return band_watch(self._oid, "desc", head) if head >= 0 else None
        hit = self.canvas.place_at(QPointF(point))
        return band_watch(self._oid, hit.band, hit.slot) if hit is not None else None

    def _number_value(self, point: QPoint | None) -> Watch | None:
        found = self.numbers.cell_at(QPointF(point)) if point is not None else None
        return cell_watch(self._oid, *found, self.store.recording) if found is not None else None

    def _table_side(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        bar = QFrame()
        bar.setObjectName("strip")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self.search_box)
        layout.addWidget(bar)
        layout.addWidget(self.table, 1)
        return holder

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Below a width the numbers stand on a page of their own, so that the circle keeps its size."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW_WIDTH
        if self.aside.set_narrow(narrow):
            aside = 370 if narrow else 550
            self.split.setStretchFactor(0, 1 if narrow else 3)
            self.split.setStretchFactor(1, 0 if narrow else 2)
            self.split.setSizes([max(320, self.width() - aside), aside])

    # -- showing ----------------------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Show the rings at the focus."""
        if self._generation != self.store.generation:
            self._generation = self.store.generation
            self._oid = 0
        newest = self.store.moment(self.focus)
        oids = ring_oids(newest)
        if is_ring(self.focus.oid) and self.focus.oid in oids:
            self._oid = self.focus.oid
        elif self._oid not in oids:
            self._oid = next((oid for oid in oids if oid in newest.rings), oids[0] if oids else 0)
        parts = self._due_parts(newest)
        state = self._held
        if "numbers" in parts:
            self._show_queues(state, ring_oids(state))
        if parts:
            ring = state.rings.get(self._oid)
            self._show(parts, state, ring_snapshot(self._oid, ring, state.fields.get(self._oid, {})) if ring is not None else None)

    def shown_object(self) -> int:
        """The ring that was chosen last, also while the focus is on something else."""
        return self._oid

    @property
    def unfinished(self) -> bool:
        """Whether a part lags behind: asks the window for another refresh."""
        return bool(self._stale) or self._newest != self._held.seq

    def _due_parts(self, newest: MachineState) -> frozenset[str]:
        """What of the held moment to show now: everything to a person who stands still or chose something else, else what comes next."""
        self._newest = newest.seq
        subject = (self._generation, self._oid, self._head())
        parts: frozenset[str] = frozenset()
        if not (self.store.live and self.focus.following) or subject != self._subject:
            self._subject, self._held, self._stale = subject, newest, PARTS
            parts = PARTS
        elif "numbers" in self._stale:
            parts = frozenset(("numbers",))
        elif newest.seq != self._held.seq:
            self._held, self._stale = newest, PARTS
            parts = frozenset(("picture",))
        if "picture" not in parts and "texts" in self._stale and monotonic() - self._texts_at >= TEXT_INTERVAL_S:
            parts |= {"texts"}
        self._stale -= parts
        return parts

    def _head(self) -> int:
        return self.focus.head if self.focus.oid == self._oid else -1

    def _show_queues(self, state: MachineState, oids: list[int]) -> None:
        snaps = {oid: ring_snapshot(oid, state.rings[oid], state.fields.get(oid, {})) for oid in oids if oid in state.rings}
        self.strip.show_queues([self._card(oid, snaps.get(oid)) for oid in oids], self._oid)
        if (self._oid, len(oids)) != self._card_shown and self._oid:
            self._card_shown = (self._oid, len(oids))
            self.cards.fit()
            self.cards.show_card(oids.index(self._oid))

    def _card(self, oid: int, snap: RingSnapshot | None) -> Card:
        name = queue_word(self.store.name_of(oid))
        return Card(oid, name, snap.num, snap.counts) if snap is not None else Card(oid, name, 0, (0, 0, 0, 0))

    def _show(self, parts: frozenset[str], state: MachineState, snap: RingSnapshot | None) -> None:
        if "picture" in parts:
            self._show_picture(state, snap)
        if "numbers" in parts:
            self.numbers.show_ring(snap)
            self.events.show_ring(snap)
        if "texts" in parts:
            self._show_texts(state, snap)

    def _show_picture(self, state: MachineState, snap: RingSnapshot | None) -> None:
        name = queue_word(self.store.name_of(self._oid)) if self._oid else ""
        note = t("{name} exists, but the driver has not set up its memory yet.", name=name) if self._oid else t("No virtqueue exists at this moment.")
        self.canvas.show_ring(snap, name, self._head(), note, self._trouble(state, snap))

    def _show_texts(self, state: MachineState, snap: RingSnapshot | None) -> None:
        self._texts_at = monotonic()
        head = self._head()
        self.model.show_ring(snap)
        shown = head if head >= 0 or snap is None else snap.telling_head()
        self.chain.show_chain(state, snap, shown)
        self._scroll_to(shown if self._figure else head)

    def _trouble(self, state: MachineState, snap: RingSnapshot | None) -> str:
        """What is wrong at this moment, in the device's own words where it said any; empty when nothing is."""
        if any(values.get(F_BROKEN) for values in state.fields.values()):
            rows = self.store.find((int(EV_VIRTIO_ERROR),), self.store.first_seq, state.seq, 1, True)
            said = self.store.text(int(rows[0]["a0"])) if len(rows) else t("no virtio_error is recorded")
            return t("The device is broken: {said}", said=said)
        if snap is not None and not snap.consistent:
            return t("Indices or entries contradict each other at this moment.")
        return ""

    def _scroll_to(self, slot: int) -> None:
        if slot == self._shown_slot:
            return
        self._shown_slot = slot
        row = self.model.row_of(slot) if slot >= 0 else -1
        if row >= 0:
            self.table.selectRow(row)
            middle = QTableView.ScrollHint.PositionAtCenter if self._figure else QTableView.ScrollHint.EnsureVisible
            self.table.scrollTo(self.model.index(row, 0), middle)
        else:
            self.table.clearSelection()

    def prepare_figure(self, vector: bool) -> None:
        """The chain that is shown is to be in sight among the slots too."""
        self._figure = True

    def arrange_figure(self) -> None:
        """The chain and its bytes get the room that they need, the slots what is left, with the chain's in the middle."""
        room = self.slots_and_chain.height() - self.slots_and_chain.handleWidth()
        least = self.table.y() + self.table.horizontalHeader().height() + _LEAST_SLOTS * ROW
        wanted = self.chain.fit_figure(max(room - least, room // 3))
        self.slots_and_chain.setSizes([room - wanted, wanted])
        # the next refresh scrolls again, in the room that there is then
        self._shown_slot = -1
        self._subject = (-1, 0, -1)

    def theme_changed(self, theme: Theme) -> None:
        """Give the painters the theme."""
        self.canvas.theme = self.strip.theme = self.numbers.theme = self.events.theme = self.model.theme = theme
        self.chain.theme_changed(theme)
        for widget in (self.canvas, self.strip, self.numbers, self.events):
            widget.update()

    # -- acting -----------------------------------------------------------------------------------------------------------
    def _choose_ring(self, oid: int) -> None:
        self.focus.select(oid=oid)

    def _pick_head(self, head: int) -> None:
        self.focus.select(oid=self._oid, head=head)

    def _row_clicked(self, index: QModelIndex) -> None:
        self._shown_slot = self.model.head_at(index.row())
        self._pick_head(self._shown_slot)

    def search(self) -> None:
        """Put the keyboard into the slot filter."""
        self.search_box.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search_box.selectAll()

    def parts(self) -> Mapping[str, QWidget]:
        """The panes."""
        return {
            "queues": self.cards,
            "picture": self.canvas,
            "indices": self.numbers,
            "event-index": self.events,
            "slots": self.table,
            "chain": self.chain,
            "descriptors": self.chain.table,
            "bytes": self.chain.bytes_text,
        }

    def words(self) -> list[str]:
        """What can be pointed at beside the panes."""
        return places.words(self)

    def spot(self, target: str) -> Spot | None:
        """A pane, or a place in one."""
        return super().spot(target) or places.spot(self, target)

    def table_text(self) -> str:
        """Everything that is drawn: queues, indices, event index, slots, available and used ring, the chain."""
        snap = self.canvas.snap
        parts = [twin.queues_text(self.strip.cards, self._oid), self.canvas.title]
        if snap is not None:
            parts += [twin.indices_text(snap), twin.events_text(snap), self.model.text(), *twin.rings_text(snap), self.chain.text()]
        return "\n\n".join(part for part in parts if part)
