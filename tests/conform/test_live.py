"""Random sequences: made from a seed alone, run on a real QEMU where there is one, and shrunk."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from ringscope_core.conform.case import CaseConfig, Op, PeerSpec
from ringscope_core.conform.case_file import read_case_file
from ringscope_core.conform.deviations import Deviations, load_deviations
from ringscope_core.conform.live import campaign as live
from ringscope_core.conform.live.campaign import Campaign, LiveOptions, LiveReport
from ringscope_core.conform.live.frames import Flow, frame
from ringscope_core.conform.live.layout import layout_of
from ringscope_core.conform.live.option_sets import BASE, RAM, random_config
from ringscope_core.conform.live.qemu_process import qemu_path, qemu_version
from ringscope_core.conform.live.sequence import make_sequence
from ringscope_core.conform.live.shrink import forget_answers, shrink
from ringscope_core.conform.live.workers import Workers
from ringscope_core.conform.machine_target import MachineTarget
from ringscope_core.conform.op_check import check_op
from ringscope_core.conform.report import run_case
from ringscope_core.conform.target import TargetError
from ringscope_core.scenario.errors import InputError

SEED = int(os.environ.get("RINGSCOPE_LIVE_SEED", "20240601"))
SECONDS = 120.0 if os.environ.get("CI") else 15.0
needs_qemu = pytest.mark.skipif(not qemu_version().startswith("7.2."), reason="no QEMU 7.2 (Debian 12: apt-get install qemu-system-x86)")


def rng(name: str) -> Any:
    import random

    return random.Random(name)


def configs(count: int) -> list[CaseConfig]:
    return [random_config(rng(f"b{number}"), rng(f"d{number}"), "7.2", True) for number in range(count)]


# -- without a QEMU ---------------------------------------------------------------------------------------------------
def answered(op: Op) -> Op:
    """An operation with some answer, as a case file has it."""
    return [0 if part is None else part for part in op]


def test_sequences_come_from_their_seed_alone_and_are_well_formed() -> None:
    kinds: set[str] = set()
    for number, config in enumerate(configs(40)):
        try:
            layout = layout_of(config, "7.2")
        except TargetError:
            continue
        plan = make_sequence(3, number, config, layout)
        assert plan.ops == make_sequence(3, number, config, layout).ops
        assert plan.ops != make_sequence(4, number, config, layout).ops
        for index, op in enumerate(plan.ops):
            check_op(f"{number}.{index}", answered(op), config)
            kinds.add(op[0])
    assert {"r", "w", "mw", "mf", "inject", "check", "sync", "cw", "link"} <= kinds


def test_every_kind_of_peer_and_board_is_tried() -> None:
    found = configs(300)
    assert {one.peer.kind for one in found} == {"none", "hub", "stream", "socket", "dgram", "tap"}
    assert any(one.peer.queues > 1 for one in found)
    assert {one.machine for one in found} == {"pc-i440fx-4.1", "pc-i440fx-7.2", "pc-q35-4.1", "pc-q35-7.2"}
    assert not any(one.peer.kind == "tap" for one in (random_config(rng(str(n)), rng(str(n)), "7.2", False) for n in range(200)))
    assert not any("packed" in one.props for one in (random_config(rng(str(n)), rng(str(n)), "4.1", True) for n in range(200)))


def test_frames_are_as_long_as_asked_for() -> None:
    source = rng("frames")
    assert all(0 < len(frame(source, 300)) <= 300 for _ in range(300))
    flow = Flow(source)
    assert all(len(flow.segment(source)) >= 54 for _ in range(100))


def test_shrinking_finds_what_matters() -> None:
    ops: list[Op] = [["note", str(number)] for number in range(60)]
    ops[17] = ["w", 4, 0x14, 1, 0x8F]
    ops[41] = ["mw", 0x1000, "00" * 30 + "07" + "00" * 33]
    tried = 0

    def differs(candidate: list[Op]) -> bool:
        nonlocal tried
        tried += 1
        writes = [op for op in candidate if op[0] == "w" and op[4] >= 2]
        return bool(writes) and any(op[0] == "mw" and "07" in op[2] for op in candidate)

    short = shrink(ops, differs)
    assert differs(short)
    assert [op[0] for op in short] == ["w", "mw"]
    assert short[0][4] == 2
    assert len(short[1][2]) < 64
    assert tried < 402


def test_shrinking_stops_when_its_trials_are_used_up() -> None:
    ops: list[Op] = [["note", str(number)] for number in range(500)]
    calls: list[int] = []
    shrink(ops, lambda candidate: not calls.append(len(candidate)) and len(candidate) > 480, budget=20)  # type: ignore[func-returns-value]
    assert len(calls) == 20


def test_answers_are_forgotten_before_a_sequence_is_recorded_again() -> None:
    ops = [["r", 4, 0, 4, 7, "x"], ["cr", 0, 2, 0x1AF4], ["check", {"isr": 1, "mem": [[0, "00"]], "intx": 1, "note": "n"}], ["died", -6, []], ["sync"]]
    assert forget_answers(ops) == [["r", 4, 0, 4, None, "x"], ["cr", 0, 2, None], ["check", {"isr": 1, "note": "n"}], ["sync"]]


def test_reports_add_up() -> None:
    one = LiveReport(1, "7.2", "7.2.22", sequences=3, equal=2, different=1, unusable={"a": 1}, seconds=2.0)
    two = LiveReport(1, "7.2", "7.2.22", sequences=4, equal=4, unusable={"a": 2, "b": 1}, seconds=3.0)
    one.add(two)
    assert (one.sequences, one.equal, one.different, one.unusable, one.rate) == (7, 6, 1, {"a": 3, "b": 1}, 7 / 3)


def test_without_a_qemu_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "qemu_path", lambda: None)
    with pytest.raises(InputError, match="apt-get install qemu-system-x86"):
        Campaign(LiveOptions(1, 1), Deviations([]))


def test_a_qemu_of_another_release_is_refused_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "qemu_path", lambda: "/bin/true")
    monkeypatch.setattr(live, "qemu_version", lambda: "9.1.0")
    with pytest.raises(InputError, match=r"QEMU 7\.2 or 4\.1"):
        Campaign(LiveOptions(1, 1), Deviations([]))
    assert Campaign(LiveOptions(1, 1, profile="7.2"), Deviations([])).report.profile == "7.2"


# -- with one ---------------------------------------------------------------------------------------------------------
@needs_qemu
@pytest.mark.slow
def test_random_sequences_do_what_a_real_qemu_does() -> None:
    campaign = Campaign(LiveOptions(1 << 40, SEED, SECONDS), load_deviations())
    campaign.run(lambda report: None)
    report = campaign.report
    found = [f"{one.count} x {one.case.id} {one.differences[0]}: {one.case.to_json()}" for one in report.found.values()]
    assert found == [], f"seed {SEED}"
    assert report.sequences > 5
    assert report.equal > report.sequences // 2


@needs_qemu
@pytest.mark.slow
def test_a_planted_defect_is_found_shrunk_and_saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    honest = MachineTarget.bar_read

    def lying(self: MachineTarget, bar: int, off: int, size: int) -> int:
        value = honest(self, bar, off, size)
        return value ^ 4 if (bar, off) == (4, 0x14) and value & 4 else value

    config = CaseConfig("pc-i440fx-4.1", "virtio-net-pci", dict(BASE), PeerSpec("stream"), RAM)
    campaign = Campaign(LiveOptions(4, 5, save=tmp_path), Deviations([]))
    monkeypatch.setattr(campaign, "config", lambda number: config)
    monkeypatch.setattr(MachineTarget, "bar_read", lying)
    campaign.run(lambda report: None)
    assert campaign.report.different
    shortest = min(campaign.report.found.values(), key=lambda one: len(one.case.ops))
    assert len(shortest.case.ops) <= 4 < shortest.original
    assert shortest.path is not None
    saved = read_case_file(shortest.path).cases[0]
    assert run_case(saved, "7.2").differences
    monkeypatch.setattr(MachineTarget, "bar_read", honest)
    assert run_case(saved, "7.2").differences == []


@needs_qemu
@pytest.mark.slow
def test_workers_share_the_sequences() -> None:
    told: list[int] = []
    workers = Workers(LiveOptions(52, 9), load_deviations(), 2)
    assert workers.run(lambda report: told.append(report.sequences)) is False
    assert workers.report.sequences == 52
    assert told == sorted(told)


@needs_qemu
@pytest.mark.slow
def test_where_qemu_aborts_the_recording_ends_with_it() -> None:
    """A transmit chain shorter than a header ends QEMU 7.2; ours reports an error and goes on."""
    from ringscope_core.conform.live.driver import VERSION_1, Driver
    from ringscope_core.conform.live.pair import Pair, Places
    from ringscope_core.conform.live.ring_writers import Descriptor

    config = CaseConfig("pc-i440fx-4.1", "virtio-net-pci", dict(BASE), PeerSpec("stream"), RAM)
    layout = layout_of(config, "7.2")
    driver = Driver(config, layout)
    driver.negotiate(VERSION_1)
    driver.queue(1, 16, 0xFFFF)
    driver.status(15)
    driver.rings[1].chain([Descriptor(0x100000, 4)])
    driver.rings[1].publish()
    driver.kick(1)
    driver.check()
    pair = Pair("7.2", 1)
    try:
        case = pair.record("short", config, Places(layout.isr_at, layout.status_at), driver.ops)
        assert case.died
        assert "iov_copy" in case.ops[-1][2][-1]
        outcome = pair.compare(case)
    finally:
        pair.close()
    assert [one.where.split()[-1] for one in outcome.differences] == ["died"]
    assert load_deviations().unlisted(outcome, "live", "7.2") == []
    assert dataclasses.replace(case, ops=case.ops[:-1]).died is False


@needs_qemu
def test_the_installed_qemu_is_found() -> None:
    path = qemu_path()
    assert path is not None
    assert Path(path).exists()
