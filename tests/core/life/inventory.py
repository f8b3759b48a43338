"""Everything a machine holds that a device could leave behind."""

from __future__ import annotations

import gc
from collections import Counter

from ringscope_core.hw.machine import Machine
from ringscope_core.hw.pci.address_space import Mapping
from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.hw.virtio.virtqueue import VirtQueue
from ringscope_core.net.client import NetClientState
from ringscope_core.qom.object import Object
from ringscope_core.trace.mainloop import BottomHalf, Timer

Inventory = dict[str, object]


def inventory(machine: Machine) -> Inventory:
    """What there is now, comparable with what there was before."""
    world, net, loop = machine.world, machine.net, machine.loop
    return {
        "objects": {oid: (obj.typename, int(obj.ref_count), sorted(obj.properties)) for oid, obj in world.objects.items()},
        "instances": {impl.name: int(impl.instances) for impl in world.types.all() if impl.instances},
        "boot order": dict(world.boot_order),
        "clients": [
            (nc.name, nc.kind, nc.peer is None, bool(nc.link_down), int(nc.incoming_queue.nq_count), len(nc.incoming_queue.packets)) for nc in net.clients
        ],
        "addresses": list(net._macs_used),
        "vm state handlers": len(machine.vm_state_handlers),
        "instruments": len(machine.instruments),
        "mappings": [(int(m.start), int(m.size)) for space in (machine.io_space, machine.mem_space) for m in space.mappings],
        "functions": [devfn for devfn, dev in enumerate(machine.pci_bus.functions) if dev is not None],
        "bus": (len(machine.pci_bus.kids), list(machine.pci_bus.irq_count)),
        "deadline": int(loop.next_deadline_ns()),
        "waiting": (loop.pending_halves(), loop.armed_timers()),
        "bounce buffer": bool(machine.memory.bounce_busy),
        "frames": len(machine.log.frames),
        "cause": int(machine.log.cause),
        "location": world.location,
    }


def live_counts() -> Counter[str]:
    """Python objects of the model that anything still refers to."""
    gc.collect()
    kinds = (Object, PCIDevice, VirtQueue, NetClientState, Timer, BottomHalf, Mapping)
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, kinds))
