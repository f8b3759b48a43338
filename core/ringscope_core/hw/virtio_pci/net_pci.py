"""virtio-net-pci: the proxy that embeds a virtio-net-device (hw/virtio/virtio-net-pci.c)."""

from __future__ import annotations

from typing import final

from ringscope_core.hw.qdev.device import device_of, qdev_set_parent_bus
from ringscope_core.hw.qdev.device_class import DEVICE_CATEGORY_NETWORK, device_class_set_props
from ringscope_core.hw.qdev.member import Member
from ringscope_core.hw.qdev.properties import ON_OFF_AUTO_OFF, ON_OFF_AUTO_ON, BitProperty, BoolProperty, OnOffAutoProperty, UintProperty
from ringscope_core.hw.virtio.virtio import VirtIODevice
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_pci import constants as c
from ringscope_core.hw.virtio_pci.proxy import VirtioPCIClass, VirtIOPCIProxy, proxy_of
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object, object_initialize_child
from ringscope_core.qom.property import AliasProperty
from ringscope_core.trace.kinds import EV_CLASS_INIT

FN_REALIZE = declare("virtio_net_pci_realize", "vpci_dev:ptr errp:ptr")
FN_INSTANCE_INIT = declare("virtio_net_pci_instance_init", "obj:ptr")
FN_INIT_COMMON = declare("virtio_instance_init_common", "proxy_obj:ptr data:ptr vdev_size:bytes vdev_name:str")
FN_ALIAS_ALL = declare("qdev_alias_all_properties", "target:ptr source:ptr")

FN_SET_NAME = declare("virtio_net_set_netclient_name", "n:ptr name:str type:str")

FLAGS = Member("flags", "VirtIOPCIProxy.flags", "flags")


@final
class VirtIONetPCI(VirtIOPCIProxy):
    """VirtIOPCIProxy with the VirtIONet right behind it."""

    def net(self) -> VirtIONet:
        """VirtIONetPCI.vdev."""
        backend = self.backend
        assert isinstance(backend, VirtIONet)
        return backend


def _alias(source: Object, target: Object, name: str) -> None:
    """object_property_add_alias under the same name."""
    prop = target.property_find(name)
    assert prop is not None
    source.property_add(AliasProperty(name, target, prop), AbortErrp())


def virtio_instance_init_common(proxy: VirtIOPCIProxy, vdev_type: str, size: int) -> VirtIODevice:
    """Make the embedded device as child "virtio-backend" and show its properties on the proxy (virtio.c:2319)."""
    log = proxy.world.log
    addr = proxy.addr + c.OFFSET_VDEV
    FN_INIT_COMMON.enter(log, proxy.addr, addr, size, log.text(vdev_type))
    log.at(2324)
    vdev = object_initialize_child(proxy, "virtio-backend", addr, vdev_type)
    log.at(2326)
    FN_ALIAS_ALL.enter(log, vdev.addr, proxy.addr)
    for klass in device_of(vdev).device_class_chain():
        for prop in klass.props:
            _alias(proxy, vdev, prop.name)
    log.leave()
    log.leave()
    assert isinstance(vdev, VirtIODevice)
    return vdev


def virtio_net_pci_instance_init(obj: Object) -> None:
    """instance_init of "virtio-net-pci-base" (virtio-net-pci.c:74)."""
    proxy = proxy_of(obj)
    log = obj.world.log
    FN_INSTANCE_INIT.enter(log, obj.addr)
    log.at(78)
    proxy.backend = virtio_instance_init_common(proxy, "virtio-net-device", 8960)
    log.at(80)
    _alias(proxy, proxy.backend, "bootindex")
    log.leave()


def _set_netclient_name(vdev: VirtIONet, name: str, typename: str) -> None:
    """virtio_net_set_netclient_name: the network client bears the proxy's id and type."""
    log = vdev.world.log
    FN_SET_NAME.enter(log, vdev.addr, log.text(name), log.text(typename))
    vdev.netclient_name = name
    vdev.netclient_type = typename
    vdev.sync_fields()
    log.leave()


def virtio_net_pci_realize(proxy: VirtIOPCIProxy, errp: Errp) -> None:
    """VirtioPCIClass.realize: name the client, put the device on the bus, realize it (virtio-net-pci.c:46)."""
    assert isinstance(proxy, VirtIONetPCI)
    log = proxy.world.log
    FN_REALIZE.enter(log, proxy.addr, errp.addr)
    vdev = proxy.net()
    if proxy.nvectors == c.DEV_NVECTORS_UNSPECIFIED:
        # a vector for each queue, the control queue and changes of configuration
        proxy.set_nvectors(2 * max(1, vdev.nic_conf.peers.queues) + 2)
    log.at(52)
    _set_netclient_name(vdev, proxy.id, proxy.typename)
    log.at(54)
    qdev_set_parent_bus(vdev, proxy.virtio_bus())
    log.at(55)
    vdev.property_set_bool(True, "realized", errp)
    log.leave()


def virtio_net_pci_class_init(klass: ObjectClass) -> None:
    """virtio-net-pci.c:58."""
    assert isinstance(klass, VirtioPCIClass)
    klass.romfile = "efi-virtio.rom"
    klass.vendor_id = 0x1AF4
    klass.device_id = 0x1000
    klass.revision = 0
    klass.class_id = 0x0200
    klass.categories = [DEVICE_CATEGORY_NETWORK]
    vectors = c.DEV_NVECTORS_UNSPECIFIED if klass.type.table.v7_2 else 3
    device_class_set_props(
        klass,
        [
            BitProperty("ioeventfd", FLAGS, c.USE_IOEVENTFD_BIT, True),
            UintProperty("vectors", Member("nvectors", "VirtIOPCIProxy.nvectors", "count"), 32, vectors),
        ],
    )
    klass.vpci_realize = virtio_net_pci_realize


def virtio_pci_base_class_init(klass: ObjectClass) -> None:
    """class_init of "virtio-net-pci-base": runs the net part that was registered with it (virtio-pci.c:1895)."""
    log = klass.type.table.log
    log.emit(EV_CLASS_INIT, 0, log.text(klass.name), log.text("virtio_net_pci_class_init"))
    virtio_net_pci_class_init(klass)


def virtio_pci_generic_class_init(klass: ObjectClass) -> None:
    """class_init of "virtio-net-pci": the mode may be chosen (virtio-pci.c:1903)."""
    assert isinstance(klass, VirtioPCIClass)
    device_class_set_props(
        klass,
        [
            OnOffAutoProperty("disable-legacy", Member("disable_legacy", "VirtIOPCIProxy.disable_legacy", "count"), "auto"),
            BoolProperty("disable-modern", Member("disable_modern", "VirtIOPCIProxy.disable_modern", "bool"), False),
        ],
    )


def virtio_pci_transitional_instance_init(obj: Object) -> None:
    """instance_init of "virtio-net-pci-transitional" (virtio-pci.c:1910)."""
    proxy = proxy_of(obj)
    proxy.set_disable_legacy(ON_OFF_AUTO_OFF)
    proxy.set_disable_modern(False)


def virtio_pci_non_transitional_instance_init(obj: Object) -> None:
    """instance_init of "virtio-net-pci-non-transitional" (virtio-pci.c:1918)."""
    proxy = proxy_of(obj)
    proxy.set_disable_legacy(ON_OFF_AUTO_ON)
    proxy.set_disable_modern(False)
