"""Hubs: what comes in at one port goes out at all others (net/hub.c)."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.net.backends.backend import Backend
from ringscope_core.net.client import KIND_HUBPORT, KIND_NIC, NetClientState
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import qemu_begin_burst, qemu_can_send_packet, qemu_end_burst, qemu_send_packet


@final
class NetHub:
    """One hub: its number and its ports, the newest first."""

    def __init__(self, hub_id: i64) -> None:
        self.id: i64 = hub_id
        self.num_ports: i64 = 0
        """Ports made since the hub exists; numbers their default names."""
        self.ports: list[NetHubPort] = []


@final
class NetHubPort(Backend):
    """One port of a hub."""

    def __init__(self, host: NetHost, name: str, hub: NetHub) -> None:
        self.hub: NetHub = hub
        self.id: i64 = hub.num_ports
        super().__init__(host, KIND_HUBPORT, name or f"hub{hub.id}port{hub.num_ports}")
        self.model = "hub"
        hub.num_ports += 1
        hub.ports.insert(0, self)

    def receive(self, frame: bytes) -> i64:
        """Send `frame` to whatever hangs on the other ports (net_hub_receive)."""
        if self.vnet is not None:
            return self.receive_unfinished(frame)
        return self.take(frame)

    def take(self, frame: bytes) -> i64:
        """A plain frame: to every other port."""
        size: i64 = len(frame)
        self.rx_frames += 1
        self.rx_bytes += size
        for port in self.hub.ports:
            if port is not self:
                port.tx_frames += 1
                port.tx_bytes += size
                if port.vnet is None:
                    qemu_send_packet(port, frame)
                else:
                    port.send_all(port.frames_for_peer(frame))
        return size

    def receive_unfinished(self, frame: bytes) -> i64:
        """A frame with a header: it goes on as it is where the driver behind a port takes it so, finished everywhere else."""
        vnet = self.vnet
        assert vnet is not None
        length = self.vnet_hdr_len
        self.rx_frames += 1
        self.rx_bytes += i64(len(frame)) - length
        finished: list[bytes] | None = None
        for port in self.hub.ports:
            if port is self:
                continue
            port.tx_frames += 1
            port.tx_bytes += i64(len(frame)) - length
            other = port.vnet
            if other is not None and port.vnet_hdr_len and length:
                port.send_all(other.relay(frame, port.vnet_hdr_len, vnet, length))
                continue
            if finished is None:
                finished = self.plain_frames(frame)
            port.send_all(finished)
        return len(frame) if frame else -1

    def send_all(self, frames: list[bytes]) -> None:
        """Send to whatever hangs on this port."""
        for frame in frames:
            qemu_send_packet(self, frame)

    def can_receive(self) -> bool:
        """Whether any other port can pass a frame on: a port alone on its hub takes nothing (net_hub_port_can_receive)."""
        for port in self.hub.ports:  # noqa: SIM110 - asked for each frame: a generator would cost more than the frame
            if port is not self and qemu_can_send_packet(port):
                return True
        return False

    def peer_can_take(self) -> None:
        """Frames that wait for this port's peer came through the other ports: let them go on (net_hub_flush)."""
        for port in self.hub.ports:
            if port is not self:
                port.incoming_queue.flush()

    def begin_burst(self) -> None:
        """A burst here is a burst at every other port."""
        for port in self.hub.ports:
            if port is not self:
                qemu_begin_burst(port)

    def end_burst(self) -> None:
        """The end of the burst."""
        for port in self.hub.ports:
            if port is not self:
                qemu_end_burst(port)

    def cleanup(self) -> None:
        """Leave the hub (net_hub_port_cleanup)."""
        if self in self.hub.ports:
            self.hub.ports.remove(self)


def hubs_of(host: NetHost) -> list[NetHub]:
    """The hubs of `host`, the newest first; one is there as long as a port of it is."""
    found: list[NetHub] = []
    for nc in host.clients:
        if isinstance(nc, NetHubPort) and nc.hub not in found:
            found.insert(0, nc.hub)
    return found


def find_hub(host: NetHost, hub_id: i64) -> NetHub:
    """The hub numbered `hub_id`, made when there is none."""
    for hub in hubs_of(host):
        if hub.id == hub_id:
            return hub
    return NetHub(hub_id)


def joins_loop(hub: NetHub, peer: NetClientState) -> bool:
    """Whether a port of `hub` with `peer` at its other end would close a ring of hubs, in which frames go round for ever."""
    if not isinstance(peer, NetHubPort):
        return False
    seen: list[NetHub] = []
    todo = [peer.hub]
    while todo:
        one = todo.pop()
        seen.append(one)
        for port in one.ports:
            other = port.peer
            if isinstance(other, NetHubPort) and other.hub not in seen:
                todo.append(other.hub)
    return hub in seen


def net_hub_check_clients(host: NetHost) -> list[str]:
    """What is odd about the hubs, in the words of warnings (net_hub_check_clients)."""
    found: list[str] = []
    for hub in hubs_of(host):
        has_nic = False
        has_host_dev = False
        for port in hub.ports:
            peer = port.peer
            if peer is None:
                found.append(f"hub port {port.name} has no peer")
            elif peer.kind == KIND_NIC:
                has_nic = True
            elif peer.kind != KIND_HUBPORT:
                has_host_dev = True
        if has_host_dev and not has_nic:
            found.append(f"hub {hub.id} with no nics")
        if has_nic and not has_host_dev:
            found.append(f"hub {hub.id} is not connected to host network")
    return found
