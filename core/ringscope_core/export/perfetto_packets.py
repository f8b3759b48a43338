"""Perfetto's TracePacket, as much of it as a session needs: tracks, slices, instants, flows, counters.

Field numbers are those of Perfetto's published trace_packet.proto, track_event.proto, track_descriptor.proto and debug_annotation.proto.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from ringscope_core.export import protobuf as pb

BEGIN: Final = 1
END: Final = 2
INSTANT: Final = 3
COUNTER: Final = 4

UNIT_COUNT: Final = 2
UNIT_BYTES: Final = 3

_SEQUENCE: Final = pb.number(10, 1)
"""All packets are of one sequence."""
_CLEARED: Final = pb.number(13, 1)
_TIMESTAMP: Final = pb.varint(8 << 3)
_PACKET: Final = pb.varint(1 << 3 | 2)
_INT: Final = pb.varint(4 << 3)


def _packet(body: bytes) -> bytes:
    return pb.data(1, body)


def first() -> bytes:
    """The packet that every sequence begins with."""
    return _packet(_SEQUENCE + _CLEARED)


def process_track(uuid: int, name: str) -> bytes:
    """A track for a process."""
    return _packet(_SEQUENCE + pb.data(60, pb.number(1, uuid) + pb.data(3, pb.number(1, 1) + pb.text(6, name))))


def thread_track(uuid: int, parent: int, name: str) -> bytes:
    """A track for a thread of that process: call frames."""
    thread = pb.data(4, pb.number(1, 1) + pb.number(2, 1) + pb.text(5, name))
    return _packet(_SEQUENCE + pb.data(60, pb.number(1, uuid) + pb.number(5, parent) + thread))


def track(uuid: int, parent: int, name: str, description: str = "") -> bytes:
    """A track of its own."""
    body = pb.number(1, uuid) + pb.number(5, parent) + pb.text(2, name) + (pb.text(14, description) if description else b"")
    return _packet(_SEQUENCE + pb.data(60, body))


def counter_track(uuid: int, parent: int, name: str, unit: int) -> bytes:
    """A track of numbers."""
    return _packet(_SEQUENCE + pb.data(60, pb.number(1, uuid) + pb.number(5, parent) + pb.text(2, name) + pb.data(8, pb.number(3, unit))))


def event_head(sort: int, track_uuid: int, name: str = "", category: str = "") -> bytes:
    """What all events of one sort, track and name have in common."""
    body = pb.number(9, sort) + pb.number(11, track_uuid)
    if name:
        body += pb.text(23, name)
    return body + (pb.text(22, category) if category else b"")


def event(time_ns: int, head: bytes, rest: bytes = b"") -> bytes:
    """An event: its head, and what it has of its own."""
    return stamped(time_ns, whole(head + rest))


def whole(body: bytes) -> bytes:
    """What of an event's packet does not depend on its time, for `stamped`."""
    return _SEQUENCE + pb.data(11, body)


def stamped(time_ns: int, made: bytes) -> bytes:
    """An event made by `whole`, at a time."""
    stamp = pb.varint(time_ns)
    return _PACKET + pb.varint(len(stamp) + len(made) + 1) + _TIMESTAMP + stamp + made


def flow(number: int) -> bytes:
    """A flow that an event belongs to: arrows join the events of one flow in the order of their times."""
    return pb.fixed64(47, number)


def counter_value(value: int) -> bytes:
    """The value of a counter event."""
    return pb.number(30, value)


@cache
def _named(name: str) -> bytes:
    """The name of an argument."""
    return pb.text(10, name)


def annotation_int(name: str, value: int) -> bytes:
    """An argument that is a number."""
    return pb.data(4, _named(name) + _INT + pb.varint(value))


def annotation_text(name: str, value: str) -> bytes:
    """An argument that is a text."""
    return pb.data(4, _named(name) + pb.text(6, value))
