"""How smoothly the window runs: frames a second, frame times, and who made a tick long."""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path
from typing import Final

from PySide6.QtCore import QElapsedTimer

BUDGET_MS: Final = 8.0
"""What all refreshes of one tick may take."""
STALL_MS: Final = 50.0
"""A tick longer than this is reported by the watchdog."""
_KEPT: Final = 36_000

_log = logging.getLogger("ringscope.frames")


class FrameMeter:
    """Collects the intervals between paints and the cost of ticks and paints, in ms, for up to ten minutes."""

    def __init__(self, watchdog: bool = False) -> None:
        self.watchdog = watchdog
        self.intervals: list[float] = []
        """Between the ends of consecutive paints."""
        self.work: list[float] = []
        """Refreshes of a tick."""
        self.paints: list[float] = []
        self.tick_gaps: list[float] = []
        """Between the ends of consecutive ticks: what the event loop could do, also when nothing had to be painted."""
        self.stalls: Counter[str] = Counter()
        """Ticks over `STALL_MS` by the view that took longest."""
        self._clock = QElapsedTimer()
        self._clock.start()
        self._last_paint_ns = 0
        self._last_tick_ns = 0

    def now_ns(self) -> int:
        """The meter's clock."""
        return self._clock.nsecsElapsed()

    def tick(self, took_ms: float, slowest: str) -> None:
        """A tick's refreshes took `took_ms`; `slowest` is the view that took most of it."""
        self.work.append(took_ms)
        now = self.now_ns()
        if self._last_tick_ns:
            self.tick_gaps.append((now - self._last_tick_ns) / 1e6)
        self._last_tick_ns = now
        del self.work[:-_KEPT]
        del self.tick_gaps[:-_KEPT]
        if took_ms > STALL_MS:
            self.stalls[slowest] += 1
            if self.watchdog:
                _log.warning("a frame took %.0f ms, most of it in %s", took_ms, slowest)

    def paint(self, start_ns: int) -> None:
        """A paint that began at `start_ns` has ended."""
        end = self.now_ns()
        self.paints.append((end - start_ns) / 1e6)
        if self._last_paint_ns:
            self.intervals.append((end - self._last_paint_ns) / 1e6)
        self._last_paint_ns = end
        del self.paints[:-_KEPT]
        del self.intervals[:-_KEPT]

    def forget(self) -> None:
        """Begin anew: what happened while the window came up does not count."""
        self.intervals, self.work, self.paints, self.tick_gaps = [], [], [], []
        self.stalls.clear()
        self._last_paint_ns = self._last_tick_ns = 0

    @property
    def fps(self) -> float:
        """Paints a second over the last second or so, 0 when there were none."""
        recent = self.intervals[-60:]
        total = sum(recent)
        return 1000 * len(recent) / total if total else 0.0

    @property
    def cost_ms(self) -> float:
        """What a frame took lately, refreshes and paint: the median of the last second."""
        return _median(self.work[-60:]) + _median(self.paints[-60:])

    def report(self) -> dict[str, object]:
        """Percentiles of everything, for `--fps-report`."""
        return {
            "frames": len(self.paints),
            "fps": round(1000 * len(self.intervals) / sum(self.intervals), 2) if self.intervals else 0.0,
            "ticks_per_s": round(1000 * len(self.tick_gaps) / sum(self.tick_gaps), 2) if self.tick_gaps else 0.0,
            "interval_ms": _percentiles(self.intervals),
            "tick_gap_ms": _percentiles(self.tick_gaps),
            "paint_ms": _percentiles(self.paints),
            "work_ms": _percentiles(self.work),
            "stalls": dict(self.stalls),
        }

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(json.dumps(self.report(), indent=1) + "\n", encoding="utf-8")


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    return {
        name: round(ordered[min(int(len(ordered) * part), len(ordered) - 1)], 3) for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
    }
