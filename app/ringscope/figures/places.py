"""Where in a picture something stands: the words of callouts and crops, answered by the widgets that are drawn."""

from __future__ import annotations

import difflib
import re
from typing import Final, NamedTuple, Protocol, runtime_checkable

from PySide6.QtCore import QCoreApplication, QRect
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QTabWidget, QWidget

from ringscope.figures.cropping import CROP_MARGIN, with_margin
from ringscope.figures.painted_text import painted_texts, text_place
from ringscope.views import ALL_VIEWS, PANELS
from ringscope.views.spec import View
from ringscope.widgets.spots import Spot
from ringscope_core.scenario.errors import InputError

_NEAR: Final = 4
"""How many near matches a message begins with."""
_MOST_OF_A_KIND: Final = 4
_MORE_OF_ASKED: Final = 12
"""Entries of one kind that a message lists, more of the kind that was asked for."""
_TRIES: Final = 3
"""A page that comes to the front is filled then, and may have to be scrolled after."""
_NUMBERED: Final = re.compile(r"^(.*?)(\d+)$")
_SEEN: Final = 0.6
"""The share of a target that must be in sight, each way, unless as many pixels as `_ENOUGH` are."""
_ENOUGH: Final = 60


class Place(NamedTuple):
    """What is seen of a target, and where a line to it ends, in the picture's pixels."""

    box: QRect
    aim: QRect


def place_of(root: QWidget, target: str, field: str = "callout") -> QRect:
    """The visible rectangle of `target` in the pixels of `root`, brought into sight where it was not.

    Raises InputError(`field`) for what is not there now, and says what is.
    """
    return places_of(root, [target], field)[0].box


def places_of(root: QWidget, targets: list[str], field: str = "callout") -> list[Place]:
    """Where all `targets` are, which must be in sight together."""
    for target in targets:
        for _ in range(_TRIES):
            found = _find(root, target)
            if found is None or _in_sight(root, found):
                break
            _bring(root, found)
    return [_place(root, target, field) for target in targets]


def crop_rect(root: QWidget, name: str) -> QRect:
    """What ``--crop name`` keeps of `root`: a part as it is, anything else with the empty room around it.  Raises InputError."""
    target = name if ":" in name else f"part:{name}"
    try:
        place = places_of(root, [target], "crop")[0]
    except InputError as error:
        raise InputError("crop", name, error.allowed) from None
    if target.startswith("part:"):
        return place.box.intersected(root.rect())
    if place.aim != place.box:
        # a piece of a drawing, as a slot of a ring: what surrounds it is the drawing
        return place.box.adjusted(-CROP_MARGIN, -CROP_MARGIN, CROP_MARGIN, CROP_MARGIN).intersected(root.rect())
    return with_margin(root, place.box)


def offered(root: QWidget) -> list[str]:
    """Every target that can be pointed at in `root` now, but its texts."""
    return list(dict.fromkeys(word for view in _views(root) for word in view.places()))


# -- looking ----------------------------------------------------------------------------------------------------------------
@runtime_checkable
class Pointed(Protocol):
    """A view or a window: knows where its own things stand."""

    def spot(self, target: str) -> Spot | None:
        """Where `target` stands, seen or not."""

    def places(self) -> list[str]:
        """Every target that can be pointed at now."""
        ...


def _views(root: QWidget) -> list[Pointed]:
    """The window and the views that are seen: those in the middle before the panels beside them."""
    found: list[Pointed] = [root] if isinstance(root, Pointed) else []
    views = [view for view in root.findChildren(View) if view.isVisibleTo(root)]
    ranks = {f"ringscope.views.{name}.view": place for place, name in enumerate((*ALL_VIEWS, *PANELS))}
    return [*found, *sorted(views, key=lambda view: ranks.get(type(view).__module__, len(ranks)))]


def _find(root: QWidget, target: str) -> Spot | None:
    kind, _, label = target.partition(":")
    if kind == "text":
        box = text_place(root, label)
        return Spot(root, box) if box is not None else None
    return next((spot for view in _views(root) if (spot := view.spot(target)) is not None), None)


