"""The way of each buffer through its ring, as slices: ``available`` from the driver's publishing to the device's taking, ``in flight`` until the device
gives it back, both inside of one ``descriptor N``; then ``used`` until the driver takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ringscope_core.export import perfetto_packets as pp
from ringscope_core.trace import kinds as k
from ringscope_core.trace.state import DESC_F_NEXT

AVAILABLE: Final = 1
IN_FLIGHT: Final = 2
USED: Final = 3

KINDS: Final = frozenset(
    map(int, (k.EV_AVAIL_ADD, k.EV_DESC_WRITE, k.EV_POP, k.EV_FILL, k.EV_USED_DESC, k.EV_UNPOP, k.EV_USED_TAKE, k.EV_RING_RESET)),
)


class RingSlices:
    """One ring's buffers by head (a packed ring's by buffer id); `track_of` gives a head's track."""

    def __init__(self, packed: bool, track_of: Callable[[int], int]) -> None:
        self.packed: bool = packed
        self._track_of: Callable[[int], int] = track_of
        self._state: dict[int, int] = {}
        self._tracks: dict[int, int] = {}
        self._popped: list[int] = []
        self._heads: dict[tuple[int, int, str], bytes] = {}
        self.slices: int = 0
        """``descriptor`` slices begun so far."""

    def event(self, time_ns: int, kind: int, args: list[int]) -> bytes:
        """What an event of this ring (of `KINDS`) begins and ends."""
        if kind == k.EV_AVAIL_ADD:
            return self._publish(time_ns, args[1])
        if kind == k.EV_DESC_WRITE:
            return self._publish(time_ns, args[4]) if self.packed and not args[3] & DESC_F_NEXT else b""
        if kind == k.EV_POP:
            return self._pop(time_ns, args[0])
        if kind == k.EV_FILL:
            return self._fill(time_ns, args[1])
        if kind == k.EV_UNPOP:
            return self._unpop(time_ns)
        if kind == k.EV_USED_TAKE:
            return self._take(time_ns, args[0])
        if kind == k.EV_RING_RESET:
            self.packed = bool(args[4])
            return self.close(time_ns)
        return b""

    def _publish(self, time_ns: int, head: int) -> bytes:
        ended = self._end(time_ns, head)
        self._state[head] = AVAILABLE
        self.slices += 1
        return ended + self._begin(time_ns, head, f"descriptor {head}") + self._begin(time_ns, head, "available")

    def _pop(self, time_ns: int, head: int) -> bytes:
        if self._state.get(head) != AVAILABLE:
            return b""
        self._state[head] = IN_FLIGHT
        self._popped.append(head)
        return self._close(time_ns, head) + self._begin(time_ns, head, "in flight")

    def _fill(self, time_ns: int, head: int) -> bytes:
        if self._state.get(head) != IN_FLIGHT:
            return b""
        self._state[head] = USED
        if head in self._popped:
            self._popped.remove(head)
        return self._close(time_ns, head) * 2 + self._begin(time_ns, head, "used")

    def _unpop(self, time_ns: int) -> bytes:
        """The last one taken goes back to where it was."""
        if not self._popped:
            return b""
        head = self._popped.pop()
        self._state[head] = AVAILABLE
        return self._close(time_ns, head) + self._begin(time_ns, head, "available")

    def _take(self, time_ns: int, head: int) -> bytes:
        return self._end(time_ns, head)

    def _end(self, time_ns: int, head: int) -> bytes:
        """Whatever of `head` is open ends."""
        state = self._state.pop(head, 0)
        return self._close(time_ns, head) * (0 if not state else 1 if state == USED else 2)

    def close(self, time_ns: int) -> bytes:
        """The ring is gone: everything open ends."""
        self._popped.clear()
        return b"".join(self._end(time_ns, head) for head in list(self._state))

    def _track(self, head: int) -> int:
        found = self._tracks.get(head)
        if found is None:
            found = self._tracks[head] = self._track_of(head)
        return found

    def _begin(self, time_ns: int, head: int, name: str) -> bytes:
        return pp.stamped(time_ns, self._head(pp.BEGIN, head, name))

    def _close(self, time_ns: int, head: int) -> bytes:
        return pp.stamped(time_ns, self._head(pp.END, head, ""))

    def _head(self, sort: int, head: int, name: str) -> bytes:
        key = (sort, head, name)
        found = self._heads.get(key)
        if found is None:
            found = self._heads[key] = pp.whole(pp.event_head(sort, self._track(head), name, "ring" if name else ""))
        return found
