"""``-netdev``: from an option string to clients (net_client_init1, net_init_netdev)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mypy_extensions import i64

from ringscope_core.net.backends.backend import Backend
from ringscope_core.net.backends.generator import MAX_SIZE, MAX_TCP_DATA, MIN_SIZE
from ringscope_core.net.backends.hub import NetHubPort, find_hub, hubs_of, joins_loop, net_hub_check_clients
from ringscope_core.net.backends.options import NetdevOptions, VnetHdrOption
from ringscope_core.net.backends.responder import Responder, ResponderConfig
from ringscope_core.net.client import KIND_HUBPORT, KIND_NIC, NetClientState
from ringscope_core.net.errors import NetOptionError
from ringscope_core.net.host import NetHost
from ringscope_core.net.net import MAX_QUEUE_NUM, NET_BUFSIZE, qemu_net_client_setup, qemu_send_packet_async

QEMU_KINDS: Final = ("none", "nic", "user", "tap", "l2tpv3", "socket", "stream", "vde", "bridge", "netmap", "vhost-user", "vhost-vdpa")
"""NetClientDriver's values that are no backend of ours."""

Maker = Callable[[NetHost, NetdevOptions], list[NetClientState]]


# -- one maker a kind -------------------------------------------------------------------------------------------------
def _queues(options: NetdevOptions) -> int:
    return options.number("queues", 1, 1, int(MAX_QUEUE_NUM))


def _bulk(options: NetdevOptions, prefix: str, port: Responder) -> None:
    """The generator's options: ``pps`` (0 flat out), ``size`` (bytes), ``count`` (0 endless), ``start-ns``, ``flows``."""
    pps = options.number(prefix + "pps", 0, 0, 1_000_000_000)
    size = options.number(prefix + "size", 64, int(MIN_SIZE), int(MAX_SIZE))
    count = options.number(prefix + "count", 0, 0, 2**62)
    start = options.number(prefix + "start-ns", 0, 0, 2**62)
    flows = options.number(prefix + "flows", 1, 1, 16384)
    port.start_bulk(pps, size, count, start, flows)


def _responder_config(options: NetdevOptions) -> ResponderConfig:
    config = ResponderConfig()
    config.mac = options.mac("mac", config.mac)
    config.ip = options.ip4("ip", config.ip)
    config.ip6 = options.ip6("ip6", config.ip6)
    return config


def _make_responder(host: NetHost, options: NetdevOptions) -> list[NetClientState]:
    config = _responder_config(options)
    config.echo_port = options.number("echo-port", int(config.echo_port), 0, 65535)
    config.latency_ns = options.number("latency-ns", 0, 0, 10**12)
    ports = [Responder(host, options.id, config) for _ in range(_queues(options))]
    if options.has("bulk"):
        _bulk(options, "bulk.", ports[0])
    if options.has("stream"):
        _stream(options, ports[0])
    vnet_hdr = VnetHdrOption(options, True)
    for port in ports:
        port.vnet = vnet_hdr.make()
    options.finish()
    return list(ports)


def _stream(options: NetdevOptions, port: Responder) -> None:
    """``stream.pps``, ``stream.size`` (bytes of TCP data a piece), ``stream.count``, ``stream.start-ns``, ``stream.flows``."""
    pps = options.number("stream.pps", 0, 0, 1_000_000_000)
    size = options.number("stream.size", 1460, 1, int(MAX_TCP_DATA))
    count = options.number("stream.count", 0, 0, 2**62)
    start = options.number("stream.start-ns", 0, 0, 2**62)
    flows = options.number("stream.flows", 1, 1, 1024)
    port.start_stream(pps, size, count, start, flows)


def _make_source(host: NetHost, options: NetdevOptions) -> list[NetClientState]:
    config = _responder_config(options)
    port = Responder(host, options.id, config, "source")
    port.vnet = VnetHdrOption(options, True).make()
    _bulk(options, "", port)
    options.finish()
    return [port]


def _make_pcap(host: NetHost, options: NetdevOptions) -> list[NetClientState]:
    # dpkt takes a while to import; only this backend needs it
    from ringscope_core.net.backends.pcap import make_pcap

    return make_pcap(host, options)


def _make_dgram(host: NetHost, options: NetdevOptions) -> list[NetClientState]:
    from ringscope_core.net.backends.dgram import make_dgram

    port = make_dgram(host, options)
    return [port]


def _make_hubport(host: NetHost, options: NetdevOptions) -> list[NetClientState]:
    hub_id = options.int32("hubid")
    peer_name = options.optional("netdev")
    vnet_hdr = VnetHdrOption(options)
    options.finish()
    peer: NetClientState | None = None
    if peer_name:
        peer = host.find_netdev(peer_name)
        if peer is None:
            raise NetOptionError(f"netdev '{peer_name}' not found", "netdev", peer_name)
        if peer.peer is not None:
            raise NetOptionError(f"netdev '{peer_name}' is in use", "netdev", peer_name, "a netdev without a peer")
    hub = find_hub(host, hub_id)
    if peer is not None and joins_loop(hub, peer):
        raise NetOptionError(f"netdev '{peer_name}' would close a loop of hubs", "netdev", peer_name, "a hub that is not connected yet")
    port = NetHubPort(host, options.id, hub)
    port.vnet = vnet_hdr.make()
    port.peer = peer
    return [port]


