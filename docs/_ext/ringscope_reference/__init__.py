"""A local Sphinx extension: the reference of verbs, views, events and the rest, made at build time from what the program declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx."""
    from .directive import ReferenceDirective
    from .paper import PaperTables, QuestionsWithAnswers
    from .search_zh import SearchChinesePairs
    from .shell import ShellDirective

    app.add_directive("ringscope-reference", ReferenceDirective)
    app.add_directive("ringscope-shell", ShellDirective)
    app.add_post_transform(PaperTables)
    app.add_post_transform(QuestionsWithAnswers)
    app.add_search_language(SearchChinesePairs)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
