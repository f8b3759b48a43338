"""VirtIONet: the state of a virtio-net-device (QEMU 4.1.0, include/hw/virtio/virtio-net.h)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.context import DeviceListener
from ringscope_core.hw.qdev.nic_conf import NICConf
from ringscope_core.hw.virtio.chain import release_bounce
from ringscope_core.hw.virtio.element import VirtQueueElement
from ringscope_core.hw.virtio.virtio import VirtIODevice
from ringscope_core.hw.virtio.virtqueue import OutputHandler, VirtQueue
from ringscope_core.hw.virtio_net.constants import MAC_TABLE_ENTRIES, MAX_VLAN
from ringscope_core.hw.virtio_net.rss import RssData
from ringscope_core.net.announce import AnnounceTimer
from ringscope_core.net.client import NetClientState
from ringscope_core.net.nic import NICState
from ringscope_core.trace.fields import field
from ringscope_core.trace.mainloop import BottomHalf, Timer

F_MAC: Final[i64] = field("VirtIONet.mac", "mac")
F_LINK_STATUS: Final[i64] = field("VirtIONet.status", "flags")
F_TX_TIMEOUT: Final[i64] = field("VirtIONet.tx_timeout", "ns")
F_TX_BURST: Final[i64] = field("VirtIONet.tx_burst", "count")
F_HAS_VNET_HDR: Final[i64] = field("VirtIONet.has_vnet_hdr", "bool")
F_HOST_HDR_LEN: Final[i64] = field("VirtIONet.host_hdr_len", "bytes")
F_GUEST_HDR_LEN: Final[i64] = field("VirtIONet.guest_hdr_len", "bytes")
F_HOST_FEATURES: Final[i64] = field("VirtIONet.host_features", "flags")
F_MERGEABLE: Final[i64] = field("VirtIONet.mergeable_rx_bufs", "bool")
F_PROMISC: Final[i64] = field("VirtIONet.promisc", "count")
F_ALLMULTI: Final[i64] = field("VirtIONet.allmulti", "count")
F_ALLUNI: Final[i64] = field("VirtIONet.alluni", "count")
F_NOMULTI: Final[i64] = field("VirtIONet.nomulti", "count")
F_NOUNI: Final[i64] = field("VirtIONet.nouni", "count")
F_NOBCAST: Final[i64] = field("VirtIONet.nobcast", "count")
F_MAC_IN_USE: Final[i64] = field("VirtIONet.mac_table.in_use", "count")
F_MAC_FIRST_MULTI: Final[i64] = field("VirtIONet.mac_table.first_multi", "count")
F_MAC_MULTI_OVERFLOW: Final[i64] = field("VirtIONet.mac_table.multi_overflow", "bool")
F_MAC_UNI_OVERFLOW: Final[i64] = field("VirtIONet.mac_table.uni_overflow", "bool")
F_MACS: Final[i64] = field("VirtIONet.mac_table.macs", "str")
F_VLANS: Final[i64] = field("VirtIONet.vlans", "str")
F_MULTIQUEUE: Final[i64] = field("VirtIONet.multiqueue", "bool")
F_MAX_QUEUES: Final[i64] = field("VirtIONet.max_queues", "count")
F_CURR_QUEUES: Final[i64] = field("VirtIONet.curr_queues", "count")
F_CONFIG_SIZE: Final[i64] = field("VirtIONet.config_size", "bytes")
F_CURR_GUEST_OFFLOADS: Final[i64] = field("VirtIONet.curr_guest_offloads", "flags")
F_NETCLIENT_NAME: Final[i64] = field("VirtIONet.netclient_name", "str")
F_NETCLIENT_TYPE: Final[i64] = field("VirtIONet.netclient_type", "str")
F_RSC4_ENABLED: Final[i64] = field("VirtIONet.rsc4_enabled", "bool")
F_RSC6_ENABLED: Final[i64] = field("VirtIONet.rsc6_enabled", "bool")
F_RSS_ENABLED: Final[i64] = field("VirtIONet.rss_data.enabled", "bool")
F_RSS_REDIRECT: Final[i64] = field("VirtIONet.rss_data.redirect", "bool")
F_RSS_POPULATE_HASH: Final[i64] = field("VirtIONet.rss_data.populate_hash", "bool")
F_RSS_HASH_TYPES: Final[i64] = field("VirtIONet.rss_data.hash_types", "flags")
F_RSS_KEY: Final[i64] = field("VirtIONet.rss_data.key", "str")
F_RSS_TABLE: Final[i64] = field("VirtIONet.rss_data.indirections_table", "str")
F_RSS_DEFAULT_QUEUE: Final[i64] = field("VirtIONet.rss_data.default_queue", "count")
F_TX_QUEUE_SIZE: Final[i64] = field("virtio_net_conf.tx_queue_size", "count")
F_DUPLEX: Final[i64] = field("virtio_net_conf.duplex", "flags")
F_MACADDR: Final[i64] = field("NICConf.macaddr", "mac")
F_BOOTINDEX: Final[i64] = field("NICConf.bootindex", "value")
F_TX_WAITING: Final[i64] = field("VirtIONetQueue.tx_waiting", "bool")
F_ASYNC_TX: Final[i64] = field("VirtIONetQueue.async_tx", "head")


@final
class NetConf:
    """virtio_net_conf: what the properties set."""

    def __init__(self) -> None:
        self.txtimer: i64 = 0
        self.txburst: i64 = 0
        self.tx: str | None = None
        self.rx_queue_size: i64 = 0
        self.tx_queue_size: i64 = 0
        self.mtu: i64 = 0
        self.speed: i64 = 0
        self.duplex_str: str | None = None
        self.duplex: i64 = 0


@final
class MacTable:
    """The receive filter's addresses: unicast ones first."""

    def __init__(self) -> None:
        self.in_use: i64 = 0
        self.first_multi: i64 = 0
        self.multi_overflow: bool = False
        self.uni_overflow: bool = False
        self.macs: list[bytes] = []

    def clear(self) -> None:
        """As after reset."""
        self.in_use = 0
        self.first_multi = 0
        self.multi_overflow = False
        self.uni_overflow = False
        self.macs = []


