"""Names for what was drawn: the same figure of the same recording by the same program has the same name, on any machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import ringscope
import ringscope_core
from ringscope.figures.spec import FigureSpec, TextSpec
from ringscope_core import __version__
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.resources import resource_root

_APP_LEFT_OUT: Final = frozenset(("cli", "sphinx", "sources"))
"""Packages of the application that no picture shows."""
_CORE_LEFT_OUT: Final = frozenset(("conform",))
_SHOWN: Final = ("fonts", "icons", "images", "translations")
"""Shipped files that pictures show."""
_LIBRARIES: Final = ("PySide6", "fonttools", "numpy")
"""Whose version may change a picture."""


def key(spec: FigureSpec | TextSpec, source_digest: str, suffix: str) -> str:
    """Names what `spec` gives as a file of type `suffix`: a digest of it, of its recording (`Recordings.digest`) and of the program that draws."""
    words = asdict(spec)
    words["source"] = Path(spec.source).name
    layout = words.get("layout", "")
    if layout:
        words["layout"] = _layout_digest(layout)
    said = json.dumps([type(spec).__name__, words, source_digest, suffix.lower(), program_digest()], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _layout_digest(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError("layout", path, f"a layout file that can be read ({error.strerror})") from None


@cache
def program_digest() -> str:
    """Of everything in the program that can change a picture of a recording."""
    said = hashlib.sha256(f"{__version__} {core_digest()}".encode())
    said.update(_files(Path(ringscope.__file__).parent, _APP_LEFT_OUT, (".py",)).encode())
    for name in _SHOWN:
        said.update(_files(resource_root() / name, frozenset(), None).encode())
    for name in _LIBRARIES:
        try:
            said.update(f"{name} {metadata.version(name)}".encode())
        except metadata.PackageNotFoundError:
            said.update(f"{name} unknown".encode())
    return said.hexdigest()


@cache
def core_digest() -> str:
    """Of everything in the program that can change a recording of a scenario."""
    return hashlib.sha256(f"{__version__} {_files(Path(ringscope_core.__file__).parent, _CORE_LEFT_OUT, ('.py',))}".encode()).hexdigest()


def _files(root: Path, left_out: frozenset[str], suffixes: tuple[str, ...] | None) -> str:
    """A digest of the files below `root` by name and content; "" when there is no such folder."""
    if not root.is_dir():
        return ""
    said = hashlib.sha256()
    for path in _below(root, left_out):
        if suffixes is None or path.suffix in suffixes:
            said.update(path.relative_to(root).as_posix().encode() + b"\0")
            said.update(hashlib.sha256(path.read_bytes()).digest())
    return said.hexdigest()


def _below(root: Path, left_out: frozenset[str]) -> Iterable[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0] not in left_out and "__pycache__" not in parts and path.is_file():
            yield path
