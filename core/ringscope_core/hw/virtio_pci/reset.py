"""virtio_pci_reset: the transport back to power-on (virtio-pci.c:1797)."""

from __future__ import annotations

from ringscope_core.hw.pci.express import pcie_reset_registers
from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.virtio.virtio_bus import virtio_bus_reset
from ringscope_core.hw.virtio_pci.proxy import proxy_of
from ringscope_core.qom.calls import declare

FN_RESET = declare("virtio_pci_reset", "qdev:ptr")


def virtio_pci_reset(dev: DeviceState) -> None:
    """Device and queues; dfselect, gfselect and guest_features stay, as QEMU leaves them."""
    proxy = proxy_of(dev)
    log = dev.world.log
    FN_RESET.enter(log, dev.addr)
    proxy.stop_ioeventfd()
    virtio_bus_reset(proxy.virtio_bus())
    msix = proxy.msix
    if msix is not None:
        msix.unuse_all_vectors()
    for staged in proxy.vqs:
        staged.clear()
    if not dev.world.v7_2:
        pcie_reset_registers(proxy)
    log.leave()


def virtio_pci_bus_reset(dev: DeviceState) -> None:
    """DeviceClass.reset: beside the transport, in 7.2, the express registers, which a driver's reset leaves alone there."""
    virtio_pci_reset(dev)
    if dev.world.v7_2:
        pcie_reset_registers(proxy_of(dev))
