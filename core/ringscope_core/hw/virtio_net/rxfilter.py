"""query-rx-filter, and the event that says that asking again is worth while (virtio_net_query_rxfilter, rxfilter_notify)."""

from __future__ import annotations

from typing import Final

from ringscope_core.hw.virtio.features import VIRTIO_NET_F_CTRL_VLAN
from ringscope_core.hw.virtio_net.client import VirtIONetClient
from ringscope_core.hw.virtio_net.constants import MAX_VLAN
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.net.client import KIND_NIC
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.host import NetHost

EVENT: Final = "NIC_RX_FILTER_CHANGED"


def rxfilter_notify(n: VirtIONet) -> None:
    """The driver changed the filter: say so, once until somebody asks."""
    if not n.rxfilter_notify_enabled:
        return
    data: dict[str, object] = {"path": n.canonical_path()}
    if n.netclient_name:
        data["name"] = n.netclient_name
    n.world.qapi_event(EVENT, data)
    n.rxfilter_notify_enabled = False


def _state(none: int, every: int) -> str:
    return "none" if none else "all" if every else "normal"


def vlan_table(n: VirtIONet) -> list[int]:
    """The VLAN ids that pass, from the highest down as QEMU lists them."""
    return [vid for vid in range(int(MAX_VLAN) - 1, -1, -1) if n.vlans[vid >> 3] >> (vid & 7) & 1]


def rx_filter_info(n: VirtIONet, name: str) -> dict[str, object]:
    """RxFilterInfo of a NIC.  As in QEMU, broadcast-allowed says that broadcasts are *not* allowed, and the tables come last first."""
    table = n.mac_table
    first, end = int(table.first_multi), int(table.in_use)
    vlans = vlan_table(n)
    if not n.has_guest_feature(VIRTIO_NET_F_CTRL_VLAN):
        vlan = "all"
    else:
        vlan = "normal" if vlans else "none"
    return {
        "promiscuous": n.promisc != 0,
        "name": name,
        "main-mac": n.mac.hex(":"),
        "unicast": _state(int(n.nouni), int(n.alluni)),
        "vlan": vlan,
        "vlan-table": vlans,
        "unicast-table": [mac.hex(":") for mac in reversed(table.macs[:first])],
        "multicast": _state(int(n.nomulti), int(n.allmulti)),
        "multicast-overflow": table.multi_overflow,
        "unicast-overflow": table.uni_overflow,
        "multicast-table": [mac.hex(":") for mac in reversed(table.macs[first:end])],
        "broadcast-allowed": n.nobcast != 0,
    }


def query_rx_filter(host: NetHost, name: str = "") -> list[dict[str, object]]:
    """QMP query-rx-filter: of every NIC, or of the one called `name`.  The event may come again afterwards.

    Raises NetOptionError with QEMU's text for a name that is no NIC's.
    """
    found: list[dict[str, object]] = []
    for nc in host.clients:
        if name and nc.name != name:
            continue
        if nc.kind != KIND_NIC:
            if name:
                raise NetOptionError(f"net client({name}) isn't a NIC", "name", name)
            continue
        if nc.queue_index != 0:
            continue
        if isinstance(nc, VirtIONetClient):
            nc.n.rxfilter_notify_enabled = True
            found.append(rx_filter_info(nc.n, nc.name))
        elif name:
            raise NetOptionError(f"net client({name}) doesn't support rx-filter querying", "name", name)
        if name:
            break
    if not found and name:
        raise NetOptionError(f"invalid net client name: {name}", "name", name)
    return found
