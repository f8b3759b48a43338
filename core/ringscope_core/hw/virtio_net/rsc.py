"""Receive segment coalescing: TCP segments of one flow that follow each other become one frame for the driver (VIRTIO_NET_F_RSC_EXT).

Per ethertype a chain keeps one segment a flow; it goes to the driver when something ends it, or when the timer of the chain fires.
Offsets, limits and oddities are QEMU's (hw/net/virtio-net.c, virtio_net_rsc_*): bytes of padding behind a cached segment stay between
its data and what is appended, and the checksums of a coalesced segment are not recomputed.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.hw.virtio.features import VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_RSC_EXT, has
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.hw.virtio_net.hashed import receive_hashed
from ringscope_core.net.packet import ETH_HLEN, ETH_P_IP, ETH_P_IPV6, IPPROTO_TCP, be16
from ringscope_core.net.parse import u16
from ringscope_core.qom.calls import declare
from ringscope_core.trace.kinds import EV_TIMER
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.mainloop import Timer

FN_RSC_RECEIVE: Final = declare("virtio_net_rsc_receive", "nc:unknown buf:unknown size:bytes")
FN_RSC_DRAIN_SEG: Final = declare("virtio_net_rsc_drain_seg", "chain:unknown seg:unknown")
FN_RSC_PURGE: Final = declare("virtio_net_rsc_purge", "opq:unknown")

MAX_IP4_PAYLOAD: Final[i64] = 65515
MAX_IP6_PAYLOAD: Final[i64] = 65535
MAX_TCP_PAYLOAD: Final[i64] = 65535
HDR_F_RSC_INFO: Final[i64] = 4
GSO_TCPV4: Final[i64] = 1
GSO_TCPV6: Final[i64] = 4

TH_FIN: Final[i64] = 0x01
TH_SYN: Final[i64] = 0x02
TH_RST: Final[i64] = 0x04
TH_URG: Final[i64] = 0x20
TCP_FLAGS: Final[i64] = 0x3F
"""ECE and CWR are masked away before they are asked for."""

COALESCE: Final[i64] = 0
FINAL: Final[i64] = 1
NO_MATCH: Final[i64] = 2
BYPASS: Final[i64] = 3
CANDIDATE: Final[i64] = 4

COUNTERS: Final = (
    "received",
    "coalesced",
    "over_size",
    "cache",
    "empty_cache",
    "no_match_cache",
    "win_update",
    "no_match",
    "tcp_syn",
    "tcp_ctrl_drain",
    "dup_ack",
    "pure_ack",
    "ack_out_of_win",
    "data_out_of_win",
    "data_out_of_order",
    "data_after_pure_ack",
    "bypass_not_tcp",
    "tcp_all_opt",
    "ip_frag",
    "ip_ecn",
    "ip_hacked",
    "ip_option",
    "purge_failed",
    "drain_failed",
    "final_failed",
    "timer",
)
"""Those of VirtioNetRscStat that are ever counted."""


def _u32(data: bytes, at: i64) -> i64:
    return u16(data, at) << 16 | u16(data, at + 2)


@final
class Unit:
    """Where the parts of a frame are, bytes from its start (VirtioNetRscUnit)."""

    def __init__(self, frame: bytes, ip: i64, is_ip4: bool) -> None:
        self.plen_at: i64 = ip + 2 if is_ip4 else ip + 4
        """The IP header's length field."""
        self.tcp: i64 = ip + (i64(frame[ip]) & 15) * 4 if is_ip4 else ip + 40
        self.tcp_header: i64 = (i64(frame[self.tcp + 12]) >> 4) * 4
        self.addresses: bytes = frame[ip + 12 : ip + 20] if is_ip4 else frame[ip + 8 : ip + 40]
        self.payload: i64 = u16(frame, self.plen_at) - (self.tcp - ip if is_ip4 else 0) - self.tcp_header


