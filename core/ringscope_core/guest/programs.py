"""From a scenario's traffic entries to the guest's programs."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.guest.bulk import BulkRx, BulkTx
from ringscope_core.guest.config import TrafficSpec
from ringscope_core.guest.echo import Ping, UdpEcho
from ringscope_core.guest.large import LargeTx
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.workload import Workload
from ringscope_core.net.backends.generator import MIN_SIZE
from ringscope_core.trace.mainloop import MainLoop

MAX_PHASE_NS: Final = 1_000_000
"""Paced workloads begin within this after their start, so that two of one rate do not go in step."""


def mix(seed: int, number: int) -> int:
    """A number of 31 bits that depends on both in no obvious way (the finalizer of SplitMix64)."""
    word = (seed + (number + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    word = (word ^ word >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return (word ^ word >> 31) & 0x7FFFFFFF


def make_workloads(spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, number: i64, seed: int) -> list[Workload]:
    """The programs of traffic entry `number` of a scenario; `seed` chooses identifiers, ports and phases."""
    works = _make(spec, stack, loop, peer_ip, number + mix(seed, -1) % 200)
    for place, work in enumerate(works):
        interval: int = work.pacer.interval_ns
        if interval:
            work.phase_ns = mix(seed, 100 * int(number) + place) % min(interval, MAX_PHASE_NS)
    return works


def _make(spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, number: i64) -> list[Workload]:
    if spec.kind == "ping":
        return [Ping(spec, stack, loop, peer_ip, number)]
    if spec.kind == "udp-echo":
        return [UdpEcho(spec, stack, loop, peer_ip, number)]
    if spec.kind == "bulk-rx":
        return [BulkRx(spec, stack, loop)]
    if spec.kind == "bulk-tx":
        return _bulk_tx(spec, stack, loop, peer_ip)
    if spec.kind == "mixed":
        return _mixed(spec, stack, loop, peer_ip, number)
    if spec.kind in ("tcp-bulk", "udp-bulk"):
        return [LargeTx(spec, stack, loop, peer_ip)]
    raise ValueError(f"no workload {spec.kind!r}")


def _bulk_tx(spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str) -> list[Workload]:
    """One sender a queue pair; flows, frames and rate are divided among them."""
    senders = min(stack.pairs, spec.flows)
    works: list[Workload] = []
    for pair in range(senders):
        part = _part(spec, "bulk-tx", pair, senders)
        if spec.count == 0 or part.count > 0:
            works.append(BulkTx(part, stack, loop, peer_ip, pair))
    return works


def _part(spec: TrafficSpec, kind: str, place: i64, of: i64) -> TrafficSpec:
    """Share number `place` of `of` equal shares."""
    part = TrafficSpec(kind)
    part.rate_pps = spec.rate_pps / int(of)
    part.size = max(MIN_SIZE, spec.size)
    part.count = (spec.count + of - 1 - place) // of
    part.burst = spec.burst
    part.start_ns = spec.start_ns
    part.stop_ns = spec.stop_ns
    part.device = spec.device
    part.flows = (spec.flows + of - 1 - place) // of
    return part


def _mixed(spec: TrafficSpec, stack: NetStack, loop: MainLoop, peer_ip: str, number: i64) -> list[Workload]:
    """A ping and some UDP echo beside bursts of bulk: a tenth, three tenths and six tenths of the rate."""
    ping = _part(spec, "ping", 0, 1)
    ping.rate_pps, ping.size, ping.burst, ping.flows = spec.rate_pps * 0.1, 56, 1, 1
    echo = _part(spec, "udp-echo", 0, 1)
    echo.rate_pps, echo.burst = spec.rate_pps * 0.3, 1
    bulk = _part(spec, "bulk-tx", 0, 1)
    bulk.rate_pps = spec.rate_pps * 0.6
    ping.count, echo.count, bulk.count = spec.count // 10, spec.count * 3 // 10, spec.count * 6 // 10
    works: list[Workload] = [Ping(ping, stack, loop, peer_ip, number), UdpEcho(echo, stack, loop, peer_ip, number)]
    works.extend(_bulk_tx(bulk, stack, loop, peer_ip))
    return works
