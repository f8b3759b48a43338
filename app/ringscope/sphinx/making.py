"""What the four directives share: the workshop, a page's notes, and what goes wrong told where the directive stands."""

from __future__ import annotations

import abc
import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ringscope.sphinx.domain import RingscopeDomain, domain_of
from ringscope.sphinx.figure_options import lang_of
from ringscope.sphinx.source_files import find_source
from ringscope.sphinx.worker_link import Defect, WrongInput
from ringscope.words import speaking
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

if TYPE_CHECKING:
    from ringscope.sphinx.settings import Settings
    from ringscope.sphinx.workshop import Workshop

_LOGGER = logging.getLogger(__name__)
PROBLEMS = (InputError, SessionError, WrongInput, Defect, OSError)
"""What asking the workshop may raise."""
_COMMAND = re.compile(r"command (\d+) \(")


def problem_text(error: Exception) -> str:
    """One line; what the drawing process printed goes to Sphinx's debug log."""
    if isinstance(error, Defect) and error.details:
        _LOGGER.debug("%s", error.details)
    return " ".join(str(error).split())


class MakingDirective(SphinxDirective, abc.ABC):
    """A directive that something is made for.  `make` does it, in the page's language, and may raise `PROBLEMS`."""

    def run(self) -> list[nodes.Node]:
        """The nodes, or an error of the build with file and line."""
        domain = self.ringscope()
        domain.note_page(self.env.docname)
        try:
            with speaking(self.lang):
                return self.make()
        except PROBLEMS as error:
            return self._problem(error)

    @abc.abstractmethod
    def make(self) -> list[nodes.Node]:
        """The directive's nodes."""

    def ringscope(self) -> RingscopeDomain:
        """The domain, in which the workshop is."""
        return domain_of(self.env)

    @property
    def workshop(self) -> Workshop:
        """What draws and keeps."""
        workshop = self.ringscope().workshop
        assert workshop is not None
        return workshop

    @property
    def settings(self) -> Settings:
        """The values of ``conf.py``."""
        return self.workshop.settings

    @property
    def lang(self) -> str:
        """The language of what it writes; raises InputError for an option that names none."""
        return lang_of(self.options, self.settings)

    def source(self) -> str:
        """The file or shipped scenario that the directive's argument names; raises InputError."""
        return find_source(self.env, self.settings, self.arguments[0].strip())

    def _problem(self, error: Exception) -> list[nodes.Node]:
        # the page is read again until it is mended: an error must not vanish because a page was not touched
        self.env.note_reread()
        text = problem_text(error)
        command = _COMMAND.match(text)
        # a command of a transcript is told by its own line
        line = self._first_line() + int(command[1]) - 1 if command is not None and len(self.content) else self.lineno
        source, line_there = self.state_machine.get_source_and_line(line)
        block = nodes.literal_block(self.block_text, self.block_text)
        return [self.state.document.reporter.error(f"{self.name}: {text}", block, source=source, line=line_there)]

    def _first_line(self) -> int:
        """The line at which the content begins."""
        # reStructuredText counts from the page's beginning, MyST from the directive's
        return int(self.content_offset) + 1 + (int(self.lineno) if self.content_offset < self.lineno else 0)
