"""What the words of callouts and crops mean: one entry for each kind of place that a view offers.

Which places there are, the views say (`seen_places`); here stands what a kind is, and in which other ways one of it may be written.  A kind that no
view offers, one that has no entry here and a way of writing that finds nothing are errors of the build.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of place in one view."""

    words: str
    """What such a place is."""
    also: tuple[str, ...] = ()
    """Places that are found though no list has them, as whole words: ``desc:5@circle``, and panes that come when they are asked for."""


_PANE: Final = Kind("a pane of the view")
_COLUMN: Final = Kind("the head of a column")
_TYPE: Final = Kind("a QOM type")

PLACES: Final[dict[str, dict[str, Kind]]] = {
    "types": {"part": _PANE, "type": _TYPE},
    "objects": {
        "part": _PANE,
        "object": Kind("an object: its path, the end of it, or its number", ("object:net0", "object:virtio-backend")),
        "column": _COLUMN,
    },
    "realize": {
        "part": Kind("a pane of the view; the console comes when it is asked for", ("part:console",)),
        "frame": Kind("a frame of the stack, by function or by number", ("frame:#3",)),
        "call": Kind("a function's bar in the timeline: the call in focus, else the first"),
        "field": Kind("a field that the call writes, in the table"),
        "checkpoint": Kind("a line that the call passes, in the table"),
        "line": Kind("a line of the source, by QEMU's number", ("line:2687",)),
        "column": _COLUMN,
    },
    "rings": {
        "part": Kind("a pane, or what is drawn in one"),
        "queue": Kind("a virtqueue's card"),
        "avail": Kind("a slot of the available ring", ("avail:5@circle",)),
        "desc": Kind("a slot of the descriptor table: in the lens when it is there, else in the circle; `@` chooses", ("desc:5@circle", "desc:5@table")),
        "used": Kind("a slot of the used ring", ("used:5@circle",)),
        "field": Kind("an index or a flag beside the circle"),
        "chain": Kind("a descriptor of the chain shown, from 0"),
        "column": _COLUMN,
    },
    "throughput": {
        "part": _PANE,
        "plot": Kind("a plot"),
        "queue": Kind("a virtqueue's row of values"),
        "column": _COLUMN,
    },
    "events": {
        "part": _PANE,
        "row": Kind("a row of those in sight, from 1"),
        "event": Kind("an event by its number; or the first of a kind in sight, else the nearest below", ("event:kick",)),
        "column": _COLUMN,
    },
    "typetree": {"part": _PANE, "type": _TYPE, "column": _COLUMN},
    "inspector": {
        "part": Kind("a pane, or a subject's button"),
        "field": Kind("a line by what stands first in it, with its structure where that is not clear", ("field:status",)),
        "column": _COLUMN,
    },
    "breakpoints": {"part": _PANE},
    "notebook": {"part": _PANE},
    "timeline": {
        "part": _PANE,
        "track": Kind("the events of a group"),
        "mark": Kind("a mark"),
        "event": Kind("an event's place on the axis", ("event:100",)),
    },
    "window": {
        "part": Kind("a bar, a view or panel by its name, or a pane of one that is seen"),
        "tab": Kind("the tab of a view or panel"),
    },
}
"""View -> kind -> what it is."""