@final
class VirtIONetQueue:
    """One queue pair."""

    def __init__(self, n: VirtIONet, rx_vq: VirtQueue, tx_vq: VirtQueue) -> None:
        self.n: VirtIONet = n
        self.rx_vq: VirtQueue = rx_vq
        self.tx_vq: VirtQueue = tx_vq
        self.tx_timer: Timer | None = None
        self.tx_bh: BottomHalf | None = None
        self.tx_waiting: bool = False
        self.async_tx: i64 = -1
        """Head of the element that the peer holds back, -1 for none."""
        self.async_ndescs: i64 = 1
        """Descriptors that it takes of a packed ring."""
        self.element: VirtQueueElement = VirtQueueElement()

    def set_tx_waiting(self, waiting: bool) -> None:
        """Set `tx_waiting`, on record."""
        if waiting != self.tx_waiting:
            self.tx_waiting = waiting
            self.tx_vq.log.field(self.tx_vq.oid, F_TX_WAITING, i64(waiting), i64(not waiting))

    def set_async_tx(self, head: i64) -> None:
        """Set `async_tx`, on record (as head + 1, so that none is 0)."""
        self.tx_vq.log.field(self.tx_vq.oid, F_ASYNC_TX, head + 1, self.async_tx + 1)
        self.async_tx = head
        if head < 0:
            # the element stayed mapped while it was held back
            release_bounce(self.tx_vq.memory, self.element)


