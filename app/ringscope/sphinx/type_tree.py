"""QOM types as a tree: what the list, the table and the figure of ``ringscope-types`` are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ringscope.figures.parse import did_you_mean
from ringscope.type_rows import TypeRow, type_row
from ringscope_core.scenario.errors import InputError

_CALLED: Final = ("class_base_init", "class_init", "instance_init", "instance_post_init", "instance_finalize")
"""Hooks in the order in which QEMU calls them."""
INTERFACE: Final = "interface"


@dataclass(slots=True)
class TypeEntry:
    """A type and those that derive from it."""

    row: TypeRow
    is_interface: bool = False
    children: list[TypeEntry] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The type's name."""
        return self.row.name

    @property
    def hooks(self) -> list[tuple[str, str]]:
        """Slot and function of its own, in the order in which QEMU calls them."""
        return sorted(self.row.hooks, key=lambda hook: _CALLED.index(hook[0]))

    def walk(self, depth: int = 0) -> Iterator[tuple[int, TypeEntry]]:
        """This type and all below it, with their depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def type_tree(rows: Sequence[dict[str, Any]], root: str = "") -> list[TypeEntry]:
    """The roots, or `root` alone, with all that derive from them, by name.  Raises InputError for a root that does not exist."""
    entries = {row.name: TypeEntry(row) for row in map(type_row, rows)}
    for name in sorted(entries):
        parent = entries.get(entries[name].row.parent)
        if parent is not None:
            parent.children.append(entries[name])
    tops = [entry for name, entry in sorted(entries.items()) if entry.row.parent not in entries]
    for top in tops:
        if top.name == INTERFACE:
            for _, entry in top.walk():
                entry.is_interface = True
    if not root:
        return tops
    if root not in entries:
        more = did_you_mean(root, entries) or "; `ringscope types` lists them"
        raise InputError("root", root, f"a QOM type of this machine{more}")
    return [entries[root]]
