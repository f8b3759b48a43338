"""The type "virtio-net-device": its properties and hooks (QEMU 4.1.0, hw/net/virtio-net.c)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.hw.qdev.bootindex import device_add_bootindex_property
from ringscope_core.hw.qdev.device_class import DEVICE_CATEGORY_NETWORK, device_class_set_props
from ringscope_core.hw.qdev.member import Member
from ringscope_core.hw.qdev.properties import BitProperty, BoolProperty, Int32Property, Property, StringProperty, UintProperty
from ringscope_core.hw.qdev.system_properties import MacProperty, NetdevProperty
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.features import with_bit
from ringscope_core.hw.virtio.virtio import VirtIODevice, VirtioDeviceClass
from ringscope_core.hw.virtio_net.config import virtio_net_get_config, virtio_net_set_config
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.failover import failover_negotiated
from ringscope_core.hw.virtio_net.features import virtio_net_bad_features, virtio_net_get_features, virtio_net_set_features
from ringscope_core.hw.virtio_net.realize import virtio_net_device_realize, virtio_net_device_unrealize
from ringscope_core.hw.virtio_net.rsc import rsc_enable
from ringscope_core.hw.virtio_net.status import virtio_net_queue_reset, virtio_net_reset, virtio_net_set_status
from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.qom.types import TypeInfo, TypeTable

FN_INSTANCE_INIT: Final = declare("virtio_net_instance_init", "obj:ptr")
SIZEOF_CONFIG = 17
"""sizeof(struct virtio_net_config) in 4.1.0."""


def _net(obj: Object) -> VirtIONet:
    assert isinstance(obj, VirtIONet)
    return obj


def _offered(name: str, bit: i64, default: bool = True) -> Property:
    return BitProperty(name, Member("net_features", "VirtIONet.host_features", "flags"), int(bit), default)


def _conf(path: str, field_name: str, unit: str) -> Member:
    return Member(f"net_conf.{path}", f"virtio_net_conf.{field_name}", unit)


def virtio_net_properties(v7_2: bool) -> list[Property]:
    """virtio_net_properties, in the order of their definition."""
    hashing = [_offered("rss", f.VIRTIO_NET_F_RSS, False), _offered("hash", f.VIRTIO_NET_F_HASH_REPORT, False)] if v7_2 else []
    props: list[Property] = [
        _offered("csum", f.VIRTIO_NET_F_CSUM),
        _offered("guest_csum", f.VIRTIO_NET_F_GUEST_CSUM),
        _offered("gso", f.VIRTIO_NET_F_GSO),
        _offered("guest_tso4", f.VIRTIO_NET_F_GUEST_TSO4),
        _offered("guest_tso6", f.VIRTIO_NET_F_GUEST_TSO6),
        _offered("guest_ecn", f.VIRTIO_NET_F_GUEST_ECN),
        _offered("guest_ufo", f.VIRTIO_NET_F_GUEST_UFO),
        _offered("guest_announce", f.VIRTIO_NET_F_GUEST_ANNOUNCE),
        _offered("host_tso4", f.VIRTIO_NET_F_HOST_TSO4),
        _offered("host_tso6", f.VIRTIO_NET_F_HOST_TSO6),
        _offered("host_ecn", f.VIRTIO_NET_F_HOST_ECN),
        _offered("host_ufo", f.VIRTIO_NET_F_HOST_UFO),
        _offered("mrg_rxbuf", f.VIRTIO_NET_F_MRG_RXBUF),
        _offered("status", f.VIRTIO_NET_F_STATUS),
        _offered("ctrl_vq", f.VIRTIO_NET_F_CTRL_VQ),
        _offered("ctrl_rx", f.VIRTIO_NET_F_CTRL_RX),
        _offered("ctrl_vlan", f.VIRTIO_NET_F_CTRL_VLAN),
        _offered("ctrl_rx_extra", f.VIRTIO_NET_F_CTRL_RX_EXTRA),
        _offered("ctrl_mac_addr", f.VIRTIO_NET_F_CTRL_MAC_ADDR),
        _offered("ctrl_guest_offloads", f.VIRTIO_NET_F_CTRL_GUEST_OFFLOADS),
        _offered("mq", f.VIRTIO_NET_F_MQ, False),
        *hashing,
        _offered("guest_rsc_ext", f.VIRTIO_NET_F_RSC_EXT, False),
        UintProperty("rsc_interval", Member("rsc_timeout", "VirtIONet.rsc_timeout", "ns"), 32, 300000),
        MacProperty("mac", Member("nic_conf.macaddr", "NICConf.macaddr", "mac")),
        NetdevProperty("netdev", Member("nic_conf.peers")),
        UintProperty("x-txtimer", _conf("txtimer", "txtimer", "ns"), 32, 150000),
        Int32Property("x-txburst", _conf("txburst", "txburst", "count"), 256),
        StringProperty("tx", _conf("tx", "tx", "str")),
        UintProperty("rx_queue_size", _conf("rx_queue_size", "rx_queue_size", "count"), 16, 256),
        UintProperty("tx_queue_size", _conf("tx_queue_size", "tx_queue_size", "count"), 16, 256),
        UintProperty("host_mtu", _conf("mtu", "mtu", "bytes"), 16, 0),
        BoolProperty("x-mtu-bypass-backend", Member("mtu_bypass_backend", "VirtIONet.mtu_bypass_backend", "bool"), True),
        Int32Property("speed", _conf("speed", "speed", "value"), -1),
        StringProperty("duplex", _conf("duplex_str", "duplex_str", "str")),
    ]
    if v7_2:
        props.append(BoolProperty("failover", Member("failover", "VirtIONet.failover", "bool"), False))
    return props


def virtio_net_instance_init(obj: Object) -> None:
    """instance_init of "virtio-net-device": the widest configuration space, and bootindex."""
    n = _net(obj)
    log = n.ctx.log
    FN_INSTANCE_INIT.enter(log, n.addr)
    n.config_size = SIZEOF_CONFIG
    device_add_bootindex_property(obj, Member("nic_conf.bootindex", "NICConf.bootindex", "value"), "bootindex", "/ethernet-phy@0")
    log.leave()


def _get_features(vdev: VirtIODevice, features: i64, errp: Errp) -> i64:
    return virtio_net_get_features(_net(vdev), features)


def _bad_features(vdev: VirtIODevice) -> i64:
    return virtio_net_bad_features()


def _set_features(vdev: VirtIODevice, features: i64) -> None:
    n = _net(vdev)
    virtio_net_set_features(n, features)
    rsc_enable(n, features)
    failover_negotiated(n, features)


def _get_config(vdev: VirtIODevice) -> None:
    virtio_net_get_config(_net(vdev))


def _set_config(vdev: VirtIODevice) -> None:
    virtio_net_set_config(_net(vdev))


def _reset(vdev: VirtIODevice) -> None:
    virtio_net_reset(_net(vdev))


def _queue_reset(vdev: VirtIODevice, queue_index: i64) -> None:
    virtio_net_queue_reset(_net(vdev), queue_index)


def _set_status(vdev: VirtIODevice, status: i64) -> None:
    virtio_net_set_status(_net(vdev), status)


def virtio_net_class_init(klass: ObjectClass) -> None:
    """class_init of "virtio-net-device"."""
    assert isinstance(klass, VirtioDeviceClass)
    device_class_set_props(klass, virtio_net_properties(klass.type.table.v7_2))
    klass.vmsd = "virtio-net"
    klass.categories.append(DEVICE_CATEGORY_NETWORK)
    klass.vdc_realize = virtio_net_device_realize
    klass.vdc_unrealize = virtio_net_device_unrealize
    klass.get_config = _get_config
    klass.set_config = _set_config
    klass.get_features = _get_features
    klass.set_features = _set_features
    klass.bad_features = _bad_features
    klass.vdc_reset = _reset
    klass.set_status = _set_status
    klass.queue_reset = _queue_reset
    klass.legacy_features = with_bit(klass.legacy_features, f.VIRTIO_NET_F_GSO, True)


def register_virtio_net_types(table: TypeTable) -> None:
    """Register "virtio-net-device"."""
    table.register(
        TypeInfo(
            "virtio-net-device",
            "virtio-device",
            instance_struct="VirtIONet",
            instance_size=8960,
            instance_new=VirtIONet,
            instance_init=virtio_net_instance_init,
            instance_init_name="virtio_net_instance_init",
            class_init=virtio_net_class_init,
            class_init_name="virtio_net_class_init",
            file_line="hw/net/virtio-net.c:2915",
        )
    )
