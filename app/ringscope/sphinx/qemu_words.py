"""What ``:qemu:`` knows: functions, structures and fields of QEMU, with the file and line of their definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from docutils import nodes

from ringscope.figures.parse import did_you_mean
from ringscope_core.gdb.ctypes import member, members, place_of, struct_named, struct_names
from ringscope_core.qom.profile import PROFILE_4_1
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.fields import field_table
from ringscope_core.trace.function_lines import FUNCTION_LINES

if TYPE_CHECKING:
    from ringscope.sphinx.settings import Settings

VERSIONS: Final = {"4.1": "4.1.0", "7.2": "7.2.22"}
"""QEMU's version by profile."""


class Word(NamedTuple):
    """A name that QEMU's sources have."""

    what: str
    """``function``, ``structure`` or ``field``."""
    file: str
    """Empty: not known."""
    line: int


def find_word(text: str) -> Word:
    """The word that `text` names: ``virtio_init``, ``virtio_init()``, ``VirtIONet``, ``VirtIONet.max_queues``.  Raises InputError.

    Places are those of QEMU 4.1.0; a field's is that of its structure.
    """
    name = text.strip().removesuffix("()").removeprefix("struct ").replace("->", ".")
    if name in FUNCTION_LINES:
        return Word("function", *FUNCTION_LINES[name])
    if struct_named(name) is not None:
        return _place("structure", name)
    struct, mark, field = name.partition(".")
    if mark and struct_named(struct) is not None:
        if member(struct, field.split(".", 1)[0].split("[", 1)[0]) is not None or name in _recorded():
            return _place("field", struct)
        raise InputError("qemu", text, f"a field of {struct}{did_you_mean(name, _fields_of(struct))}")
    meant = did_you_mean(name, [*FUNCTION_LINES, *struct_names()])
    raise InputError("qemu", text, f"a function, structure or field of QEMU that Ringscope knows{meant}")


def _place(what: str, struct: str) -> Word:
    file, _, line = place_of(struct).rpartition(":")
    return Word(what, file, int(line) if file else 0)


def _recorded() -> set[str]:
    return {spec.name for spec in field_table().values()}


def _fields_of(struct: str) -> list[str]:
    return [f"{struct}.{one.name}" for one in members(struct)] + [name for name in _recorded() if name.startswith(f"{struct}.")]


class ringscope_word(nodes.inline):
    """A name with a text for the pointer, ``title``; where there is no pointer it is what is in it."""


def word_node(text: str, shown: str, settings: Settings) -> nodes.Node:
    """The literal `shown` of the word `text`, with its place, and a link to it when ``ringscope_qemu_url`` says where.  Raises InputError."""
    literal = nodes.literal(shown, shown)
    word = find_word(text)
    version = VERSIONS[settings.profile]
    if settings.profile != PROFILE_4_1 or not word.file:
        # lines are known of 4.1.0 alone
        return literal
    title = f"{word.file}:{word.line} (QEMU {version})"
    inner = ringscope_word("", "", literal, title=title, classes=["ringscope-qemu"])
    if not settings.qemu_url:
        return inner
    address = settings.qemu_url.format(version=version, file=word.file, line=word.line)
    return nodes.reference("", "", literal, internal=False, refuri=address, reftitle=title)


def visit_word(translator: Any, node: ringscope_word) -> None:
    """HTML: a span that says its title when the pointer rests on it."""
    translator.body.append(translator.starttag(node, "span", "", title=node["title"]))


def depart_word(translator: Any, node: ringscope_word) -> None:
    """HTML: its end."""
    translator.body.append("</span>")
