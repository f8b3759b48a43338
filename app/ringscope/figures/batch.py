"""Draws a file of figures: what changed and nothing else; or draws everything into memory and compares."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ringscope.figures.cache_key import key
from ringscope.figures.files import check_writable, write_whole
from ringscope.figures.produce import produce, produce_moving
from ringscope.figures.spec import FigureSpec
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

if TYPE_CHECKING:
    from pathlib import Path

    from ringscope.figures.figure_file import Job
    from ringscope.figures.ledger import Ledger
    from ringscope.figures.recordings import Recordings

DRAWN: Final = "drawn"
UNCHANGED: Final = "unchanged"
SAME: Final = "same"
DIFFERENT: Final = "different"
MISSING: Final = "missing"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one figure."""

    job: Job
    what: str
    """drawn, unchanged or failed; of a check same, different, missing or failed."""
    seconds: float = 0.0
    text: str = ""
    """Why it failed, in what it differs."""
    difference: Path | None = None
    """The picture of the difference, or the text."""


def job_key(job: Job, recordings: Recordings) -> str:
    """Names what `job` gives; raises InputError for a source that there is not."""
    name = key(job.spec, recordings.digest(job.spec.source, job.settings), job.suffix)
    return name if job.film is None else hashlib.sha256(f"{name} {job.film}".encode()).hexdigest()[:32]


def draw_job(job: Job, recordings: Recordings) -> bytes:
    """The bytes of one figure."""
    reader = recordings.open(job.spec.source, job.settings)
    if job.film is not None:
        assert isinstance(job.spec, FigureSpec)
        return produce_moving(job.spec, reader, job.suffix, job.film)
    return produce(job.spec, reader, job.suffix)


def draw_all(jobs: Sequence[Job], recordings: Recordings, ledger: Ledger, force: bool = False) -> Iterator[Outcome]:
    """Draw what is not drawn yet, one after the other; a figure that cannot be drawn leaves the others alone."""
    for job in jobs:
        began = time.monotonic()
        try:
            wanted = job_key(job, recordings)
            if not force and ledger.is_drawn(job.output, wanted):
                yield Outcome(job, UNCHANGED)
                continue
            check_writable(job.output.parent, "output", job.output)
            data = draw_job(job, recordings)
            _make_folder(job.output.parent)
            write_whole(job.output, data)
        except (InputError, SessionError) as error:
            yield Outcome(job, FAILED, time.monotonic() - began, _said(error))
            continue
        ledger.note(job.output, wanted, data)
        yield Outcome(job, DRAWN, time.monotonic() - began)


def check_all(jobs: Sequence[Job], recordings: Recordings, show: Callable[[Job, bytes, bytes], tuple[str, Path | None]]) -> Iterator[Outcome]:
    """Draw everything into memory and compare with the files; `show` is given old and new of what differs, and says in what."""
    for job in jobs:
        began = time.monotonic()
        try:
            data = draw_job(job, recordings)
            old = job.output.read_bytes() if job.output.is_file() else None
            if old is None:
                yield Outcome(job, MISSING, time.monotonic() - began)
            elif old == data:
                yield Outcome(job, SAME, time.monotonic() - began)
            else:
                text, path = show(job, old, data)
                yield Outcome(job, DIFFERENT, time.monotonic() - began, text, path)
        except (InputError, SessionError) as error:
            yield Outcome(job, FAILED, time.monotonic() - began, _said(error))
        except OSError as error:
            yield Outcome(job, FAILED, time.monotonic() - began, f"{job.output} cannot be read ({error.strerror})")


def _said(error: Exception) -> str:
    return " ".join(str(error).split())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("output", str(folder), f"a folder that can be made ({error.strerror})") from None
