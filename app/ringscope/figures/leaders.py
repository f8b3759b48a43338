"""Lines from labels to what they speak of: the ways one may take, and how much that is drawn lies under it.

Plain numbers, no randomness: the same boxes over the same picture give the same line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ringscope.figures.boxes import Box, Line, Point

BUSY: Final = 2.5
"""What a pixel of a line over content costs beside its length."""
TEXT: Final = 16.0
"""The same over a text: a line of small print is dearer than a margin."""
_TEXT_AIR: Final = 5.0
"""Pixels beside a text that are the text's: an arrow head has a width."""
_THICK: Final = 2
"""Pixels around what is drawn that are its own: a line has a width."""
_INSET: Final = (12.0, 9.0)
"""How far from a label's corners lines begin, across and down."""
_EDGE: Final = 6.0
"""How far from a target's corners lines end."""
_WIDE: Final = 14.0
"""A target's side shorter than this is pointed at in its middle alone."""
_SPOTS: Final = 9
"""Places on one side that are tried."""
_OFF: Final = 0.1
"""What a pixel away from the middle of a target's side costs: among equals the middle is the clearest."""


def leader(label: Box, target: Box) -> Line:
    """The shortest line from a label's edge to its target's; towards the middle of whichever side faces."""
    return (_nearest(label, target), _nearest(target, label))


def _nearest(box: Box, other: Box) -> Point:
    """The point of `box` that faces the middle of `other` the most, kept off the corners."""
    inset_x, inset_y = min(_INSET[0], box.w / 2), min(_INSET[1], box.h / 2)
    middle_x, middle_y = other.x + other.w / 2, other.y + other.h / 2
    x = min(max(middle_x, box.x + inset_x), box.right - inset_x)
    y = min(max(middle_y, box.y + inset_y), box.bottom - inset_y)
    beside_x = max(box.x - other.right, other.x - box.right)
    beside_y = max(box.y - other.bottom, other.y - box.bottom)
    if beside_x > beside_y:
        x = box.x if middle_x < box.x + box.w / 2 else box.right
    else:
        y = box.y if middle_y < box.y + box.h / 2 else box.bottom
    return (x, y)


def ways(label: Box, target: Box) -> list[Line]:
    """Every line that may lead from a label to its target, `leader` first: between those of their sides that face each other."""
    out = [leader(label, target)]
    for y, end, faces in ((label.bottom, target.y, label.bottom < target.y), (label.y, target.bottom, label.y > target.bottom)):
        if faces:
            out += [((a, y), (b, end)) for a, b in _pairs(label.x, label.w, target.x, target.w, _INSET[0])]
    for x, end, faces in ((label.right, target.x, label.right < target.x), (label.x, target.right, label.x > target.right)):
        if faces:
            out += [((x, a), (end, b)) for a, b in _pairs(label.y, label.h, target.y, target.h, _INSET[1])]
    return list(dict.fromkeys(out))


def _pairs(start: float, size: float, begin: float, reach: float, inset: float) -> list[tuple[float, float]]:
    """Where on a label's side and on a target's a line may begin and end."""
    low, high = start + min(inset, size / 2), start + size - min(inset, size / 2)
    if reach < _WIDE:
        end = begin + reach / 2
        return [(at, end) for at in (min(max(end, low), high), *_spots(low, high))]
    first, last = begin + _EDGE, begin + reach - _EDGE
    ends = dict.fromkeys([*_spots(first, last), *(min(max(at, first), last) for at in _spots(low, high))])
    return [(min(max(end, low), high), end) for end in ends]


def _spots(low: float, high: float) -> list[float]:
    count = min(_SPOTS, int((high - low) / 10) + 1)
    if count < 2:
        return [(low + high) / 2]
    return [low + (high - low) * place / (count - 1) for place in range(count)]


def off_middle(line: Line, target: Box) -> float:
    """What it costs that a line ends away from the middle of a target's side."""
    x, y = line[1]
    return _OFF * min(abs(x - target.x - target.w / 2), abs(y - target.y - target.h / 2))


def _grown(busy: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """`busy` with what lies within `_THICK` pixels of it."""
    out = busy.copy()
    for step in range(1, _THICK + 1):
        out[:, step:] |= busy[:, :-step]
        out[:, :-step] |= busy[:, step:]
    across = out.copy()
    for step in range(1, _THICK + 1):
        out[step:] |= across[:-step]
        out[:-step] |= across[step:]
    return out


class Ink:
    """What is drawn under a line: `busy` is true where anything is, `texts` are where words stand."""

    def __init__(self, busy: npt.NDArray[np.bool_], texts: Sequence[Box] = ()) -> None:
        self._weights: npt.NDArray[np.float32] = np.where(_grown(busy), np.float32(BUSY), np.float32(0.0))
        for text in texts:
            top, bottom = max(int(text.y), 0), max(math.ceil(text.bottom), 0)
            left, right = max(int(text.x - _TEXT_AIR), 0), max(math.ceil(text.right + _TEXT_AIR), 0)
            self._weights[top:bottom, left:right] = TEXT

    def under(self, lines: Sequence[Line]) -> list[float]:
        """What each of `lines` costs for what lies under it."""
        ends = np.array(lines, np.float64).reshape(-1, 4)
        far = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
        count = max(int(float(far.max()) / 2), 1)
        share = np.arange(count) / count
        xs = np.rint(ends[:, :1] + (ends[:, 2:3] - ends[:, :1]) * share).astype(np.int64)
        ys = np.rint(ends[:, 1:2] + (ends[:, 3:4] - ends[:, 1:2]) * share).astype(np.int64)
        height, width = self._weights.shape
        inside = (xs >= 0) & (ys >= 0) & (xs < width) & (ys < height)
        found = np.where(inside, self._weights[np.clip(ys, 0, height - 1), np.clip(xs, 0, width - 1)], np.float32(0.0))
        costs: list[float] = (found.sum(axis=1, dtype=np.float64) * far / count).tolist()
        return costs
