"""The replayer sees what differs, and only that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringscope_core.conform.case import Case
from ringscope_core.conform.case_file import read_case_file
from ringscope_core.conform.machine_target import MachineTarget
from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.replay import Replay, changed_ranges, replay
from ringscope_core.conform.report import run_case
from ringscope_core.conform.show import show_case
from ringscope_core.conform.target import TargetError
from tests.conform.cases import CONFIG, GOOD, WRONG, case, write
from tests.oracle.cases import FOLDER


def loaded(tmp_path: Path, ops: list[Any], **more: Any) -> Case:
    return read_case_file(write(tmp_path / "a.json", case(ops, **more))).cases[0]


def wheres(outcome: Outcome) -> list[str]:
    return [one.where for one in outcome.differences]


def test_what_agrees_has_no_differences(tmp_path: Path) -> None:
    for profile in ("4.1", "7.2"):
        assert run_case(loaded(tmp_path, GOOD), profile) == Outcome("t-0", "made for a test")


def test_every_wrong_answer_is_a_difference(tmp_path: Path) -> None:
    outcome = run_case(loaded(tmp_path, WRONG), "7.2")
    assert wheres(outcome) == ["op 1 read bar4+0x14/1 common.device_status", "op 2 mem 0x20000 (1 bytes)"]
    assert (outcome.differences[0].expected, outcome.differences[0].got) == ("0x3", "0x1")


FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"msi": [[1, 5]]}, "msi"),
    ({"tx": [[0, "00"]]}, "tx"),
    ({"peer": {"0.hdrsz": 12}}, "peer"),
    ({"intx": 1}, "intx"),
    ({"isr": 3}, "isr"),
    ({"status": 15}, "status"),
    ({"gen": 9}, "gen"),
    ({"stderr": ["Looped descriptor"]}, "stderr"),
    ({"mem": [[4096, "01"]]}, "mem 0x1000 (1 bytes)"),
]


@pytest.mark.parametrize(("expected", "where"), FIELDS, ids=[where for _, where in FIELDS])
def test_every_field_of_a_check_is_compared(tmp_path: Path, expected: dict[str, Any], where: str) -> None:
    assert wheres(run_case(loaded(tmp_path, [["check", expected]]), "7.2")) == [f"op 0 {where}"]


def test_the_final_state_is_compared_field_by_field(tmp_path: Path) -> None:
    target = MachineTarget(loaded(tmp_path, []).config, "7.2")
    final = target.final()
    assert wheres(run_case(loaded(tmp_path, [], final=final), "7.2")) == []
    final["vqs"][1]["used-idx"] = 7
    final["rx-filter"]["unicast"] = "none"
    final["status"]["statuses"] = ["VIRTIO_CONFIG_S_DRIVER"]
    assert wheres(run_case(loaded(tmp_path, [], final=final), "7.2")) == ["final status statuses", "final vq[1] used-idx", "final rx-filter unicast"]


def test_names_have_no_order(tmp_path: Path) -> None:
    ops = [["w", 4, 0x14, 1, 3]]
    final = {"status": {"statuses": ["VIRTIO_CONFIG_S_DRIVER", "VIRTIO_CONFIG_S_ACKNOWLEDGE"]}}
    assert wheres(run_case(loaded(tmp_path, ops, final=final), "7.2")) == []


def test_where_qemu_aborted_ours_goes_on(tmp_path: Path) -> None:
    outcome = run_case(loaded(tmp_path, [["died", -6, ["iov.c:39: Assertion"]]]), "7.2")
    assert [str(one) for one in outcome.differences] == ["op 0 died: expected QEMU aborts: iov.c:39: Assertion, got goes on"]


def test_a_device_that_cannot_be_made_is_a_difference(tmp_path: Path) -> None:
    config = CONFIG | {"props": {"nonsense": "1"}}
    outcome = run_case(loaded(tmp_path, GOOD, config=config), "7.2")
    assert wheres(outcome) == ["config"]
    assert "nonsense' not found" in outcome.differences[0].got


def test_what_the_profile_lacks_is_skipped_with_the_reason(tmp_path: Path) -> None:
    assert run_case(loaded(tmp_path, GOOD, since="4.2"), "4.1").skipped == "needs QEMU 4.2, and the profile is 4.1"
    newer = CONFIG | {"machine": "pc-i440fx-7.2"}
    assert "no machine pc-i440fx-7.2" in run_case(loaded(tmp_path, GOOD, config=newer), "4.1").skipped


def test_a_target_that_gets_stuck_is_a_difference(tmp_path: Path) -> None:
    class Stuck(MachineTarget):
        def settle(self) -> None:
            raise TargetError("it does not come to rest")

    outcome = replay(loaded(tmp_path, [["sync"]]), lambda config: Stuck(config, "7.2"))
    assert wheres(outcome) == ["op 0 stuck"]


def test_changed_ranges_join_over_small_gaps() -> None:
    before, after = np.zeros(256, dtype=np.uint8), np.zeros(256, dtype=np.uint8)
    for place in (3, 10, 40, 200, 255):
        after[place] = 1
    assert changed_ranges(before, after) == [(3, 11), (40, 41), (200, 201), (255, 256)]
    assert changed_ranges(before, before) == []


def test_both_sides_are_shown_and_the_first_difference_is_marked(tmp_path: Path) -> None:
    parsed = loaded(tmp_path, WRONG)
    text = list(show_case(parsed, MachineTarget(parsed.config, "7.2")))
    first = next(number for number, line in enumerate(text) if line.startswith(">>>"))
    assert "read  bar4+0x14/1  common.device_status" in text[first]
    assert [line.split()[-2:] for line in text[first + 2 : first + 4]] == [["qemu:", "0x3"], ["ours:", "0x1"]]
    assert text[-1] == "2 differences"


def test_rings_are_decoded() -> None:
    file = read_case_file(FOLDER / "datapath.jsonl.gz")
    for name, wanted in (
        ("tx-chain3", ("vq[1].desc[0] addr", "flags NEXT", "vq[1].avail.idx = 1", "vq[1].used.idx = 1")),
        ("packed-tx-chain3", ("flags NEXT|AVAIL",)),
    ):
        parsed = next(one for one in file.cases if one.id.split("-", 2)[2] == name)
        text = "\n".join(show_case(parsed, MachineTarget(parsed.config, "7.2")))
        assert all(part in text for part in wanted)


def test_steps_keep_their_places(tmp_path: Path) -> None:
    parsed = loaded(tmp_path, GOOD)
    assert [step.index for step in Replay(parsed, MachineTarget(parsed.config, "7.2")).steps()] == list(range(len(GOOD)))


def test_a_final_state_of_odd_kinds_only_differs(tmp_path: Path) -> None:
    for final in ({"vqs": [3]}, {"vqs": 3}, {"status": {"statuses": [1, "a"]}}, {"isr": []}, {"nobody": 1}):
        outcome = run_case(loaded(tmp_path, [], final=final), "7.2")
        assert outcome.differences
        assert not any("defect" in one.where for one in outcome.differences)


def test_a_defect_of_the_model_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: MachineTarget, up: bool) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(MachineTarget, "link", broken)
    outcome = run_case(loaded(tmp_path, [["link", 0], ["sync"]]), "7.2")
    assert wheres(outcome) == ["op 0 defect"]
    assert "RuntimeError: out of order" in outcome.differences[0].got
