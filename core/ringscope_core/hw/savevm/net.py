"""virtio-net's own state: address, filters, pairs, offloads ("virtio-net-device" and what belongs to it)."""

from __future__ import annotations

from mypy_extensions import i64

from ringscope_core.hw.savevm.stream import LoadError, LoadStream, SaveStream
from ringscope_core.hw.virtio import features as f
from ringscope_core.hw.virtio.features import has
from ringscope_core.hw.virtio.virtio import virtio_get_num_queues
from ringscope_core.hw.virtio_net.constants import MAC_TABLE_ENTRIES, VIRTIO_NET_S_ANNOUNCE, VIRTIO_NET_S_LINK_UP
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.features import (
    supported_guest_offloads,
    virtio_net_apply_guest_offloads,
    virtio_net_set_mrg_rx_bufs,
    virtio_net_set_queues,
)
from ringscope_core.hw.virtio_net.queues import virtio_net_change_num_queues
from ringscope_core.hw.virtio_net.rss import RSS_MAX_TABLE_LEN

MASK64 = 0xFFFFFFFFFFFFFFFF


def save_shape(n: VirtIONet, out: SaveStream) -> None:
    """What decides how many queues there are and how long headers are."""
    out.put(int(n.max_queues), 2)
    out.put(int(n.curr_queues), 2)
    out.flag(n.multiqueue)
    out.flag(n.mergeable_rx_bufs)
    out.flag(n.has_vnet_hdr)
    out.flag(n.has_ufo)


def load_shape(n: VirtIONet, count: int, stream: LoadStream) -> None:
    """Before the queues: `count` of them are in the stream."""
    max_queues = stream.get(2)
    if max_queues != n.max_queues:
        raise LoadError(f"virtio-net: max_queues {max_queues:x}, the device has {int(n.max_queues):x}")
    curr_queues = stream.get(2)
    if curr_queues > max_queues:
        raise LoadError(f"virtio-net: curr_queues {curr_queues:x} > max_queues {max_queues:x}")
    if curr_queues == 0:
        raise LoadError("virtio-net: curr_queues 0")
    multiqueue = stream.flag("multiqueue")
    mergeable = stream.flag("mergeable_rx_bufs")
    # the peer here has to be able to do what the driver was promised there
    if stream.flag("has_vnet_hdr") and not n.has_vnet_hdr:
        raise LoadError("virtio-net: saved image requires vnet_hdr=on")
    if stream.flag("has_ufo") and not n.has_ufo:
        raise LoadError("virtio-net: saved image requires TUN_F_UFO support")
    if count not in (3, 2 * max_queues + 1):
        raise LoadError(f"Invalid number of virtqueues: 0x{count:x}")
    if multiqueue and count != 2 * max_queues + 1:
        raise LoadError(f"virtio-net: multiqueue with 0x{count:x} virtqueues")
    n.multiqueue = multiqueue
    virtio_net_change_num_queues(n, count)
    assert virtio_get_num_queues(n) == count
    features = n.guest_features
    virtio_net_set_mrg_rx_bufs(n, mergeable, has(features, f.VIRTIO_F_VERSION_1), has(features, f.VIRTIO_NET_F_HASH_REPORT))
    n.curr_queues = curr_queues
    n.sync_fields()


def held_back(n: VirtIONet) -> dict[int, int]:
    """Descriptors of the element that a peer holds back, by transmit queue."""
    return {int(pair.tx_vq.queue_index): int(pair.async_ndescs) if n.packed else 1 for pair in n.vqs if pair.async_tx >= 0}


def save_net(n: VirtIONet, out: SaveStream) -> None:
    """Everything else."""
    out.raw(n.mac)
    out.put(int(n.link_status), 2)
    for mode in (n.promisc, n.allmulti, n.alluni, n.nomulti, n.nouni, n.nobcast):
        out.put(int(mode), 1)
    table = n.mac_table
    out.put(int(table.in_use), 4)
    out.put(int(table.first_multi), 4)
    out.flag(table.multi_overflow)
    out.flag(table.uni_overflow)
    for mac in table.macs:
        out.raw(mac)
    out.raw(bytes(n.vlans))
    out.put(int(n.curr_guest_offloads), 8)
    out.put(len(n.vqs), 2)
    for pair in n.vqs:
        # what a peer holds back is sent again, without another kick
        out.flag(pair.tx_waiting or pair.async_tx >= 0)


