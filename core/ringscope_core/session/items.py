"""What the run hands to the session's writer: one tuple a kind of thing, put into a queue and inserted by the writer's thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from ringscope_core.session.rows import Ints


class RingSample(NamedTuple):
    """One ring's counters at a moment: values in the order of `COUNTER_NAMES`, and the latency histogram's counts."""

    oid: int
    values: list[int]
    latency: list[int]


class Block(NamedTuple):
    """Events as the log's sink gets them."""

    first_seq: int
    rows: bytes


class Strings(NamedTuple):
    """New texts of the string table."""

    first_id: int
    texts: list[str]


class Keyframe(NamedTuple):
    """A whole state."""

    seq: int
    vt: int
    wall: int
    plain: dict[str, Any]


class Packets(NamedTuple):
    """Frames."""

    rows: Ints
    data: bytes


class Pin(NamedTuple):
    """What came so far stays when the file is bounded."""


class Counters(NamedTuple):
    """One sample of every ring."""

    vt: int
    wall: int
    rings: list[RingSample]


class Row(NamedTuple):
    """A row of a small table: mark, control, log, note, gap."""

    table: str
    values: tuple[object, ...]


class Gone(NamedTuple):
    """A row of a small table that goes."""

    table: str
    id: int


class Breakpoints(NamedTuple):
    """All breakpoints, id and JSON text."""

    specs: list[tuple[int, str]]


class Meta(NamedTuple):
    """A thing said about the run."""

    key: str
    value: object


class Types(NamedTuple):
    """The QOM types."""

    types: list[Mapping[str, Any]]


class Fence(NamedTuple):
    """Set when everything before it is committed."""

    reached: threading.Event


Item = Block | Strings | Keyframe | Packets | Counters | Row | Gone | Breakpoints | Meta | Types | Pin | Fence
