"""A saved machine moved into a fresh one of the same options."""

from __future__ import annotations

from typing import Any

from ringscope_core.hw.savevm.device import save
from ringscope_core.trace.state import F_SHADOW_AVAIL
from tests.core.rig import Rig


def fresh(rig: Rig, **changes: Any) -> Rig:
    """A machine like `rig`'s, as it comes out of the factory."""
    options: dict[str, Any] = {
        "profile": rig.machine.world.profile,
        "peers": len(rig.peers),
        "packed": rig.packed,
        "vnet_hdr": rig.peers[0].vnet_hdr if rig.peers else False,
    }
    options.update(changes)
    device = options.pop("device", rig.option.partition("addr=04.0")[2].replace(",netdev=n0", "").lstrip(","))
    return Rig(device, **options)


def moved(rig: Rig, run: bool = True) -> Rig:
    """The machine that takes over; it runs on."""
    data = rig.machine.save_state()
    other = fresh(rig)
    error = other.machine.load_state(data)
    assert error == "", error
    other.sizes = dict(rig.sizes)
    if run:
        other.machine.cont()
    return other


def device_state(rig: Rig) -> bytes:
    """The device's state alone, of a machine that stands still afterwards."""
    rig.machine.stop()
    return save(rig.proxy)


def picture(rig: Rig) -> dict[str, object]:
    """All of the device that a driver could tell apart."""
    n, proxy = rig.n, rig.proxy
    fields: dict[int, int] = {}
    proxy.snapshot(fields)
    n.own_fields(fields)
    rings: list[dict[int, int]] = []
    for vq in n.vq:
        if vq.counters is not None:
            ring: dict[int, int] = {}
            vq.snapshot(ring)
            n.snapshot_ring(vq, ring)
            # what was last read of avail.idx: the loader reads it afresh
            ring.pop(int(F_SHADOW_AVAIL), None)
            rings.append(ring)
    strings = rig.log.strings.texts
    msix = proxy.msix
    return {
        "fields": {number: strings[value] if number in _TEXTS else value for number, value in fields.items()},
        "rings": [{number: strings[value] if number in _TEXTS else value for number, value in ring.items()} for ring in rings],
        "config": bytes(proxy.space.config),
        "msix": None if msix is None else (bytes(msix.table), bytes(msix.pba), list(msix.entry_used)),
        "staged": [(int(q.num), q.enabled, q.reset, int(q.desc_lo), int(q.desc_hi), int(q.avail_lo), int(q.used_lo)) for q in proxy.vqs],
        "pin": list(rig.machine.pci_bus.irq_count),
        "vlans": bytes(n.vlans),
        "macs": list(n.mac_table.macs),
    }


def _texts() -> set[int]:
    from ringscope_core.trace.fields import field_table

    return {number for number, spec in field_table().items() if spec.unit == "str"}


_TEXTS = _texts()
