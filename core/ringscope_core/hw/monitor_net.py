"""``query-rx-filter``: what a NIC lets in (net/net.c, hw/net/virtio-net.c)."""

from __future__ import annotations

from ringscope_core.hw.monitor_error import MonitorError
from ringscope_core.hw.virtio.features import VIRTIO_NET_F_CTRL_VLAN
from ringscope_core.hw.virtio_net.client import VirtIONetClient
from ringscope_core.hw.virtio_net.constants import MAX_VLAN
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.net.client import KIND_NIC
from ringscope_core.net.host import NetHost

Members = dict[str, object]


def query_rx_filter(host: NetHost, name: str | None = None) -> list[Members]:
    """The receive filters of all NICs, or of that called `name`; asking lets the device tell of the next change again."""
    found: list[Members] = []
    for nc in host.clients:
        if name is not None and nc.name != name:
            continue
        if nc.kind != KIND_NIC:
            if name is not None:
                raise MonitorError(f"net client({name}) isn't a NIC")
            continue
        if nc.queue_index == 0 and isinstance(nc, VirtIONetClient):
            found.append(rx_filter(nc.n))
        if name is not None:
            break
    if name is not None and not found:
        raise MonitorError(f"invalid net client name: {name}")
    return found


def rx_filter(n: VirtIONet) -> Members:
    """RxFilterInfo.  ``broadcast-allowed`` shows the switch that forbids broadcast, as QEMU does."""
    n.rxfilter_notify_enabled = True
    n.sync_fields()
    table = n.mac_table
    first = int(table.first_multi)
    macs = [mac.hex(":") for mac in table.macs[: int(table.in_use)]]
    vlans = _vlans(n)
    return {
        "name": n.netclient_name or n.nc().name,
        "promiscuous": n.promisc != 0,
        "unicast": _kind(n.nouni != 0, n.alluni != 0),
        "multicast": _kind(n.nomulti != 0, n.allmulti != 0),
        "vlan": "all" if not n.has_guest_feature(VIRTIO_NET_F_CTRL_VLAN) else "normal" if vlans else "none",
        "broadcast-allowed": n.nobcast != 0,
        "multicast-overflow": table.multi_overflow,
        "unicast-overflow": table.uni_overflow,
        "main-mac": n.mac.hex(":"),
        "vlan-table": vlans,
        # each table is put together from its end
        "unicast-table": macs[:first][::-1],
        "multicast-table": macs[first:][::-1],
    }


def _kind(none: bool, every: bool) -> str:
    return "none" if none else "all" if every else "normal"


def _vlans(n: VirtIONet) -> list[int]:
    """The VLANs that are let in, highest first."""
    return [vid for vid in range(int(MAX_VLAN) - 1, -1, -1) if n.vlans[vid >> 3] >> (vid & 7) & 1]
