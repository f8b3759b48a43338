"""What of a session is exported: a range of events, and what a filter takes of it.

A filter speaks of events.  What is no event is seen by it as one: a counter sample and a state as kind ``sample`` on their object, a mark as kind
``mark``, a packet as the event that recorded it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ringscope_core.query.filters import Filter, FilterError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.rows import EVENT_DTYPE, Events, FrameRow, MarkRow
from ringscope_core.trace.kinds import EV_FRAME_DROP, EV_FRAME_RX, EV_FRAME_SEEN, EV_FRAME_TX, EV_MARK, EV_SAMPLE

if TYPE_CHECKING:
    from ringscope_core.export.moments import Span
    from ringscope_core.export.request import Meter
    from ringscope_core.query.recording import Recording

CHUNK: Final = 32768
"""Events at a time."""
_PACKETS: Final = 1024
FRAME_KINDS: Final = (int(EV_FRAME_TX), int(EV_FRAME_RX), int(EV_FRAME_DROP), int(EV_FRAME_SEEN))


class Frame(NamedTuple):
    """A packet, its bytes, and the event that recorded it (None when that event was lost)."""

    packet: FrameRow
    event: Any


class Selection:
    """What a filter `text` takes of a span.  Raises InputError for a filter that is none."""

    def __init__(self, recording: Recording, span: Span, text: str = "") -> None:
        self.recording: Recording = recording
        self.first, self.last, self.first_vt, self.last_vt = span
        self.text: str = text.strip()
        try:
            self._filter: Filter | None = Filter(text, recording) if self.text else None
        except FilterError as error:
            raise InputError("filter", text, str(error)) from None

    @property
    def size(self) -> int:
        """Events in the range, whether the filter takes them or not."""
        return max(self.last - self.first + 1, 0)

    def mask(self, rows: Events) -> Any:
        """Which of `rows` the filter takes."""
        try:
            return np.ones(len(rows), bool) if self._filter is None else self._filter.mask(rows)
        except FilterError as error:
            raise InputError("filter", self.text, str(error)) from None

    def keeps(self, kind: int, oids: Sequence[int], seq: int, vt: int, wall: int, a0: int = 0) -> list[bool]:
        """Whether the filter takes things that are no events, one for each object in `oids`."""
        if self._filter is None:
            return [True] * len(oids)
        rows = np.zeros(len(oids), EVENT_DTYPE)
        rows["kind"], rows["obj"], rows["seq"], rows["vt"], rows["wall"], rows["cause"], rows["a0"] = kind, oids, seq, vt, wall, -1, a0
        return [bool(taken) for taken in self.mask(rows)]

    # -- events -------------------------------------------------------------------------------------------------------
    def pieces(self, meter: Meter | None = None) -> Iterator[Events]:
        """All events of the range, some thousand at a time."""
        for start in range(self.first, self.last + 1, CHUNK):
            rows = self.recording.reader.events(start, min(start + CHUNK - 1, self.last))
            if len(rows):
                yield rows
            if meter is not None:
                meter.add(CHUNK)

    def chunks(self, meter: Meter | None = None) -> Iterator[Events]:
        """The events that the filter takes, some thousand at a time."""
        for rows in self.pieces(meter):
            taken = rows if self._filter is None else rows[self.mask(rows)]
            if len(taken):
                yield taken

    # -- packets ------------------------------------------------------------------------------------------------------
    def packet_span(self) -> tuple[int, int]:
        """Numbers of the first and last packet of the range."""
        return self._packet_from(self.first), self._packet_from(self.last + 1) - 1

    def _packet_from(self, seq: int) -> int:
        """Number of the first packet that event `seq` or a later one recorded: packets are numbered in the order of their events."""
        reader = self.recording.reader
        low, high = 1, reader.packet_count + 1
        while low < high:
            middle = (low + high) // 2
            # some numbers may be missing: look at the next one that is there
            rows = reader.packets(middle, min(middle + _PACKETS, high - 1))
            if not rows or rows[0].seq >= seq:
                high = middle
            else:
                low = rows[0].id + 1
        return low

    def frames(self, meter: Meter | None = None) -> Iterator[list[Frame]]:
        """The packets of the range that the filter takes, with their bytes, some hundred at a time."""
        first, last = self.packet_span()
        reader = self.recording.reader
        for start in range(first, last + 1, _PACKETS):
            found = reader.frames(start, min(start + _PACKETS - 1, last))
            if found:
                yield self._with_events(found)
            if meter is not None:
                meter.add(_PACKETS)

    def _with_events(self, found: list[FrameRow]) -> list[Frame]:
        rows = self.recording.reader.find_events(FRAME_KINDS, found[0].row.seq, found[-1].row.seq, 1 << 30)
        taken = rows[self.mask(rows)] if self._filter is not None else rows
        events = dict(zip(taken["seq"].tolist(), taken.tolist(), strict=True))
        names = taken.dtype.names
        assert names is not None
        if self._filter is None:
            return [Frame(frame, _named(events.get(frame.row.seq), names)) for frame in found]
        return [Frame(frame, _named(events[frame.row.seq], names)) for frame in found if frame.row.seq in events]

    # -- everything else ----------------------------------------------------------------------------------------------
    def marks(self) -> list[MarkRow]:
        """The marks of the range that the filter takes."""
        texts = {text: number for number, text in enumerate(self.recording.strings)}
        found = [mark for mark in self.recording.reader.marks() if self.first <= mark.seq <= self.last]
        return [mark for mark in found if self.keeps(int(EV_MARK), [0], mark.seq, mark.vt, 0, texts.get(mark.name, -1))[0]]

    def sampled(self, oids: Sequence[int], seq: int, vt: int, wall: int) -> list[bool]:
        """Which of the objects' samples at a moment the filter takes."""
        return self.keeps(int(EV_SAMPLE), oids, seq, vt, wall)


def _named(row: Any, names: tuple[str, ...]) -> Any:
    return None if row is None else dict(zip(names, row, strict=True))