def load_net(n: VirtIONet, stream: LoadStream) -> None:
    """Filters and pairs, then what the peer has to know."""
    n.mac = stream.raw(6)
    link_status = stream.get(2)
    if link_status & ~int(VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE):
        raise LoadError(f"{stream.name}: status 0x{link_status:x}")
    n.link_status = link_status
    n.promisc, n.allmulti, n.alluni = stream.get(1), stream.get(1), stream.get(1)
    n.nomulti, n.nouni, n.nobcast = stream.get(1), stream.get(1), stream.get(1)
    _load_mac_table(n, stream)
    n.vlans[:] = stream.raw(len(n.vlans))
    offloads = stream.get64()
    if offloads & ~int(supported_guest_offloads(n)):
        raise LoadError(f"virtio-net: curr_guest_offloads 0x{offloads & MASK64:x} unsupported. Accepted: 0x{int(supported_guest_offloads(n)) & MASK64:x}")
    n.curr_guest_offloads = offloads
    pairs = stream.get(2)
    if pairs != len(n.vqs):
        raise LoadError(f"{stream.name}: {pairs} queue pairs, the device has {len(n.vqs)}")
    for pair in n.vqs:
        pair.set_tx_waiting(stream.flag("tx_waiting"))
        pair.set_async_tx(-1)
    if n.has_vnet_hdr:
        virtio_net_apply_guest_offloads(n)
    virtio_net_set_queues(n)
    nic = n.nic
    if nic is not None:
        for nc in nic.ncs:
            nc.link_down = link_status & int(VIRTIO_NET_S_LINK_UP) == 0
    n.format_info_str()
    n.sync_fields()


def save_rss(n: VirtIONet, out: SaveStream) -> None:
    """Hashing and coalescing as the driver has set them; segments that wait to be coalesced are not saved, as in QEMU."""
    rss = n.rss
    out.flag(n.rsc4_enabled)
    out.flag(n.rsc6_enabled)
    out.flag(rss.enabled)
    out.put(int(rss.hash_types), 4)
    out.raw(rss.key)
    out.put(int(rss.default_queue), 2)
    out.put(len(rss.indirections_table), 2)
    for entry in rss.indirections_table:
        out.put(int(entry), 2)


def load_rss(n: VirtIONet, stream: LoadStream) -> None:
    """The table has to be one that the hash can be reduced to; what stands in it is reduced to the queues there are (CVE-2024-6505)."""
    rsc4, rsc6 = stream.flag("rsc4_enabled"), stream.flag("rsc6_enabled")
    if (rsc4 or rsc6) and not has(n.guest_features, f.VIRTIO_NET_F_RSC_EXT):
        raise LoadError(f"{stream.name}: coalescing, which the driver has not accepted")
    enabled = stream.flag("enabled")
    if enabled and not (has(n.guest_features, f.VIRTIO_NET_F_RSS) or has(n.guest_features, f.VIRTIO_NET_F_HASH_REPORT)):
        raise LoadError(f"{stream.name}: hashing, which the driver has not accepted")
    rss = n.rss
    types = stream.get(4)
    key = stream.raw(len(rss.key))
    default_queue = stream.get(2)
    entries = stream.get(2)
    if entries == 0 or entries & (entries - 1) or entries > RSS_MAX_TABLE_LEN:
        raise LoadError(f"{stream.name}: indirections table of {entries} entries")
    table = [i64(stream.get(2)) for _ in range(entries)]
    n.rsc4_enabled, n.rsc6_enabled = rsc4, rsc6
    rss.enabled = enabled
    rss.hash_types = types
    rss.key = key
    rss.default_queue = default_queue
    rss.indirections_table = table
    n.update_rx_detour()
    n.sync_fields()


def _load_mac_table(n: VirtIONet, stream: LoadStream) -> None:
    """Any number of entries: more than the table has are skipped, and the filter overflows (CVE-2013-4148, CVE-2013-4149)."""
    in_use, first_multi = stream.get(4), stream.get(4)
    multi_overflow, uni_overflow = stream.flag("multi_overflow"), stream.flag("uni_overflow")
    macs = stream.raw(in_use * 6)
    table = n.mac_table
    if in_use > MAC_TABLE_ENTRIES:
        table.clear()
        table.multi_overflow = table.uni_overflow = True
        return
    if first_multi > in_use:
        raise LoadError(f"{stream.name}: first_multi 0x{first_multi:x} > in_use 0x{in_use:x}")
    table.in_use = in_use
    table.first_multi = first_multi
    table.multi_overflow = multi_overflow
    table.uni_overflow = uni_overflow
    table.macs = [macs[6 * i : 6 * i + 6] for i in range(in_use)]