@final
class Segment:
    """A cached segment, to which others are appended (VirtioNetRscSeg)."""

    def __init__(self, queue_index: i64, frame: bytes, unit: Unit) -> None:
        self.queue_index: i64 = queue_index
        self.unit: Unit = unit
        self.head: bytes = frame
        """Frame of the first segment, its headers brought up to date."""
        self.tail: list[bytes] = []
        self.packets: i64 = 1
        self.is_coalesced: bool = False

    def patch(self, at: i64, data: bytes) -> None:
        """Write into the headers."""
        self.head = self.head[:at] + data + self.head[at + len(data) :]

    def frame(self, gso_type: i64) -> bytes:
        """All of it, with its virtio_net_hdr."""
        frame = self.head
        if self.is_coalesced:
            # csum_start and csum_offset hold the number of segments and of duplicate acknowledgements, which is always 0
            header = bytes((HDR_F_RSC_INFO, gso_type)) + frame[2:6] + int(self.packets & 0xFFFF).to_bytes(2, "little") + b"\0\0"
        else:
            header = b"\0\0" + frame[2:10]
        return b"".join([header, frame[10:], *self.tail])


@final
class Chain(Timer):
    """The cached segments of one ethertype (VirtioNetRscChain), and the timer that drains them."""

    def __init__(self, n: VirtIONet, is_ip4: bool) -> None:
        super().__init__()
        self.n: VirtIONet = n
        self.is_ip4: bool = is_ip4
        self.ip_header: i64 = 20 if is_ip4 else 40
        self.gso_type: i64 = GSO_TCPV4 if is_ip4 else GSO_TCPV6
        self.max_payload: i64 = MAX_IP4_PAYLOAD if is_ip4 else MAX_IP6_PAYLOAD
        self.segments: list[Segment] = []
        self.stat: dict[str, int] = dict.fromkeys(COUNTERS, 0)

    def count(self, name: str) -> None:
        """One more of `name`."""
        self.stat[name] += 1

    # -- a frame comes ------------------------------------------------------------------------------------------------
    def receive(self, queue_index: i64, frame: bytes) -> i64:
        """virtio_net_rsc_receive4, virtio_net_rsc_receive6."""
        n = self.n
        ip = n.guest_hdr_len + ETH_HLEN
        if len(frame) < ip + self.ip_header + 20:
            if self.is_ip4:
                self.count("bypass_not_tcp")
            return receive_hashed(n, queue_index, frame)
        sane = self._sanity4(frame, ip) if self.is_ip4 else self._sanity6(frame, ip)
        if not sane:
            return receive_hashed(n, queue_index, frame)
        unit = Unit(frame, ip, self.is_ip4)
        verdict = self._tcp_control(u16(frame, unit.tcp + 12))
        if verdict == BYPASS:
            return receive_hashed(n, queue_index, frame)
        if verdict == FINAL:
            return self._drain_flow(queue_index, frame, unit)
        return self._coalesce_or_cache(queue_index, frame, unit)

    def _sanity4(self, frame: bytes, ip: i64) -> bool:
        if frame[ip] != 0x45:
            self.count("ip_option")
        elif frame[ip + 9] != IPPROTO_TCP:
            self.count("bypass_not_tcp")
        elif u16(frame, ip + 6) & 0x4000 == 0:
            self.count("ip_frag")
        elif frame[ip + 1] & 3:
            self.count("ip_ecn")
        elif u16(frame, ip + 2) < 40 or u16(frame, ip + 2) > len(frame) - ip:
            self.count("ip_hacked")
        else:
            return True
        return False

    def _sanity6(self, frame: bytes, ip: i64) -> bool:
        if frame[ip] >> 4 != 6:
            return False
        if frame[ip + 6] != IPPROTO_TCP:
            self.count("bypass_not_tcp")
        elif u16(frame, ip + 4) < 20 or u16(frame, ip + 4) > len(frame) - ip - 40:
            self.count("ip_hacked")
        elif frame[ip + 1] & 0xC0:
            # not the bits of the traffic class that tell of congestion, but those QEMU looks at
            self.count("ip_ecn")
        else:
            return True
        return False

    def _tcp_control(self, offset_flags: i64) -> i64:
        """virtio_net_rsc_tcp_ctrl_check."""
        flags = offset_flags & TCP_FLAGS
        if flags & TH_SYN:
            self.count("tcp_syn")
            return BYPASS
        if flags & (TH_FIN | TH_URG | TH_RST):
            self.count("tcp_ctrl_drain")
            return FINAL
        if (offset_flags >> 12) * 4 > 20:
            self.count("tcp_all_opt")
            return FINAL
        return CANDIDATE

    def _same_flow(self, segment: Segment, frame: bytes, unit: Unit) -> bool:
        there = segment.unit.tcp
        return unit.addresses == segment.unit.addresses and frame[unit.tcp : unit.tcp + 4] == segment.head[there : there + 4]

    def _drain_flow(self, queue_index: i64, frame: bytes, unit: Unit) -> i64:
        """virtio_net_rsc_drain_flow: what the flow has cached goes first, then `frame` as it is."""
        for segment in self.segments:
            if self._same_flow(segment, frame, unit):
                if self.drain(segment) == 0:
                    self.count("drain_failed")
                break
        return receive_hashed(self.n, queue_index, frame)

    def _coalesce_or_cache(self, queue_index: i64, frame: bytes, unit: Unit) -> i64:
        """virtio_net_rsc_do_coalesce."""
        size: i64 = len(frame)
        n = self.n
        if not self.segments:
            self.count("empty_cache")
            self._cache(queue_index, frame, unit)
            n.ctx.loop.timer_mod(self, n.ctx.clock.now_ns + n.rsc_timeout)
            return size
        for segment in self.segments:
            if not self._same_flow(segment, frame, unit):
                self.count("no_match")
                continue
            if self._coalesce(segment, frame, unit) == FINAL:
                if self.drain(segment) == 0:
                    self.count("final_failed")
                return receive_hashed(n, queue_index, frame)
            segment.is_coalesced = True
            return size
        self.count("no_match_cache")
        self._cache(queue_index, frame, unit)
        return size

    def _cache(self, queue_index: i64, frame: bytes, unit: Unit) -> None:
        self.segments.append(Segment(queue_index, frame, unit))
        self.count("cache")

    def _coalesce(self, segment: Segment, frame: bytes, unit: Unit) -> i64:
        """virtio_net_rsc_coalesce_data: append the data of `frame`, or end the segment."""
        old = segment.unit
        distance = (_u32(frame, unit.tcp + 4) - _u32(segment.head, old.tcp + 4)) & 0xFFFFFFFF
        if distance > MAX_TCP_PAYLOAD:
            self.count("data_out_of_win")
            return FINAL
        if distance == 0:
            if old.payload != 0 or unit.payload == 0:
                return self._acknowledge(segment, frame, unit)
            self.count("data_after_pure_ack")
        elif distance != old.payload:
            self.count("data_out_of_order")
            return FINAL
        length = u16(segment.head, old.plen_at) + unit.payload
        if length > self.max_payload:
            self.count("over_size")
            return FINAL
        old.payload += unit.payload
        segment.patch(old.plen_at, be16(length))
        # acknowledgement, flags and window are those of the last one
        segment.patch(old.tcp + 8, frame[unit.tcp + 8 : unit.tcp + 16])
        data = unit.tcp + unit.tcp_header
        segment.tail.append(frame[data : data + unit.payload])
        segment.packets += 1
        self.count("coalesced")
        return COALESCE

    def _acknowledge(self, segment: Segment, frame: bytes, unit: Unit) -> i64:
        """virtio_net_rsc_handle_ack: a segment without anything new but its acknowledgement."""
        old = segment.unit.tcp
        distance = (_u32(frame, unit.tcp + 8) - _u32(segment.head, old + 8)) & 0xFFFFFFFF
        if distance >= MAX_TCP_PAYLOAD:
            self.count("ack_out_of_win")
            return FINAL
        if distance:
            self.count("pure_ack")
            return FINAL
        window = frame[unit.tcp + 14 : unit.tcp + 16]
        if window == segment.head[old + 14 : old + 16]:
            self.count("dup_ack")
            return FINAL
        segment.patch(old + 14, window)
        self.count("win_update")
        return COALESCE

    # -- a segment goes -----------------------------------------------------------------------------------------------
    def drain(self, segment: Segment) -> i64:
        """virtio_net_rsc_drain_seg: to the driver, or, when it has no buffers, nowhere."""
        n = self.n
        log = n.ctx.log
        full = log.level >= LEVEL_FULL
        if full:
            FN_RSC_DRAIN_SEG.enter(log)
        ret = receive_hashed(n, segment.queue_index, segment.frame(self.gso_type))
        self.segments.remove(segment)
        if full:
            log.leave(ret)
        return ret

    def fire(self) -> None:
        """virtio_net_rsc_purge: the oldest segment has waited long enough; all go."""
        n = self.n
        n.ctx.memory.turn += 1
        log = n.ctx.log
        full = log.level >= LEVEL_FULL
        if full:
            log.emit(EV_TIMER, n.oid, 0, 0)
            FN_RSC_PURGE.enter(log)
        for segment in list(self.segments):
            if self.drain(segment) == 0:
                self.count("purge_failed")
        self.count("timer")
        if full:
            log.leave()


