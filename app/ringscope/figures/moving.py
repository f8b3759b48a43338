"""Callouts that stand still while what they point at moves: one place for each label over all pictures of an animation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect

from ringscope.figures.boxes import Box
from ringscope.figures.callouts import Arranged, Sight, bounds_of, busy, labels_of, sight_of
from ringscope.figures.leaders import leader
from ringscope.figures.room import Room

if TYPE_CHECKING:
    from ringscope.figures.stage import Stage
    from ringscope_core.scenario.errors import InputError

SAMPLED: Final = 12
"""Moments at which the picture is looked at before labels are placed."""


def sampled(seqs: list[int]) -> list[int]:
    """At most `SAMPLED` of the moments, the first and the last among them."""
    distinct = sorted(set(seqs))
    if len(distinct) <= SAMPLED:
        return distinct
    return [distinct[place * (len(distinct) - 1) // (SAMPLED - 1)] for place in range(SAMPLED)]


class Moving:
    """Where each label of a stage's figure stands; made by looking at the stage at `seqs`, which moves it."""

    def __init__(self, stage: Stage, seqs: list[int]) -> None:
        """Raises InputError for a part that is not there, and for a callout whose target is at none of the moments."""
        self._callouts = stage.spec.callouts
        self._theme = stage.theme
        self.frame: QRect = QRect()
        """The picture without margins, in the widget's pixels."""
        sights: list[list[Sight]] = [[] for _ in self._callouts]
        noise = None
        errors: dict[int, InputError] = {}
        for seq in seqs:
            stage.go(seq)
            if self.frame.isNull():
                self.frame = stage.cropped()
            for place, callout in enumerate(self._callouts):
                sight = sight_of(stage.widget, callout, self.frame, errors, place)
                if sight is not None:
                    sights[place].append(sight)
            if self._callouts:
                now = busy(stage.widget, stage.theme)
                noise = now if noise is None else noise | now
        for place, seen in enumerate(sights):
            if not seen:
                raise errors[place]
        self._labels = labels_of(self._callouts)
        self._boxes: list[Box] = []
        if noise is not None:
            room = Room(noise, _box(self.frame))
            covers = [[sight.frame for sight in seen] for seen in sights]
            # a line is as long as from where its target is in the middle of the time
            aims = [seen[len(seen) // 2].aim for seen in sights]
            self._boxes = room.arrange([(label.width, label.height) for label in self._labels], aims, [_around(boxes) for boxes in covers])
        self.bounds: QRect = bounds_of(self.frame, self._boxes)
        """What every picture shows, with the margins that labels took."""

    def at(self, stage: Stage) -> Arranged:
        """The callouts at the stage's present moment; those whose target is not there now are left out."""
        seen = [sight_of(stage.widget, callout, self.frame) for callout in self._callouts]
        there = [(label, box, sight) for label, box, sight in zip(self._labels, self._boxes, seen, strict=True) if sight is not None]
        return Arranged(
            self.bounds,
            self._theme,
            [label for label, _, _ in there],
            [box for _, box, _ in there],
            [sight.aim for _, _, sight in there],
            [sight.frame for _, _, sight in there],
            # the shortest lines: better ones would jump from side to side while their targets move
            [leader(box, sight.aim) for _, box, sight in there],
        )


def _box(rect: QRect) -> Box:
    return Box(rect.x(), rect.y(), rect.width(), rect.height())


def _around(boxes: list[Box]) -> Box:
    """The rectangle that holds all."""
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(left, top, max(box.right for box in boxes) - left, max(box.bottom for box in boxes) - top)
