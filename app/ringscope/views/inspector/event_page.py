"""The event in focus: its arguments decoded, what led to it, the calls it happened in."""

from __future__ import annotations

import numpy as np

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.values import offer_tree
from ringscope.views.inspector.page import Page, table
from ringscope.widgets.tree_list import Node
from ringscope.words import later, t
from ringscope_core.gdb.backtrace import backtrace
from ringscope_core.query.decode import format_clock
from ringscope_core.query.recording import arguments_of
from ringscope_core.query.watch import Watch, field_watch
from ringscope_core.trace.kinds import EV_EXPERT, EV_FIELD
from ringscope_core.trace.levels import LEVEL_NAMES

CAUSES = 12
"""How far back the chain of causes is followed."""


class EventPage(Page):
    """One tree: arguments, causes, stack."""

    def __init__(self, store: Store, focus: Focus, commands: Commands) -> None:
        super().__init__(store, focus, commands)
        self.tree = table([t("Name"), t("Value"), t("Unit")], (42, 40, 22), {1}, t("Event"))
        self.body.addWidget(self.tree, 1)
        self.tree.picked.connect(self._pick)
        offer_tree(self.tree, self._value, commands)

    def _value(self, key: object) -> Watch | None:
        """The arguments of a field's event are about that field."""
        row = self.store.row(self.focus.seq)
        about_field = row is not None and int(row["kind"]) == EV_FIELD and str(key).startswith("arg")
        return field_watch(int(row["obj"]), int(row["a0"])) if about_field else None

    def _pick(self, key: object) -> None:
        sort, _, number = str(key).partition(":")
        if sort in ("cause", "frame") and number.isdigit():
            self.focus.select(seq=int(number), subject="event")
        elif sort == "object" and number.isdigit():
            self.focus.select(oid=int(number), subject="object")
        elif sort == "packet" and number.isdigit():
            self.focus.select(packet=int(number), subject="packet")

    def refresh(self) -> None:
        """The focused event."""
        store, seq = self.store, self.focus.seq
        row = store.row(seq)
        if row is None:
            self.title.setText(t("No event"))
            self.subtitle.setText(t("The recording does not have this event.") if seq >= 0 else t("Nothing was recorded yet."))
            self.tree.put(Node(None, []))
            return
        number = int(row["kind"])
        spec = store.kind(number)
        self.title.setText(spec.name if spec else t("kind {number}", number=number))
        level = t("recorded at level {level} and above", level=LEVEL_NAMES[spec.level]) if spec and 0 <= spec.level < len(LEVEL_NAMES) else ""
        times = t("event {seq}  ·  {time} s virtual, {wall} s wall", seq=seq, time=format_clock(int(row["vt"])), wall=format_clock(int(row["wall"])))
        self.subtitle.setText(f"{self._sentence(number, row)}\n{times}\n{level}")
        root = Node(None, [])
        oid = int(row["obj"])
        if oid:
            root.add(Node(f"object:{oid}", [t("object"), store.name_of(oid), store.type_of(oid)], tip=store.path_of(oid)))
        args = root.add(Node("args", [t("arguments"), "", ""], heading=True))
        for place, (name, text, unit) in enumerate(store.decoder.arguments(number, arguments_of(row))):
            value = int(row[f"a{place}"])
            args.add(
                Node(f"packet:{value}" if unit == "packet" else f"arg{place}:", [name, text, unit], tip=f"{name} = {value} = 0x{value & 0xFFFFFFFFFFFFFFFF:x}")
            )
        self._add_causes(root, int(row["cause"]))
        self._add_stack(root, seq)
        self.tree.put(root)

    def _sentence(self, number: int, row: np.void) -> str:
        """What the kind means; of an entry of the expert list, which is a sentence itself, the entry."""
        if number == EV_EXPERT:
            return self.store.describe_event(row)
        spec = self.store.kind(number)
        return t(spec.title if spec else later("not declared"))

    def _add_causes(self, root: Node, cause: int) -> None:
        head = root.add(Node("causes", [t("because of"), "" if cause >= 0 else t("no recorded cause"), ""], heading=True))
        while cause >= 0 and len(head.children) < CAUSES:
            row = self.store.row(cause)
            if row is None:
                head.add(Node(f"cause:{cause}", [str(cause), t("not recorded"), ""], muted=True))
                return
            spec = self.store.kind(int(row["kind"]))
            head.add(Node(f"cause:{cause}", [f"{cause} {spec.name if spec else ''}", self.store.describe_event(row), self.store.name_of(int(row["obj"]))]))
            cause = int(row["cause"])

    def _add_stack(self, root: Node, seq: int) -> None:
        frames = backtrace(self.store.state_at(seq).stack, self.store.reader.functions, self.store.reader.strings)
        nothing = t("unknown: the session holds frames only") if self.store.meta.get("source") == "capture" else t("no call was open")
        head = root.add(Node("stack", [t("inside"), "" if frames else nothing, ""], heading=True))
        for frame in frames:
            number = "" if frame.number is None else f"#{frame.number} "
            head.add(Node(f"frame:{frame.seq}", [f"{number}{frame.function}  {frame.path}:{frame.line}"], span=True))

    def text(self) -> str:
        """Everything."""
        return f"{self.heading()}\n{self.tree.text()}"
