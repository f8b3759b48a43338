"""Every shared case of the oracle: equal, or on the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope_core.conform.deviations import load_deviations
from ringscope_core.conform.report import Options, Report, run_paths
from tests.oracle.cases import FOLDER


@pytest.mark.slow
def test_every_shared_case_is_equal_or_listed() -> None:
    deviations = load_deviations()
    report = Report()
    run_paths([FOLDER], Options(), deviations, report, lambda _: None)
    total = report.total
    unlisted = [f"{outcome.case}: {differences[0]}" for one in report.files for outcome, differences in one.different]
    assert unlisted == []
    assert total.cases > 950
    assert total.deviations <= total.cases * 0.02
    assert total.cases == total.equal + total.deviations + total.skipped
    assert deviations.unused(report.profiles) == []


def test_some_of_every_family() -> None:
    """A quick look: one case in twenty."""
    from ringscope_core.conform.case_file import read_case_file
    from ringscope_core.conform.report import run_case

    deviations = load_deviations()
    for name in ("datapath.jsonl.gz", "registers.json.gz"):
        for case in read_case_file(Path(FOLDER / name)).cases[::20]:
            assert deviations.unlisted(run_case(case, "7.2"), case.family, "7.2") == [], case.id
