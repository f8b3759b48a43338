"""Sending, flushing, making and deleting clients: net/net.c by its names.

`qemu_send_packet_async` is the data path: a few tests and one virtual call, nothing allocated.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.net.client import KIND_HUBPORT, KIND_NIC, NetClientState
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.host import NetHost
from ringscope_core.net.nic import NICState

__all__ = [
    "MAX_QUEUE_NUM",
    "NET_BUFSIZE",
    "NetHost",
    "net_vm_change_state",
    "qemu_begin_burst",
    "qemu_can_send_packet",
    "qemu_del_net_client",
    "qemu_del_nic",
    "qemu_end_burst",
    "qemu_flush_or_purge_queued_packets",
    "qemu_flush_queued_packets",
    "qemu_net_client_setup",
    "qemu_new_net_client",
    "qemu_new_nic",
    "qemu_purge_queued_packets",
    "qemu_send_packet",
    "qemu_send_packet_async",
    "qemu_send_packet_raw",
    "qemu_set_link",
    "qmp_set_link",
]

NET_BUFSIZE: Final[i64] = 4096 + 65536
"""The longest frame (bytes) that passes (include/net/net.h)."""
MAX_QUEUE_NUM: Final[i64] = 1024


# -- sending ----------------------------------------------------------------------------------------------------------
def qemu_send_packet_async(nc: NetClientState, frame: bytes) -> i64:
    """Send `frame` to the peer of `nc` (qemu_sendv_packet_async).

    Returns its size, or what the peer's `receive` said (below 0), when it is gone: delivered, or dropped because it is longer
    than NET_BUFSIZE, the link is down or there is no peer.  Returns 0 when it has to wait; `nc.tx_complete` follows.
    """
    size: i64 = len(frame)
    if size > NET_BUFSIZE:
        nc.oversize_drops += 1
        return size
    peer = nc.peer
    if peer is None or nc.link_down:
        return size
    queue = peer.incoming_queue
    # qemu_net_queue_send: nothing overtakes a delivery in progress
    if queue.delivering or peer.receive_disabled or not nc.host.vm_running or not peer.can_receive():
        queue.append(nc, frame, True)
        return 0
    if peer.link_down:
        return size
    queue.delivering = True
    ret = peer.receive(frame)
    queue.delivering = False
    if ret == 0:
        peer.receive_disabled = True
        queue.append(nc, frame, True)
        return 0
    if queue.nq_count > 0:
        queue.flush()
    return ret


def qemu_send_packet(nc: NetClientState, frame: bytes, raw: bool = False) -> i64:
    """Send `frame` without wanting to hear of it: one that has to wait may be dropped when too many do."""
    size: i64 = len(frame)
    if size > NET_BUFSIZE:
        nc.oversize_drops += 1
        return size
    peer = nc.peer
    if peer is None or nc.link_down:
        return size
    queue = peer.incoming_queue
    if queue.delivering or not qemu_can_send_packet(nc):
        queue.append(nc, frame, False, raw)
        return 0
    ret = queue.deliver(frame, raw)
    if ret == 0:
        queue.append(nc, frame, False, raw)
        return 0
    queue.flush()
    return ret


def qemu_send_packet_raw(nc: NetClientState, frame: bytes) -> i64:
    """The same for a frame without the virtio_net_hdr that the peer's frames have."""
    return qemu_send_packet(nc, frame, True)


def qemu_can_send_packet(nc: NetClientState) -> bool:
    """Whether a frame that `nc` sends now would be delivered at once."""
    if not nc.host.vm_running:
        return False
    peer = nc.peer
    if peer is None:
        return True
    return not peer.receive_disabled and peer.can_receive()


def qemu_begin_burst(nc: NetClientState) -> bool:
    """Tell the peer of `nc` that many frames follow; False when it knows, or there is none."""
    peer = nc.peer
    if peer is None or peer.bursting:
        return False
    peer.bursting = True
    peer.begin_burst()
    return True


def qemu_end_burst(nc: NetClientState) -> None:
    """End the burst that `qemu_begin_burst` began."""
    peer = nc.peer
    if peer is not None and peer.bursting:
        peer.bursting = False
        peer.end_burst()


# -- what waits -------------------------------------------------------------------------------------------------------
def qemu_flush_or_purge_queued_packets(nc: NetClientState, purge: bool) -> None:
    """`nc` can take frames again: deliver what waits for it; what it still refuses is forgotten when `purge`."""
    nc.receive_disabled = False
    peer = nc.peer
    if peer is not None and peer.kind == KIND_HUBPORT:
        # nobody waits in our own queue: frames for nc wait where the hub's other ports have them
        peer.peer_can_take()
    if not nc.incoming_queue.flush() and purge and peer is not None:
        nc.incoming_queue.purge(peer)


