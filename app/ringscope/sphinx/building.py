"""The extension's part of a build: a workshop for each, pages that a newer Ringscope draws anew, and a line at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util import logging

from ringscope.figures.cache_key import program_digest
from ringscope.sphinx.domain import RingscopeDomain, domain_of
from ringscope.sphinx.settings import cache_folder, settings_of
from ringscope.sphinx.workshop import Workshop

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_LOGGER = logging.getLogger(__name__)


def connect(app: Sphinx) -> None:
    """Follow the events of a build."""
    app.connect("builder-inited", open_workshop)
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", close_workshop)


def open_workshop(app: Sphinx) -> None:
    """The domain gets a workshop and the builder."""
    settings = settings_of(app.config)
    folder = cache_folder(settings, Path(app.confdir), Path(app.outdir), Path(app.doctreedir))
    domain = domain_of(app.env)
    domain.workshop = Workshop(settings, folder)
    domain.builder = app.builder


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> Iterable[str]:
    """Every page with something of ours, when the program that draws has changed since it was read."""
    domain = domain_of(env)
    # without a page there is no need to look through the program
    return [page for page, program in domain.pages.items() if program != program_digest()] if domain.pages else []


def close_workshop(app: Sphinx, error: Exception | None) -> None:
    """End the process that draws; say what was drawn and what was there."""
    if not hasattr(app, "env") or "ringscope" not in app.env.domains:
        return
    domain: RingscopeDomain = domain_of(app.env)
    workshop = domain.workshop
    if workshop is None:
        return
    domain.workshop = None
    workshop.close()
    if domain.pages:
        _LOGGER.info("ringscope: %d figures drawn, %d reused", len(workshop.drawn), len(workshop.reused - workshop.drawn))
