"""Why: the chain of events that led to one, as a list to walk up and down."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.widgets.tree_list import Node, TreeList
from ringscope.words import t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.query.travel import why

SHOWN = 200
"""Links that are listed at the most."""


class WhyPopup(QDialog):
    """The event at the top, what led to it below, the nearest first.  Each line that is reached is gone to."""

    def __init__(self, store: Store, focus: Focus, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setWindowTitle(t("Why?"))
        self.setAccessibleName(t("Why"))
        self.resize(720, 260)
        self._store, self._focus = store, focus
        self.heading = QLabel()
        self.heading.setWordWrap(True)
        self.heading.setProperty("role", "heading")
        self.tree = TreeList([t("Event"), t("Time (s)"), t("Kind"), t("Object"), t("What")], {0, 1}, t("Chain of causes"), (12, 13, 17, 18, 40))
        self.tree.setRootIsDecorated(False)
        layout = QVBoxLayout(self)
        layout.addWidget(self.heading)
        layout.addWidget(self.tree)
        self.tree.picked.connect(self._pick)
        store.replaced.connect(self.hide)

    def show_chain(self, seq: int) -> bool:
        """Show what led to event `seq`; false when nothing recorded did.  Asked again on a link of the chain shown, it stays."""
        chain = why(self._store.recording, seq)
        shown = [node.key for node in self.tree.nodes.root.children]
        if self.isVisible() and seq in shown:
            self.tree.select_key(seq)
        elif not chain:
            return False
        else:
            root = Node(None, [])
            for link in [seq, *chain[:SHOWN]]:
                root.add(self._line(link))
            self.tree.put(root)
            self.tree.select_key(seq)
            more = t(", the nearest {shown} are shown", shown=SHOWN) if len(chain) > SHOWN else ""
            self.heading.setText(
                t(
                    "Event {seq} happened because of {n} others" if len(chain) > 1 else "Event {seq} happened because of {n} other",
                    seq=format_count(seq),
                    n=len(chain),
                )
                + more
            )
        self.show()
        self.tree.setFocus()
        return True

    def _line(self, seq: int) -> Node:
        store = self._store
        row = store.row(seq)
        if row is None:
            return Node(seq, [format_count(seq), "", t("not recorded"), "", ""], muted=True)
        spec = store.kind(int(row["kind"]))
        clock = format_clock(int(row["vt"]))
        texts = [format_count(seq), clock, spec.name if spec else str(int(row["kind"])), store.name_of(int(row["obj"])), store.describe_event(row)]
        return Node(seq, texts, tip=t(spec.title) if spec else "")

    def _pick(self, key: object) -> None:
        if isinstance(key, int):
            self._focus.select(seq=key, subject="event")
