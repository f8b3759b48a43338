"""What directives ask for, made once: pictures, alternative texts, transcripts, types and facts of sessions, kept under digests.

A file of the cache is named by everything that it depends on, so that it is right when it is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ringscope.figures.cache_key import key, program_digest
from ringscope.figures.files import write_whole
from ringscope.figures.recordings import Recordings, is_session
from ringscope.figures.spec import FigureSpec, TextSpec
from ringscope.sphinx.worker_link import WorkerLink
from ringscope_core.export.target import written
from ringscope_core.gdb.tables import Table
from ringscope_core.gdb.transcript import Entry

if TYPE_CHECKING:
    from ringscope.sphinx.settings import Settings

KEPT_DAYS: Final = 60
"""Files of the cache that no build used for so long are removed."""
_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is said beside a session's link."""

    path: Path
    bytes: int
    events: int
    vt: int
    """Virtual ns from start to end."""
    level: str


class Workshop:
    """Makes and keeps; one of them for each build."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """`folder` is the cache; made when something is put there."""
        self.settings = settings
        self.folder = folder
        self.drawn: set[str] = set()
        """Figures that this build drew, in whatever variants."""
        self.reused: set[str] = set()
        self._before = {path.name for path in folder.glob("figures/*")}
        self._recordings = Recordings(folder / "recordings")
        self._link = WorkerLink(folder / "recordings")

    def pictures(self, spec: FigureSpec, themes: Sequence[str], suffix: str) -> list[Path]:
        """The files of a figure, one for each of `themes`.  Raises WrongInput, Defect, InputError."""
        digest = self._recordings.digest(spec.source)
        found = []
        for theme in themes:
            wanted = spec.with_(theme=theme)
            path = self._place("figures", f"{spec.view}-{key(wanted, digest, suffix)}{suffix}")
            if not _in_use(path):
                self._link.ask("picture", spec=asdict(wanted), suffix=suffix, into=str(path))
            found.append(path)
        name = key(spec.with_(theme="light"), digest, suffix)
        (self.reused if all(path.name in self._before for path in found) else self.drawn).add(name)
        return found

    def alt(self, spec: FigureSpec) -> str:
        """What the figure shows, in words."""
        name = key(spec.with_(theme="light", scale=1.0), self._recordings.digest(spec.source), ".alt")
        return str(self._kept(name, lambda: self._link.ask("alt", spec=asdict(spec))))

    def transcript(self, spec: TextSpec) -> list[Entry]:
        """What each command printed."""
        name = key(spec, self._recordings.digest(spec.source), ".json")
        return [_entry(said) for said in self._kept(name, lambda: self._link.ask("transcript", spec=asdict(spec)))]

    def facts(self, source: str) -> SessionFacts:
        """The session file of `source` and what is said of it; a scenario is recorded when it was not yet."""
        digest = self._recordings.digest(source)[:24]
        own = is_session(source)
        said = self._kept(f"facts-{digest}", lambda: self._link.ask("facts", source=source), lambda said: own or self._recorded(said).is_file())
        path = Path(source) if own else _linked(self._recorded(said), self._place(f"downloads/{digest}", f"{Path(source).stem}.ringscope"))
        return SessionFacts(path, said["bytes"], said["events"], said["vt"], said["level"])

    def _recorded(self, said: Any) -> Path:
        return self.folder / "recordings" / str(said["file"])

    def types(self, source: str = "") -> list[dict[str, Any]]:
        """The rows of the type table of a recording, or of the model."""
        said = self._recordings.digest(source) if source else program_digest()
        profile = self.settings.profile
        return list(self._kept(f"types-{profile}-{said}", lambda: self._link.ask("types", source=source, profile=profile)))

    def close(self) -> None:
        """End the process that draws, and let go of what was not used for long."""
        self._link.close()
        self._recordings.close()
        _prune(self.folder)

    def _place(self, folder: str, name: str) -> Path:
        place = self.folder / folder
        if not place.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            # nothing in here belongs into a repository or a backup
            (self.folder / ".gitignore").write_text("*\n")
            (self.folder / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n# What ringscope.sphinx drew and recorded\n")
        return place / name

    def _kept(self, name: str, make: Callable[[], Any], holds: Callable[[Any], bool] = lambda _: True) -> Any:
        """The answer kept under `name`, as long as it `holds`; else what `make` answers, kept from now on."""
        path = self._place("texts", f"{name}.json")
        if _in_use(path):
            with contextlib.suppress(OSError, ValueError):
                said = json.loads(path.read_text(encoding="utf-8"))
                if holds(said):
                    return said
        said = make()
        write_whole(path, json.dumps(said, ensure_ascii=False).encode())
        return said


def _entry(said: Any) -> Entry:
    tables = (Table(tuple(one["headings"]), tuple(map(tuple, one["rows"])), frozenset(one["right"]), one["title"]) for one in said["tables"])
    return Entry(said["command"], said["prompt"], said["output"], tuple(tables))


def _in_use(path: Path) -> bool:
    """Whether the file is there; it counts as used today."""
    try:
        if time.time() - path.stat().st_mtime > _DAY:
            os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _linked(path: Path, wanted: Path) -> Path:
    """`path` under the name `wanted` as well."""
    if not wanted.is_file():
        with written(wanted, force=True) as fresh:
            try:
                os.link(path, fresh)
            except OSError:
                # another file system, or one without links
                fresh.write_bytes(path.read_bytes())
    return wanted


def _prune(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * _DAY
    for path in folder.glob("*/**/*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()
