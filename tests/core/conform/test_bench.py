"""The benchmark drives a device as it says: every chain used, every frame delivered, nothing left behind; and its sums are right."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from ringscope_core.conform.bench.case import BACKEND, NIC, NOBODY, NUM, UDP, Case, all_cases, trace_cases
from ringscope_core.conform.bench.compare import Comparison, Cost, Effort, TraceCost, compare, compare_traces
from ringscope_core.conform.bench.ours import OurSide
from ringscope_core.conform.bench.report import BEGIN, END, Host, Report
from ringscope_core.conform.live.qemu_process import qemu_path

HOST = Host("a processor", 2, 0.5, "7.2.22", "3.11.2", True)
TINY = Effort(1, 4)


def side_cases() -> list[Case]:
    return [case for case in all_cases() if case.length == 64]


@pytest.mark.parametrize("case", side_cases(), ids=lambda case: case.name)
def test_our_side_uses_every_chain_again_and_again(case: Case) -> None:
    """`round` raises when a chain is not used; three rounds take the rings past their end."""
    side = OurSide(case)
    try:
        for _ in range(3):
            assert side.round() > 0
            if case.direction == "rx":
                assert side.filtered_round() > 0
    finally:
        side.close()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", ["one", "two", "indirect"])
def test_frames_reach_the_second_nic_whole(packed: bool, shape: str) -> None:
    side = OurSide(Case("tx", packed, shape, 1500, NIC))
    try:
        side.round()
        first = side.taken_frame(0)
        assert first == side.sent_frame(0)
        assert len(first) == 1500
        assert side.taken_frame(side.case.batch - 1) == first
    finally:
        side.close()


@pytest.mark.parametrize("case", trace_cases(), ids=lambda case: case.name)
def test_tracing_writes_events(case: Case) -> None:
    side = OurSide(case, trace=True)
    try:
        for _ in range(12):
            side.round()
        assert side.log_bytes() > 0
    finally:
        side.close()


def cost(ns: float) -> Cost:
    return Cost(ns, ns * 2)


def report() -> Report:
    comparisons = [
        Comparison(Case("tx", False, "one", 64, NOBODY), cost(100), cost(50)),
        Comparison(Case("tx", True, "one", 64, NOBODY), cost(100), cost(60)),
        Comparison(Case("tx", False, "two", 64, NIC), cost(100), cost(160)),
    ]
    traces = [TraceCost(Case("tx", False, "one", 64, NOBODY), Cost(100, 100), Cost(2100, 2100), Cost(50, 50), Cost(150, 150))]
    return Report(HOST, TINY, comparisons, traces)


def test_ratios_and_targets() -> None:
    plain, copied, packed, trace = report().targets()
    assert (plain.value, plain.reached, plain.where) == (0.6, True, "tx packed one 64 nobody")
    assert (copied.value, copied.reached) == (1.6, False)
    assert (packed.value, packed.reached) == (1.2, True)
    assert (trace.value, trace.reached) == (20.0, True)
    assert "missed" in copied.sentence


def test_what_was_not_measured_is_not_reached() -> None:
    targets = Report(HOST, TINY, [], []).targets()
    assert all(math.isnan(one.value) and not one.reached and one.sentence.endswith("not measured") for one in targets)


def test_a_document_is_updated_between_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "b.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    report().update(document)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| tx | split | one | 64 | nobody | 100 | 200 | 50 | 100 | 0.50 | 0.50 |" in text
    report().update(document)
    assert document.read_text() == text
    plain = json.loads((tmp_path / "b.json").read_text())
    assert plain["cases"][0]["ratio"] == {"best": 0.5, "median": 0.5}
    assert [one["reached"] for one in plain["targets"]] == [True, False, True, True]


def test_a_document_without_marks_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "b.md"
    document.write_text("nothing")
    with pytest.raises(ValueError, match="has no"):
        report().update(document)
    assert document.read_text() == "nothing"


def test_cases_are_the_whole_table() -> None:
    names = [case.name for case in all_cases()]
    assert len(set(names)) == len(names) == 4 * 2 * 3 * 2
    assert {case.peer for case in all_cases() if case.copies} == {NIC, UDP, BACKEND}
    assert all(0 < case.batch < NUM for case in all_cases())


@pytest.mark.slow
@pytest.mark.skipif(qemu_path() is None, reason="no qemu-system-x86_64 to compare with")
@pytest.mark.parametrize("name", ["tx split two 64 nobody", "tx packed indirect 1500 nic", "tx split one 64 udp", "rx packed two 64 backend"])
def test_both_sides_take_turns(name: str) -> None:
    (one,) = compare([case for case in all_cases() if case.name == name], TINY)
    assert one.ours.best_ns <= one.ours.median_ns or one.case.direction == "rx"
    assert one.case.name == name


@pytest.mark.slow
@pytest.mark.skipif(qemu_path() is None, reason="no qemu-system-x86_64 to compare with")
def test_tracing_is_measured_on_both_sides() -> None:
    (one,) = compare_traces(trace_cases()[:1], TINY)
    assert one.qemu_on.best_ns > 0
    assert one.ours_on.best_ns > 0
