"""The object in focus: fields, properties, class hooks, the stack that created it, and a field's history."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from PySide6.QtWidgets import QTabWidget

from ringscope.commands import Commands
from ringscope.focus import Focus
from ringscope.store import Store
from ringscope.type_rows import TypeForest
from ringscope.values import offer_tree
from ringscope.views.inspector.fields import Observed, field_tree
from ringscope.views.inspector.page import Page, table, wide_table
from ringscope.widgets.tree_list import Node, TreeList
from ringscope.words import t
from ringscope_core.gdb.backtrace import backtrace, format_frame
from ringscope_core.gdb.hooks import effective_hooks
from ringscope_core.gdb.objects import object_text
from ringscope_core.query.decode import format_clock
from ringscope_core.query.watch import Watch, field_watch, object_watch
from ringscope_core.trace.kinds import EV_FIELD, EV_OBJ_NEW, EV_RING_RESET
from ringscope_core.trace.oids import is_ring

HISTORY: Final = 400
"""Changes of a field that are listed, the newest ones."""
ASK_S: Final = 1.0
"""How often a running machine is asked for properties."""


class ObjectPage(Page):
    """Five tabs about one object or ring."""

    def __init__(self, store: Store, focus: Focus, commands: Commands) -> None:
        super().__init__(store, focus, commands)
        self.fields = table([t("Field"), t("Value"), t("At")], (41, 46, 15), {1, 2}, t("Fields"))
        self.properties = table([t("Property"), t("Value"), t("Type")], (46, 40, 24), {1}, t("Properties"))
        self.methods = wide_table([t("Hook"), t("Function"), t("Set by")], {1}, t("Class hooks"))
        self.origin = wide_table([t("Frame")], {0}, t("Stack that created it"))
        self.history = wide_table([t("Event"), t("Time (s)"), t("Field"), t("Value"), t("Was")], {0, 1, 3, 4}, t("History"))
        self.history.setRootIsDecorated(False)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for tree, name, tip in (
            (self.fields, t("Fields"), t("Every field with its value at the moment")),
            (self.properties, t("Properties"), t("QOM properties of the running machine")),
            (self.methods, t("Hooks"), t("Class hooks: which function, and who set it")),
            (self.origin, t("Origin"), t("The call stack that created it")),
            (self.history, t("History"), t("Every change of its fields")),
        ):
            self.tabs.addTab(tree, name)
            self.tabs.setTabToolTip(self.tabs.count() - 1, tip)
        self.tabs.setUsesScrollButtons(True)
        self.body.addWidget(self.tabs, 1)
        self.fields.picked.connect(self._pick_field)
        offer_tree(self.fields, self._field_value, commands)
        self.history.picked.connect(lambda key: focus.select(seq=int(str(key)), subject="object"))
        self.origin.picked.connect(lambda key: focus.select(seq=int(str(key)), subject="object"))
        self.tabs.currentChanged.connect(lambda _: self.refresh())
        self._forest = TypeForest(store)
        self._observed = Observed()
        self._generation = store.generation
        self._asked_at = 0.0
        self._asked = False
        self._property_values: dict[str, tuple[str, str]] = {}
        self._property_oid = 0

    def _field_value(self, key: object) -> Watch | None:
        """A line of the fields; a heading is none."""
        spec = self.store.field(key) if isinstance(key, int) else None
        if spec is None or not isinstance(key, int):
            return None
        placed = {("Object", "ref"): "ref", ("Object", "parent"): "parent", ("DeviceState", "parent_bus"): "bus"}.get((spec.struct, spec.name))
        recorded = key in self.store.moment(self.focus).fields.get(self.focus.oid, {})
        # the composition tree tells these, no field event does
        return object_watch(self.focus.oid, placed) if placed and not recorded else field_watch(self.focus.oid, key)

    def _pick_field(self, key: object) -> None:
        if isinstance(key, int):
            self.focus.select(field=key, subject="object")

    def refresh(self) -> None:
        """The title, and the tab in front."""
        store, focus, oid = self.store, self.focus, self.focus.oid
        if self._generation != store.generation or len(self._forest) != len(store.reader.types):
            self._generation = store.generation
            self._forest = TypeForest(store)
            self._observed = Observed()
        if not oid:
            self.title.setText(t("No object in focus"))
            self.subtitle.setText(t("Choose one in Objects, in a ring, or in an event."))
            self._clear()
            return
        state = store.moment(focus)
        found = state.objects.get(oid)
        self.title.setText(store.name_of(oid))
        where = store.path_of(oid) or t("not in the composition tree")
        alive = oid in state.rings if is_ring(oid) else found is not None
        details = f"{store.type_of(oid)}  ·  {where}"
        if found is not None:
            plain = len(self._forest) and store.type_of(oid) not in self._forest.rows
            count = t("a plain structure, not a QOM object") if plain else t("references: {ref}", ref=found.ref)
            details += t("\naddress {address}  ·  {count}", address=f"0x{found.addr:x}" if found.addr else t("unknown"), count=count)
        self.subtitle.setText(details if alive else t("{details}\ndoes not exist at this moment", details=details))
        {0: self._show_fields, 1: self._show_properties, 2: self._show_methods, 3: self._show_origin, 4: self._show_history}[self.tabs.currentIndex()]()

    def _clear(self) -> None:
        for tree in (self.fields, self.properties, self.methods, self.origin, self.history):
            tree.put(Node(None, []))

    def _show_fields(self) -> None:
        self.fields.put(field_tree(self.focus.oid, self.store.moment(self.focus), self.store, self._forest, self._observed))
        if self.focus.field >= 0:
            self.fields.select_key(self.focus.field)

    # -- properties: only a running machine knows them ------------------------------------------------------------------
    def _show_properties(self) -> None:
        oid = self.focus.oid
        if self._property_oid != oid:
            self._property_oid, self._property_values, self._asked_at = oid, {}, 0.0
        path = self.store.path_of(oid)
        now = time.monotonic()
        if not is_ring(oid) and path and now - self._asked_at > ASK_S:
            self._asked_at = now
            self._asked = self.commands.query("qom-list", {"path": path}, partial(self._listed, oid, path))
        self._put_properties()

    def _put_properties(self) -> None:
        oid = self.focus.oid
        root = Node(None, [])
        for name, (type_name, value) in sorted(self._property_values.items()):
            root.add(Node(name, [name, value, type_name], muted=value == "unknown"))
        if not root.children:
            reason = t("a ring is no QOM object") if is_ring(oid) else t("no answer yet") if self._asked else t("only a running machine tells its properties")
            root.add(Node("", [reason, "", ""], muted=True, span=True))
        self.properties.put(root)

    def _listed(self, oid: int, path: str, answer: object) -> None:
        if oid != self._property_oid or not isinstance(answer, list):
            return
        for row in answer:
            name, type_name = str(row["name"]), str(row["type"])
            known = self._property_values.get(name)
            self._property_values[name] = (type_name, known[1] if known else "unknown")
            if not type_name.startswith("child<"):
                self.commands.query("qom-get", {"path": path, "property": name}, partial(self._got, oid, name))
        # a paused machine's recording does not grow: the answer itself shows
        self._put_properties()

    def _got(self, oid: int, name: str, value: object) -> None:
        if oid == self._property_oid and name in self._property_values:
            text = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
            self._property_values[name] = (self._property_values[name][0], text)
            self._put_properties()

    # -- the rest -------------------------------------------------------------------------------------------------------
    def _show_methods(self) -> None:
        chain = [row.name for row in self._forest.chain(self.store.type_of(self.focus.oid))]
        self.methods.put(hook_tree(chain))

    def _show_origin(self) -> None:
        store, oid = self.store, self.focus.oid
        kind = int(EV_RING_RESET) if is_ring(oid) else int(EV_OBJ_NEW)
        rows = store.reader.find_events([kind], store.first_seq, store.last_seq, 1, False, [oid])
        root = Node(None, [])
        if not len(rows):
            root.add(Node(-1, [t("the recording does not have its creation")], muted=True))
        else:
            seq = int(rows[0]["seq"])
            root.add(Node(seq, [t("event {seq}: {words}", seq=seq, words=store.describe_event(rows[0]))]))
            frames = backtrace(store.state_at(seq).stack, store.reader.functions, store.reader.strings)
            for frame in frames:
                root.add(Node(frame.seq, [" ".join(format_frame(frame).split())]))
            if not frames:
                root.add(Node(-2, [t("no call was open")], muted=True))
        self.origin.put(root)

    def _show_history(self) -> None:
        store, focus = self.store, self.focus
        rows = store.reader.find_events([int(EV_FIELD)], store.first_seq, focus.seq, HISTORY, True, [focus.oid])
        root = Node(None, [])
        for row in rows[::-1]:
            number = int(row["a0"])
            spec = store.field(number)
            texts = [str(int(row["seq"])), format_clock(int(row["vt"])), spec.name if spec else str(number)]
            texts += [store.decoder.field_value(number, int(row["a1"])), store.decoder.field_value(number, int(row["a2"]))]
            root.add(Node(int(row["seq"]), texts, muted=0 <= focus.field != number))
        if not root.children:
            root.add(Node(-1, ["", "", t("no change up to here"), "", ""], muted=True))
        self.history.put(root)

    def text(self) -> str:
        """The tab in front; fields as gdb prints them."""
        tree = self.tabs.currentWidget()
        assert isinstance(tree, TreeList)
        oid = self.focus.oid
        body = object_text(self.store.recording, self.store.moment(self.focus).seq, oid) if tree is self.fields and oid else ""
        body = body or tree.text()
        return f"{self.heading()}\n{body}"


def hook_tree(chain: list[str]) -> Node:
    """Class hooks by class structure."""
    root = Node(None, [])
    heads: dict[str, Node] = {}
    for slot, function, setter, overridden in effective_hooks(chain):
        struct, name = slot.split(".", 1)
        head = heads.get(struct) or root.add(Node(struct, [struct, "", ""], heading=True))
        heads[struct] = head
        head.add(
            Node(
                slot,
                [name, function, setter],
                tip=t("{slot} = {function}, set by {setter}", slot=slot, function=function, setter=setter)
                + (t("; overrides {overridden}", overridden=overridden) if overridden else ""),
            )
        )
        if overridden:
            head.add(Node(slot + "/", [t("  overrides"), *overridden.split(" of ", 1)], muted=True))
    if not root.children:
        root.add(Node("", [t("none known"), "", ""], muted=True))
    return root
