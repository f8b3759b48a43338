"""Case files of every form, and those that are not."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from ringscope_core.conform.case_file import UnknownForm, read_case_file
from ringscope_core.scenario.errors import InputError
from tests.conform.cases import CONFIG, GOOD, case, write


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.jsonl", "a.jsonl.gz", "anything"])
def test_every_form_is_read(tmp_path: Path, name: str) -> None:
    file = read_case_file(write(tmp_path / name, case(GOOD), case(GOOD, "t-1")))
    assert [one.id for one in file.cases] == ["t-0", "t-1"]
    assert file.profile == "7.2"
    assert file.cases[0].config.device_option() == "virtio-net-pci,id=net0,netdev=n0,addr=04.0,romfile=,ioeventfd=off"


def test_the_form_does_not_depend_on_the_name(tmp_path: Path) -> None:
    packed = write(tmp_path / "a.jsonl.gz", case(GOOD)).read_bytes()
    path = tmp_path / "plain.json"
    path.write_bytes(packed)
    assert len(read_case_file(path).cases) == 1


def test_a_single_case_and_a_bare_list_are_files_too(tmp_path: Path) -> None:
    one = tmp_path / "one.json"
    one.write_text(json.dumps(case(GOOD)))
    assert len(read_case_file(one).cases) == 1
    one.write_text(json.dumps([case(GOOD), case(GOOD)]))
    assert len(read_case_file(one).cases) == 2


def test_the_recording_qemu_decides_the_profile(tmp_path: Path) -> None:
    assert read_case_file(write(tmp_path / "a.json", case(GOOD), qemu="4.1.0")).profile == "4.1"
    with pytest.raises(InputError, match=r"qemu: '9.0' is not allowed; a release of 4.1 or 7.2"):
        read_case_file(write(tmp_path / "b.json", case(GOOD), qemu="9.0"))


def test_a_document_of_another_kind_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for document in ({}, {"cases": [{"x": 1}]}, 3, "text", None):
        path.write_text(json.dumps(document))
        with pytest.raises(UnknownForm):
            read_case_file(path)


BAD_OPS: list[tuple[Any, str]] = [
    ([], "a list that begins"),
    (["jump"], "one of r, w"),
    (["w", 3, 0, 4, 0], "a BAR"),
    (["w", 4, -1, 4, 0], "integer from 0"),
    (["w", 4, 0, 3, 0], "1, 2, 4 or 8"),
    (["w", 4, 0, 4], "4 or 5 arguments"),
    (["r", 4, 0, 4, "x"], "integer"),
    (["r", 4, 0, 4, True], "integer"),
    (["cw", 256, 4, 0], "integer from 0 to 255"),
    (["cr", 0, 8, 0], "1, 2 or 4"),
    (["mw", 0, "abc"], "hexadecimal"),
    (["mw", 0, "zz"], "hexadecimal"),
    (["mw", (2 << 20) - 1, "0000"], "hexadecimal digits, at most 1 bytes"),
    (["mf", 0, 3 << 20, 0], "integer"),
    (["mf", 0, 1, 256], "integer"),
    (["mr", 0, 2, "00"], "2 bytes"),
    (["inject", 1, "00"], "integer from 0 to 0"),
    (["inject", 0, "00" * 200_000], "hexadecimal"),
    (["link", 2], "integer from 0 to 1"),
    (["announce", 1, 1, 1], "4 arguments"),
    (["sleep", 10**9], "integer"),
    (["check", []], "an object"),
    (["check", {"memory": []}], "one of msi"),
    (["check", {"mem": [[0]]}], "a list of two"),
    (["check", {"mem": [[2 << 20, "00"]]}], "hexadecimal"),
    (["check", {"msi": [[64, 0]]}], "integer"),
    (["check", {"stderr": "text"}], "a list of strings"),
    (["died", -6, "text"], "a list of strings"),
]


@pytest.mark.parametrize(("op", "allowed"), BAD_OPS, ids=[json.dumps(op)[:40] for op, _ in BAD_OPS])
def test_a_bad_operation_is_named(tmp_path: Path, op: Any, allowed: str) -> None:
    with pytest.raises(InputError, match=r"cases\.0 \(t-0\)\.ops\.1") as error:
        read_case_file(write(tmp_path / "a.json", case([["sync"], op])))
    assert allowed in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"ram": 0},
        {"ram": 1 << 40},
        {"ram": (2 << 20) + 1},
        {"machine": 3},
        {"props": []},
        {"props": {"a": []}},
        {"peer": {"kind": "wifi"}},
        {"peer": {"kind": "stream", "queues": 2}},
        {"peer": {"kind": "tap", "queues": 1000}},
        {"peer": None},
    ],
)
def test_a_bad_configuration_is_named(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"\.config"):
        read_case_file(write(tmp_path / "a.json", case(GOOD, config=CONFIG | change)))


def test_died_comes_last(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="last operation"):
        read_case_file(write(tmp_path / "a.json", case([["died", -6, []], ["sync"]])))


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.jsonl", "a.jsonl.gz"])
def test_a_cut_or_spoilt_file_is_an_input_error(tmp_path: Path, name: str) -> None:
    whole = write(tmp_path / name, case(GOOD), case(GOOD, "t-1")).read_bytes()
    path = tmp_path / f"cut-{name}"
    rng = random.Random(1)
    for size in sorted(rng.sample(range(len(whole)), 40)):
        path.write_bytes(whole[:size])
        _read_or_refuse(path)
    for _ in range(60):
        spoilt = bytearray(whole)
        for _ in range(rng.choice((1, 4))):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        path.write_bytes(spoilt)
        _read_or_refuse(path)


def _read_or_refuse(path: Path) -> None:
    try:
        read_case_file(path)
    except InputError as error:
        assert "\n" not in str(error)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringscope_core.conform.case_file.MAX_BYTES", 1 << 20)
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b" " * (4 << 20)))
    with pytest.raises(InputError, match="once unpacked"):
        read_case_file(path)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[" * 200_000)
    with pytest.raises(InputError):
        read_case_file(path)


def test_what_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_case_file(tmp_path / "none.json")
    path = tmp_path / "a.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="UTF-8"):
        read_case_file(path)


def test_facts_of_another_kind_than_the_form_says_are_an_input_error(tmp_path: Path) -> None:
    from ringscope_core.conform.deviations import Deviations
    from ringscope_core.conform.report import FileReport, Options, run_file

    path = tmp_path / "errors.json"
    path.write_text(json.dumps({"qemu": "7.2.22", "cases": [{"id": "e", "args": 5, "rc": 1, "stderr": []}]}))
    file = read_case_file(path)
    with pytest.raises(InputError, match=r"errors\.json: e: .*TypeError"):
        run_file(file, Options(), Deviations([]), FileReport(file.path), lambda _: None)
