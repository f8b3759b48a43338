"""Asks every view of a figure which places it has: ``python -m ringscope_reference.seen_places LANGUAGE`` prints view -> kind -> places as JSON.

A process of its own, since Qt and Sphinx do not share one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope.figures.places import place_of, ranges
from ringscope.figures.recordings import Recordings
from ringscope.figures.spec import Callout, FigureSpec
from ringscope.figures.stage import Stage
from ringscope.views.spec import View
from ringscope_core.session.annotate import Annotations
from ringscope_core.session.changes import put_note
from ringscope_core.session.reader import SessionReader

from .place_kinds import PLACES

if TYPE_CHECKING:
    from ringscope.window import Window

_SOURCES: Final = {"realize": "realize", "breakpoints": "realize", "timeline": "recovery"}
"""Scenarios of views that have little to show of ``default``."""


def seen(stage: Stage) -> dict[str, list[str]]:
    """The places of what is on the stage by kind, numbered ones as a range, then those that may be written otherwise.

    Raises InputError for one of the latter that is not there.
    """
    root = stage.widget
    shown: View | Window | None = root if stage.spec.view == "window" else root.findChild(View)  # type: ignore[assignment]
    assert shown is not None
    found: dict[str, list[str]] = {}
    for place in ranges(shown.places()):
        found.setdefault(place.partition(":")[0], []).append(place)
    for kind, declared in PLACES[stage.spec.view].items():
        for place in declared.also:
            place_of(root, place)
            found.setdefault(kind, []).append(place)
    return found


def with_a_note(session: Path, copy: Path) -> str:
    """`session` again as `copy`, with a note in it."""
    shutil.copyfile(session, copy)
    with SessionReader(copy) as reader:
        Annotations(reader).apply(put_note(0, 0, {}, "a note"))
    return str(copy)


def main(language: str) -> None:
    """Print what every view has."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, Recordings(Path(folder)) as recordings:
        for view in PLACES:
            source = _SOURCES.get(view, "default")
            if view == "notebook":
                source = with_a_note(recordings.path(source), Path(folder) / "noted.ringscope")
            asked = tuple(Callout(place, "#") for kind in PLACES[view].values() for place in kind.also)
            spec = FigureSpec(source=source, view=view, lang=language, callouts=asked)
            with Stage(spec, recordings.open(source)) as stage:
                found[view] = seen(stage)
    print(json.dumps(found))


if __name__ == "__main__":
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    main(*sys.argv[1:])
