"""The directive ``ringscope-figure``: a view of a scenario or a session, drawn when the page is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives

from ringscope.sphinx.figure_options import FRAME_OPTIONS, PICTURE_OPTIONS, Picture, picture_of
from ringscope.sphinx.making import MakingDirective
from ringscope.sphinx.pictures import files_of, picture_node
from ringscope_core.scenario.errors import InputError


class FigureMaker(MakingDirective):
    """What directives that draw share."""

    def figure(self, picture: Picture) -> nodes.figure:
        """The figure around `picture`: drawn for this builder, with caption and legend, named and placed as the options say.  Raises `PROBLEMS`."""
        alt = picture.alt or self.workshop.alt(picture.spec)
        node = picture_node(picture, alt, self.options.get("width", ""))
        builder = self.ringscope().builder
        assert builder is not None
        # drawn now, so that what is wrong is told where it stands, and in several processes when Sphinx reads in several
        files_of(self.workshop, builder, node["spec"], node["theme"], node["format"])
        figure = nodes.figure("", node, classes=["ringscope-figure", *self.options.get("class", [])])
        figure.source, figure.line = node.source, node.line = self.get_source_info()
        if "align" in self.options:
            figure["align"] = self.options["align"]
        if "figwidth" in self.options:
            figure["width"] = self.options["figwidth"]
        self.add_name(figure)
        self._caption(figure)
        return figure

    def _caption(self, figure: nodes.figure) -> None:
        if not self.content:
            return
        first, *rest = self.parse_content_to_nodes()
        if not isinstance(first, nodes.paragraph):
            raise InputError("caption", first.astext(), "a paragraph, and after it a legend")
        caption = nodes.caption(first.rawsource, "", *first.children)
        caption.source, caption.line = first.source, first.line
        figure += caption
        if rest:
            figure += nodes.legend("", *rest)


class FigureDirective(FigureMaker):
    """``.. ringscope-figure:: SCENARIO|SESSION`` with ``:view:`` and the options of the command line's verb ``figure``."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = {"view": directives.unchanged, **PICTURE_OPTIONS, **FRAME_OPTIONS}

    def make(self) -> list[nodes.Node]:
        """The figure."""
        source = self.source()
        view = (self.options.get("view") or "").strip()
        return [self.figure(picture_of(self.options, source, view, self.settings, self.env))]
