"""Everything that the extension adds to Sphinx, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope.sphinx import building, html_style, settings
from ringscope.sphinx.domain import RingscopeDomain, say_unknown
from ringscope.sphinx.figure import FigureDirective
from ringscope.sphinx.latex_lists import DeepLists
from ringscope.sphinx.lexer import TranscriptLexer
from ringscope.sphinx.pictures import PictureTransform, ringscope_picture
from ringscope.sphinx.qemu_role import QemuRole
from ringscope.sphinx.qemu_words import depart_word, ringscope_word, visit_word
from ringscope.sphinx.qom_role import QomRole
from ringscope.sphinx.session import SessionDirective
from ringscope.sphinx.transcript import TranscriptDirective
from ringscope.sphinx.type_directive import TypesDirective
from ringscope_core import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def register(app: Sphinx) -> ExtensionMetadata:
    """Add all of it to `app`; returns what Sphinx wants to know of an extension."""
    settings.register(app)
    app.add_domain(RingscopeDomain)
    app.add_directive("ringscope-figure", FigureDirective)
    app.add_directive("ringscope-transcript", TranscriptDirective)
    app.add_directive("ringscope-types", TypesDirective)
    app.add_directive("ringscope-session", SessionDirective)
    app.add_role("qom", QomRole())
    app.add_role("qemu", QemuRole())
    app.add_lexer("ringscope", TranscriptLexer)
    app.add_node(ringscope_picture)
    app.add_node(ringscope_word, html=(visit_word, depart_word))
    app.add_post_transform(PictureTransform)
    app.add_post_transform(DeepLists)
    building.connect(app)
    html_style.connect(app)
    # intersphinx answers at 500; what it does not know either is looked at here
    app.connect("missing-reference", say_unknown, priority=900)
    return {"version": __version__, "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
