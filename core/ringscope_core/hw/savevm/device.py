"""A whole virtio-net-pci: its sections in order, and what a bad stream leaves behind."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.qdev.device import DeviceState
from ringscope_core.hw.savevm.core import load_core, save_core
from ringscope_core.hw.savevm.net import held_back, load_net, load_rss, load_shape, save_net, save_rss, save_shape
from ringscope_core.hw.savevm.pci import load_msix, load_pci, save_msix, save_pci
from ringscope_core.hw.savevm.queues import count_of, load_queues, save_queues
from ringscope_core.hw.savevm.stream import LoadError, LoadStream, SaveStream
from ringscope_core.hw.savevm.transport import load_transport, save_transport
from ringscope_core.hw.virtio_net.announce import announce_after_load
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.hw.virtio_pci.reset import virtio_pci_reset
from ringscope_core.net.announce import AnnounceParameters
from ringscope_core.qom.calls import declare

FN_SAVE = declare("virtio_save", "vdev:ptr f:unknown")
FN_LOAD = declare("virtio_load", "vdev:ptr f:unknown version_id:count")

MAGIC: Final = b"RSDV"
VERSION: Final = 1
TAG_PCI: Final = 1
TAG_MSIX: Final = 2
TAG_TRANSPORT: Final = 3
TAG_CORE: Final = 4
TAG_SHAPE: Final = 5
TAG_QUEUES: Final = 6
TAG_NET: Final = 7
TAG_RSS: Final = 8


def _net_of(dev: DeviceState) -> tuple[VirtIOPCIProxy, VirtIONet]:
    assert isinstance(dev, VirtIOPCIProxy)
    vdev = dev.backend
    assert isinstance(vdev, VirtIONet)
    return dev, vdev


def save(dev: DeviceState) -> bytes:
    """The state of a virtio-net-pci as bytes.  Raises AssertionError while the machine runs: stop it first."""
    proxy, n = _net_of(dev)
    assert not n.ctx.vm_running and n.realized
    log = n.ctx.log
    FN_SAVE.enter(log, n.addr)
    out = SaveStream()
    out.raw(MAGIC)
    out.put(VERSION, 2)
    out.text(dev.typename)
    out.text(dev.world.profile)
    part = SaveStream()
    save_pci(proxy, part)
    out.section(TAG_PCI, part)
    part = SaveStream()
    save_msix(proxy, part)
    out.section(TAG_MSIX, part)
    part = SaveStream()
    save_transport(proxy, part)
    out.section(TAG_TRANSPORT, part)
    part = SaveStream()
    save_core(n, part)
    out.section(TAG_CORE, part)
    part = SaveStream()
    save_shape(n, part)
    out.section(TAG_SHAPE, part)
    part = SaveStream()
    save_queues(n, held_back(n), part)
    out.section(TAG_QUEUES, part)
    part = SaveStream()
    save_net(n, part)
    out.section(TAG_NET, part)
    part = SaveStream()
    save_rss(n, part)
    out.section(TAG_RSS, part)
    log.leave()
    return bytes(out.data)


def load(dev: DeviceState, data: bytes) -> str:
    """Take the state that `save` wrote of a device of the same options.  Guest memory has to be there already.

    Returns "" or what is wrong with the stream, with which the device is as after a reset.  The machine must stand still.
    """
    proxy, n = _net_of(dev)
    assert not n.ctx.vm_running and n.realized
    log = n.ctx.log
    depth = len(log.frames)
    reset(proxy)
    FN_LOAD.enter(log, n.addr, 0, VERSION)
    error = ""
    try:
        _load(proxy, n, LoadStream(data, dev.id or dev.typename))
    except LoadError as problem:
        error = str(problem)
    while len(log.frames) > depth:
        log.leave(-1 if error else 0)
    if error:
        reset(proxy)
    n.sync_fields()
    return error


def reset(proxy: VirtIOPCIProxy) -> None:
    """The device as after a system reset: nothing of a stream, or of what was before it, is left."""
    virtio_pci_reset(proxy)
    proxy.pci_reset()


def _load(proxy: VirtIOPCIProxy, n: VirtIONet, stream: LoadStream) -> None:
    if stream.raw(len(MAGIC)) != MAGIC:
        raise LoadError(f"{stream.name}: not the state of a device")
    version = stream.get(2)
    if version != VERSION:
        raise LoadError(f"{stream.name}: version {version} is not {VERSION}")
    for kind, own in (("type", proxy.typename), ("profile", proxy.world.profile)):
        found = stream.text()
        if found != own:
            raise LoadError(f"{stream.name}: {kind} '{found}' is not '{own}'")
    # every section has to be there before the first of them counts
    pci = stream.section(TAG_PCI, "pci")
    msix = stream.section(TAG_MSIX, "msix")
    transport = stream.section(TAG_TRANSPORT, "virtio_pci")
    core = stream.section(TAG_CORE, "virtio")
    shape = stream.section(TAG_SHAPE, "virtio-net-queues")
    queues = stream.section(TAG_QUEUES, "virtqueues")
    net = stream.section(TAG_NET, "virtio-net")
    rss = stream.section(TAG_RSS, "virtio-net-rss")
    stream.end()
    load_pci(proxy, pci)
    load_msix(proxy, msix)
    load_transport(proxy, transport)
    load_core(n, proxy, core)
    count = count_of(queues)
    load_shape(n, count, shape)
    load_queues(n, proxy, count, queues)
    load_net(n, net)
    load_rss(n, rss)
    for part in (pci, msix, transport, core, shape, queues, net, rss):
        part.end()
    announce_after_load(n, AnnounceParameters())
