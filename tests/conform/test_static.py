"""Static facts: every shared file and the recordings of random configurations are equal; what differs, or cannot be said, is told."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest

from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.static_files import static_form
from ringscope_core.qom.profile import PROFILE_4_1, PROFILE_7_2
from tests.oracle.cases import load

SHARED = {"types.json.gz": 42, "properties.json.gz": 42, "instances.json.gz": 109, "pci_config.json.gz": 109, "errors.json": 154}
"""Cases in each file."""
RANDOM = {"random_instances.json.gz": 85, "random_pci_config.json.gz": 85, "random_command_lines.json.gz": 2062}
"""Recorded from random option sets and command lines, after the model had been made from the others."""
FILES = SHARED | RANDOM
NEVER_SKIPPED = ("properties.json.gz", "instances.json.gz", "pci_config.json.gz", "errors.json", "random_instances.json.gz", "random_pci_config.json.gz")
EVERY = {"types.json.gz": 3, "properties.json.gz": 5, "instances.json.gz": 12, "pci_config.json.gz": 25, "errors.json": 9, "random_command_lines.json.gz": 60}
"""One case in so many in the fast part."""


def outcomes(data: Any, profile: str, every: int = 1) -> list[Outcome]:
    form = static_form(data)
    assert form is not None
    return [form.run(data, case, profile) for case in form.cases(data)[::every]]


def different(found: list[Outcome]) -> list[str]:
    return [f"{outcome.case}: {outcome.differences[0]}" for outcome in found if outcome.differences]


@pytest.mark.parametrize("profile", [PROFILE_7_2, PROFILE_4_1])
@pytest.mark.parametrize("name", list(FILES))
def test_some_of_every_file(name: str, profile: str) -> None:
    assert different(outcomes(load(name), profile, EVERY.get(name, 20))) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", [PROFILE_7_2, PROFILE_4_1])
@pytest.mark.parametrize("name", list(FILES))
def test_every_case_of_every_file(name: str, profile: str) -> None:
    found = outcomes(load(name), profile)
    assert different(found) == []
    assert len(found) == FILES[name]
    if profile == PROFILE_7_2:
        skipped = Counter(outcome.skipped for outcome in found if outcome.skipped)
        assert sum(skipped.values()) <= (0 if name in NEVER_SKIPPED else FILES[name] // 40), skipped


# -- a wrong answer is seen -------------------------------------------------------------------------------------------
def _with(data: Any, *path: Any, value: Any) -> Any:
    """A copy with another value at `path`."""
    data = copy.deepcopy(data)
    at = data
    for name in path[:-1]:
        at = at[name]
    assert at[path[-1]] != value
    at[path[-1]] = value
    return data


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    """One whole entry of the trees and one of the configuration spaces."""
    key = "default@pc-i440fx-4.1"
    return {"instances": {key: load("instances.json.gz")[key]}, "pci": {key: load("pci_config.json.gz")[key]}}


@pytest.mark.parametrize(
    ("file", "path", "value", "where"),
    [
        ("instances", ("info_qtree",), "dev: virtio-net-pci\n", "info_qtree line 1"),
        ("instances", ("info_network",), "net1: nothing\r\n", "info_network line 1"),
        ("instances", ("qom_proxy", "vectors", "value"), 4, "qom_proxy vectors"),
        ("instances", ("qom_vdev", "mrg_rxbuf", "type"), "int", "qom_vdev mrg_rxbuf type"),
        ("instances", ("query_pci", 0, "irq"), 9, "query_pci 00:04.0 irq"),
        ("instances", ("x_query_virtio_status", "num-vqs"), 4, "x_query_virtio_status num-vqs"),
        ("instances", ("unheard-of",), 1, "unheard-of"),
        ("pci", ("device_features",), "0x0000000000000000", "device_features"),
        ("pci", ("msix", "vectors"), 9, "msix"),
        ("pci", ("config_space_at_reset",), "00" * 256, "config_space_at_reset"),
    ],
)
def test_a_wrong_fact_is_a_difference(entry: dict[str, Any], file: str, path: tuple[Any, ...], value: Any, where: str) -> None:
    (key,) = entry[file]
    base = entry[file] if path[0] in entry[file][key] else {key: entry[file][key] | {path[0]: None}}
    (outcome,) = outcomes(_with(base, key, *path, value=value), PROFILE_7_2)
    assert outcome.skipped == ""
    assert any(difference.where.startswith(where) for difference in outcome.differences), outcome.differences


@pytest.mark.parametrize(("field", "value", "where"), [("rc", 0, "exit code"), ("stderr", ["another line"], "stderr line 1"), ("stderr", [], "stderr line 1")])
def test_a_wrong_answer_to_a_command_line_is_a_difference(field: str, value: Any, where: str) -> None:
    case = {"id": "a", "args": ["-device", "virtio-net-pci,vectors=y"], "rc": 1, "stderr": []}
    case["stderr"] = ["-device virtio-net-pci,vectors=y: Parameter 'vectors' expects integer"]
    assert different(outcomes({"cases": [case]}, PROFILE_7_2)) == []
    (outcome,) = outcomes({"cases": [case | {field: value}]}, PROFILE_7_2)
    assert outcome.differences[0].where == where


# -- new configurations -----------------------------------------------------------------------------------------------
def test_the_name_of_a_case_says_nothing(entry: dict[str, Any]) -> None:
    (whole,) = entry["pci"].values()
    for key in ("x", "", "default@", "pc-q35-4.1"):
        assert different(outcomes({key: whole}, PROFILE_7_2)) == []


def test_likes_take_over_and_differ(entry: dict[str, Any]) -> None:
    ((key, whole),) = entry["pci"].items()
    data = {key: whole, "same@pc-i440fx-4.1": {"like": key, "differs": {}}, "other@pc-i440fx-4.1": {"like": key, "differs": {"num_queues": 77}}}
    found = outcomes(data, PROFILE_7_2)
    assert [bool(outcome.differences) for outcome in found] == [False, False, True]


@pytest.mark.parametrize("like", ["nothing", "round@pc"])
def test_an_entry_that_is_like_nothing_is_a_difference(entry: dict[str, Any], like: str) -> None:
    for data in (entry["pci"], entry["instances"]):
        found = outcomes(data | {"round@pc": {"like": like, "differs": {}}}, PROFILE_7_2)
        assert found[-1].differences[0].where == "entry"


@pytest.mark.parametrize(("device", "machine"), [("e1000", "pc-i440fx-4.1"), ("virtio-net-pci", "microvm")])
def test_what_is_not_modelled_is_skipped_or_different_never_an_exception(entry: dict[str, Any], device: str, machine: str) -> None:
    for data in entry.values():
        (whole,) = data.values()
        (outcome,) = outcomes({f"x@{machine}": whole | {"config": whole["config"] | {"device": device, "machine": machine}}}, PROFILE_7_2)
        assert outcome.skipped or outcome.differences


@pytest.mark.parametrize("data", [None, [], {}, 5, {"cases": []}, {"a": 1}, {"a": {"b": {}}}, {"cases": [{"ops": []}]}])
def test_other_documents_are_none_of_these(data: Any) -> None:
    assert static_form(data) is None