def qemu_flush_queued_packets(nc: NetClientState) -> None:
    """`nc` can take frames again."""
    qemu_flush_or_purge_queued_packets(nc, False)


def qemu_purge_queued_packets(nc: NetClientState) -> None:
    """Forget the frames that `nc` has sent and that wait at its peer; its `tx_complete` hears 0 for each."""
    peer = nc.peer
    if peer is not None:
        peer.incoming_queue.purge(nc)


def net_vm_change_state(host: NetHost, running: bool) -> None:
    """The machine starts or stops (net_vm_change_state_handler).

    Going on, whoever can send does; stopping, every frame on its way ends, so that nothing changes while stopped.
    """
    host.vm_running = running
    for nc in list(host.clients):
        if not running:
            qemu_flush_or_purge_queued_packets(nc, True)
            continue
        peer = nc.peer
        if peer is not None and qemu_can_send_packet(nc):
            qemu_flush_queued_packets(peer)


# -- life of a client -------------------------------------------------------------------------------------------------
def qemu_net_client_setup(nc: NetClientState, peer: NetClientState | None = None) -> None:
    """Make `nc` known to its host and, when given, the peer of `peer`, which must have none yet."""
    if not nc.name:
        nc.name = nc.host.assign_name(nc)
    if peer is not None:
        assert peer.peer is None, peer.name
        nc.peer = peer
        peer.peer = nc
    nc.host.clients.append(nc)


def qemu_new_net_client(nc: NetClientState, peer: NetClientState | None = None) -> NetClientState:
    """Set up a backend's client; returns it."""
    qemu_net_client_setup(nc, peer)
    return nc


def qemu_new_nic(ncs: list[NetClientState], peers: list[NetClientState]) -> NICState:
    """Set up a NIC of ``len(ncs)`` queues, the first ``len(peers)`` of which have backends.

    All queues of a NIC have one name: what the first was given or gets.
    """
    nic = NICState(ncs)
    host = ncs[0].host
    if not ncs[0].name:
        ncs[0].name = host.assign_name(ncs[0])
    for index, nc in enumerate(ncs):
        nc.name = ncs[0].name
        nc.nic = nic
        nc.queue_index = index
        qemu_net_client_setup(nc, peers[index] if index < len(peers) else None)
    return nic


def _cleanup_net_client(nc: NetClientState) -> None:
    if nc in nc.host.clients:
        nc.host.clients.remove(nc)
    nc.cleanup()


def _free_net_client(nc: NetClientState) -> None:
    nc.incoming_queue.clear()
    peer = nc.peer
    if peer is not None:
        peer.peer = None
        nc.peer = None


def qemu_del_net_client(nc: NetClientState) -> None:
    """Delete a backend, all its queues.  With a NIC at its other end it stays allocated, link down, until the NIC goes."""
    assert nc.kind != KIND_NIC, nc.name
    ncs = nc.host.find_clients(nc.name, KIND_NIC)
    peer = nc.peer
    if peer is not None and peer.nic is not None:
        nic = peer.nic
        if nic.peer_deleted:
            return
        nic.peer_deleted = True
        for one in ncs:
            if one.peer is not None:
                one.peer.link_down = True
        peer.link_status_changed()
        for one in ncs:
            _cleanup_net_client(one)
        return
    for one in ncs:
        _cleanup_net_client(one)
        _free_net_client(one)


def qemu_del_nic(nic: NICState) -> None:
    """Delete a NIC: its MAC address is free, what it had on the way is forgotten, a deleted backend goes for good."""
    if nic.mac:
        nic.ncs[0].host.macaddr_set_free(nic.mac)
    for nc in nic.ncs:
        peer = nc.peer
        if peer is None:
            continue
        if nic.peer_deleted:
            _free_net_client(peer)
        else:
            qemu_purge_queued_packets(nc)
    for nc in reversed(nic.ncs):
        _cleanup_net_client(nc)
        _free_net_client(nc)


# -- link -------------------------------------------------------------------------------------------------------------
def qemu_set_link(ncs: list[NetClientState], up: bool) -> None:
    """Set the link of a client, all its queues; of its peer too when that is a NIC (qmp_set_link)."""
    for nc in ncs:
        nc.link_down = not up
    first = ncs[0]
    first.link_status_changed()
    peer = first.peer
    if peer is None:
        return
    if peer.kind == KIND_NIC:
        for nc in ncs:
            if nc.peer is not None:
                nc.peer.link_down = not up
    peer.link_status_changed()


def qmp_set_link(host: NetHost, name: str, up: bool) -> None:
    """Set the link of the client called `name`; raises NetOptionError when there is none."""
    ncs = host.find_clients(name)
    if not ncs:
        raise NetOptionError(f"Device '{name}' not found", "name", name)
    qemu_set_link(ncs, up)
