"""Lists of types in LaTeX, whose own limit is four levels of lists."""

from __future__ import annotations

from typing import Any, Final

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from ringscope.sphinx.domain import domain_of

_LEVELS: Final = "24"
_KEY: Final = "maxlistdepth"


class DeepLists(SphinxPostTransform):
    """Sets Sphinx's ``maxlistdepth`` when a list of types goes deep, unless the project sets it itself."""

    default_priority = 900
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Look through a document."""
        context = getattr(domain_of(self.env).builder, "context", None)
        if context is None or context.get(_KEY):
            return
        if any("ringscope-types" in frame["classes"] and next(frame.findall(nodes.bullet_list), None) for frame in self.document.findall(nodes.container)):
            context[_KEY] = _LEVELS
