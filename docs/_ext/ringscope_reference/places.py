"""Topic ``places``: what callouts and crops of each view can name, asked of the views themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from ringscope.views import ALL_VIEWS, PANELS

from . import wording
from .blocks import Block, Section, Table, code
from .declared import source_of
from .place_kinds import PLACES

_MODULES: Final = ("ringscope.figures.places", "ringscope.window_places", *(f"ringscope.views.{name}.places" for name in (*ALL_VIEWS, *PANELS)))
SOURCES: Final = tuple(module for module in _MODULES if source_of(module).is_file())
"""Modules that the page depends on; a view of panes alone has no places of its own."""

_RANGE: Final = re.compile(r"(\d+) to (\d+)")
_MANY: Final = ("type", "call")
"""Kinds of which virtio's come first, for those are what a reader looks for."""
_FEW: Final = 5
"""So many places of a kind are named, of the view's own parts all."""


@cache
def places_of_views(language: str) -> dict[str, dict[str, list[str]]]:
    """View -> kind -> places.  Raises RuntimeError when a declared one is not there."""
    command = [sys.executable, "-m", "ringscope_reference.seen_places", language]
    done = subprocess.run(command, check=False, cwd=Path(__file__).resolve().parents[1], capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"places of views: {done.stderr.strip()[-600:]}")
    found: dict[str, dict[str, list[str]]] = json.loads(done.stdout.splitlines()[-1])
    for view, kinds in PLACES.items():
        if set(kinds) != set(found[view]):
            raise RuntimeError(f"places of the view {view}: declared {sorted(kinds)}, offered {sorted(found[view])}")
    return found


def _named(kind: str, places: list[str], also: tuple[str, ...]) -> str:
    """The names of a kind's places in a cell; of many the first few, and every other way of writing."""
    offered = [place for place in places if place not in also]
    if kind in _MANY:
        offered.sort(key=lambda place: "virtio" not in place)
    first = offered if kind == "part" else offered[:_FEW]
    more = [wording.w("and {count} more").format(count=len(offered) - len(first))] if len(offered) > len(first) else []
    cells = [", ".join([*map(_name, first), *more])] if first else []
    return "; ".join([*cells, *([", ".join(map(_name, also))] if also else [])])


def _name(place: str) -> str:
    """What stands behind the colon; a range as its two ends."""
    name = place.partition(":")[2]
    ends = _RANGE.fullmatch(name)
    return wording.w("{first} to {last}").format(first=code(ends[1]), last=code(ends[2])) if ends else code(name)


def places() -> list[Block]:
    """A section for each view: kinds of places, what each is, and which there are in a figure of it."""
    found = places_of_views(wording.language())
    header = (wording.w("kind"), wording.w("is"), wording.w("there"))
    blocks: list[Block] = []
    for view, kinds in PLACES.items():
        rows = tuple((code(f"{name}:"), wording.w(kind.words), _named(name, found[view][name], kind.also)) for name, kind in kinds.items())
        blocks.append(Section(code(view), f"places-{view}", (Table(header, rows, (14, 36, 50)),)))
    return blocks
