"""The descriptor in focus: its chain through the table, and the bytes when the frame was recorded."""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.values import offer_tree
from ringscope.views.inspector.page import Page, table
from ringscope.widgets.hex_view import HexView
from ringscope.widgets.tree_list import Node
from ringscope.words import t
from ringscope_core.query.watch import Watch, ring_watch
from ringscope_core.session.errors import SessionError
from ringscope_core.trace.kinds import EV_FRAME_RX, EV_FRAME_TX
from ringscope_core.trace.packed_slots import DESC_F_AVAIL, DESC_F_USED
from ringscope_core.trace.slot_states import SLOT_NAMES, SLOT_USED, SlotStates
from ringscope_core.trace.slots import chain_of, slot_states, table_of
from ringscope_core.trace.state import DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE, MachineState, RingImage

BITS: Final = ((DESC_F_AVAIL, "AVAIL"), (DESC_F_USED, "USED"), (DESC_F_NEXT, "NEXT"), (DESC_F_WRITE, "WRITE"), (DESC_F_INDIRECT, "INDIRECT"))


class Descriptor(NamedTuple):
    """One entry of a descriptor table."""

    number: int
    addr: int
    length: int
    flags: int
    link: int
    """Split: the next descriptor.  Packed: the buffer id."""
    indirect: bool

    def flag_words(self) -> str:
        """``NEXT WRITE`` and so on."""
        return " ".join(name for bit, name in BITS if self.flags & bit) or t("none")


def whole_chain(ring: RingImage, states: SlotStates, head: int) -> list[Descriptor]:
    """The chain that begins at `head`, its indirect table included.

    Of a packed ring's used buffer the first descriptor has lost its NEXT and INDIRECT; `states` and the table still tell what it was.
    """
    found = [Descriptor(*row, False) for row in chain_of(ring, head)]
    followers = states.chain(head)[len(found) :] if ring.packed else []
    found += [Descriptor(*chain_of(ring, slot)[0], False) for slot in followers]
    if found and (found[0].flags & DESC_F_INDIRECT or (ring.packed and states.state[head] == SLOT_USED)):
        found += [Descriptor(*row, True) for row in table_of(ring, head)]
    return found


