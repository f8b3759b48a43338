"""Where a function's breakpoint stops: at its first statement, which for some functions is a checkpoint behind the entry."""

from __future__ import annotations

from collections import Counter

from ringscope_core.engine.run import Run
from ringscope_core.engine.sinks import RowKeeper
from ringscope_core.query.matching import AT, ENTER, FIRST_IS_CHECKPOINT
from ringscope_core.scenario.load import load
from ringscope_core.trace.functions import function_table

SCENARIOS = (
    ("realize", []),
    ("ping", []),
    ("multiqueue", []),
    ("legacy", []),
    ("packed", []),
    ("realize", ["profile=7.2", "machine.type=q35"]),
    ("bad-option", []),
)


def test_the_list_of_functions_is_what_the_model_does() -> None:
    """One that is entered at its definition passes a checkpoint at once, always or never; the list names those that do."""
    seen: dict[str, Counter[bool]] = {}
    for scenario, settings in SCENARIOS:
        keeper = RowKeeper()
        run = Run(load(scenario, settings), digests=False, sink=keeper)
        going = run.build()
        for _ in range(200):
            going = going and (run.turn() or run.pass_time())
        run.log.flush()
        run.close()
        rows, functions = keeper.rows(), function_table()
        for place in (rows["kind"] == ENTER).nonzero()[0][:-1].tolist():
            spec = functions[int(rows["a0"][place])]
            if int(rows["a1"][place]) == spec.line:
                following = rows[place + 1]
                seen.setdefault(spec.name, Counter())[int(following["kind"]) == AT and int(following["a0"]) == spec.number] += 1
    always = {name for name, counts in seen.items() if counts[True] > counts[False]}
    assert always == FIRST_IS_CHECKPOINT
    # the one that sets a field first in profile 7.2 still stops in its own frame
    assert {name for name, counts in seen.items() if counts[True] and counts[False]} <= {"virtio_net_pci_realize"}
