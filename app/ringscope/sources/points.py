"""Breakpoints of a recording: kept here, since no engine keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ringscope_core.query.breakpoints import Breakpoint


class LocalPoints:
    """A table of breakpoints in plain form; what changes it takes the requests of ``x-ringscope-break``."""

    def __init__(self, points: Iterable[Mapping[str, Any]] = ()) -> None:
        self.points: tuple[dict[str, Any], ...] = ()
        self._next = 1
        for point in points:
            self._put({**point})

    def _put(self, plain: dict[str, Any]) -> None:
        point = Breakpoint.from_plain(plain).to_plain()
        taken = {known["id"] for known in self.points}
        if not point["id"] or point["id"] in taken:
            point["id"] = self._next
        self._next = max(self._next, int(str(point["id"])) + 1)
        self.points = (*self.points, point)

    def change(self, request: Mapping[str, Any]) -> None:
        """Carry out ``add``, ``update`` or ``remove``.  Raises InputError for a breakpoint that is none."""
        if "add" in request:
            self._put({**request["add"], "id": 0, "hits": 0})
        if "update" in request:
            changes: dict[str, Any] = request["update"]
            self.points = tuple(Breakpoint.from_plain({**point, **changes}).to_plain() if point["id"] == changes.get("id") else point for point in self.points)
        if "replace" in request:
            self.points = tuple(Breakpoint.from_plain(point).to_plain() for point in request["replace"])
            self._next = max([self._next, *(int(point["id"]) + 1 for point in self.points)])
        if "remove" in request:
            self.points = tuple(point for point in self.points if point["id"] != request["remove"])
