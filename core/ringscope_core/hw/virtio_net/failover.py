"""The standby side of a failover pair (QEMU 7.2, hw/net/virtio-net.c): it hides the primary until the driver knows of standbys."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.hw.context import DeviceListener
from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.hw.virtio.features import VIRTIO_NET_F_STANDBY, has, with_bit
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.qom.errp import Errp


@final
class PrimaryListener(DeviceListener):
    """VirtIONet.primary_listener."""

    def __init__(self, n: VirtIONet) -> None:
        self.n: VirtIONet = n

    def hide_device(self, options: dict[str, str], errp: Errp) -> bool:
        """failover_hide_primary_device: remember the primary of this standby; there may be one."""
        if "failover_pair_id" not in options:
            return False
        n = self.n
        log = n.ctx.log
        if "id" not in options:
            errp.set(log, "Device with failover_pair_id needs to have id")
            return False
        if options["failover_pair_id"] != n.netclient_name:
            return False
        if not n.primary_opts:
            n.primary_opts = dict(options)
        elif n.primary_opts["id"] != options["id"]:
            errp.set(log, f"Cannot attach more than one primary device to '{n.netclient_name}': '{n.primary_opts['id']}' and '{options['id']}'")
            return False
        return n.failover_primary_hidden


def failover_init(n: VirtIONet) -> None:
    """``failover=on`` at realize: offer VIRTIO_NET_F_STANDBY and hear of devices that are to be made."""
    listener = PrimaryListener(n)
    n.primary_listener = listener
    n.failover_primary_hidden = True
    n.ctx.device_listeners.append(listener)
    n.net_features = with_bit(n.net_features, VIRTIO_NET_F_STANDBY, True)


def failover_negotiated(n: VirtIONet, features: i64) -> None:
    """The driver accepted `features`: with VIRTIO_NET_F_STANDBY among them the primary may come (virtio_net_set_features)."""
    if not has(features, VIRTIO_NET_F_STANDBY):
        return
    world = n.world
    world.qapi_event("FAILOVER_NEGOTIATED", {"device-id": n.netclient_name})
    n.failover_primary_hidden = False
    errp = Errp()
    _add_primary(n, errp)
    error = errp.error
    if error is not None:
        world.warn_report(error.text)
        if error.hint:
            world.error_printf(error.hint)


def _add_primary(n: VirtIONet, errp: Errp) -> None:
    """failover_add_primary: make the device that was hidden, unless it is there."""
    if find_primary(n) is not None:
        return
    if not n.primary_opts:
        hint = f"Virtio-net failover will not work. Make sure primary device has parameter failover_pair_id={n.netclient_name}"
        errp.set(n.ctx.log, "Primary device not found", hint)
        return
    n.ctx.add_device(n.primary_opts, errp)
    if errp.failed():
        n.primary_opts = {}


def find_primary(n: VirtIONet) -> PCIDevice | None:
    """failover_find_primary_device: the device that names this one as its standby."""
    for obj in n.world.objects.values():
        if isinstance(obj, PCIDevice) and obj.failover_pair_id == n.netclient_name and obj.parent_bus is not None:
            return obj
    return None


def failover_exit(n: VirtIONet) -> None:
    """The standby goes."""
    listener = n.primary_listener
    if listener is not None:
        n.ctx.device_listeners.remove(listener)
        n.primary_listener = None
    n.primary_opts = {}
