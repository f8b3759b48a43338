"""QOM types as a tree: what the list, the table and the figure of ``ringscope-types`` are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ringscope.figures.parse import did_you_mean
from ringscope_core.scenario.errors import InputError

HOOKS: Final = ("class_base_init", "class_init", "instance_init", "instance_post_init", "instance_finalize")
"""In the order in which QEMU calls them."""
INTERFACE: Final = "interface"


@dataclass(slots=True)
class TypeEntry:
    """A type and those that derive from it."""

    name: str
    parent: str
    abstract: bool
    is_interface: bool
    interfaces: tuple[str, ...]
    """Which it implements, as its own registration says."""
    struct: str
    size: int | None
    """Bytes of an instance on x86-64; None: not known."""
    hooks: tuple[tuple[str, str], ...]
    """Slot and function of its own."""
    children: list[TypeEntry] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, TypeEntry]]:
        """This type and all below it, with their depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def type_tree(rows: Sequence[dict[str, Any]], root: str = "") -> list[TypeEntry]:
    """The roots, or `root` alone, with all that derive from them, by name.  Raises InputError for a root that does not exist."""
    entries = {str(row["name"]): _entry(row) for row in rows}
    for name in sorted(entries):
        parent = entries.get(entries[name].parent)
        if parent is not None:
            parent.children.append(entries[name])
    tops = [entry for name, entry in sorted(entries.items()) if entry.parent not in entries]
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


def _entry(row: dict[str, Any]) -> TypeEntry:
    hooks = tuple((slot, str(row[slot])) for slot in HOOKS if row.get(slot))
    size = row.get("instance_size")
    return TypeEntry(
        str(row["name"]),
        str(row["parent"] or ""),
        bool(row["abstract"]),
        False,
        tuple(str(name) for name in row["interfaces"]),
        str(row["instance_struct"] or ""),
        int(size) if size else None,
        hooks,
    )
