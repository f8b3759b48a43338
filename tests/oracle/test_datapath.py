"""The data path against what a real QEMU did: ring-level cases of split rings, replayed step by step.

The recorded QEMU is 7.2.22 with a 4.1 machine; where it is known to differ from 4.1.0, or where a case needs what the model does
not have yet, the case stands in `KNOWN` with the reason, and must still differ: an entry that has become needless fails.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.oracle.cases import FOLDER, is_of_4_1
from tests.oracle.replay import replay
from tests.oracle.target import RingscopeTarget

NOTHING_TO_SEND = "7.2.22 refuses a frame that is only a header ('virtio-net nothing to send'); 4.1.0 sends it, empty (facts, 7.3)"
TIMER_BURST = "4.1.0's transmit timer does not go on after the burst limit; fixed by 7550a82259 (facts, 7.3)"
BROKEN_FLAG = "a frame for a broken device: 7.2.22 leaves used.flags alone, 4.1.0 asks for kicks (facts, 6.1: a broken queue is empty)"
RESET_FEATURES = "7.2.22 sets the features to none at reset, so a tap hears of header length and queues then; 4.1.0 does not (facts, 8)"

KNOWN = {
    "tx-length0": NOTHING_TO_SEND,
    "tx-bad-header-only": NOTHING_TO_SEND,
    "tx-burst-timer": TIMER_BURST,
    **dict.fromkeys(("rx-bad-readable", "rx-bad-writable-then-readable", "rx-bad-loop", "rx-bad-zero-length", "rx-bad-zero-length-second"), BROKEN_FLAG),
    **dict.fromkeys(("mq-pairs2", "mq-pairs4", "mq-few-vectors", "mq-not-negotiated"), RESET_FEATURES),
    **dict.fromkeys((f"garbage-split{n}" for n in (0, 1, 4, 6, 25, 28, 32, 33, 34, 38, 47, 51, 57, 58, 69)), NOTHING_TO_SEND),
}


def _cases() -> list[dict[str, Any]]:
    lines = gzip.decompress((FOLDER / "datapath.jsonl.gz").read_bytes()).decode().splitlines()[1:]
    cases: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [case for case in cases if "since" not in case and is_of_4_1(case["config"])]


def _name(case: dict[str, Any]) -> str:
    """The case's name without its running number."""
    return str(case["id"]).split("-", 2)[2]


@pytest.mark.parametrize("case", _cases(), ids=_name)
def test_the_device_does_what_qemu_did(case: dict[str, Any]) -> None:
    differences = replay(case, RingscopeTarget, {"final"})
    if any(op[0] == "died" for op in case["ops"]):
        # QEMU aborts where we only have to survive
        return
    reason = KNOWN.get(_name(case))
    if reason is None:
        assert differences == []
    else:
        assert differences, f"no longer different: {reason}"
