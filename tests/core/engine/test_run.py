"""Runs: the fold of the events is the machine, the same seed gives the same events, and runs end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import dpkt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope_core.engine.headless import Goal, Headless, limit_replay
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.results import result
from ringscope_core.engine.run import FAILED, FINISHED, Run
from ringscope_core.engine.sinks import RowKeeper
from ringscope_core.scenario.load import load, scenario_from_text
from ringscope_core.scenario.model import Scenario
from ringscope_core.scenario.shipped import SHIPPED
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_COUNTERS, LEVEL_FULL, LEVEL_PACKETS
from ringscope_core.trace.state import MachineState, fold


def comparable(state: MachineState) -> dict[str, object]:
    """A state without its two clocks: an event knows the time it happened, a keyframe the time it was made."""
    plain = state.comparable()
    del plain["vt"], plain["wall"]
    return plain


def differences(told: dict[str, object], folded: dict[str, object]) -> str:
    """What is different, in few words."""
    out: list[str] = []
    for key, value in told.items():
        other = folded[key]
        if value == other:
            continue
        if isinstance(value, dict) and isinstance(other, dict):
            for name in sorted(value.keys() | other.keys()):
                if value.get(name) != other.get(name):
                    out.append(f"{key}[{name}]: machine {value.get(name)!r:.300} fold {other.get(name)!r:.300}")
        else:
            out.append(f"{key}: machine {value!r:.300} fold {other!r:.300}")
    return "\n".join(out[:20])


class FoldCheck:
    """Folds a run's events beside it and compares now and then."""

    def __init__(self, scenario: Scenario) -> None:
        self.keeper = RowKeeper()
        self.run = Run(scenario, trace_level=int(LEVEL_FULL), digests=False, sink=self.keeper)
        self.state = MachineState()
        self.done = 0
        self.checks = 0

    def check(self) -> None:
        self.run.log.flush()
        rows = self.keeper.rows()
        fold(self.state, rows[self.done :].tolist())
        self.done = len(rows)
        told, folded = comparable(self.run.state()), comparable(self.state)
        assert told == folded, differences(told, folded)
        self.checks += 1


def run_checked(name: str, changes: list[str], turns: int, every: int = 25) -> Run:
    return run_scenario_checked(load(name, changes), turns, every)


def run_scenario_checked(scenario: Scenario, turns: int, every: int) -> Run:
    check = FoldCheck(scenario)
    run = check.run
    built = run.build()
    check.check()
    if built:
        for n in range(turns):
            if not run.turn() and not run.pass_time():
                break
            if n % every == 0:
                check.check()
    check.check()
    run.finish("test")
    check.check()
    run.close()
    return run


@pytest.mark.parametrize("name", SHIPPED)
def test_the_fold_of_events_is_the_machine(name: str) -> None:
    run = run_checked(name, [], 300)
    assert run.run_state == (FAILED if name == "bad-option" else FINISHED)


EXAMPLES = 300 if os.environ.get("RINGSCOPE_DEEP") else 12
"""RINGSCOPE_DEEP=1 looks longer."""

OPTIONS = st.fixed_dictionaries(
    {
        "driver.event_idx": st.booleans(),
        "driver.indirect": st.booleans(),
        "driver.mrg_rxbuf": st.booleans(),
        "driver.msix": st.booleans(),
        "driver.napi_tx": st.booleans(),
        "driver.xmit_more": st.booleans(),
        "driver.tx_layout": st.sampled_from(["single", "split"]),
        "driver.tx_fragments": st.sampled_from([1, 3]),
        "driver.rx_mode": st.sampled_from(["auto", "small", "big"]),
    }
)
DEVICES = st.lists(
    st.sampled_from(
        ["event_idx=off", "indirect_desc=off", "mrg_rxbuf=off", "tx=timer", "rx_queue_size=512", "ctrl_vq=off", "vectors=0", "x-txburst=7", "mq=on"]
    ),
    unique=True,
    max_size=3,
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(["ping", "udp-echo", "bulk-tx", "bulk-rx"]), options=OPTIONS, device=DEVICES, seed=st.integers(1, 1000))
def test_the_fold_is_the_machine_with_any_options(name: str, options: dict[str, object], device: list[str], seed: int) -> None:
    changes = [f"{key}={str(value).lower()}" for key, value in options.items()] + [f"seed={seed}", "count=300"]
    changes.append("device=" + ",".join(["virtio-net-pci,netdev=hostnet0,id=net0", *device]))
    run_checked(name, changes, 80, every=10)