class VirtIONet(VirtIODevice):
    """A virtio-net-device."""

    def __init__(self) -> None:
        super().__init__()
        self.mac: bytes = bytes(6)
        self.link_status: i64 = 0
        """VirtIONet.status: LINK_UP and ANNOUNCE bits."""
        self.vqs: list[VirtIONetQueue] = []
        self.ctrl_vq: VirtQueue | None = None
        self.ctrl_handler: OutputHandler | None = None
        self.nic: NICState | None = None
        self.tx_timeout: i64 = 0
        self.tx_burst: i64 = 0
        self.has_vnet_hdr: bool = False
        self.has_ufo: bool = False
        self.host_hdr_len: i64 = 0
        self.guest_hdr_len: i64 = 0
        self.net_features: i64 = 0
        """VirtIONet.host_features: what the properties offer."""
        self.rsc_timeout: i64 = 0
        self.rsc4_enabled: bool = False
        self.rsc6_enabled: bool = False
        self.rsc_chains: dict[int, Timer] = {}
        """Cached segments by ethertype (`rsc.Chain`)."""
        self.mergeable_rx_bufs: bool = False
        self.promisc: i64 = 0
        self.allmulti: i64 = 0
        self.alluni: i64 = 0
        self.nomulti: i64 = 0
        self.nouni: i64 = 0
        self.nobcast: i64 = 0
        self.mac_table: MacTable = MacTable()
        self.vlans: bytearray = bytearray(MAX_VLAN >> 3)
        self._vlans_seen: bytes = b""
        self._vlans_text: str = ""
        """The ranges of what was seen last: every record of a control access asks."""
        self.net_conf: NetConf = NetConf()
        self.nic_conf: NICConf = NICConf()
        self.multiqueue: bool = False
        self.max_queues: i64 = 0
        self.curr_queues: i64 = 0
        self.config_size: i64 = 0
        self.netclient_name: str = ""
        self.netclient_type: str = ""
        self.curr_guest_offloads: i64 = 0
        self.mtu_bypass_backend: bool = False
        self.failover: bool = False
        """7.2: it stands in for a primary device of the same address."""
        self.failover_primary_hidden: bool = False
        """The primary waits until the driver takes VIRTIO_NET_F_STANDBY."""
        self.primary_opts: dict[str, str] = {}
        """Options of the primary that waits, empty for none."""
        self.primary_listener: DeviceListener | None = None
        self.rxfilter_notify_enabled: bool = False
        self.announce_timer: AnnounceTimer | None = None
        """Rounds after the device's state was loaded; None when there are none."""
        self.rss: RssData = RssData()
        self.rx_detour: bool = False
        """Frames are hashed or coalesced before they are received; set by `update_rx_detour`."""
        self.rx_heads: list[i64] = []
        """Heads of the buffers of the frame that is being received, and below how much each took, and its descriptors."""
        self.rx_lengths: list[i64] = []
        self.rx_ndescs: list[i64] = []
        self.rx_bounced: bool = False
        """One of those buffers is not RAM and holds QEMU's bounce buffer."""
        self.num_buffers_lo: i64 = 0
        """Guest addresses of the two bytes of num_buffers, of the frame that is being received."""
        self.num_buffers_hi: i64 = 0
        self.bursting: bool = False
        """The peer delivers many frames: used elements are published at the end."""

    def nc(self) -> NetClientState:
        """The first queue's network client (qemu_get_queue)."""
        assert self.nic is not None
        return self.nic.ncs[0]

    def nic_queue(self, index: i64) -> NetClientState:
        """Queue pair `index`'s network client (qemu_get_subqueue)."""
        assert self.nic is not None
        return self.nic.ncs[index]

    def update_rx_detour(self) -> None:
        """Hashing or coalescing was switched on or off."""
        self.rx_detour = self.rss.enabled or self.rsc4_enabled or self.rsc6_enabled

    def format_info_str(self) -> None:
        """qemu_format_nic_info_str: what ``info network`` says of the NIC."""
        if self.nic is not None:
            nc = self.nic.ncs[0]
            nc.info_str = f"model={nc.model},macaddr={self.mac.hex(':')}"

    def vlans_text(self) -> str:
        """The VLAN filter as ranges, ``"1,5-7"``."""
        seen = bytes(self.vlans)
        if seen == self._vlans_seen:
            return self._vlans_text
        self._vlans_seen = seen
        self._vlans_text = self._vlan_ranges()
        return self._vlans_text

    def _vlan_ranges(self) -> str:
        ranges: list[str] = []
        vid = 0
        while vid < MAX_VLAN:
            if self.vlans[vid >> 3] >> (vid & 7) & 1:
                start = vid
                while vid + 1 < MAX_VLAN and self.vlans[(vid + 1) >> 3] >> ((vid + 1) & 7) & 1:
                    vid += 1
                ranges.append(str(start) if start == vid else f"{start}-{vid}")
            vid += 1
        return ",".join(ranges)

    def macs_text(self) -> str:
        """The filter's addresses, separated by spaces."""
        return " ".join(mac.hex(":") for mac in self.mac_table.macs[: int(MAC_TABLE_ENTRIES)])

    def snapshot(self, fields: dict[int, int]) -> None:
        """Every field that this device logs, as it stands."""
        super().snapshot(fields)
        fields[F_BOOTINDEX] = self.nic_conf.bootindex

    def own_fields(self, fields: dict[int, int]) -> None:
        """The core's fields and virtio-net's."""
        super().own_fields(fields)
        text = self.ctx.log.strings
        table = self.mac_table
        fields[F_MAC] = int.from_bytes(self.mac, "big")
        fields[F_LINK_STATUS] = self.link_status
        fields[F_TX_TIMEOUT] = self.tx_timeout
        fields[F_TX_BURST] = self.tx_burst
        fields[F_HAS_VNET_HDR] = int(self.has_vnet_hdr)
        fields[F_HOST_HDR_LEN] = self.host_hdr_len
        fields[F_GUEST_HDR_LEN] = self.guest_hdr_len
        fields[F_HOST_FEATURES] = self.net_features
        fields[F_MERGEABLE] = int(self.mergeable_rx_bufs)
        fields[F_PROMISC] = self.promisc
        fields[F_ALLMULTI] = self.allmulti
        fields[F_ALLUNI] = self.alluni
        fields[F_NOMULTI] = self.nomulti
        fields[F_NOUNI] = self.nouni
        fields[F_NOBCAST] = self.nobcast
        fields[F_MAC_IN_USE] = table.in_use
        fields[F_MAC_FIRST_MULTI] = table.first_multi
        fields[F_MAC_MULTI_OVERFLOW] = int(table.multi_overflow)
        fields[F_MAC_UNI_OVERFLOW] = int(table.uni_overflow)
        fields[F_MACS] = text.intern(self.macs_text())
        fields[F_VLANS] = text.intern(self.vlans_text())
        fields[F_MULTIQUEUE] = int(self.multiqueue)
        fields[F_MAX_QUEUES] = self.max_queues
        fields[F_CURR_QUEUES] = self.curr_queues
        fields[F_CONFIG_SIZE] = self.config_size
        fields[F_CURR_GUEST_OFFLOADS] = self.curr_guest_offloads
        fields[F_RSC4_ENABLED] = int(self.rsc4_enabled)
        fields[F_RSC6_ENABLED] = int(self.rsc6_enabled)
        fields[F_NETCLIENT_NAME] = text.intern(self.netclient_name)
        fields[F_NETCLIENT_TYPE] = text.intern(self.netclient_type)
        fields[F_TX_QUEUE_SIZE] = self.net_conf.tx_queue_size
        fields[F_DUPLEX] = self.net_conf.duplex
        fields[F_MACADDR] = int.from_bytes(self.nic_conf.macaddr, "big")

        if self.v7_2:
            rss = self.rss
            fields[F_RSS_ENABLED] = int(rss.enabled)
            fields[F_RSS_REDIRECT] = int(rss.redirect)
            fields[F_RSS_POPULATE_HASH] = int(rss.populate_hash)
            fields[F_RSS_HASH_TYPES] = rss.hash_types
            fields[F_RSS_KEY] = text.intern(rss.key.hex())
            fields[F_RSS_TABLE] = text.intern(" ".join(str(queue) for queue in rss.indirections_table))
            fields[F_RSS_DEFAULT_QUEUE] = rss.default_queue

    def snapshot_ring(self, vq: VirtQueue, fields: dict[int, int]) -> None:
        """The fields of a transmit queue's pair, beside the ring's own."""
        for pair in self.vqs:
            if pair.tx_vq is vq:
                fields[F_TX_WAITING] = int(pair.tx_waiting)
                fields[F_ASYNC_TX] = pair.async_tx + 1
