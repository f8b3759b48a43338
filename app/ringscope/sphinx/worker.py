"""The process that records, draws and asks recordings: one line of JSON in, one line out, until its input ends.

Sphinx forks, reads and writes in several processes and has its own signal handlers and locale; Qt would have to live with all of it, and a
crash in drawing code would end the build without a word.  So Qt lives here, and Sphinx sees files and sentences alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringscope.figures.files import write_whole
from ringscope.figures.recordings import Recordings
from ringscope.figures.spec import Callout, FigureSpec, TextSpec
from ringscope_core.net.errors import NetOptionError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader


class Jobs:
    """What can be asked for; every answer is plain data."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings

    def picture(self, spec: dict[str, Any], suffix: str, into: str) -> None:
        """Draw a figure into the file `into`."""
        from ringscope.figures.draw import draw

        wanted = figure_spec(spec)
        write_whole(Path(into), draw(wanted, self._reader(wanted.source), suffix))

    def alt(self, spec: dict[str, Any]) -> str:
        """What a figure shows, in one to three sentences."""
        from ringscope.figures.alt import alt_text

        wanted = figure_spec(spec)
        return alt_text(wanted, self._reader(wanted.source))

    def transcript(self, spec: dict[str, Any]) -> list[dict[str, Any]]:
        """Prompt, command, output and tables of each command."""
        from ringscope.figures.transcript import transcript

        wanted = TextSpec(**{**spec, "commands": tuple(spec["commands"])})
        return [
            {**entry._asdict(), "tables": [{**table._asdict(), "right": sorted(table.right)} for table in entry.tables]}
            for entry in transcript(wanted, self._reader(wanted.source))
        ]

    def facts(self, source: str) -> dict[str, Any]:
        """The session file of `source`, its size in bytes, its events, virtual ns and trace level."""
        reader = self._reader(source)
        path = self._recordings.path(source)
        level = str(reader.meta.get("trace", ""))
        return {"file": path.name, "bytes": path.stat().st_size, "events": reader.event_count, "vt": reader.last_vt, "level": level}

    def types(self, source: str, profile: str) -> list[dict[str, Any]]:
        """The rows of the type table: of the recording of `source`, or of the model when that is empty."""
        if source:
            return [dict(row) for row in self._reader(source).types]
        from ringscope_core.engine.inspect import model_types

        return model_types(profile)

    def _reader(self, source: str) -> SessionReader:
        return self._recordings.open(source)


def figure_spec(plain: dict[str, Any]) -> FigureSpec:
    """The figure that `dataclasses.asdict` and JSON made plain."""
    callouts = tuple(Callout(*callout) for callout in plain["callouts"])
    return FigureSpec(**{**plain, "size": tuple(plain["size"]), "callouts": callouts})


def answer(jobs: Jobs, line: str) -> dict[str, Any]:
    """Do what a line asks for; the answer has ``answer``, or ``wrong`` (input) or ``defect`` with a sentence."""
    try:
        asked = json.loads(line)
        job: Callable[..., Any] = getattr(jobs, asked.pop("do"))
        return {"answer": job(**asked)}
    except (InputError, SessionError, NetOptionError) as error:
        return {"wrong": " ".join(str(error).split())}
    except OSError as error:
        return {"wrong": f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")}
    except Exception as error:
        traceback.print_exc()
        return {"defect": f"{type(error).__name__}: {error}"}


def main(folder: str) -> None:
    """Serve until stdin ends; `folder` keeps recordings."""
    # Sphinx decides what an interrupt means: when it goes, our input ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # what libraries print on stdout must not get between the answers
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with Recordings(Path(folder)) as recordings:
        jobs = Jobs(recordings)
        for line in sys.stdin.buffer:
            out.write(json.dumps(answer(jobs, line.decode())) + "\n")
            out.flush()
    # Qt's objects are the system's to clear away now: nothing is left to write
    out.close()
    sys.stderr.flush()
    os._exit(0)
