"""Objects and rings by the names that people write: a path, its end, ``tx0``, ``net0.tx0``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringscope_core.gdb.moment import Moment, TypeTable
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.oids import is_ring, ring_bdf

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording


def named(recording: Recording, text: str, seq: int) -> int:
    """The object or ring called `text` in `recording`; of several, one that is there after event `seq`.

    `text` is a path or its end (``net0/virtio-backend``), an object's or a ring's short name (``net0``, ``tx0``), or a ring with its device
    (``net0.tx0``).  Raises InputError when there is none, and when there are several.
    """
    wanted = text.strip().removeprefix("$")
    if not wanted:
        raise InputError("object", text, "a QOM path or its end, net0, tx0, net0.tx0")
    moment = Moment(recording, seq, TypeTable(recording.reader.types))
    names = recording.names
    rings = set(moment.queues()) or {oid for oid in names.known() if is_ring(oid)}
    found = [oid for oid in dict.fromkeys([*moment.state.objects, *sorted(rings)]) if _fits(names.path(oid), names.name(oid), wanted)]
    if not found:
        found = [oid for oid in names.known() if _fits(names.path(oid), names.name(oid), wanted)]
    owner, dot, short = wanted.rpartition(".")
    if not found and dot:
        bdfs = {moment.bdf_of(oid) for oid in moment.state.objects if _fits(names.path(oid), names.name(oid), owner)} - {-1}
        found = [oid for oid in sorted(rings) if names.name(oid) == short and int(ring_bdf(oid)) in bdfs]
    if not found:
        raise InputError("object", text, f"an object or a ring of the recording, such as {', '.join(_examples(moment, rings))}")
    if len(found) > 1:
        raise InputError("object", text, f"there are several: {', '.join(names.path(oid) or f'#{oid}' for oid in found[:6])}")
    return found[0]


def _fits(path: str, name: str, wanted: str) -> bool:
    return wanted in (path, name) or bool(path) and path.endswith(f"/{wanted.lstrip('/')}")


def _examples(moment: Moment, rings: set[int]) -> list[str]:
    names = moment.recording.names
    objects = [names.name(oid) for oid in moment.state.objects if {"VirtIODevice", "VirtIOPCIProxy"} & set(moment.structs_of(oid))]
    return [*objects[:4], *(names.name(oid) for oid in sorted(rings)[:4])] or ["/machine"]