PATHS = st.fixed_dictionaries(
    {
        "driver.personality": st.sampled_from(["linux", "virtio-user"]),
        "driver.transport": st.sampled_from(["auto", "legacy"]),
        "driver.packed": st.booleans(),
        "driver.event_idx": st.booleans(),
        "driver.indirect": st.booleans(),
        "driver.any_layout": st.booleans(),
        "driver.msix": st.booleans(),
        "driver.napi_tx": st.booleans(),
        "driver.tx_layout": st.sampled_from(["single", "split"]),
        "driver.rx_mode": st.sampled_from(["auto", "small", "big"]),
        "driver.rx_ring": st.sampled_from([0, 32, 512]),
        "driver.tx_ring": st.sampled_from([0, 8, 1024]),
        "driver.burst": st.sampled_from([1, 7, 32]),
        "driver.recover": st.just(True),
    }
)
"""Settings that lead along every path of the driver; all may be combined."""
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["reset", "queue-reset", "break", "remove", "probe", "rescan", "pairs", "promisc"]), st.integers(1, 40), st.integers(0, 3)),
    max_size=4,
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    device=st.sampled_from(["", "packed=on", "disable-modern=on", "disable-legacy=on", "mrg_rxbuf=off", "mq=on,rss=on,hash=on", "guest_rsc_ext=on,packed=on"]),
    netdev=st.sampled_from(["responder", "responder,vnet-hdr=on", "responder,vnet-hdr=on,queues=2,stream.size=9000,stream.pps=2000,stream.count=60"]),
    offloads=st.booleans(),
    options=PATHS,
    actions=ACTIONS,
)
def test_the_fold_is_the_machine_on_every_path(
    device: str, netdev: str, offloads: bool, options: dict[str, object], actions: list[tuple[str, int, int]]
) -> None:
    if options["driver.transport"] == "legacy" and device == "disable-legacy=on":
        options = {**options, "driver.transport": "auto"}
    lines = ['name = "path"', 'profile = "7.2"', f'netdev = ["{netdev},id=n0"]', f'device = ["virtio-net-pci,netdev=n0,id=net0,{device or "mq=off"}"]']
    lines += ["[machine]", 'type = "pc"', "[driver]"]
    if offloads:
        lines += [f"{name} = true" for name in ("tx_csum", "tx_tso", "tx_ufo", "rx_csum", "rx_gso", "rx_ufo", "rsc", "rss", "hash_report")]
    for kind, size in (("udp-echo", 900), ("bulk-tx", 300), ("tcp-bulk", 20000)):
        lines += ["[[traffic]]", f'kind = "{kind}"', "rate_pps = 4000", f"size = {size}", "count = 120"]
    for do, at_ms, number in actions:
        lines += ["[[action]]", f'do = "{do}"', f'at = "{at_ms}ms"', f"queue = {number}", f"number = {number % 2 if do != 'pairs' else number + 1}"]
    changes = [f"{key}={str(value).lower()}" for key, value in options.items()]
    run = run_scenario_checked(scenario_from_text("\n".join(lines), changes), 160, every=10)
    assert not run.guest.problems


def report(name: str, changes: list[str], goal: Goal, level: int = int(LEVEL_FULL)) -> dict[str, object]:
    run = Run(load(name, changes), trace_level=level)
    assert run.build(), run.failures
    headless = Headless(run, goal)
    ended = headless.to_the_end()
    out = result(run, headless, ended)
    run.close()
    return out


@pytest.mark.parametrize("name", ["ping", "udp-echo", "multiqueue", "legacy", "packed", "offloads", "rss", "virtio-user", "recovery"])
def test_the_same_seed_gives_the_same_events(name: str) -> None:
    goal = Goal(virtual_ns=30_000_000)
    first, second = report(name, [], goal), report(name, [], goal)
    assert first["event_digest"] == second["event_digest"]
    assert first["events"] == second["events"]
    assert report(name, ["traffic.0.size=99"], goal)["event_digest"] != first["event_digest"]


