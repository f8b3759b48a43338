"""Several campaigns at the same time, each in a process of its own, as one."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Final

from ringscope_core.conform.deviations import Deviations
from ringscope_core.conform.live.campaign import Campaign, LiveOptions, LiveReport, save_case

TELL_SECONDS: Final = 0.3
STOP_SECONDS: Final = 10.0


class Workers:
    """Shares one campaign's sequences among processes."""

    def __init__(self, options: LiveOptions, deviations: Deviations, jobs: int) -> None:
        """Raises InputError as Campaign does."""
        self.options: LiveOptions = options
        self.deviations: Deviations = deviations
        self.jobs: int = jobs
        first = Campaign(options, deviations)
        self.with_tap: bool = first.with_tap
        self.report: LiveReport = first.report
        """Everybody's work so far."""

    def run(self, progress: Callable[[LiveReport], None]) -> bool:
        """Until everybody is done; True when somebody interrupted."""
        if self.jobs == 1:
            campaign = Campaign(self.options, self.deviations)
            self.report = campaign.report
            try:
                campaign.run(progress)
            except KeyboardInterrupt:
                return True
            return False
        context = multiprocessing.get_context("fork")
        reports: dict[Connection, LiveReport | None] = {}
        processes = []
        for number in range(self.jobs):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(theirs, self.options, self.deviations, number, self.jobs), daemon=True)
            process.start()
            theirs.close()
            processes.append(process)
            reports[ours] = None
        stopped = self._listen(reports, progress)
        end = time.monotonic() + STOP_SECONDS
        for process in processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.terminate()
        return stopped

    def _listen(self, reports: dict[Connection, LiveReport | None], progress: Callable[[LiveReport], None]) -> bool:
        """Take what the workers tell until all have ended."""
        stopped = False
        listening = set(reports)
        while listening:
            try:
                for one in wait(list(listening)):
                    assert isinstance(one, Connection)
                    try:
                        reports[one] = one.recv()
                    except EOFError:
                        listening.discard(one)
                self._merge([report for report in reports.values() if report is not None])
                if not stopped:
                    progress(self.report)
            except KeyboardInterrupt:
                # the terminal has told the workers too: they end with what they have
                stopped = True
        return stopped

    def _merge(self, reports: list[LiveReport]) -> None:
        whole = LiveReport(self.report.seed, self.report.profile, self.report.version)
        for report in reports:
            whole.add(report)
        for signature, found in whole.found.items():
            known = self.report.found.get(signature)
            if known is not None:
                found.path = known.path
            elif self.options.save is not None:
                found.path = save_case(self.options.save, found.case, whole.version)
        self.report = whole


def _work(pipe: Connection, options: LiveOptions, deviations: Deviations, number: int, workers: int) -> None:
    """One worker: tells its report now and then, and at the end."""
    campaign = Campaign(LiveOptions(options.count, options.seed, options.seconds, options.profile, None, options.shrink, options.start), deviations)
    told = 0.0

    def tell(report: LiveReport) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= TELL_SECONDS:
            told = now
            pipe.send(report)

    try:
        campaign.run(tell, number, workers)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send(campaign.report)
    pipe.close()
