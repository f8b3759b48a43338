"""Folds many events fast: what a later event overwrites whole need not be folded.

Between two keyframes of a busy run a slot is written a hundred times; only the last write of each place shows.  `condense` finds
those in arrays; `trace.state.fold`, the one function that says what an event does, then sees about a tenth of the rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ringscope_core.session.rows import EVENT_DTYPE, Events
from ringscope_core.session.validate import check_foldable
from ringscope_core.trace import kinds as k
from ringscope_core.trace.state import MachineState, fold

ROW_NAMES: Final = list(EVENT_DTYPE.names or ())[1:]
"""The columns of `trace.state.Row`."""
_FEW: Final = 192
"""So few events are folded as they are."""
_TABLE_BITS: Final = 16
_MIX: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9), np.uint64(0xD6E8FEB86659FD93))

_BY_OBJECT: Final = (
    k.EV_AVAIL_IDX,
    k.EV_AVAIL_FLAGS,
    k.EV_USED_EVENT,
    k.EV_POP,
    k.EV_FLUSH,
    k.EV_USED_FLAGS,
    k.EV_AVAIL_EVENT,
    k.EV_UNPOP,
    k.EV_SHADOW,
    k.EV_DRIVER_EVENT,
    k.EV_DEVICE_EVENT,
    k.EV_NOTIFY,
    k.EV_NOTIFY_SUPPRESSED,
)
_BY_A0: Final = (k.EV_DESC_WRITE, k.EV_AVAIL_ADD, k.EV_FILL, k.EV_USED_DESC, k.EV_USED_TAKE, k.EV_FIELD)
_BY_A0_A1: Final = (k.EV_IND_WRITE,)
_ALWAYS: Final = (
    k.EV_FRAME_ENTER,
    k.EV_FRAME_AT,
    k.EV_FRAME_LEAVE,
    k.EV_OBJ_NEW,
    k.EV_OBJ_CHILD,
    k.EV_OBJ_UNPARENT,
    k.EV_OBJ_REF,
    k.EV_OBJ_FREE,
    k.EV_BUS_ATTACH,
    k.EV_BUS_DETACH,
    k.EV_RING_RESET,
    k.EV_RUN_STATE,
    k.EV_TRACE_LEVEL,
)
"""Kinds by what decides where they write: the object, the object and arguments; or they are never left out.  Others write nothing."""

_NOTHING, _OBJECT, _ONE, _TWO, _KEEP = range(5)
_KINDS: Final = 256


def _table() -> NDArray[np.int8]:
    table = np.full(_KINDS, _NOTHING, np.int8)
    for how, kinds in ((_OBJECT, _BY_OBJECT), (_ONE, _BY_A0), (_TWO, _BY_A0_A1), (_KEEP, _ALWAYS)):
        table[[int(kind) for kind in kinds]] = how
    return table


_HOW: Final = _table()


def condense(events: Events) -> Events:
    """The events of `events` (`EVENT_DTYPE`) that decide the state after the last of them, in order.

    Leaves out events that change nothing, and those whose every write a later one repeats.
    """
    kinds = events["kind"]
    how = _HOW[np.where((kinds >= 0) & (kinds < _KINDS), kinds, 0)]
    rows: Events = events[how != _NOTHING]
    how = how[how != _NOTHING]
    if not len(rows):
        return rows
    first = np.where((how == _ONE) | (how == _TWO), rows["a0"], 0)
    second = np.where(how == _TWO, rows["a1"], 0)
    kinds, objects = rows["kind"], rows["obj"]
    mixed = (
        kinds.astype(np.uint64) * _MIX[0] + objects.astype(np.uint64) * _MIX[1] + first.astype(np.uint64) * _MIX[2] + second.astype(np.uint64) * _MIX[3]
    ) >> np.uint64(64 - _TABLE_BITS)
    # the last row of each place in the table; one that only shares the place keeps its own
    last = np.empty(1 << _TABLE_BITS, np.int64)
    places = np.arange(len(rows))
    last[mixed] = places
    other = last[mixed]
    repeated = (other != places) & (how != _KEEP) & (kinds[other] == kinds) & (objects[other] == objects) & (first[other] == first) & (second[other] == second)
    left: Events = rows[~repeated]
    return left


def fold_events(state: MachineState, events: Events) -> None:
    """Move `state` across `events` (`EVENT_DTYPE`, consecutive numbers, not empty), in place.  Raises ValueError for impossible events."""
    before, end = int(events["seq"][0]) - 1, events[-1]
    rows = condense(events) if len(events) > _FEW else events
    check_foldable(rows)
    state.seq = before
    fold(state, rows[ROW_NAMES].tolist())
    if len(rows) < len(events):
        for frame in state.stack:
            # a frame knows the event that opened it: the fold counted only the rows that it saw
            if frame[6] > before:
                frame[6] = int(rows["seq"][frame[6] - before - 1])
    state.seq, state.vt, state.wall = int(end["seq"]), int(end["vt"]), int(end["wall"])
