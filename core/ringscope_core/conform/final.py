"""The device's own view at the end of a case: what x-query-virtio-status, x-query-virtio-queue-status and query-rx-filter tell."""

from __future__ import annotations

from typing import Any, Final

from ringscope_core.hw.virtio.virtqueue import VirtQueue
from ringscope_core.hw.virtio_net.constants import MAX_VLAN
from ringscope_core.hw.virtio_net.device import VirtIONet

STATUS_NAMES: Final = {
    1: "VIRTIO_CONFIG_S_ACKNOWLEDGE",
    2: "VIRTIO_CONFIG_S_DRIVER",
    4: "VIRTIO_CONFIG_S_DRIVER_OK",
    8: "VIRTIO_CONFIG_S_FEATURES_OK",
    0x40: "VIRTIO_CONFIG_S_NEEDS_RESET",
    0x80: "VIRTIO_CONFIG_S_FAILED",
}
TRANSPORT_NAMES: Final = {
    24: "VIRTIO_F_NOTIFY_ON_EMPTY",
    27: "VIRTIO_F_ANY_LAYOUT",
    28: "VIRTIO_RING_F_INDIRECT_DESC",
    29: "VIRTIO_RING_F_EVENT_IDX",
    32: "VIRTIO_F_VERSION_1",
    33: "VIRTIO_F_IOMMU_PLATFORM",
    34: "VIRTIO_F_RING_PACKED",
    35: "VIRTIO_F_IN_ORDER",
    36: "VIRTIO_F_ORDER_PLATFORM",
    37: "VIRTIO_F_SR_IOV",
}
NET_NAMES: Final = {
    0: "VIRTIO_NET_F_CSUM",
    1: "VIRTIO_NET_F_GUEST_CSUM",
    2: "VIRTIO_NET_F_CTRL_GUEST_OFFLOADS",
    3: "VIRTIO_NET_F_MTU",
    5: "VIRTIO_NET_F_MAC",
    6: "VIRTIO_NET_F_GSO",
    7: "VIRTIO_NET_F_GUEST_TSO4",
    8: "VIRTIO_NET_F_GUEST_TSO6",
    9: "VIRTIO_NET_F_GUEST_ECN",
    10: "VIRTIO_NET_F_GUEST_UFO",
    11: "VIRTIO_NET_F_HOST_TSO4",
    12: "VIRTIO_NET_F_HOST_TSO6",
    13: "VIRTIO_NET_F_HOST_ECN",
    14: "VIRTIO_NET_F_HOST_UFO",
    15: "VIRTIO_NET_F_MRG_RXBUF",
    16: "VIRTIO_NET_F_STATUS",
    17: "VIRTIO_NET_F_CTRL_VQ",
    18: "VIRTIO_NET_F_CTRL_RX",
    19: "VIRTIO_NET_F_CTRL_VLAN",
    20: "VIRTIO_NET_F_CTRL_RX_EXTRA",
    21: "VIRTIO_NET_F_GUEST_ANNOUNCE",
    22: "VIRTIO_NET_F_MQ",
    23: "VIRTIO_NET_F_CTRL_MAC_ADDR",
    26: "VHOST_F_LOG_ALL",
    30: "VHOST_USER_F_PROTOCOL_FEATURES",
    57: "VIRTIO_NET_F_HASH_REPORT",
    60: "VIRTIO_NET_F_RSS",
    61: "VIRTIO_NET_F_RSC_EXT",
    62: "VIRTIO_NET_F_STANDBY",
    63: "VIRTIO_NET_F_SPEED_DUPLEX",
}
MASK64: Final = (1 << 64) - 1


def feature_lists(features: int) -> dict[str, Any]:
    """Feature bits by name; what has none is a number."""
    features &= MASK64
    out: dict[str, Any] = {
        "dev-features": [name for bit, name in NET_NAMES.items() if features >> bit & 1],
        "transports": [name for bit, name in TRANSPORT_NAMES.items() if features >> bit & 1],
    }
    unknown = features & ~sum(1 << bit for bit in (*NET_NAMES, *TRANSPORT_NAMES))
    if unknown:
        out["unknown-dev-features"] = unknown
    return out


def queue_state(vq: VirtQueue) -> dict[str, Any]:
    """One queue's indices and addresses."""
    return {
        "vring-num": int(vq.vring_num),
        "vring-desc": int(vq.vring_desc) & MASK64,
        "vring-avail": int(vq.vring_avail) & MASK64,
        "vring-used": int(vq.vring_used) & MASK64,
        "last-avail-idx": int(vq.last_avail_idx),
        "shadow-avail-idx": int(vq.shadow_avail_idx),
        "used-idx": int(vq.used_idx),
        "signalled-used": int(vq.signalled_used),
        "signalled-used-valid": vq.signalled_used_valid,
        "inuse": int(vq.inuse),
    }


def _kind(none: int, every: int) -> str:
    return "none" if none else "all" if every else "normal"


def rx_filter(n: VirtIONet) -> dict[str, Any]:
    """query-rx-filter; the VLAN table as runs, highest first."""
    table = n.mac_table
    first = int(table.first_multi)
    macs = [mac.hex(":") for mac in table.macs[: int(table.in_use)]]
    runs: list[list[int]] = []
    for vid in range(MAX_VLAN - 1, -1, -1):
        if n.vlans[vid >> 3] >> (vid & 7) & 1:
            if runs and runs[-1][1] == vid + 1:
                runs[-1][1] = vid
            else:
                runs.append([vid, vid])
    return {
        "promiscuous": bool(n.promisc),
        "main-mac": n.mac.hex(":"),
        "unicast": _kind(int(n.nouni), int(n.alluni)),
        "vlan": "all" if not n.has_guest_feature(19) else "normal" if runs else "none",
        "unicast-table": macs[:first][::-1],
        "multicast": _kind(int(n.nomulti), int(n.allmulti)),
        "multicast-overflow": bool(table.multi_overflow),
        "unicast-overflow": bool(table.uni_overflow),
        "multicast-table": macs[first:][::-1],
        # QEMU's query says the opposite of its name
        "broadcast-allowed": bool(n.nobcast),
        "vlan-table": runs,
    }


def final_state(n: VirtIONet) -> dict[str, Any]:
    """Everything that a case's `final` may hold."""
    queues: list[dict[str, Any]] = []
    for vq in n.vq:
        if vq.vring_num == 0:
            break
        queues.append(queue_state(vq))
    status = int(n.status)
    statuses: dict[str, Any] = {"statuses": [name for bit, name in STATUS_NAMES.items() if status & bit]}
    if status & ~sum(STATUS_NAMES):
        statuses["unknown-statuses"] = status & ~sum(STATUS_NAMES)
    return {
        "started": n.started,
        "broken": n.broken,
        "isr": int(n.isr),
        "queue-sel": int(n.queue_sel),
        "disabled": bool(getattr(n, "disabled", False)),
        "start-on-kick": n.start_on_kick,
        "status": statuses,
        "guest-features": feature_lists(int(n.guest_features)),
        "vqs": queues,
        "rx-filter": rx_filter(n),
    }


def comparable(final: Any) -> Any:
    """`final` with its lists of names in one order."""
    if isinstance(final, dict):
        return {
            key: sorted(value, key=str) if key in ("statuses", "dev-features", "transports") and isinstance(value, list) else comparable(value)
            for key, value in final.items()
        }
    return final
