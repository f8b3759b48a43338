"""Runs that somebody watches and disturbs: recorded live, with pauses, steps, speeds, levels, marks and commands at moments nobody chose."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path

from ringscope_core.engine.control import apply_control
from ringscope_core.engine.live import LiveListener, LiveRun
from ringscope_core.engine.pacing import MAX
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.run import Run
from ringscope_core.engine.session_meta import session_meta
from ringscope_core.net.errors import NetOptionError
from ringscope_core.scenario.load import load
from ringscope_core.session.writer import SessionWriter
from ringscope_core.trace.levels import LEVEL_NAMES


class Watcher:
    """Records `scenario` into `path` while it does what a person with `seed` would."""

    def __init__(self, path: Path, scenario: str, seed: int, settings: list[str] | None = None) -> None:
        self._random = random.Random(seed)
        wanted = load(scenario, settings)
        trace = self._random.choice(LEVEL_NAMES)
        self.writer = SessionWriter(path, session_meta(wanted, wanted.seed, trace))
        recorder = Recorder(self.writer, live=True)
        factor = self._random.choice([MAX, 1.0, 0.3])
        self.run = Run(wanted, trace_level=LEVEL_NAMES.index(trace), recorder=recorder, live=True, factor=factor, digests=False)
        self.live = LiveRun(self.run, LiveListener(), self._random.random() < 0.3, wanted.run.duration_ns())
        self.live.level_pinned = self._random.random() < 0.5

    def watch(self, seconds: float) -> None:
        """Until somebody has had enough."""
        live, choose = self.live, self._random
        live.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(choose.random() * 0.04)
            self._disturb(choose.randrange(14))
        live.debugger.resume()
        assert live.stop(30)
        assert live.failure is None, live.failure
        self.writer.set_meta("ended", live.ended or "quit")
        self.writer.close()
        self.run.close()

    def _disturb(self, what: int) -> None:
        live, choose = self.live, self._random
        if what == 0:
            live.debugger.pause()
        elif what in (1, 2):
            live.debugger.resume()
        elif what == 3 and not live.ended:
            live.debugger.step("event", choose.randrange(1, 50))
        elif what == 4 and not live.ended:
            live.debugger.step("turn")
        elif what == 5:
            live.set_rate(choose.choice([500, 5000]))
        elif what == 6:
            live.set_factor(choose.choice([0.1, 1, 5, MAX]))
        elif what == 7:
            live.set_level(choose.randrange(3))
        elif what == 8:
            live.change(lambda: self.run.mark(f"mark {what}", "seen"))
        elif what == 9:
            live.change(self.run.resample)
        elif what == 12:
            # stops before anything happens at that time
            when = int(self.run.clock.now_ns) + choose.randrange(1, 30_000_000)
            live.debugger.breakpoints.add({"what": "time", "where": str(when), "temporary": True})
        elif what in (10, 13):
            self.command("set_link", {"name": "net0", "up": choose.random() < 0.6})
        else:
            backend = next((nc.name for nc in self.run.machine.net.clients if nc.kind != "nic"), "")
            if backend:
                self.command("x-ringscope-inject", {"netdev": backend, "frame": choose.randbytes(choose.randrange(14, 200)).hex()})

    def command(self, name: str, arguments: dict[str, object]) -> None:
        """A command of the control protocol."""

        def work() -> None:
            self.run.record_control(name, arguments)
            apply_control(self.run, name, arguments)

        # a machine that could not be built has no such device
        with suppress(NetOptionError):
            self.live.change(work)


def record(path: Path, scenario: str, seed: int, seconds: float = 0.4, settings: list[str] | None = None) -> Path:
    """A session of such a run."""
    Watcher(path, scenario, seed, settings).watch(seconds)
    return path
