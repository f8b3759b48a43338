"""MSI-X vectors as a recording shows them: each one that is used or programmed is a part below its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from ringscope_core.hw.context import Instrument
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_OBJ_CHILD, EV_OBJ_FREE, EV_OBJ_NEW
from ringscope_core.trace.state import MachineState, ObjectState

if TYPE_CHECKING:
    from ringscope_core.hw.pci.msix import Msix

F_ADDRESS: Final[i64] = field("MSIXEntry.address", "gpa")
F_DATA: Final[i64] = field("MSIXEntry.data", "flags")
F_MASKED: Final[i64] = field("MSIXEntry.masked", "bool")
F_PENDING: Final[i64] = field("MSIXEntry.pending", "bool")
F_USED: Final[i64] = field("MSIXEntry.used", "count")

TYPE_MSIX_ENTRY: Final = "MSIXEntry"
ENTRY_BYTES: Final = 16


@final
class MsixEntries(Instrument):
    """The vectors of one function that events have spoken of."""

    def __init__(self, msix: Msix) -> None:
        self.msix: Msix = msix
        self.oids: dict[int, int] = {}
        """Object id by vector."""
        self._shown: dict[int, dict[int, int]] = {}

    def _values(self, vector: int) -> dict[int, int]:
        msix = self.msix
        return {
            int(F_ADDRESS): int(msix.address(vector)),
            int(F_DATA): int(msix.data(vector)),
            int(F_MASKED): 1 if msix.entry_masked(vector) else 0,
            int(F_PENDING): 1 if msix.is_pending(vector) else 0,
            int(F_USED): msix.entry_used[vector],
        }

    def touch(self, vector: int) -> None:
        """The vector is used or programmed: it is shown from now on."""
        if vector not in self.oids:
            dev = self.msix.dev
            log = dev.world.log
            oid = int(log.new_oid())
            self.oids[vector] = oid
            self._shown[vector] = {}
            log.emit(EV_OBJ_NEW, oid, log.text(TYPE_MSIX_ENTRY), 0, ENTRY_BYTES)
            log.emit(EV_OBJ_CHILD, oid, dev.oid, log.text(f"msix[{vector}]"))
        self.sync(vector)

    def sync(self, vector: int) -> None:
        """Record what changed of a vector that is shown."""
        oid = self.oids.get(vector)
        if oid is None:
            return
        log = self.msix.dev.world.log
        shown = self._shown[vector]
        for field_id, value in self._values(vector).items():
            log.field(oid, field_id, value, shown.get(field_id, 0))
            shown[field_id] = value

    def sync_all(self) -> None:
        """Record what changed of all of them."""
        for vector in self.oids:
            self.sync(vector)

    def drop(self) -> None:
        """The function has no MSI-X any more."""
        log = self.msix.dev.world.log
        for oid in self.oids.values():
            log.emit(EV_OBJ_FREE, oid)
        self.oids.clear()
        self._shown.clear()

    def snapshot(self, state: MachineState) -> None:
        dev = self.msix.dev
        log = dev.world.log
        for vector, oid in self.oids.items():
            entry = ObjectState(log.text(TYPE_MSIX_ENTRY), 0, ENTRY_BYTES)
            entry.parent = dev.oid
            entry.name_id = log.text(f"msix[{vector}]")
            state.objects[oid] = entry
            state.fields[oid] = self._values(vector)