@pytest.mark.parametrize("level", [int(LEVEL_COUNTERS), int(LEVEL_PACKETS), int(LEVEL_FULL)])
def test_recording_and_pacing_change_no_event(level: int, tmp_path: Path) -> None:
    def digest(recorded: bool, factor: float) -> str:
        recorder = Recorder(SessionWriter(tmp_path / "a", {})) if recorded else None
        run = Run(load("ping"), trace_level=level, recorder=recorder, factor=factor)
        assert run.build()
        Headless(run, Goal(virtual_ns=320_000_000)).to_the_end()
        run.close()
        if recorder is not None:
            recorder.writer.close()
        assert run.event_digest is not None
        return run.event_digest.hexdigest()

    plain = digest(False, 0.0)
    assert digest(True, 0.0) == plain
    assert digest(False, 3.0) == plain


def test_the_digest_does_not_depend_on_the_process() -> None:
    code = (
        "import json, sys\n"
        "from tests.core.engine.test_run import report, Goal\n"
        "r = report('udp-echo', ['count=50'], Goal())\n"
        "print(json.dumps([r['event_digest'], r['events']]))"
    )
    seen = [subprocess.run([sys.executable, *hashing, "-c", code], capture_output=True, text=True, check=True).stdout for hashing in ([], ["-R"])]
    assert seen[0] == seen[1]
    mine = report("udp-echo", ["count=50"], Goal())
    assert json.loads(seen[0]) == [mine["event_digest"], mine["events"]]


@pytest.fixture
def capture(tmp_path: Path) -> list[str]:
    """A setting that replays frames of every length from a runt to 64 KB, to foreign addresses."""
    rng = random.Random(5)
    lengths = [1, 14, 59, 60, 61, 1514, 1515, 9000, 65549, *(rng.randrange(14, 3000) for _ in range(300))]
    with (tmp_path / "a.pcap").open("wb") as file:
        writer = dpkt.pcap.Writer(file, snaplen=262144)
        for number, length in enumerate(lengths):
            writer.writepkt(rng.randbytes(length), number / 1000)
    return [f"pcap={tmp_path / 'a.pcap'}"]


def test_bulk_arrives_whole_and_in_order(capture: list[str]) -> None:
    tx = report("bulk-tx", ["count=3000"], Goal(), int(LEVEL_PACKETS))
    assert tx["direction"] == "tx"
    assert tx["frames_delivered"] == tx["frames_sent"]
    assert tx["sha256_sent"] == tx["sha256_delivered"]
    rx = report("pcap-replay", capture, Goal(), int(LEVEL_COUNTERS))
    assert rx["frames_sent"] == 309
    assert rx["direction"] == "rx"
    assert rx["frames_delivered"] == rx["frames_sent"]
    assert rx["sha256_sent"] == rx["sha256_delivered"]
    assert rx["drops"] == {}


def test_ends_that_cannot_be_met_end_with_a_sentence(capture: list[str]) -> None:
    out = report("pcap-replay", capture, Goal(packets=10**9), int(LEVEL_COUNTERS))
    assert str(out["ended"]).startswith("only ")
    assert out["complete"] is False
    lost = report("ping", ["device=virtio-net-pci"], Goal(packets=5), int(LEVEL_COUNTERS))
    assert str(lost["ended"]).startswith("only 0 of 5 frames")


def test_a_number_of_packets_is_exact_for_a_replay(capture: list[str]) -> None:
    run = Run(load("pcap-replay", capture), trace_level=int(LEVEL_COUNTERS))
    assert run.build()
    limit_replay(run, 7)
    headless = Headless(run, Goal(packets=7))
    out = result(run, headless, headless.to_the_end())
    run.close()
    assert (out["ended"], out["frames_sent"], out["frames_delivered"]) == ("packets", 7, 7)
    assert out["sha256_sent"] == out["sha256_delivered"]


def test_what_qemu_refuses_leaves_nothing_behind() -> None:
    run = Run(load("realize"), digests=False)
    assert run.build()
    before = len(run.world.objects)
    bad = Run(load("realize", ["device=virtio-net-pci,rx_queue_size=100"]), digests=False)
    assert not bad.build()
    assert bad.failures == ["-device virtio-net-pci,rx_queue_size=100: Invalid rx_queue_size (= 100), must be a power of 2 between 256 and 1024."]
    names = {obj.typename for obj in bad.world.objects.values()}
    assert "virtio-net-pci" not in names
    assert "virtio-net-device" not in names
    assert len(bad.world.objects) < before
