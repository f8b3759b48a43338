"""Where a function's breakpoint stops: at its first statement, which for some functions is a checkpoint behind the entry."""

from __future__ import annotations

from collections import Counter

from ringscope_core.engine.run import Run
from ringscope_core.engine.sinks import RowKeeper
from ringscope_core.gdb.backtrace import ENTRY_LINES
from ringscope_core.query.matching import AT, ENTER, FIRST_CHECKPOINTS
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


def test_the_lists_of_functions_are_what_the_model_does() -> None:
    """One that is entered at its definition passes a checkpoint at once, always or never; the lists name those that do, and those entered further down."""
    seen: dict[str, Counter[int]] = {}
    entered: dict[str, set[int]] = {}
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
            spec, line = functions[int(rows["a0"][place])], int(rows["a1"][place])
            if line == spec.line:
                following = rows[place + 1]
                first = int(following["kind"]) == AT and int(following["a0"]) == spec.number
                seen.setdefault(spec.name, Counter())[int(following["a1"]) if first else 0] += 1
            else:
                entered.setdefault(spec.name, set()).add(line)
    often = {name: counts.most_common(1)[0][0] for name, counts in seen.items()}
    assert {name: line for name, line in often.items() if line} == FIRST_CHECKPOINTS
    # the one that sets a field first in profile 7.2 still stops in its own frame
    assert {name for name, counts in seen.items() if len(counts) > 1} <= {"virtio_net_pci_realize"}
    assert entered == {name: {line} for name, line in ENTRY_LINES.items()}
