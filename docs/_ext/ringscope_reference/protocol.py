"""Topics ``protocol``, ``breakpoints`` and ``console``: what the engine and gdb's console understand, from their tables."""

from __future__ import annotations

from dataclasses import fields
from itertools import groupby

from ringscope_core.engine import control, protocol
from ringscope_core.gdb.words import WORDS
from ringscope_core.hw.monitor_queries import QueryCommand, params_of, queries_of
from ringscope_core.query.point import Breakpoint

from .blocks import Block, Section, Table, code, codes, markdown_of
from .declared import attribute_docs
from .machines import machine
from .wording import w


def queries() -> dict[str, tuple[QueryCommand, bool]]:
    """QEMU's queries by name, and whether only profile 7.2 has each."""
    always, later = queries_of(machine("4.1")), queries_of(machine("7.2"))
    return {name: (query, name not in always) for name, query in later.items()}


def commands() -> list[Block]:
    """Topic ``protocol``: commands of the engine, queries, events."""
    header = (w("command"), w("arguments"), w("does"), w("answers"))
    own = tuple(_row(spec) for spec in protocol.DEBUG)
    other = tuple(_row(spec) for spec in protocol.OWN)
    asked = tuple(
        (code(name), _arguments(query.params), protocol.QUERIES[name] + (f" {w('Profile 7.2 only.')}" if later else ""))
        for name, (query, later) in queries().items()
    )
    events = tuple((code(name), markdown_of(means)) for name, means in protocol.EVENTS.items())
    widths = (24, 24, 30, 22)
    return [
        Section(w("Stopping, stepping, looking"), "protocol-debug", (Table(header, own, widths),)),
        Section(w("The run and its machine"), "protocol-run", (Table(header, other, widths),)),
        Section(w("QEMU's queries"), "protocol-queries", (Table(header[:3], asked, (34, 28, 38)),)),
        Section(w("Events"), "protocol-events", (Table((w("event"), w("data")), events, (34, 66)),)),
    ]


def _row(spec: protocol.CommandSpec) -> tuple[str, ...]:
    means = markdown_of(spec.means) + (f" {w('Changes the machine, and is recorded.')}" if spec.name in control.CHANGING else "")
    return code(spec.name), _arguments(params_of(spec.params)), means, markdown_of(spec.answers)


def _arguments(params: tuple[object, ...]) -> str:
    words = []
    for param in params:
        name, kind, required = tuple(param)  # type: ignore[arg-type, var-annotated]
        if name == "*":
            words.append(w("any others"))
        else:
            words.append(f"{code(name)} {kind}" + ("" if required else f" ({w('optional')})"))
    return ", ".join(words)


def breakpoints() -> list[Block]:
    """Fields of a breakpoint in plain form."""
    docs = attribute_docs("ringscope_core.query.point", "Breakpoint")
    rows = tuple((code(field.name), code(_default(field.default)), markdown_of(docs[field.name])) for field in fields(Breakpoint))
    return [Table((w("field"), w("default"), w("means")), rows, (16, 16, 68))]


def _default(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else '""' if value == "" else str(value)


def console() -> list[Block]:
    """The console's words by group."""
    from ringscope_core.gdb import every_word

    assert every_word
    blocks: list[Block] = []
    order = list(dict.fromkeys(word.group for word in WORDS.values()))
    for group, words in groupby(sorted(WORDS.values(), key=lambda word: (order.index(word.group), word.name)), lambda word: word.group):
        rows = tuple((code(f"{word.name} {word.usage}".strip()), codes(word.aliases), markdown_of(word.help)) for word in words)
        blocks.append(Section(w(group), f"console-{group.lower().replace(' ', '-')}", (Table((w("word"), w("also"), w("does")), rows, (34, 18, 48)),)))
    return blocks
