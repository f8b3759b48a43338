"""The role ``:qemu:``: a function, structure or field of QEMU with its place in the sources."""

from __future__ import annotations

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import ReferenceRole

from ringscope.sphinx.domain import domain_of
from ringscope.sphinx.qemu_words import word_node
from ringscope_core.scenario.errors import InputError

_LOGGER = logging.getLogger(__name__)


class QemuRole(ReferenceRole):
    """``:qemu:`virtio_init```, or ``:qemu:`some text <virtio_init>```; ``!`` in front: only a literal."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The name as a literal; one that is not known is a warning, and a literal still."""
        workshop = domain_of(self.env).workshop
        if self.disabled or workshop is None:
            return [nodes.literal(self.rawtext, self.title.removeprefix("!"))], []
        try:
            return [word_node(self.target, self.title, workshop.settings)], []
        except InputError as error:
            _LOGGER.warning("%s", error, location=self.get_location(), type="ringscope", subtype="qemu")
            return [nodes.literal(self.rawtext, self.title)], []
