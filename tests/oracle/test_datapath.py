"""The data path against what a real QEMU did: ring-level cases of split rings, replayed step by step.

The recorded QEMU is 7.2.22 with a 4.1 machine; where it differs from 4.1.0 stands on the list of deliberate
differences (`deviations.toml`), the only place that says so.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.oracle.cases import FOLDER, is_of_4_1
from tests.oracle.replay import unlisted
from tests.oracle.target import RingscopeTarget


def _cases() -> list[dict[str, Any]]:
    lines = gzip.decompress((FOLDER / "datapath.jsonl.gz").read_bytes()).decode().splitlines()[1:]
    cases: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [case for case in cases if "since" not in case and is_of_4_1(case["config"])]


def _name(case: dict[str, Any]) -> str:
    """The case's name without its running number."""
    return str(case["id"]).split("-", 2)[2]


@pytest.mark.parametrize("case", _cases(), ids=_name)
def test_the_device_does_what_qemu_did(case: dict[str, Any]) -> None:
    assert unlisted(case, RingscopeTarget, {"final"}) == []
