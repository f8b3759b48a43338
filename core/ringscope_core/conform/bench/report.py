"""The benchmark's results as plain data, as a Markdown table and as lines of text."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ringscope_core.conform.bench.case import PEERS, Case
from ringscope_core.conform.bench.compare import Comparison, Cost, Effort, TraceCost

BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"
FORMAT: Final = "ringscope-bench-qemu-1"
NO_COPY: Final = 0.7
"""Ours over QEMU's, at most, where no bytes are copied."""
COPY: Final = 1.5
"""Ours over QEMU's, at most, where bytes are copied."""
PACKED: Final = 1.3
"""Our packed ring over our split ring, at most."""
TRACE: Final = 10.0
"""QEMU's tracing over ours, at least."""


@dataclass(frozen=True)
class Host:
    """The computer, as far as it matters for the numbers."""

    processor: str
    processors: int
    load: float
    """Average load of the last minute, before measuring."""
    qemu: str
    python: str
    compiled: bool


def describe_host(qemu: str, compiled: bool) -> Host:
    """This computer."""
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    kind = f"{platform.machine()}, {names[0]}" if names else platform.machine()
    return Host(kind, len(os.sched_getaffinity(0)), round(os.getloadavg()[0], 1), qemu, platform.python_version(), compiled)


@dataclass(frozen=True)
class Target:
    """One thing to reach, and what was."""

    text: str
    limit: float
    at_least: bool
    value: float
    """The worst that was measured; nan where nothing was."""
    where: str
    """The case of that."""

    @property
    def reached(self) -> bool:
        """Whether the worst is good enough."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def sentence(self) -> str:
        """One line of text."""
        if math.isnan(self.value):
            return f"{self.text}: not measured"
        word = "reached" if self.reached else "missed"
        return f"{self.text}: {'at least' if self.at_least else 'at most'} {self.limit:g}, {word}: {self.value:.2f} at the worst ({self.where})"


@dataclass(frozen=True)
class Report:
    """Everything one run has measured."""

    host: Host
    effort: Effort
    comparisons: Sequence[Comparison]
    traces: Sequence[TraceCost]

    def packed_ratios(self) -> list[tuple[Case, float]]:
        """For each case with a packed ring: our cost over that with a split one, best rounds."""
        split = {_twin(one.case): one for one in self.comparisons if not one.case.packed}
        return [(one.case, one.ours.best_ns / split[_twin(one.case)].ours.best_ns) for one in self.comparisons if one.case.packed and _twin(one.case) in split]

    def targets(self) -> list[Target]:
        """What was to be reached, with the worst case of each; judged by the best rounds, for noise only ever adds."""
        plain = [(one.case, one.best_ratio) for one in self.comparisons if not one.case.copies]
        copied = [(one.case, one.best_ratio) for one in self.comparisons if one.case.copies]
        traced = [(one.case, one.qemu_extra_ns / max(one.ours_extra_ns, 1.0)) for one in self.traces]
        return [
            _target("ours over QEMU's, no bytes copied", NO_COPY, False, plain),
            _target("ours over QEMU's, bytes copied", COPY, False, copied),
            _target("our packed ring over our split ring", PACKED, False, self.packed_ratios()),
            _target("QEMU's tracing over ours", TRACE, True, traced),
        ]

    # -- forms --------------------------------------------------------------------------------------------------------
    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "format": FORMAT,
            "host": vars(self.host),
            "effort": vars(self.effort),
            "cases": [
                {
                    **_case_json(one.case),
                    "qemu": _cost_json(one.qemu),
                    "ours": _cost_json(one.ours),
                    "ratio": {"best": round(one.best_ratio, 3), "median": round(one.median_ratio, 3)},
                }
                for one in self.comparisons
            ],
            "trace": [
                {
                    **_case_json(one.case),
                    "qemu": {"off": _cost_json(one.qemu_off), "on": _cost_json(one.qemu_on), "extra_ns": round(one.qemu_extra_ns, 1)},
                    "ours": {"off": _cost_json(one.ours_off), "on": _cost_json(one.ours_on), "extra_ns": round(one.ours_extra_ns, 1)},
                }
                for one in self.traces
            ],
            "targets": [{**vars(one), "value": None if math.isnan(one.value) else round(one.value, 3), "reached": one.reached} for one in self.targets()],
        }

    def update(self, document: Path) -> None:
        """Put the tables between the two marks in `document`, and the plain data beside it, as JSON.  Raises ValueError without the marks."""
        text = document.read_text()
        if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
            raise ValueError(f"{document} has no '{BEGIN}' with a '{END}' after it")
        before, rest = text.split(BEGIN)
        document.write_text(f"{before}{BEGIN}\n{self.markdown()}\n{END}{rest.split(END)[1]}")
        document.with_suffix(".json").write_text(json.dumps(self.to_json(), indent=1) + "\n")

    def markdown(self) -> str:
        """The tables for the documentation."""
        host, effort = self.host, self.effort
        lines = [
            f"Measured on {host.processors} processors ({host.processor}), load {host.load:g} before, against QEMU {host.qemu}; "
            f"Python {host.python}, core {'compiled' if host.compiled else 'not compiled'}; "
            f"{effort.repetitions} repetitions of {effort.rounds} batches a side.",
            "",
            "| direction | ring | chain | bytes | peer | QEMU best | QEMU median | ours best | ours median | ratio best | ratio median |",
            "|---|---|---|--:|---|--:|--:|--:|--:|--:|--:|",
        ]
        for one in self.comparisons:
            case = one.case
            costs = (one.qemu.best_ns, one.qemu.median_ns, one.ours.best_ns, one.ours.median_ns)
            cells = [case.direction, "packed" if case.packed else "split", case.shape, str(case.length), case.peer, *(f"{ns:.0f}" for ns in costs)]
            lines.append(f"| {' | '.join([*cells, f'{one.best_ratio:.2f}', f'{one.median_ratio:.2f}'])} |")
        if self.traces:
            lines += [
                "",
                "| traced | QEMU off | QEMU on | QEMU extra | ours off | ours on | ours extra | QEMU's over ours |",
                "|---|--:|--:|--:|--:|--:|--:|--:|",
            ]
        for trace in self.traces:
            six = (
                trace.qemu_off.median_ns,
                trace.qemu_on.median_ns,
                trace.qemu_extra_ns,
                trace.ours_off.median_ns,
                trace.ours_on.median_ns,
                trace.ours_extra_ns,
            )
            lines.append(f"| {trace.case.name} | {' | '.join(f'{ns:.0f}' for ns in six)} | {trace.qemu_extra_ns / max(trace.ours_extra_ns, 1.0):.0f} |")
        lines += ["", *(f"- {one.sentence}" for one in self.targets())]
        used = sorted({one.case.peer for one in self.comparisons}, key=list(PEERS).index)
        lines += ["", "Peers:", "", *(f"- **{name}**: {PEERS[name]}" for name in used)]
        return "\n".join(lines)


def comparison_line(one: Comparison) -> str:
    """One case for the terminal."""
    qemu, ours = one.qemu, one.ours
    return (
        f"  {one.case.name:<32} QEMU {qemu.best_ns:>6.0f} best {qemu.median_ns:>6.0f} median   "
        f"ours {ours.best_ns:>6.0f} best {ours.median_ns:>6.0f} median   ratio {one.best_ratio:.2f} {one.median_ratio:.2f}"
    )


def trace_line(one: TraceCost) -> str:
    """What tracing adds, for the terminal."""
    return f"  {one.case.name:<32} tracing adds {one.qemu_extra_ns:.0f} ns to QEMU's packet, {one.ours_extra_ns:.0f} ns to ours"


def _twin(case: Case) -> tuple[str, str, int, str]:
    return case.direction, case.shape, case.length, case.peer


def _target(text: str, limit: float, at_least: bool, found: list[tuple[Case, float]]) -> Target:
    known = [(value, case.name) for case, value in found if not math.isnan(value)]
    if not known:
        return Target(text, limit, at_least, math.nan, "")
    value, where = min(known) if at_least else max(known)
    return Target(text, limit, at_least, value, where)


def _case_json(case: Case) -> dict[str, Any]:
    return {"case": case.name, "direction": case.direction, "packed": case.packed, "shape": case.shape, "bytes": case.length, "peer": case.peer}


def _cost_json(cost: Cost) -> dict[str, float]:
    return {"best_ns": round(cost.best_ns, 1), "median_ns": round(cost.median_ns, 1)}
