"""What each table, column and view of a session file holds, in words: the documentation of the format is made from it.

A session's schema is compared word for word, so these words cannot stand in its statements; a test holds them to the same tables and columns.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ringscope_core.trace.counters import COUNTER_NAMES


class TableWords(NamedTuple):
    """A table: what a row of it is, and what each column holds."""

    row: str
    columns: dict[str, str]


_SEQ: Final = "number of the event that was last then"
_VT: Final = "virtual time, ns"
_WALL: Final = "the host's time since the run began, ns"

COUNTERS: Final = {
    "packets": "frames that passed the device",
    "bytes": "their bytes",
    "drops": "frames lost",
    "kicks": "notifications that reached the device",
    "kicks_suppressed": "times the driver had no need to notify",
    "interrupts": "notifications that reached the driver",
    "interrupts_suppressed": "times the device had no need to notify",
    "batches": "flushes of the used ring that published something",
    "inuse": "a level: elements that the device holds (packed ring: descriptors)",
    "available": "a level: chains published and not yet taken (packed ring: descriptors)",
    "num": "a level: descriptors of the ring",
    "driver_packets": "frames that the driver sent or received",
    "driver_bytes": "their bytes",
    "ring_full": "times the driver found no free descriptor",
}
"""What each counter of a ring counts since the run began; a level says how much there is at the sample."""
assert tuple(COUNTERS) == COUNTER_NAMES

TABLES: Final[dict[str, TableWords]] = {
    "meta": TableWords("a fact about the session", {"key": "its name", "value": "JSON"}),
    "string": TableWords("an interned text; events carry its number", {"id": "its number", "text": "the text"}),
    "kind": TableWords(
        "a kind of event, as declared when the session was written",
        {
            "id": "its number",
            "name": "its name",
            "grp": "its group",
            "level": "the lowest trace level at which it is recorded: 0 counters, 1 packets, 2 full",
            "title": "a few words",
            "args": "JSON: a list of name and unit, for a0, a1, ...",
        },
    ),
    "function": TableWords(
        "a QEMU function that call frames name",
        {"id": "its number", "name": "its name", "file": "QEMU's file", "line": "the line it begins at", "args": "JSON: a list of name and unit"},
    ),
    "field": TableWords(
        "a field of a structure",
        {
            "id": "its number",
            "struct": "the structure",
            "name": "its name in it",
            "ctype": "its C type, empty for ours",
            "offset": "bytes from the structure's beginning, -1 unknown",
            "unit": "how to print it",
        },
    ),
    "type": TableWords("a QOM type", {"name": "its name", "spec": "JSON: parent, interfaces, sizes, hooks"}),
    "block": TableWords(
        "a block of consecutive events",
        {
            "first_seq": "number of its first event",
            "count": "events",
            "first_vt": "virtual time of the first, ns",
            "last_vt": "virtual time of the last, ns",
            "last_wall": "the host's time at the last, ns",
            "kinds": "JSON: events by kind, an object from the kind's number to how many",
        },
    ),
    "block_data": TableWords("the events of a block", {"first_seq": "as in `block`", "data": "zstd, see *Blocks*"}),
    "keyframe": TableWords("when a state was taken", {"seq": "the last event that it includes", "vt": _VT, "wall": _WALL}),
    "keyframe_data": TableWords("a whole state", {"seq": "as in `keyframe`", "data": "zstd of msgpack, see *Keyframes*"}),
    "packet": TableWords(
        "a frame; the first 16,384 of the recording, for people. Programs read the blocks",
        {
            "id": "its number, from 1",
            "vt": _VT,
            "wall": _WALL,
            "direction": "0 sent by the guest, 1 received, -1 unknown",
            "queue": "number of the ring, -1 unknown",
            "head": "the descriptor chain that carried it, -1 none",
            "seq": "the event that recorded it",
            "length": "bytes, without virtio_net_hdr",
            "header": "bytes of its virtio_net_hdr; 0 for a frame that never came to a buffer, -1 when headers were not recorded",
        },
    ),
    "packet_block": TableWords(
        "a block of consecutive frames",
        {
            "first_id": "number of its first frame",
            "count": "frames",
            "first_vt": "virtual time of the first, ns",
            "last_vt": "virtual time of the last, ns",
            "first_seq": "event of the first",
            "last_seq": "event of the last",
            "bytes": "sum of the lengths",
        },
    ),
    "packet_data": TableWords(
        "the frames of a block",
        {
            "first_id": "as in `packet_block`",
            "rows": "zstd: the nine columns of `packet`, see *Blocks*",
            "data": "zstd: the bytes of the frames one after the other, each behind its virtio_net_hdr",
        },
    ),
    "counter": TableWords(
        "one ring at one sample",
        {
            "sample": "number of the sample",
            "vt": _VT,
            "wall": _WALL,
            "oid": "the ring",
            **COUNTERS,
            "latency": "histogram, empty for none: first bucket (1 byte), bytes of a count (1 byte: 4 or 8), counts of the buckets from there on; virtual ns",
        },
    ),
    "mark": TableWords("a named moment", {"id": "its number", "seq": _SEQ, "vt": _VT, "name": "its name", "note": "a text"}),
    "event_count": TableWords("how many events of a kind there are", {"kind": "the kind's number", "count": "events"}),
    "control": TableWords(
        "a command that changed the run, in order",
        {
            "id": "its number",
            "seq": "the number that the next event had",
            "vt": "virtual time when it took effect, ns",
            "name": "the command",
            "arguments": "JSON",
        },
    ),
    "breakpoint": TableWords("a breakpoint", {"id": "its number", "spec": "JSON: its plain form"}),
    "log": TableWords(
        "what a breakpoint with a message said",
        {"id": "its number", "seq": "the event", "vt": _VT, "breakpoint": "number of the breakpoint", "text": "the message"},
    ),
    "note": TableWords("an entry of the notebook", {"id": "its number", "seq": _SEQ, "vt": _VT, "place": "JSON: what was looked at", "text": "the text"}),
    "gap": TableWords(
        "a loss: what is not in the file",
        {
            "id": "its number",
            "first_seq": "first event that is missing",
            "last_seq": "last one",
            "events": "events that are missing",
            "packets": "frames that are missing",
            "reason": "`slow disk`, `bound`, `full disk`, `damaged` or `not exported`",
        },
    ),
}
"""Every table."""

VIEWS: Final = {
    "packets": "one frame; the first 16,384 of the recording",
    "counters": "one ring at one sample, with all counters",
    "marks": "a named moment",
    "event_counts": "a kind of event and how many there are",
    "blocks": "a block of events and its size",
    "packet_blocks": "some thousand frames: numbers, times, events, bytes; all of them",
    "losses": "what is not in the file, and why",
    "controls": "a command that changed the run",
    "notes": "an entry of the notebook",
}
"""Every view for people: what a row is."""

META: Final = {
    "program": "who wrote it",
    "source": "`emulated`, or `capture` for one made of a capture",
    "fidelity": "how much of the data path was traced, in words",
    "profile": "which QEMU is modelled: `4.1` or `7.2`",
    "scenario": "the scenario's name",
    "title": "its title",
    "scenario_data": "the whole scenario, every key present",
    "seed": "the seed it ran with",
    "trace": "the trace level it began with",
    "time": "`deterministic` or `realtime`",
    "started": "when, UTC",
    "python": "the Python it ran on",
    "ended": "why the run ended",
}
"""What a run's `meta` says; branches, imports and bounded recordings add keys of their own."""
