"""The directive ``ringscope-types``: the QOM type hierarchy as a figure, a list or a table; what ``:qom:`` refers to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util.nodes import make_id

from ringscope.figures import parse
from ringscope.sphinx.figure import FigureMaker
from ringscope.sphinx.figure_options import FRAME_OPTIONS, PICTURE_OPTIONS, picture_of
from ringscope.sphinx.type_nodes import TypeWriter
from ringscope.sphinx.type_tree import TypeEntry, type_tree
from ringscope.words import t
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.shipped import SHIPPED

FORMS: Final = ("figure", "list", "table")
_FIGURE_ONLY: Final = (*(name for name in PICTURE_OPTIONS if name != "lang"), "width", "figwidth")
"""Options that say something of a picture alone."""


class TypesDirective(FigureMaker):
    """``.. ringscope-types:: [SCENARIO]`` with ``:root:`` and ``:form:``, and the options of figures for the form ``figure``."""

    required_arguments = 0
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]]] = {
        "root": directives.unchanged,
        "form": directives.unchanged,
        "no-index": directives.flag,
        **PICTURE_OPTIONS,
        **FRAME_OPTIONS,
    }

    def make(self) -> list[nodes.Node]:
        """The types, and a target for each unless ``:no-index:`` says that other pages have them."""
        form = (self.options.get("form") or "figure").strip()
        if form not in FORMS:
            raise InputError("form", form, parse.one_of(FORMS, form))
        source = self.source() if self.arguments else ""
        entries = type_tree(self.workshop.types(source), (self.options.get("root") or "").strip())
        if form == "figure":
            return self._figure(source, entries)
        for name in _FIGURE_ONLY:
            if name in self.options:
                raise InputError(name, self.options[name] or "", f"given with the form figure only, not with {form}")
        writer = TypeWriter(self.settings, self.env.docname, lambda name: self._target(name, form))
        made = writer.listed(entries) if form == "list" else writer.table(entries)
        made["classes"] += [*self.options.get("class", [])]
        return self._framed(made, form)

    # -- a figure -----------------------------------------------------------------------------------------------------
    def _figure(self, source: str, entries: list[TypeEntry]) -> list[nodes.Node]:
        root = (self.options.get("root") or "").strip()
        options = dict(self.options)
        if root and not (options.get("focus") or "").strip():
            options["focus"] = f"type:{root}"
        figure = self.figure(picture_of(options, source or SHIPPED[0], "types", self.settings, self.env))
        if "no-index" not in self.options:
            # behind the figure's own, by which it is numbered
            ids = {entry.name: self._note(entry.name, "figure") for top in entries for _, entry in top.walk()}
            figure["ids"] += ids.values()
            self.state.document.set_id(figure)
            return [_index(ids), figure]
        return [figure]

    # -- targets ------------------------------------------------------------------------------------------------------
    def _target(self, name: str, form: str) -> list[nodes.Node]:
        if "no-index" in self.options:
            return []
        target = nodes.target("", "", ids=[self._note(name, form)])
        self.state.document.set_id(target)
        return [_index({name: target["ids"][0]}), target]

    def _note(self, name: str, form: str) -> str:
        """The id at which this page describes the type `name` from now on."""
        node_id = make_id(self.env, self.state.document, "qom", name)
        self.ringscope().note_type(name, form, node_id)
        return node_id

    def _framed(self, made: nodes.Element, form: str) -> list[nodes.Node]:
        """With the content as caption of a table, or as text before a list; and with the directive's name."""
        container = nodes.container("", classes=["ringscope-types"])
        if form == "table":
            if self.content:
                first, *rest = self.parse_content_to_nodes()
                made.insert(0, nodes.title("", "", *first.children))
                container += made
                container += rest
            else:
                container += made
            if "align" in self.options:
                made["align"] = self.options["align"]
            self.add_name(made)
            return [made] if len(container) == 1 else list(container.children)
        container += self.parse_content_to_nodes() if self.content else []
        container += made
        self.add_name(container)
        return [container]


def _index(ids: dict[str, str]) -> addnodes.index:
    """Entries of the general index; in print they are on the page on which this node stands."""
    said = t("QOM type")
    return addnodes.index(entries=[("single", f"{name} ({said})", node_id, "", None) for name, node_id in ids.items()])