def rsc_receive(n: VirtIONet, queue_index: i64, frame: bytes) -> i64:
    """virtio_net_rsc_receive."""
    at = n.guest_hdr_len + ETH_HLEN - 2
    ethertype: i64 = u16(frame, at) if len(frame) >= at + 2 else 0
    if ethertype != ETH_P_IP and ethertype != ETH_P_IPV6:
        return receive_hashed(n, queue_index, frame)
    log = n.ctx.log
    full = log.level >= LEVEL_FULL
    if full:
        FN_RSC_RECEIVE.enter(log, len(frame))
    chain = _chain(n, ethertype)
    chain.count("received")
    if n.rsc4_enabled if chain.is_ip4 else n.rsc6_enabled:
        ret = chain.receive(queue_index, frame)
    else:
        ret = receive_hashed(n, queue_index, frame)
    if full:
        log.leave(ret)
    return ret


def _chain(n: VirtIONet, ethertype: i64) -> Chain:
    """virtio_net_rsc_lookup_chain: the chain of an ethertype, made at first use."""
    found = n.rsc_chains.get(ethertype)
    if found is None:
        found = Chain(n, ethertype == ETH_P_IP)
        n.rsc_chains[ethertype] = found
    assert isinstance(found, Chain)
    return found


def rsc_enable(n: VirtIONet, offloads: i64) -> None:
    """Coalesce as the features, or the offloads that a command sets, want it; what is cached stays until its timer fires."""
    wanted = has(offloads, VIRTIO_NET_F_RSC_EXT)
    n.rsc4_enabled = wanted and has(offloads, VIRTIO_NET_F_GUEST_TSO4)
    n.rsc6_enabled = wanted and has(offloads, VIRTIO_NET_F_GUEST_TSO6)
    n.update_rx_detour()


def rsc_cleanup(n: VirtIONet) -> None:
    """virtio_net_rsc_cleanup: the device goes, and what is cached with it."""
    for chain in n.rsc_chains.values():
        n.ctx.loop.timer_del(chain)
    n.rsc_chains.clear()


def rsc_stats(n: VirtIONet) -> dict[str, dict[str, int]]:
    """VirtioNetRscStat of each chain there is, by "ip4" and "ip6"."""
    return {"ip4" if chain.is_ip4 else "ip6": dict(chain.stat) for chain in n.rsc_chains.values() if isinstance(chain, Chain)}
