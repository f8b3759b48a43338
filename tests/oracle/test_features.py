"""Hashing, coalescing, announcing and hostile drivers against what a real QEMU 7.2.22 did (`record_features`, `record_hostile`), replayed in profile 7.2."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from ringscope_core.conform import machine_target
from ringscope_core.qom.profile import PROFILE_7_2
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.state import MachineState, fold
from tests.core.machines import Rows
from tests.oracle.cases import FOLDER
from tests.oracle.replay import replay
from tests.oracle.target import RingscopeTarget

FILES = ("rss.jsonl.gz", "rsc.jsonl.gz", "hdr.jsonl.gz", "config.jsonl.gz", "hostile.jsonl.gz")


def _cases() -> list[dict[str, Any]]:
    lines = [line for name in FILES for line in gzip.decompress((FOLDER / name).read_bytes()).decode().splitlines()[1:]]
    return [json.loads(line) for line in lines]


def _name(case: dict[str, Any]) -> str:
    """The case's name without its running number."""
    return str(case["id"]).split("-", 2)[2]


@pytest.mark.parametrize("case", _cases(), ids=_name)
def test_the_device_does_what_qemu_did(case: dict[str, Any]) -> None:
    assert replay(case, lambda config: RingscopeTarget(config, profile=PROFILE_7_2), set(), PROFILE_7_2) == []


@pytest.mark.parametrize("case", [case for case in _cases() if "random" in case["id"] or case["family"] in ("config", "announce", "failover")], ids=_name)
def test_the_fold_of_the_events_equals_the_device(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows()

    def kept(clock: Clock) -> EventLog:
        log = EventLog(clock)
        log.sink = rows
        return log

    monkeypatch.setattr(machine_target, "EventLog", kept)
    targets: list[RingscopeTarget] = []

    class Kept(RingscopeTarget):
        def close(self) -> None:
            targets.append(self)

    assert replay(case, lambda config: Kept(config, profile=PROFILE_7_2), set(), PROFILE_7_2) == []
    machine = targets[0].machine
    machine.log.flush()
    itself = MachineState()
    machine.world.snapshot(itself)
    for part in machine.instruments:
        part.snapshot(itself)
    folded, told = fold(MachineState(), rows.rows).comparable(), itself.comparable()
    assert folded["objects"] == told["objects"]
    assert folded["fields"] == told["fields"]
