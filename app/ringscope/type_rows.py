"""The QOM types of a recording as a forest: parents, chains, and how many instances live at a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ringscope.words import t

if TYPE_CHECKING:
    from ringscope.store import Store
    from ringscope_core.trace.state import MachineState


@dataclass(frozen=True)
class TypeRow:
    """One type as `qom.types_json` tells it.  A size of None is unknown."""

    name: str
    parent: str
    abstract: bool
    interfaces: tuple[str, ...]
    instance_struct: str
    instance_size: int | None
    class_struct: str
    class_size: int | None
    hooks: tuple[tuple[str, str], ...]
    """(hook, QEMU's function): instance_init, class_init, ... of those it has."""
    file: str


HOOKS: Final = ("instance_init", "instance_post_init", "instance_finalize", "class_init", "class_base_init")
"""In the order in which people ask for them."""


def type_row(plain: Mapping[str, Any]) -> TypeRow:
    """The type of a row of a recording's table."""

    def size(name: str) -> int | None:
        value = plain.get(name)
        return int(value) if isinstance(value, int) else None

    return TypeRow(
        str(plain["name"]),
        str(plain.get("parent") or ""),
        bool(plain.get("abstract")),
        tuple(str(name) for name in plain.get("interfaces") or ()),
        str(plain.get("instance_struct") or ""),
        size("instance_size"),
        str(plain.get("class_struct") or ""),
        size("class_size"),
        tuple((hook, str(plain[hook])) for hook in HOOKS if plain.get(hook)),
        str(plain.get("file") or ""),
    )


class TypeForest:
    """Types by name, children by parent; roots are types without a known parent."""

    def __init__(self, store: Store) -> None:
        self.rows: dict[str, TypeRow] = {}
        for plain in store.reader.types:
            row = type_row(plain)
            self.rows[row.name] = row
        self.children: dict[str, list[str]] = {name: [] for name in self.rows}
        self.roots: list[str] = []
        for name, row in self.rows.items():
            if row.parent in self.rows:
                self.children[row.parent].append(name)
            else:
                self.roots.append(name)
        sizes = {name: self.size_of(name) for name in self.rows}
        for names in (self.roots, *self.children.values()):
            names.sort(key=lambda name: (-sizes[name], name))

    def __len__(self) -> int:
        return len(self.rows)

    def size_of(self, name: str) -> int:
        """Types below `name`, itself included."""
        return 1 + sum(self.size_of(child) for child in self.children[name])

    def chain(self, name: str) -> list[TypeRow]:
        """`name`, its parent, and so on to the root; empty for an unknown type."""
        found: list[TypeRow] = []
        while name in self.rows and len(found) < 64:
            found.append(self.rows[name])
            name = self.rows[name].parent
        return found

    def walk(self) -> Iterator[tuple[str, int]]:
        """Every type and its depth, parents before children."""
        stack = [(name, 0) for name in reversed(self.roots)]
        while stack:
            name, depth = stack.pop()
            yield name, depth
            stack.extend((child, depth + 1) for child in reversed(self.children[name]))

    def structs(self, name: str) -> list[str]:
        """The instance structures of a type, the most derived first, each once."""
        return list(dict.fromkeys(row.instance_struct for row in self.chain(name) if row.instance_struct))


def instance_counts(state: MachineState, store: Store) -> Counter[str]:
    """Live objects by the type they were made of."""
    return Counter(store.text(found.type_id) for found in state.objects.values())


def size_text(size: int | None) -> str:
    """``8960 B`` or ``unknown``."""
    return t("unknown") if size is None else f"{size} B"
