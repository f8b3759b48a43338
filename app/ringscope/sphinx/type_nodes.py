"""The list and the table of QOM types, with a target for each type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from docutils import nodes
from sphinx import addnodes

from ringscope.sphinx.qemu_words import word_node
from ringscope.sphinx.tables import grid
from ringscope.words import later, t
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope.sphinx.settings import Settings
    from ringscope.sphinx.type_tree import TypeEntry

Target = Callable[[str], list[nodes.Node]]
"""Makes the place that references to a type lead to, with its entry in the index; nothing when this directive makes none."""
_COLUMNS: Final = (later("Type"), later("Parent"), later("Structure"), later("Instance size"), later("Hooks"))


class TypeWriter:
    """Writes types as nodes."""

    def __init__(self, settings: Settings, page: str, target: Target) -> None:
        self._settings = settings
        self._page = page
        self._target = target

    # -- a list -------------------------------------------------------------------------------------------------------
    def listed(self, entries: Sequence[TypeEntry]) -> nodes.bullet_list:
        """Types, each with those that derive from it below."""
        found = nodes.bullet_list(bullet="*")
        for entry in entries:
            item = nodes.list_item("", self._line(entry))
            if entry.hooks:
                item += self._hooks(entry)
            if entry.children:
                item += self.listed(entry.children)
            found += item
        return found

    def _line(self, entry: TypeEntry) -> nodes.paragraph:
        line = nodes.paragraph("", "", *self._name(entry))
        said: list[list[nodes.Node]] = [[nodes.Text(mark)] for mark in self._marks(entry)]
        if entry.row.parent:
            said.append([nodes.Text(t("derives from") + " "), self._reference(entry.row.parent)])
        if entry.row.interfaces:
            said.append([nodes.Text(t("implements") + " "), *_joined([[self._reference(name)] for name in entry.row.interfaces], ", ")])
        size = [self._word(entry.row.instance_struct)] if entry.row.instance_struct else []
        if entry.row.instance_size:
            size.append(nodes.Text((", " if size else "") + t("{n} bytes", n=f"{entry.row.instance_size:,}")))
        if size:
            said.append(size)
        if said:
            line += nodes.Text(": ")
            line += nodes.inline("", "", *_joined(said, "; "), classes=["ringscope-mark"])
        return line

    def _hooks(self, entry: TypeEntry) -> nodes.bullet_list:
        hooks = nodes.bullet_list(bullet="-", classes=["ringscope-hooks"])
        for slot, function in entry.hooks:
            hooks += nodes.list_item("", nodes.paragraph("", "", nodes.Text(f"{slot}: "), self._word(function)))
        return hooks

    # -- a table ------------------------------------------------------------------------------------------------------
    def table(self, entries: Sequence[TypeEntry]) -> nodes.table:
        """Types, each under the one that it derives from."""
        rows = [self._row(entry) for top in entries for _, entry in top.walk()]
        return grid([t(heading) for heading in _COLUMNS], rows, classes=["ringscope-types"])

    def _row(self, entry: TypeEntry) -> list[list[nodes.Node]]:
        marks = self._marks(entry)
        name = nodes.paragraph("", "", *self._name(entry))
        if marks:
            name += nodes.Text(" ")
            name += nodes.inline("", f"({', '.join(marks)})", classes=["ringscope-mark"])
        hooks: list[nodes.Node] = [nodes.paragraph("", "", nodes.Text(f"{slot}: "), self._word(function)) for slot, function in entry.hooks]
        return [
            [name],
            [nodes.paragraph("", "", self._reference(entry.row.parent))] if entry.row.parent else [],
            [nodes.paragraph("", "", self._word(entry.row.instance_struct))] if entry.row.instance_struct else [],
            [nodes.paragraph("", f"{entry.row.instance_size:,}", classes=["ringscope-number"])] if entry.row.instance_size else [],
            hooks,
        ]

    # -- both ---------------------------------------------------------------------------------------------------------
    def _name(self, entry: TypeEntry) -> list[nodes.Node]:
        literal = nodes.literal("", entry.name)
        return [*self._target(entry.name), nodes.strong("", "", literal)]

    def _marks(self, entry: TypeEntry) -> list[str]:
        # an interface is abstract by being one
        return [t("interface")] if entry.is_interface else [t("abstract")] if entry.row.abstract else []

    def _reference(self, name: str) -> nodes.Node:
        literal = nodes.literal("", name, classes=["xref", "ringscope", "ringscope-type"])
        return addnodes.pending_xref("", literal, refdoc=self._page, refdomain="ringscope", reftype="type", reftarget=name, refexplicit=False, refwarn=False)

    def _word(self, name: str) -> nodes.Node:
        try:
            return word_node(name, name, self._settings)
        except InputError:
            return nodes.literal("", name)


def _joined(parts: Sequence[Sequence[nodes.Node]], between: str) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    for part in parts:
        found += [nodes.Text(between), *part] if found else part
    return found
