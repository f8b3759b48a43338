"""The directive ``ringscope-session``: a link that downloads a session, with its size, events, duration and trace level."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes

from ringscope.sphinx.making import MakingDirective
from ringscope.sphinx.workshop import SessionFacts
from ringscope.words import t
from ringscope_core.query.quantities import duration, si


class SessionDirective(MakingDirective):
    """``.. ringscope-session:: SCENARIO|SESSION``; the content is the link's text."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = {"name": directives.unchanged, "lang": directives.unchanged, "class": directives.class_option}

    def make(self) -> list[nodes.Node]:
        """A paragraph: the link, and what is known of the session.  A scenario is recorded when it was not yet."""
        source = self.source()
        facts = self.workshop.facts(source)
        paragraph = nodes.paragraph("", classes=["ringscope-session", *self.options.get("class", [])])
        paragraph.source, paragraph.line = self.get_source_info()
        # from the source folder on: Sphinx notes the dependency and copies the file, and reads the page again when it is gone
        target = f"/{Path(os.path.relpath(facts.path, self.env.srcdir)).as_posix()}"
        link = addnodes.download_reference("", "", reftarget=target, refdoc=self.env.docname, classes=["ringscope-session"])
        link.source, link.line = paragraph.source, paragraph.line
        text = " ".join(line.strip() for line in self.content).strip()
        if text:
            found, messages = self.parse_inline(text, lineno=self.lineno)
            link += found
        else:
            messages = []
            link += nodes.literal("", facts.path.name)
        paragraph += link
        paragraph += nodes.Text(" ")
        paragraph += nodes.inline("", f"({_said(facts, bool(text))})", classes=["ringscope-facts"])
        self.add_name(paragraph)
        return [paragraph, *messages]


def _said(facts: SessionFacts, with_name: bool) -> str:
    level = [t("level {level}", level=facts.level)] if facts.level else []
    said = [si(facts.bytes, "B"), t("{n} events", n=f"{facts.events:,}"), duration(facts.vt), *level]
    return ", ".join([facts.path.name, *said] if with_name else said)
