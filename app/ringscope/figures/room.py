"""Where on a picture there is room for labels: what is quiet, what lies near its target, what no line crosses.

Plain numbers, no randomness: the same picture and the same targets give the same places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ringscope.figures.boxes import Box, Line, crosses, length, lines_cross
from ringscope.figures.leaders import Ink, leader, off_middle, ways

STEP: Final = 6
"""Pixels between the places that are tried."""
APART: Final = 8.0
"""Pixels between labels, and between a label and any target."""
AIR: Final = 5.0
"""Pixels around a label that are to be quiet too."""
LEAST_LINE: Final = 16.0
"""A leader shorter than this is no line."""
MOST_BUSY: Final = 0.001
"""The share of a label's pixels that may be more than background: a grid line, say."""
_MARGIN_COST: Final = 140.0
"""What a margin costs, in pixels of leader: a quiet place in the picture comes first, but not far away."""
_CROSSING: Final = 600.0
_TRIED: Final = 240
"""Places whose leaders are looked at, the nearest first."""
_SHIFT: Final = 16
_SHIFTS: Final = 26
"""Pixels between places in a margin, and how many are tried either way."""
_ROUNDS: Final = 3


Grid = npt.NDArray[np.float64]


class Room:
    """The free room of one picture.  `busy` is true where something is drawn, of the whole `picture`'s pixels; `texts` is where words stand."""

    def __init__(self, busy: npt.NDArray[np.bool_], picture: Box, texts: Sequence[Box] = ()) -> None:
        self.picture = picture
        self._ink = Ink(busy, texts)
        self._sums = np.zeros((busy.shape[0] + 1, busy.shape[1] + 1), np.int64)
        np.cumsum(np.cumsum(busy, axis=0, dtype=np.int64), axis=1, out=self._sums[1:, 1:])

    def arrange(self, sizes: list[tuple[float, float]], targets: list[Box], covers: list[Box]) -> list[Box]:
        """A place for each label of `sizes`, in the picture or beside it: the least costly for each, given all others.

        `targets` is where the lines end, `covers` what no label may lie on.
        """
        places: list[Box | None] = [None] * len(sizes)
        for _ in range(_ROUNDS):
            before = list(places)
            for which, size in enumerate(sizes):
                others = [(place, targets[i]) for i, place in enumerate(places) if place is not None and i != which]
                places[which] = self._best(size, targets[which], covers[which], covers, others)
            if places == before:
                break
        return [place for place in places if place is not None]

    def _best(self, size: tuple[float, float], target: Box, own: Box, covers: list[Box], others: list[tuple[Box, Box]]) -> Box:
        blocked = [box.grown(APART) for box in covers] + [place.grown(APART) for place, _ in others]
        found = [*self._inside(size, target, blocked), *self._beside(size, target, blocked, [place for place, _ in others])]
        lines = [leader(place, its) for place, its in others]
        best, place = math.inf, found[0][1]
        rest = [box for box in covers if box != own]
        for cost, box in sorted(found):
            # a line costs nothing at least: what is dearer already need not be looked at
            if cost >= best:
                break
            total = cost + self._line(box, target, rest, others, lines, best - cost)[0]
            if total < best:
                best, place = total, box
        return place

    def lines(self, places: list[Box], targets: list[Box], covers: list[Box]) -> list[Line]:
        """The line of each label that has its place: over as little of what is drawn as can be, the other lines as they are."""
        found = [leader(place, target) for place, target in zip(places, targets, strict=True)]
        for which, (place, target) in enumerate(zip(places, targets, strict=True)):
            others = [(places[i], targets[i]) for i in range(len(places)) if i != which]
            rest = [box for box in covers if box != covers[which]]
            found[which] = self._line(place, target, rest, others, [line for i, line in enumerate(found) if i != which])[1]
        return found

    def _inside(self, size: tuple[float, float], target: Box, blocked: list[Box]) -> list[tuple[float, Box]]:
        """Quiet places in the picture with what they cost, the nearest ones."""
        w, h = size
        box = self.picture
        xs = np.arange(box.x + 4, box.right - w - 4, STEP)
        ys = np.arange(box.y + 4, box.bottom - h - 4, STEP)
        if not len(xs) or not len(ys):
            return []
        quiet = self._count(xs - AIR, ys - AIR, w + 2 * AIR, h + 2 * AIR) <= MOST_BUSY * w * h
        gap_x = np.maximum(np.maximum(target.x - (xs + w), xs - target.right), 0.0)
        gap_y = np.maximum(np.maximum(target.y - (ys + h), ys - target.bottom), 0.0)
        away = np.hypot(gap_x[None, :], gap_y[:, None])
        quiet &= away >= LEAST_LINE
        for one in blocked:
            hit_x = (xs < one.right) & (xs + w > one.x)
            hit_y = (ys < one.bottom) & (ys + h > one.y)
            quiet &= ~(hit_x[None, :] & hit_y[:, None])
        rows, columns = np.nonzero(quiet)
        # a label beside the middle of its target reads better than one round a corner
        off = np.minimum(np.abs(xs[columns] + w / 2 - target.x - target.w / 2), np.abs(ys[rows] + h / 2 - target.y - target.h / 2))
        costs = away[rows, columns] + 0.15 * off
        order = np.argsort(costs, kind="stable")[:_TRIED]
        return [(float(costs[i]), Box(float(xs[columns[i]]), float(ys[rows[i]]), w, h)) for i in order]

    def _beside(self, size: tuple[float, float], target: Box, blocked: list[Box], placed: list[Box]) -> list[tuple[float, Box]]:
        """Places in margins on the four sides, as near to the target's height or middle as the others allow."""
        w, h = size
        box = self.picture
        middle_x, middle_y = target.x + target.w / 2 - w / 2, target.y + target.h / 2 - h / 2
        out: list[tuple[float, Box]] = []
        for shift in range(_SHIFTS):
            for sign in (1, -1) if shift else (1,):
                y = min(max(middle_y + sign * shift * _SHIFT, box.y), max(box.bottom - h, box.y))
                x = min(max(middle_x + sign * shift * _SHIFT, box.x), max(box.right - w, box.x))
                out += [(0.0, Box(box.right + LEAST_LINE, y, w, h)), (0.0, Box(box.x - LEAST_LINE - w, y, w, h))]
                out += [(0.0, Box(x, box.bottom + LEAST_LINE, w, h)), (0.0, Box(x, box.y - LEAST_LINE - h, w, h))]
        free = [place for _, place in out if not any(place.meets(one) for one in blocked)]
        return [(self._margin_cost(place, target, placed), place) for place in dict.fromkeys(free)]

    def _margin_cost(self, place: Box, target: Box, placed: list[Box]) -> float:
        """Distance, and the margin itself unless another label made it already."""
        side = self._side(place)
        shared = any(self._side(other) == side for other in placed)
        (x0, y0), (x1, y1) = leader(place, target)
        return math.hypot(x1 - x0, y1 - y0) + (0.0 if shared else _MARGIN_COST)

    def _side(self, place: Box) -> str:
        """On which side of the picture a label lies; empty: in it."""
        box = self.picture
        sides = (("right", place.x >= box.right), ("left", place.right <= box.x), ("below", place.y >= box.bottom), ("above", place.bottom <= box.y))
        return next((name for name, there in sides if there), "")

    def _line(
        self, place: Box, target: Box, targets: list[Box], others: list[tuple[Box, Box]], lines: list[Line], limit: float = math.inf
    ) -> tuple[float, Line]:
        """The least costly line: over content a little, over texts much, over other targets and labels so much that it is the last choice.

        One that costs `limit` or more is not looked for.
        """
        tried = ways(place, target)
        shortest = length(tried[0])
        costs = [ink + max(length(line) - shortest, 0.0) + off_middle(line, target) for line, ink in zip(tried, self._ink.under(tried), strict=True)]
        best, found = limit, tried[0]
        for cost, line in sorted(zip(costs, tried, strict=True)):
            # what is dearer before it is known what it crosses need not be looked at
            if cost >= best:
                break
            cost += _CROSSING * self._crossings(line, place, targets, others, lines)
            if cost < best:
                best, found = cost, line
        return best, found

    def _crossings(self, line: Line, place: Box, targets: list[Box], others: list[tuple[Box, Box]], lines: list[Line]) -> int:
        """How many other targets, labels and lines a line meets, and how many lines its label."""
        met = sum(crosses(line, box) for box in targets) + sum(crosses(line, label.grown(3)) for label, _ in others)
        return met + sum(lines_cross(line, other) or crosses(other, place.grown(3)) for other in lines)

    def _count(self, xs: Grid, ys: Grid, w: float, h: float) -> npt.NDArray[np.int64]:
        """Busy pixels under a label at each place."""
        s = self._sums
        left, right = (np.clip(v, 0, s.shape[1] - 1).astype(np.int64) for v in (xs, np.ceil(xs + w)))
        top, bottom = (np.clip(v, 0, s.shape[0] - 1).astype(np.int64) for v in (ys, np.ceil(ys + h)))
        return s[np.ix_(bottom, right)] - s[np.ix_(top, right)] - s[np.ix_(bottom, left)] + s[np.ix_(top, left)]
