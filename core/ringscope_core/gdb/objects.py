"""An object or a ring of a recording as gdb would print it: what the window copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.memory import object_place
from ringscope_core.gdb.moment import Moment, TypeTable, variable_name
from ringscope_core.gdb.printer import Style, show
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording

_RING: Final[dict[str, str]] = {"VirtQueue": "", "vring_virtqueue": "_driver"}
"""The structures of a ring that are shown, and what stands behind the ring's name for each."""


def object_text(recording: Recording, seq: int, oid: int) -> str:
    """``(gdb) p *...`` and its answer, one member a line, for object or ring `oid` after event `seq`; "" for what has no structure."""
    moment = Moment(recording, seq, TypeTable(recording.reader.types))
    style = Style(pretty=True)
    lines: list[str] = []
    structs = list(_RING) if is_ring(oid) else moment.structs_of(oid)[:1]
    for struct in structs:
        place = object_place(moment, oid, struct)
        if is_ring(oid) and not place.any_known():
            continue
        variable = f"${variable_name(recording.names.name(oid))}"
        name = f"{variable}{_RING[struct]}" if is_ring(oid) else f"(struct {struct} *)0x{place.address:x}" if place.address else variable
        lines += [f"(gdb) p *{name}", show(place.load(), style, f"${len(lines) // 2 + 1} = ")]
    return "\n".join(lines)
