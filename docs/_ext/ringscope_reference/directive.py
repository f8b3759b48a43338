"""The directive ``ringscope-reference TOPIC``: what the program declares, as sections and tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .blocks import Block, Drawing, Section, Table
from .topics import TOPICS
from .wording import use_language

if TYPE_CHECKING:
    from sphinx.domains.std import StandardDomain


class ReferenceDirective(SphinxDirective):
    """Writes the blocks of a topic where it stands, one level below the heading it stands under."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The nodes; an unknown topic is an error with file and line."""
        topic = TOPICS.get(self.arguments[0])
        if topic is None:
            raise self.error(f"there is no topic {self.arguments[0]!r}; one of {', '.join(TOPICS)}")
        use_language(self.config.language)
        made, sources = topic()
        for source in sources:
            self.env.note_dependency(source)
        return list(self._all(made))

    def _all(self, blocks: Iterable[Block]) -> Iterable[nodes.Node]:
        for block in blocks:
            if isinstance(block, Section):
                yield self._section(block)
            elif isinstance(block, Table):
                yield from self._table(block)
            elif isinstance(block, Drawing):
                yield from self._drawing(block)
            else:
                yield from self._parsed(block.markdown)

    def _parsed(self, markdown: str) -> list[nodes.Node]:
        return self.parse_text_to_nodes(markdown, offset=self.content_offset, allow_section_headings=False)

    def _section(self, block: Section) -> nodes.section:
        section = nodes.section(ids=[block.label], names=[block.label])
        paragraph: Any = self._parsed(block.title)[0]
        title = nodes.title("", "", *paragraph.children)
        self.set_source_info(section)
        self.set_source_info(title)
        section += title
        if block.index:
            section += self._index(block)
        section.extend(self._all(block.body))
        standard: StandardDomain = self.env.domains.standard_domain
        name = block.label.lower()
        standard.anonlabels[name] = self.env.current_document.docname, block.label
        standard.labels[name] = self.env.current_document.docname, block.label, title.astext()
        return section

    def _drawing(self, block: Drawing) -> Iterable[nodes.Node]:
        yield from self._parsed(block.caption)
        yield nodes.raw("", block.html, format="html")
        yield nodes.raw("", block.latex, format="latex")

    def _index(self, block: Section) -> nodes.Node:
        from sphinx import addnodes

        entries = [("pair" if ";" in entry else "single", entry, block.label, "", None) for entry in block.index]
        return addnodes.index(entries=entries)

    def _table(self, block: Table) -> list[nodes.Node]:
        if not block.rows:
            return []
        made = self._parsed(block.markdown())
        for table in made[0].findall(nodes.table):
            table["classes"] = ["colwidths-given"]
            for spec, width in zip(table.findall(nodes.colspec), block.widths, strict=True):
                spec["colwidth"] = width
        return made