class DescriptorPage(Page):
    """The chain above, bytes below."""

    def __init__(self, store: Store, focus: Focus, commands: Commands) -> None:
        super().__init__(store, focus, commands)
        self.tree = table(["", t("Value"), ""], (36, 44, 22), {1}, t("Descriptor chain"))
        self._chain: list[Descriptor] = []
        self._ident = -1
        """What events call the chain."""
        offer_tree(self.tree, self._value, commands)
        self.bytes = HexView()
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setContentsMargins(10, 2, 10, 2)
        self._note.setWordWrap(True)
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._note)
        column.addWidget(self.bytes, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.tree)
        split.addWidget(lower)
        split.setSizes([300, 200])
        self.body.addWidget(split, 1)

    def _value(self, key: object) -> Watch | None:
        """A line of the tree: a member, or the whole descriptor."""
        place, member = key if isinstance(key, tuple) else (key, "")
        if not isinstance(place, int) or not 0 <= place < len(self._chain):
            return None
        entry = self._chain[place]
        oid = self.focus.oid
        return ring_watch(oid, "indirect", self._ident, member, entry.number) if entry.indirect else ring_watch(oid, "desc", entry.number, member)

    def refresh(self) -> None:
        """The chain at the moment."""
        store, focus = self.store, self.focus
        state = store.moment(focus)
        ring = state.rings.get(focus.oid)
        if ring is None or focus.head < 0:
            self.title.setText(t("No descriptor in focus"))
            self.subtitle.setText(t("Choose a slot in Rings."))
            self.tree.put(Node(None, []))
            self._chain = []
            self._show_bytes(0, "")
            return
        states = slot_states(ring, state.fields.get(focus.oid, {}))
        inside = focus.head < ring.num
        word = t(SLOT_NAMES[states.state[focus.head]].replace("_", " ")) if inside else t("outside the table")
        head = states.head[focus.head] if inside and states.head[focus.head] >= 0 else focus.head
        chain = whole_chain(ring, states, head)
        packed = ring.packed and len(chain) > 0
        self._chain, self._ident = chain, chain[0].link if packed else head
        self.title.setText(t("{ring} descriptor {head}", ring=store.name_of(focus.oid), head=focus.head))
        table_word = t("packed ring") if ring.packed else t("table")
        ident = t("  ·  buffer id {link}", link=chain[0].link) if packed else ""
        self.subtitle.setText(
            t(
                "{word}{ident}  ·  {table_word} of {num} at guest physical 0x{desc_gpa:x}",
                word=word,
                ident=ident,
                table_word=table_word,
                num=ring.num,
                desc_gpa=ring.desc_gpa,
            )
        )
        self.tree.put(self._tree(chain, ring.packed, inside and states.state[head] == SLOT_USED))
        # events name a packed ring's buffer by its id
        packet, note = self._packet(state, chain[0].link if packed else head, t("buffer id") if packed else t("head"))
        self._show_bytes(packet, note)

    def _tree(self, chain: list[Descriptor], packed: bool, used: bool) -> Node:
        root = Node(None, [])
        for place, entry in enumerate(chain):
            where = t("indirect ") if entry.indirect else ""
            node = root.add(
                Node(
                    place,
                    [t("{where}descriptor {number}", where=where, number=entry.number), t("head") if place == 0 else t("{place} in chain", place=place), ""],
                    heading=True,
                )
            )
            came_back = packed and used and place == 0
            direction = t("device writes") if entry.flags & DESC_F_WRITE else t("device reads")
            node.add(Node((place, "addr"), ["addr", f"0x{entry.addr:x}", t("guest phys.")]))
            node.add(Node((place, "len"), ["len", str(entry.length), t("bytes written") if came_back else t("bytes")]))
            node.add(Node((place, "flags"), ["flags", f"0x{entry.flags:x} {entry.flag_words()}", t("by the device") if came_back else direction]))
            if not packed:
                node.add(Node((place, "next"), ["next", str(entry.link), "" if entry.flags & DESC_F_NEXT else t("not used")]))
            elif not entry.indirect:
                node.add(Node((place, "id"), ["id", str(entry.link), t("buffer id")]))
        root.add(Node("sum", [t("whole chain"), _sum(chain, packed and used), ""], heading=True))
        return root

    def _packet(self, state: MachineState, head: int, word: str) -> tuple[int, str]:
        """The last frame that events say passed through `head` up to the moment, 0 for none, and a word about it."""
        store = self.store
        kinds = [int(EV_FRAME_TX), int(EV_FRAME_RX)]
        rows = store.reader.find_events(kinds, max(store.first_seq, state.seq - 200_000), state.seq, 4096, True, [self.focus.oid])
        rows = rows[rows["a2"] == head]
        if not len(rows) or not int(rows[-1]["a0"]):
            return 0, t("No recorded frame passed through this {word}.", word=word)
        return int(rows[-1]["a0"]), t(
            "Last frame through this {word}: packet {packet} at event {seq}", word=word, packet=int(rows[-1]["a0"]), seq=int(rows[-1]["seq"])
        )

    def _show_bytes(self, packet: int, note: str) -> None:
        data = b""
        if packet:
            try:
                data = self.store.reader.packet_bytes(packet)
            except SessionError:
                note += t("; its bytes were not recorded")
        self._note.setText(note)
        self.bytes.show_bytes(data, 8 if self.width() < 460 else 16)

    def text(self) -> str:
        """Chain and bytes."""
        return f"{self.heading()}\n{self.tree.text()}\n{self._note.text()}\n{self.bytes.toPlainText()}"


def _sum(chain: list[Descriptor], used: bool) -> str:
    """Bytes of the whole chain; a packed ring's used descriptor says how many the device wrote, and no longer how many there were."""
    if used:
        return t("{length} B written", length=chain[0].length)
    readable = sum(e.length for e in chain if not e.flags & (DESC_F_WRITE | DESC_F_INDIRECT))
    writable = sum(e.length for e in chain if e.flags & DESC_F_WRITE)
    return t("{readable} B out, {writable} B in", readable=readable, writable=writable)
