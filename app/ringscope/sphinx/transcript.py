"""The directive ``ringscope-transcript``: what commands print at a moment of a scenario or a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.directives.code import container_wrapper

from ringscope.figures.spec import TextSpec
from ringscope.sphinx.making import MakingDirective
from ringscope.sphinx.tables import table_node
from ringscope_core.gdb.transcript import Entry, transcript_text
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.gdb.tables import Table

LANGUAGE = "ringscope"
"""The lexer's name."""


class TranscriptDirective(MakingDirective):
    """``.. ringscope-transcript:: SCENARIO|SESSION``; the content is commands, one a line."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = {
        **dict.fromkeys(("at", "focus", "caption", "name", "lang", "emphasize-lines"), directives.unchanged),
        "class": directives.class_option,
    }

    def make(self) -> list[nodes.Node]:
        """A literal block, with a caption when there is one; real tables stand between blocks where commands ask for tables."""
        text = {name: str(self.options.get(name) or "").strip() for name in ("at", "focus")}
        source = self.source()
        # every line, so that a wrong one is told by its number
        spec = TextSpec(source, tuple(self.content), focus=text["focus"], at=text["at"], lang=self.lang)
        if not any(line.strip() and not line.strip().startswith("#") for line in spec.commands):
            raise InputError("content", " ".join(spec.commands), "at least one command, such as bt")
        found: list[nodes.Node] = []
        for part in _parts(self.workshop.transcript(spec)):
            found.append(table_node(part) if isinstance(part, tuple) else self._block(part, not found))
        return found

    def _block(self, entries: Sequence[Entry], first: bool) -> nodes.Node:
        text = transcript_text(entries)
        block = nodes.literal_block(text, text, language=LANGUAGE, force=True)
        block["classes"] += ["ringscope-transcript", *self.options.get("class", [])]
        block["linenos"] = False
        block.source, block.line = self.get_source_info()
        if not first:
            return block
        marked = str(self.options.get("emphasize-lines") or "").strip()
        if marked:
            block["highlight_args"] = {"hl_lines": _lines(marked, text.count("\n") + 1)}
        caption = str(self.options.get("caption") or "").strip()
        node: nodes.Element = container_wrapper(self, block, caption) if caption else block
        self.add_name(node)
        return node


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry] | Table]:
    """Entries that stand in one block, and the tables between them."""
    run: list[Entry] = []
    for entry in entries:
        if not entry.tables:
            run.append(entry)
            continue
        if run:
            yield run
        run = []
        yield from entry.tables
    if run:
        yield run


def _lines(text: str, count: int) -> list[int]:
    """Numbers of lines from ``1,3-5``; raises InputError for one that the block does not have."""
    allowed = f"numbers of lines such as 1,3-5, from 1 to {count}"
    found: list[int] = []
    for part in text.split(","):
        first, mark, last = part.strip().partition("-")
        try:
            begin = int(first) if first or not mark else 1
            end = int(last) if last else count if mark else begin
        except ValueError:
            raise InputError("emphasize-lines", text, allowed) from None
        if not 1 <= begin <= end <= count:
            raise InputError("emphasize-lines", text, allowed)
        found += range(begin, end + 1)
    return sorted(set(found))
