"""Which file a directive means: a scenario that ships, a scenario or session file beside the page, or one below the source folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope.figures.parse import did_you_mean, one_of
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.shipped import SHIPPED, shipped_path

if TYPE_CHECKING:
    from sphinx.environment import BuildEnvironment

    from ringscope.sphinx.settings import Settings

_SUFFIXES: Final = (".toml", ".ringscope")


def find_source(env: BuildEnvironment, settings: Settings, text: str) -> str:
    """What `figures` takes as source: a shipped scenario's name, or an absolute path.  The page depends on the file.  Raises InputError.

    A path is relative to the page, or to the source folder when it begins with ``/``; then it is looked for in ``ringscope_sessions``.
    """
    if text in SHIPPED:
        env.note_dependency(str(shipped_path(text)))
        return text
    if not text.endswith(_SUFFIXES):
        raise InputError("scenario", text, f"{one_of(SHIPPED)}, or a file ending in .toml or .ringscope{did_you_mean(text, SHIPPED)}")
    return str(_find(env, "session" if text.endswith(".ringscope") else "scenario", text, settings.sessions))


def find_layout(env: BuildEnvironment, text: str) -> str:
    """The absolute path of a layout file, found as a session is.  Raises InputError."""
    return str(_find(env, "layout", text, ""))


def _find(env: BuildEnvironment, field: str, text: str, further: str) -> Path:
    _, beside = env.relfn2path(text)
    places = [Path(beside)]
    if further:
        places.append(Path(env.srcdir) / further / text.lstrip("/"))
    # also of a file that is not there: the page is read again when it is
    found = next((place for place in places if place.is_file()), places[0])
    env.note_dependency(str(found))
    if not found.is_file():
        looked = " or ".join(_shown(env, place) for place in places)
        raise InputError(field, text, f"a file that exists (there is no {looked})")
    return found.resolve()


def _shown(env: BuildEnvironment, path: Path) -> str:
    """Relative to the source folder where it lies in it."""
    resolved, root = path.resolve(), Path(env.srcdir).resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(path)
