"""Sphinx extension: figures, transcripts, types and sessions that are made while the documentation is built.

Add ``ringscope.sphinx`` to ``extensions`` in ``conf.py``.  Importing this package needs neither Qt nor Sphinx; `setup` needs Sphinx, and Qt
runs in a process of its own (`worker`), when something has to be drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """What Sphinx calls: adds directives, roles, the domain, the lexer and the configuration values."""
    from ringscope.sphinx.register import register

    return register(app)
