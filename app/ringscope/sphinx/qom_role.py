"""The role ``:qom:``: a QOM type's name, linked to where ``ringscope-types`` describes it."""

from __future__ import annotations

from docutils import nodes
from sphinx.roles import XRefRole


class QomRole(XRefRole):
    """A reference into the domain ``ringscope``, whatever the role's own name."""

    def create_xref_node(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """As every cross reference, with the domain's name put in."""
        self.refdomain, self.reftype = "ringscope", "type"
        self.classes = ["xref", "ringscope", "ringscope-type"]
        return super().create_xref_node()
