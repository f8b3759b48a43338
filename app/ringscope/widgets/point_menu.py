"""Entries of context menus that set breakpoints on what was clicked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from ringscope.widgets.point_dialogs import PointDialog
from ringscope.words import t
from ringscope_core.trace.kinds import EV_FIELD

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.store import Store


class Offer(NamedTuple):
    """One entry: what it says, and the breakpoint in plain form."""

    text: str
    point: dict[str, object]


def same_place(point: Mapping[str, Any], plain: Mapping[str, Any]) -> bool:
    """Whether `point` is the breakpoint that `plain` asks for."""
    return all(point.get(name, "") == plain.get(name, "") for name in ("what", "where", "condition"))


def add_offers(menu: QMenu, offers: list[Offer], store: Store, commands: Commands, window: QWidget) -> None:
    """Put the entries into `menu`; one that is set already is deleted by its entry.  The first may be had with a condition, or run to."""
    if not offers:
        return
    for offer in offers:
        known = next((point for point in commands.points if same_place(point, offer.point)), None)
        if known is not None:
            _add(
                menu,
                t("Delete breakpoint {number} ({what})", number=known["id"], what=offer.text[:1].lower() + offer.text[1:]),
                partial(commands.remove_point, int(known["id"])),
            )
        else:
            _add(menu, offer.text, partial(commands.add_point, offer.point), commands.can_break)
    first = offers[0].point
    _add(menu, t("With a condition..."), lambda: PointDialog(store, first, commands.add_point, window).open(), commands.can_break)
    _add(menu, t("Run until {where}", where=first["where"]), partial(commands.until_wanted.emit, first))


def _add(menu: QMenu, text: str, action: Callable[[], object], enabled: bool = True) -> QAction:
    entry = menu.addAction(text)
    entry.triggered.connect(lambda _=False: action())
    entry.setEnabled(enabled)
    return entry


def function_offers(function: str, line: int = 0, definition: int = 0) -> list[Offer]:
    """On a function, and on a line in it when it is not where it begins."""
    offers = [Offer(t("Break at {function}", function=function), {"what": "function", "where": function})]
    if line and line != definition:
        offers.insert(0, Offer(t("Break at {function}:{line}", function=function, line=line), {"what": "checkpoint", "where": f"{function}:{line}"}))
    return offers


def event_offers(store: Store, row: Any, filter_text: str) -> list[Offer]:
    """On events like `row`: of its kind, of its kind on its object, of its kind where the filter takes them; on a field's change."""
    spec = store.kind(int(row["kind"]))
    if spec is None:
        return []
    offers = [Offer(t("Break at every {name}", name=spec.name), {"what": "event", "where": spec.name})]
    oid = int(row["obj"])
    if oid:
        name = object_word(store, oid)
        offers.append(Offer(t("Break at {kind} of {name}", kind=spec.name, name=name), {"what": "event", "where": spec.name, "condition": f"obj == {name}"}))
    if filter_text:
        offers.append(Offer(t("Break at {name} with this filter", name=spec.name), {"what": "event", "where": spec.name, "condition": filter_text}))
    if int(row["kind"]) == EV_FIELD:
        offers.extend(field_offers(store, oid, int(row["a0"])))
    return offers


def field_offers(store: Store, oid: int, field: int) -> list[Offer]:
    """On a change of a field, of this object or of any."""
    spec = store.field(field)
    if spec is None:
        return []
    name = f"{spec.struct}.{spec.name}"
    owner = object_word(store, oid) if oid else ""
    offers = [Offer(t("Break when any {name} changes", name=name), {"what": "field", "where": name})]
    if owner:
        where = f"{'#' if owner.isdecimal() else ''}{owner}.{name}"
        offers.insert(0, Offer(t("Break when {owner}.{name} changes", owner=owner, name=name), {"what": "field", "where": where}))
    return offers


def object_word(store: Store, oid: int) -> str:
    """What a filter calls an object: its name when that is one word and no other's, else its number."""
    name = store.name_of(oid)
    alone = sum(store.name_of(other) == name for other in store.names.known()) == 1
    return name if alone and re.fullmatch(r"[A-Za-z_][\w.-]*", name) else str(oid)
