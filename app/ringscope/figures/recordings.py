"""Recordings that figures are drawn of: session files as they are, scenarios recorded once and kept.

A scenario's recording is named by everything that it depends on, so that later figures and other processes find it, and a
scenario that was edited is recorded again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ringscope.figures.cache_key import core_digest
from ringscope.figures.files import make_folder
from ringscope.figures.record import duration_of, record
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.load import load, to_toml_data
from ringscope_core.scenario.resources import resource_root

if TYPE_CHECKING:
    from ringscope_core.scenario.model import Scenario
    from ringscope_core.session.reader import SessionReader

_CHUNK = 1 << 20


def is_session(source: str) -> bool:
    """Whether `source` is a session file rather than a scenario."""
    path = Path(source)
    return source.endswith(".ringscope") or (path.is_file() and path.suffix != ".toml")


class Recordings:
    """Opens what figures are drawn of.  `folder` keeps recordings of scenarios; None keeps them until the end.

    As a context manager it closes every reader that it gave out.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder: Path | None = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._readers: dict[tuple[str, tuple[str, ...]], SessionReader] = {}
        self._scenarios: dict[tuple[str, tuple[str, ...]], Scenario] = {}
        self._digests: dict[tuple[str, tuple[str, ...]], str] = {}
        self.recorded: int = 0
        """Scenarios that had to be run."""

    def __enter__(self) -> Recordings:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the readers; a temporary folder goes with its recordings."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    # -- asking -------------------------------------------------------------------------------------------------------
    def open(self, source: str, settings: Sequence[str] = ()) -> SessionReader:
        """The recording of `source`: a session file, or a scenario with ``key=value`` settings.  Raises InputError, SessionError.

        The same source gives the same reader each time; it stays open until `close`.
        """
        from ringscope_core.session.reader import SessionReader

        name = (source, tuple(settings))
        if name not in self._readers:
            reader = SessionReader(self.path(source, settings))
            if reader.last_seq < 0:
                reader.close()
                raise InputError("session", source, "a recording with events")
            self._readers[name] = reader
        return self._readers[name]

    def path(self, source: str, settings: Sequence[str] = ()) -> Path:
        """The session file of `source`; a scenario that was not recorded yet is recorded now."""
        if is_session(source):
            if settings:
                raise InputError("set", settings[0], "nothing: a session is as it was recorded; settings change a scenario")
            return Path(source)
        scenario = self._scenario(source, settings)
        path = self._place() / f"{_file_name(scenario.name)}-{self.digest(source, settings)[:24]}.ringscope"
        if not path.is_file():
            self._record(scenario, path)
        return path

    def digest(self, source: str, settings: Sequence[str] = ()) -> str:
        """Names what the recording of `source` holds, without making it."""
        name = (source, tuple(settings))
        if name not in self._digests:
            self._digests[name] = _session_digest(Path(source)) if is_session(source) else _scenario_digest(self._scenario(source, settings))
        return self._digests[name]

    # -- making -------------------------------------------------------------------------------------------------------
    def _scenario(self, source: str, settings: Sequence[str]) -> Scenario:
        name = (source, tuple(settings))
        if name not in self._scenarios:
            self._scenarios[name] = load(source, list(settings))
        return self._scenarios[name]

    def _place(self) -> Path:
        if self._folder is not None:
            return make_folder(self._folder, "cache")
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ringscope-")
        return Path(self._temporary.name)

    def _record(self, scenario: Scenario, path: Path) -> None:
        # under another name until it is whole: other processes look for `path`
        fresh = path.with_name(f".{os.getpid()}-{path.name}")
        try:
            failures = [str(line) for line in _listed(record(scenario, fresh, duration_of(scenario)).get("failures"))]
            if failures and not (scenario.expect_error and any(line.endswith(scenario.expect_error) for line in failures)):
                raise InputError("scenario", scenario.name, f"a machine that QEMU would build, or an expect_error that says how it fails: {failures[0]}")
            fresh.replace(path)
        finally:
            for left in (fresh, fresh.with_name(f"{fresh.name}-wal"), fresh.with_name(f"{fresh.name}-shm")):
                with contextlib.suppress(OSError):
                    left.unlink()
        self.recorded += 1


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60] or "scenario"


def _scenario_digest(scenario: Scenario) -> str:
    # a shipped capture stands there with its place on this machine
    data = json.dumps([to_toml_data(scenario), duration_of(scenario), core_digest()], sort_keys=True).replace(json.dumps(str(resource_root()))[1:-1], "")
    said = hashlib.sha256(data.encode())
    for option in scenario.netdev:
        # a capture's frames are part of what is recorded
        for part in option.replace(",,", "\0").split(","):
            word, _, value = part.partition("=")
            if word == "file" and value:
                said.update(_file_digest(Path(value.replace("\0", ","))).encode())
    return said.hexdigest()


def _session_digest(path: Path) -> str:
    digest = _file_digest(path)
    if not digest:
        # the reader says it best
        from ringscope_core.session.reader import SessionReader

        SessionReader(path).close()
    return digest


def _file_digest(path: Path) -> str:
    """Of the file's content, "" when it cannot be read."""
    said = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                said.update(chunk)
    except OSError:
        return ""
    return said.hexdigest()
