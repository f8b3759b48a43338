"""What a session gives out: events as a numpy array, and small rows for packets, marks and counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringscope_core.trace.counters import BUCKETS
from ringscope_core.trace.log import ROW_DTYPE

RAW_DTYPE: Final = np.dtype(ROW_DTYPE)
"""A row as the event log writes it."""
EVENT_DTYPE: Final = np.dtype([("seq", "<i8"), *ROW_DTYPE])
"""A row as a session gives it: with its number in front."""
KEYFRAME_DTYPE: Final = np.dtype([("seq", "<i8"), ("vt", "<i8"), ("wall", "<i8")])

Events = NDArray[np.void]
"""Structured arrays of `EVENT_DTYPE`, `RAW_DTYPE` or `KEYFRAME_DTYPE`."""
Ints = NDArray[np.int64]


class PacketRow(NamedTuple):
    """One frame that passed the device.  `direction` 0 is transmit, 1 receive, -1 unknown; `length` in bytes, without virtio_net_hdr.

    `queue` is the ring's number, -1 where only the frame is known; `header` is the length of the virtio_net_hdr that was recorded with it:
    0 for a frame that never came to a buffer of the driver's, -1 when headers were not recorded.
    """

    id: int
    vt: int
    wall: int
    direction: int
    queue: int
    head: int
    seq: int
    length: int
    header: int = -1


class FrameRow(NamedTuple):
    """A packet with its bytes.  `header` is the virtio_net_hdr in the driver's buffer, empty for none, None where it was not recorded."""

    row: PacketRow
    header: bytes | None
    data: bytes


class MarkRow(NamedTuple):
    """A named moment."""

    id: int
    seq: int
    vt: int
    name: str
    note: str


class ControlRow(NamedTuple):
    """A command that changed the run: `seq` is the number that the next event had, `vt` the virtual time, ns, when it took effect."""

    id: int
    seq: int
    vt: int
    name: str
    arguments: dict[str, Any]


class BreakpointRow(NamedTuple):
    """A breakpoint in plain form."""

    id: int
    spec: dict[str, Any]


class LogRow(NamedTuple):
    """What a breakpoint that only logs said."""

    id: int
    seq: int
    vt: int
    breakpoint: int
    text: str


class NoteRow(NamedTuple):
    """An entry of the notebook; `place` is what was looked at, in plain form."""

    id: int
    seq: int
    vt: int
    place: dict[str, Any]
    text: str


class GapRow(NamedTuple):
    """Events `first_seq` to `last_seq` and so many packets are not in the recording; `reason` is one of `GAP_REASONS`."""

    id: int
    first_seq: int
    last_seq: int
    events: int
    packets: int
    reason: str


GAP_SLOW: Final = "slow disk"
"""The disk did not keep up with a live run."""
GAP_BOUND: Final = "bound"
"""The oldest went to keep the file within the size that the user set."""
GAP_FULL: Final = "full disk"
"""Nothing could be written any more."""
GAP_DAMAGED: Final = "damaged"
"""The file is damaged there."""
GAP_EXPORT: Final = "not exported"
"""A session made of an export of a range, or of what a filter took."""
GAP_REASONS: Final = (GAP_SLOW, GAP_BOUND, GAP_FULL, GAP_DAMAGED, GAP_EXPORT)


class CounterSeries:
    """Samples of every ring's counters between two times.

    `values` is [time, ring, counter] in the order of `COUNTER_NAMES`; a ring that did not exist yet has zeros.  Counters
    only grow (but the levels), so a rate is a difference.  The latency histograms are read when asked for.
    """

    def __init__(self, vt: Ints, wall: Ints, oids: list[int], values: Ints, samples: Ints, load: Callable[[int, int], dict[int, dict[int, Ints]]]) -> None:
        self.vt: Ints = vt
        self.wall: Ints = wall
        self.oids: list[int] = oids
        self.values: Ints = values
        self._samples: Ints = samples
        self._load: Callable[[int, int], dict[int, dict[int, Ints]]] = load

    def latency_at(self, index: int) -> Ints:
        """The histograms [ring, bucket] at sample `index` (may be negative), counted since the run began."""
        sample = int(self._samples[index])
        found: Ints = self._fill(self._load(sample, sample), [sample])[0]
        return found

    @property
    def latency(self) -> Ints:
        """All histograms [time, ring, bucket]; large: `latency_at` twice and a difference serves most."""
        if not len(self._samples):
            return np.zeros((0, len(self.oids), int(BUCKETS)), np.int64)
        samples = [int(s) for s in self._samples]
        return self._fill(self._load(samples[0], samples[-1]), samples)

    def _fill(self, found: dict[int, dict[int, Ints]], samples: list[int]) -> Ints:
        out = np.zeros((len(samples), len(self.oids), int(BUCKETS)), np.int64)
        for i, sample in enumerate(samples):
            for oid, counts in found.get(sample, {}).items():
                if oid in self.oids:
                    out[i, self.oids.index(oid)] = counts
        return out