def _place(root: QWidget, target: str, field: str) -> Place:
    found = _find(root, target)
    if found is None:
        raise InputError(field, target, _offer(root, target))
    if not _in_sight(root, found):
        raise InputError(field, target, "it is there, but out of sight: a larger size, another focus or fewer targets at once would show it")
    box = _visible(root, found)
    aim = box if found.aim is None else _visible(root, found._replace(rect=found.aim))
    return Place(box, aim if not aim.isEmpty() else box)


def _visible(root: QWidget, spot: Spot) -> QRect:
    """The part of a spot that is seen, in the pixels of `root`; empty when it is hidden or scrolled away."""
    widget, box = spot.widget, spot.rect.intersected(spot.widget.rect())
    if widget is not root and not widget.isVisibleTo(root):
        return QRect()
    while widget is not root and not box.isEmpty():
        box = box.translated(widget.pos())
        widget = widget.parentWidget() or root
        box = box.intersected(widget.rect())
    return box


def _in_sight(root: QWidget, spot: Spot) -> bool:
    seen, all_ = _visible(root, spot), spot.rect
    return all(part >= min(_SEEN * length, _ENOUGH) and part > 0 for part, length in ((seen.width(), all_.width()), (seen.height(), all_.height())))


def _bring(root: QWidget, spot: Spot) -> None:
    """Scroll to a spot, and put the pages that hold it in front."""
    widget: QWidget | None = spot.widget
    while widget is not None and widget is not root:
        above = widget.parentWidget()
        if isinstance(above, QStackedWidget):
            tabs = above.parentWidget()
            if isinstance(tabs, QTabWidget):
                tabs.setCurrentWidget(widget)
            else:
                above.setCurrentWidget(widget)
        widget = above
    QCoreApplication.processEvents()
    if spot.show is not None:
        spot.show()
    widget = spot.widget
    while widget is not None and widget is not root:
        area = widget.parentWidget()
        while area is not None and area is not root and not isinstance(area, QScrollArea):
            area = area.parentWidget()
        inner = area.widget() if isinstance(area, QScrollArea) else None
        if isinstance(area, QScrollArea) and inner is not None:
            middle = spot.widget.mapTo(inner, spot.rect.center())
            area.ensureVisible(middle.x(), middle.y(), min(spot.rect.width(), area.width()) // 2 + 4, min(spot.rect.height(), area.height()) // 2 + 4)
        widget = area
    QCoreApplication.processEvents()


# -- messages ---------------------------------------------------------------------------------------------------------------
def _offer(root: QWidget, target: str) -> str:
    """What there is instead: near matches first, numbered ones as a range."""
    if target.startswith("text:"):
        texts = list(dict.fromkeys(piece.text.strip() for piece in painted_texts(root)))
        near = difflib.get_close_matches(target[5:], texts, _NEAR, 0.4)
        return f"no text that is painted contains it{'; near: ' + ', '.join(near) if near else ''}"
    entries = ranges(offered(root))
    near = difflib.get_close_matches(target, entries, _NEAR, 0.5)
    near += [entry for entry in entries if entry.partition(":")[2] == target and entry not in near][:_NEAR]
    kinds: dict[str, list[str]] = {}
    for entry in entries:
        if entry not in near:
            kinds.setdefault(entry.partition(":")[0], []).append(entry)
    asked = target.partition(":")[0]
    first = kinds.pop(asked, [])
    out = [*near, *_some(asked, first, _MORE_OF_ASKED)]
    for kind, others in kinds.items():
        out += _some(kind, others, _MOST_OF_A_KIND if not first else 1)
    return f"one of {', '.join([*out, 'text:LABEL'])}"


def _some(kind: str, entries: list[str], most: int) -> list[str]:
    """The first of many entries, and how many more there are."""
    return entries if len(entries) <= most + 1 else [*entries[:most], f"{len(entries) - most} more {kind}:"]


def ranges(words: list[str]) -> list[str]:
    """Words that differ in a number alone, as one entry."""
    groups: dict[str, list[int]] = {}
    for word in words:
        found = _NUMBERED.match(word)
        if found and found.group(1).endswith(":"):
            groups.setdefault(found.group(1), []).append(int(found.group(2)))
        else:
            groups.setdefault(word, [])
    out: list[str] = []
    for word, numbers in groups.items():
        if len(numbers) > 2 and max(numbers) - min(numbers) == len(numbers) - 1:
            out.append(f"{word}{min(numbers)} to {max(numbers)}")
        else:
            out += [f"{word}{number}" for number in numbers] or [word]
    return out
