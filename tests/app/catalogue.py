"""Everything that a person can see in another language: the texts in the sources, and the tables whose words are translated where they are shown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ringscope
from ringscope.window_actions import ACTIONS, MENUS, PANEL_KEYS
from ringscope_core.export.formats import FORMATS
from ringscope_core.trace.kinds import ENUMS, KINDS

SOURCES = Path(ringscope.__file__).parent
MARKERS = ("t", "later")


def _literals(node: ast.expr) -> Iterator[str]:
    """The texts that an argument can be: itself, or either branch of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def in_sources() -> dict[str, set[str]]:
    """Each text that stands in `t` or `later`, and the files that have it."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS and node.args:
                for text in _literals(node.args[0]):
                    found.setdefault(text, set()).add(path.relative_to(SOURCES).as_posix())
    return found


def in_tables() -> set[str]:
    """Texts of tables that are not marked one by one."""
    found = {text.lstrip("-") for spec in ACTIONS for text in (spec.text, spec.tip)}
    found |= {part for menu in MENUS for part in menu.split("/")}
    found |= {text for pair in PANEL_KEYS for text in pair}
    found |= {made.title for made in FORMATS.values()} | {option.title for made in FORMATS.values() for option in made.options}
    found |= {what for made in FORMATS.values() for what in made.whats}
    found |= {text for kind in KINDS for text in (kind.title, kind.group)} | set(ENUMS["severity"]) | set(ENUMS["run_state"])
    return found - {""}


def everything() -> set[str]:
    """All of it."""
    return set(in_sources()) | in_tables()
