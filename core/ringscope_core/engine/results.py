"""What a headless run reports: `run --json`.

Two directions, named from the guest: ``tx`` is guest to network, ``rx`` is network to guest.  In each, *sent* is what its
source handed over (tx: the guest's stack to its driver's ring; rx: the backend to the device) and *delivered* is what arrived at
the far end (tx: at the backend; rx: at the guest's stack, before it looks at anything).  The digests are SHA-256 over the frames'
bytes in that order: with several queue pairs the two orders differ, since a queue keeps its frames' order but not that of others.
The totals of the same names are those of the run's own direction.
"""

from __future__ import annotations

import hashlib

from ringscope_core.engine.headless import Headless, delivered, direction
from ringscope_core.engine.run import Run
from ringscope_core.net.backends import backend_drops
from ringscope_core.net.backends.pcap import PcapPort
from ringscope_core.net.net import NET_BUFSIZE
from ringscope_core.trace.counters import COUNTER_NAMES
from ringscope_core.trace.kinds import ENUMS
from ringscope_core.trace.levels import LEVEL_NAMES, LEVEL_PACKETS
from ringscope_core.trace.oids import ring_bdf, ring_index


def result(run: Run, headless: Headless, ended: str) -> dict[str, object]:
    """The report of a finished run as plain data."""
    main = direction(run)
    sides = {"tx": _tx(run), "rx": _rx(run)}
    digest = run.event_digest
    count = delivered(run)
    return {
        "scenario": run.scenario.name,
        "seed": run.seed,
        "trace": LEVEL_NAMES[int(run.log.level)],
        "ended": ended,
        "complete": not ended.startswith("only ") and not run.guest.problems,
        "direction": main,
        **sides[main],
        "event_digest": digest.hexdigest() if digest is not None else None,
        "events": int(run.log.seq),
        "packets_per_s": round(count / headless.wall_s, 1) if headless.wall_s > 0 else 0.0,
        "wall_s": round(headless.wall_s, 6),
        "virtual_s": int(run.clock.now_ns) / 1e9,
        "drops": drops(run),
        **sides,
        "queues": queues(run),
        "turns": run.turns,
        "programs": run.guest.stats(),
        "drivers": run.guest.driver_stats(),
        "messages": [*run.world.messages, *run.guest.problems],
        "failures": list(run.failures),
    }


def _tx(run: Run) -> dict[str, object]:
    """Guest to network.  What arrived is digested at the device's boundary, so only from trace level packets on."""
    seen = run.frame_digest
    arrived = sum(int(getattr(nc, "rx_frames", 0)) for nc in run.machine.net.clients)
    tell = seen is not None and run.log.level >= LEVEL_PACKETS and seen.tx_count == arrived
    return {
        "frames_sent": int(run.guest.sent_count()),
        "frames_delivered": arrived,
        "sha256_sent": run.guest.sent.sha256() or None,
        "sha256_delivered": seen.tx_sha256() if tell and seen is not None else None,
    }


def _rx(run: Run) -> dict[str, object]:
    """Network to guest."""
    sent, sha = _given(run)
    return {
        "frames_sent": sent,
        "frames_delivered": int(run.guest.delivered_count()),
        "sha256_sent": sha,
        "sha256_delivered": run.guest.delivered.sha256() or None,
    }


def _given(run: Run) -> tuple[int, str | None]:
    """How many frames the network sent, and their digest.

    A capture's replay is digested from the file itself; else it is the frames that came to the device, from trace level packets on: one that
    a backend still holds when the run ends is not among them.
    """
    clients = run.machine.net.clients
    handed = sum(int(getattr(nc, "tx_frames", 0)) for nc in clients)
    ports = [nc for nc in clients if isinstance(nc, PcapPort) and nc.capture is not None]
    if len(ports) == 1 and all(not getattr(nc, "tx_frames", 0) or isinstance(nc, PcapPort) for nc in clients):
        return handed, _sha256_replayed(ports[0])
    seen = run.frame_digest
    if seen is not None and run.log.level >= LEVEL_PACKETS:
        return seen.rx_count, seen.rx_sha256()
    return handed, None


def _sha256_replayed(port: PcapPort) -> str:
    """Over the frames of the capture that are past, as the file holds them: nothing of the replay is trusted."""
    sha = hashlib.sha256()
    capture = port.capture
    assert capture is not None
    for index in range(port.stats()["replayed"]):
        if capture.length(index) <= NET_BUFSIZE:
            sha.update(capture.frame(index))
    return sha.hexdigest()


def drops(run: Run) -> dict[str, int]:
    """Frames lost, by reason: at the device, in the network, in the guest."""
    names = ENUMS["drop"]
    found: dict[str, int] = {}
    device = [(names[place], int(ring.drop_reasons[place])) for ring in run.machine.counters.values() for place in range(len(names))]
    for reason, number in [*device, *backend_drops(run.machine.net).items(), *run.guest.drops().items()]:
        found[reason] = found.get(reason, 0) + number
    return {reason: number for reason, number in sorted(found.items()) if number}


def queues(run: Run) -> list[dict[str, object]]:
    """Every ring's counters."""
    for part in run.machine.instruments:
        part.sample()
    return [
        {"bdf": int(ring_bdf(oid)), "queue": int(ring_index(oid)), **dict(zip(COUNTER_NAMES, ring.to_list(), strict=True))}
        for oid, ring in sorted(run.machine.counters.items())
    ]
