"""The state of any virtio device but its queues (virtio_save, virtio_load)."""

from __future__ import annotations

from ringscope_core.hw.savevm.stream import LoadError, LoadStream, SaveStream
from ringscope_core.hw.virtio.features import VIRTIO_NO_VECTOR, VIRTIO_QUEUE_MAX
from ringscope_core.hw.virtio.virtio import VirtIODevice
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy

MASK64 = 0xFFFFFFFFFFFFFFFF


def save_core(vdev: VirtIODevice, out: SaveStream) -> None:
    """Registers, features, configuration bytes."""
    out.put(int(vdev.status), 1)
    out.put(int(vdev.isr), 1)
    out.put(int(vdev.queue_sel), 2)
    out.put(int(vdev.config_vector), 2)
    out.put(int(vdev.guest_features), 8)
    out.put(int(vdev.generation), 4)
    out.flag(vdev.broken)
    out.flag(vdev.disabled)
    out.flag(vdev.started)
    out.flag(vdev.start_on_kick)
    out.put(int(vdev.device_endian), 1)
    out.put(int(vdev.config_len), 4)
    out.raw(bytes(vdev.config))


def load_core(vdev: VirtIODevice, proxy: VirtIOPCIProxy, stream: LoadStream) -> None:
    """Set the registers without any of their effects; the features' effects come with them."""
    status = stream.get(1)
    isr = stream.below(1, 4, "isr")
    queue_sel = stream.below(2, int(VIRTIO_QUEUE_MAX), "queue_sel")
    vector = stream.get(2)
    features = stream.get64()
    generation = stream.get(4)
    broken = stream.flag("broken")
    disabled = stream.flag("disabled")
    started = stream.flag("started")
    start_on_kick = stream.flag("start_on_kick")
    endian = stream.get(1)
    if endian != vdev.device_endian:
        raise LoadError(f"{stream.name}: device_endian {endian}, the device has {vdev.device_endian}")
    # a longer configuration is skipped, a shorter one filled up by the device's own (CVE-2014-0182)
    length = stream.get(4)
    config = stream.raw(min(length, int(vdev.config_len)))
    stream.raw(length - len(config))
    vdev.config[: len(config)] = config
    bad = features & ~int(vdev.host_features)
    if bad:
        raise LoadError(f"Features 0x{features & MASK64:x} unsupported. Allowed features: 0x{int(vdev.host_features) & MASK64:x}")
    hook = vdev.vdc().set_features
    if hook is not None and features:
        hook(vdev, features)
    vdev.set_guest_features(features)
    vdev.config_vector = VIRTIO_NO_VECTOR
    if vector != VIRTIO_NO_VECTOR:
        msix = proxy.msix
        if msix is None or not msix.vector_use(vector):
            raise LoadError(f"{stream.name}: config_vector 0x{vector:x} is no vector of the device")
        vdev.config_vector = vector
    vdev.status = status
    vdev.set_isr(isr)
    vdev.queue_sel = queue_sel
    vdev.generation = generation
    vdev.started = started
    vdev.start_on_kick = start_on_kick
    if disabled and not vdev.use_disabled_flag:
        raise LoadError(f"{stream.name}: disabled, which the device cannot be")
    vdev.disabled = disabled
    vdev.set_broken(broken)
    vdev.sync_fields()