MAKERS: Final[dict[str, Maker]] = {
    "responder": _make_responder,
    "source": _make_source,
    "pcap": _make_pcap,
    "dgram": _make_dgram,
    "hubport": _make_hubport,
}


# -- the way in -------------------------------------------------------------------------------------------------------
def netdev_add(host: NetHost, text: str) -> list[NetClientState]:
    """Make the backend that the option string `text` asks for; returns its clients, one a queue.

    Raises NetOptionError, with nothing made.  QEMU prints its message as ``-netdev TEXT: MESSAGE``.
    """
    options = NetdevOptions(text)
    if any(nc.kind != KIND_NIC and nc.name == options.id for nc in host.clients):
        raise NetOptionError(f"Duplicate ID '{options.id}' for netdev", "id", options.id)
    maker = MAKERS.get(options.kind)
    if maker is None:
        if options.kind in QEMU_KINDS:
            raise NetOptionError(f"network backend '{options.kind}' is not compiled into this binary", "type", options.kind, ", ".join(MAKERS))
        raise NetOptionError(f"Parameter 'type' does not accept value '{options.kind}'", "type", options.kind, ", ".join(MAKERS))
    clients = maker(host, options)
    for index, nc in enumerate(clients):
        nc.queue_index = index
        peer = nc.peer
        nc.peer = None
        qemu_net_client_setup(nc, peer)
    return clients


def net_check_clients(host: NetHost) -> list[str]:
    """What QEMU warns of when the machine is complete: clients without a peer, odd hubs (net_check_clients)."""
    found = net_hub_check_clients(host)
    for nc in host.clients:
        if nc.peer is None:
            found.append(f"{'nic' if nc.kind == KIND_NIC else 'netdev'} {nc.name} has no peer")
    return found


def inject(nc: NetClientState, frame: bytes) -> i64:
    """Send `frame` to the peer of the backend `nc` as if it came from outside; returns as `qemu_send_packet_async`.

    Raises NetOptionError for a frame that no network has: empty, or longer than NET_BUFSIZE.
    """
    if not 1 <= len(frame) <= NET_BUFSIZE:
        allowed = f"1 to {NET_BUFSIZE} bytes"
        raise NetOptionError(f"a frame of {len(frame)} bytes cannot be injected: {allowed}", "frame", str(len(frame)), allowed)
    ret: i64 = 0
    for one in nc.frames_for_peer(frame) if isinstance(nc, Backend) else [frame]:
        ret = qemu_send_packet_async(nc, one)
    return ret


def info_network(host: NetHost) -> str:
    """The text of ``info network``: hubs with their ports, then the other clients with their peers."""
    lines: list[str] = []
    for hub in hubs_of(host):
        lines.append(f"hub {hub.id}")
        for port in hub.ports:
            lines.append(f" \\ {port.name}" + (f": {_describe(port.peer)}" if port.peer is not None else ""))
    for nc in host.clients:
        peer = nc.peer
        if nc.kind == KIND_HUBPORT or (peer is not None and peer.kind == KIND_HUBPORT):
            continue
        if peer is None or nc.kind == KIND_NIC:
            lines.append(_describe(nc))
            if peer is not None:
                lines.append(f" \\ {_describe(peer)}")
    return "\n".join(lines) + ("\n" if lines else "")


def _describe(nc: NetClientState) -> str:
    return f"{nc.name}: index={nc.queue_index},type={nc.kind},{nc.info_str}"


def backend_stats(host: NetHost) -> dict[str, dict[str, int]]:
    """Counts of every backend by name; the queues of one backend are added up."""
    found: dict[str, dict[str, int]] = {}
    for nc in host.clients:
        if isinstance(nc, Backend):
            total = found.setdefault(nc.name, {})
            for key, value in nc.stats().items():
                total[key] = total.get(key, 0) + value
    return found


def backend_drops(host: NetHost) -> dict[str, int]:
    """Frames that backends, and the queues in front of every client, lost, by reason."""
    found: dict[str, int] = {}
    for nc in host.clients:
        lost = nc.drops() if isinstance(nc, Backend) else {"queue full": int(nc.incoming_queue.dropped)}
        for reason, count in lost.items():
            if count:
                found[reason] = found.get(reason, 0) + count
    return found


def backend_warnings(host: NetHost) -> list[str]:
    """What backends found out about their files, a line each."""
    return [line for nc in host.clients if isinstance(nc, Backend) for line in nc.warnings()]
