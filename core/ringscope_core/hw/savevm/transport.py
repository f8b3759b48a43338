"""virtio-pci's state: selectors, feature words and what the driver has written of each queue ("virtio_pci/modern_state")."""

from __future__ import annotations

from ringscope_core.hw.savevm.stream import LoadStream, SaveStream
from ringscope_core.hw.virtio.features import VIRTIO_QUEUE_MAX
from ringscope_core.hw.virtio_pci.proxy import F_DFSELECT, F_GFSELECT, VirtIOPCIProxy, VirtIOPCIQueue


def _is_blank(queue: VirtIOPCIQueue) -> bool:
    return not (
        queue.num or queue.enabled or queue.desc_lo or queue.desc_hi or queue.avail_lo or queue.avail_hi or queue.used_lo or queue.used_hi or queue.reset
    )


def save_transport(proxy: VirtIOPCIProxy, out: SaveStream) -> None:
    """Selectors, then the queues that a driver has touched."""
    out.put(int(proxy.dfselect), 4)
    out.put(int(proxy.gfselect), 4)
    out.put(int(proxy.guest_features_lo), 4)
    out.put(int(proxy.guest_features_hi), 4)
    touched = [index for index, queue in enumerate(proxy.vqs) if not _is_blank(queue)]
    out.put(len(touched), 2)
    for index in touched:
        queue = proxy.vqs[index]
        out.put(index, 2)
        out.put(int(queue.num), 2)
        out.flag(queue.enabled)
        out.flag(queue.reset)
        for word in (queue.desc_lo, queue.desc_hi, queue.avail_lo, queue.avail_hi, queue.used_lo, queue.used_hi):
            out.put(int(word), 4)


def load_transport(proxy: VirtIOPCIProxy, stream: LoadStream) -> None:
    """Any value of the registers is one that a driver may have written."""
    log = proxy.world.log
    dfselect, gfselect = stream.get(4), stream.get(4)
    log.field(proxy.oid, F_DFSELECT, dfselect, proxy.dfselect)
    log.field(proxy.oid, F_GFSELECT, gfselect, proxy.gfselect)
    proxy.dfselect = dfselect
    proxy.gfselect = gfselect
    proxy.set_guest_features_word(0, stream.get(4))
    proxy.set_guest_features_word(1, stream.get(4))
    for queue in proxy.vqs:
        queue.clear()
    for _ in range(stream.below(2, int(VIRTIO_QUEUE_MAX) + 1, "number of queues")):
        queue = proxy.vqs[stream.below(2, int(VIRTIO_QUEUE_MAX), "queue")]
        queue.num = stream.get(2)
        queue.enabled = stream.flag("enabled")
        queue.reset = stream.flag("reset")
        queue.desc_lo, queue.desc_hi = stream.get(4), stream.get(4)
        queue.avail_lo, queue.avail_hi = stream.get(4), stream.get(4)
        queue.used_lo, queue.used_hi = stream.get(4), stream.get(4)
