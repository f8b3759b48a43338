"""Points a window's focus at what a figure shows: its moment, its object, its filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope.figures.focusing import Aim, aim_of, rings_of
from ringscope.figures.moments import moment_of, ring_at
from ringscope_core.query.filters import FORM, Filter, FilterError
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from ringscope.figures.spec import FigureSpec, TextSpec
    from ringscope.focus import Focus
    from ringscope_core.query.recording import Recording

_RINGS: Final = "rings"
_RING_VIEWS: Final = (_RINGS, "window")
"""Views that are pictured at the ring at work when nothing else is asked for."""
_INSPECTOR: Final = "inspector"
_DEVICE: Final = "virtio-net-device"
"""What the inspector shows in a window where nobody has chosen anything."""


def look(focus: Focus, recording: Recording, spec: FigureSpec | TextSpec) -> None:
    """Move `focus` to where `spec` looks; raises InputError for what the recording does not have."""
    seq, aim, ring = aim_at(recording, spec)
    check_filter(recording, spec.filter)
    focus.scrub(seq)
    if spec.view in _RING_VIEWS and not aim.oid:
        focus.oid = ring
    focus.select(
        oid=aim.oid or None,
        field=aim.field if aim.field >= 0 else None,
        head=aim.head if aim.head >= 0 else None,
        packet=aim.packet or None,
        type_name=aim.type_name or None,
        subject=aim.subject or None,
    )
    focus.set_filter(spec.filter)


def aim_at(recording: Recording, spec: FigureSpec | TextSpec) -> tuple[int, Aim, int]:
    """The moment that `spec` shows, what it is about (what it says, else what its view shows by itself), and the ring that is shown when none is said.

    Raises InputError.
    """
    reader = recording.reader
    seq = moment_of(reader, spec.view, spec.at, spec.focus)
    aim = aim_of(recording, spec.focus, seq) if spec.focus.strip() else Aim()
    if aim.oid and not is_ring(aim.oid) and spec.view == _RINGS:
        # of a device the ring that is at work
        aim = Aim(oid=ring_at(reader, seq, rings_of(recording, aim.oid, seq)))
    ring = ring_at(reader, seq) if not aim.oid and spec.view in _RING_VIEWS else 0
    if not spec.focus.strip() and spec.view == _INSPECTOR:
        device = next((oid for oid in recording.names.known() if recording.names.type_name(oid) == _DEVICE), 0)
        aim = Aim(oid=device, type_name=_DEVICE, subject="object") if device else aim
    return seq, aim, ring


def check_filter(recording: Recording, text: str) -> None:
    """Raise InputError for a filter that cannot be understood."""
    if text.strip():
        try:
            Filter(text, recording)
        except FilterError as error:
            raise InputError("filter", text, f"{FORM} ({error})") from None
