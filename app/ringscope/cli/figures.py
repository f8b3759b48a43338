"""``ringscope figures``: all figures of a document from one file, drawn where they changed or checked against what is there."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ringscope.figures.batch import Outcome
    from ringscope.figures.figure_file import Job

EXIT_DIFFERENT: Final = 1
EXIT_FAILED: Final = 2
DIFFERENCES: Final = "figure-differences"
"""The folder beside the file in which `--check` shows what differs."""
_COLORS: Final = {"drawn": "green", "unchanged": "dim", "same": "dim", "different": "bold red", "missing": "bold red", "failed": "bold red"}


@click.command(name="figures")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.toml")
@click.option("--check", is_flag=True, help="Write no figure: exit 1 where one differs from what would be drawn, and show the difference.")
@click.option(
    "--diff",
    "differences",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    metavar="DIR",
    help=f"With --check: where to show differences. Default: {DIFFERENCES} beside FILE.",
)
@click.option("--only", "only", multiple=True, metavar="NAME", help="Only these figures; * stands for anything.")
@click.option("--force", is_flag=True, help="Draw also what did not change.")
@click.option("--list", "listed", is_flag=True, help="Print name and output of each figure and draw nothing.")
def command(file: Path, check: bool, differences: Path | None, only: tuple[str, ...], force: bool, listed: bool) -> int:
    """Draw the figures of FILE.toml: only what changed, each scenario run once.

    A figure changed when its words, its scenario or session, or the program did, or when its file was touched.  With --check nothing
    is written but pictures of differences.
    """
    from ringscope.figures.figure_file import read_figures
    from ringscope.figures.files import check_writable
    from ringscope_core.scenario.errors import InputError

    if check and force:
        raise InputError("force", "yes", "left out with --check, which always draws everything")
    if differences is not None and not check:
        raise InputError("diff", str(differences), "given with --check only")
    if differences is not None:
        check_writable(differences, "diff", differences)
    every = read_figures(file)
    jobs = _chosen(every, only)
    if listed:
        for job in jobs:
            click.echo(f"{job.name}\t{_shown(job.output)}")
        return 0
    return _check(file, jobs, differences or file.parent / DIFFERENCES) if check else _draw(file, jobs, every, force)


def _chosen(jobs: list[Job], only: tuple[str, ...]) -> list[Job]:
    from ringscope.figures.parse import near
    from ringscope_core.scenario.errors import InputError

    for wanted in only:
        if not any(fnmatch(job.name, wanted) for job in jobs):
            names = list(dict.fromkeys(job.name for job in jobs))
            meant = near(wanted, names)
            raise InputError("only", wanted, f"one of {', '.join(names[:40])}" + (f" (did you mean {meant}?)" if meant else ""))
    return [job for job in jobs if not only or any(fnmatch(job.name, wanted) for wanted in only)]


def _draw(file: Path, jobs: list[Job], every: list[Job], force: bool) -> int:
    from ringscope.figures.batch import draw_all
    from ringscope.figures.ledger import Ledger, ledger_file
    from ringscope.figures.recordings import Recordings

    ledger = Ledger(ledger_file(file))
    with Recordings() as recordings:
        try:
            counts = _report(draw_all(jobs, recordings, ledger, force), len(jobs))
        finally:
            # also when somebody interrupts: what is drawn is drawn
            ledger.keep_only([job.output for job in every])
            ledger.save()
    return EXIT_FAILED if counts["failed"] else 0


def _check(file: Path, jobs: list[Job], folder: Path) -> int:
    from ringscope.figures.batch import check_all
    from ringscope.figures.difference import SUFFIXES, compare
    from ringscope.figures.files import write_whole
    from ringscope.figures.interrupt import interrupt_later
    from ringscope.figures.recordings import Recordings
    from ringscope_core.scenario.errors import InputError

    def place(job: Job, suffix: str) -> Path:
        try:
            below = job.output.resolve().relative_to(file.parent.resolve())
        except ValueError:
            below = Path(job.output.name)
        return folder / below.with_name(f"{below.name}{suffix}")

    def show(job: Job, old: bytes, new: bytes) -> tuple[str, Path | None]:
        with interrupt_later():
            found = compare(old, new, job.suffix, job.output.name)
        if not found.data:
            return found.text, None
        path = place(job, found.suffix)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError("diff", str(folder), f"a folder that can be made ({error.strerror})") from None
        write_whole(path, found.data)
        return found.text, path

    for job in jobs:
        # what an earlier check showed
        for suffix in SUFFIXES:
            with suppress(OSError):
                place(job, suffix).unlink()
    with Recordings() as recordings:
        counts = _report(check_all(jobs, recordings, show), len(jobs))
    if counts["failed"]:
        return EXIT_FAILED
    return EXIT_DIFFERENT if counts["different"] or counts["missing"] else 0


# -- saying -------------------------------------------------------------------------------------------------------------
def _report(outcomes: Iterable[Outcome], total: int) -> Counter[str]:
    """Say what becomes of each figure while it does, and the sum at the end."""
    counts: Counter[str] = Counter()
    seconds = 0.0
    with _bar(total) as step:
        for outcome in outcomes:
            counts[outcome.what] += 1
            seconds += outcome.seconds
            step(outcome)
    said = ", ".join(f"{count} {what}" for what, count in counts.items())
    click.echo(f"{total} figure{'s' if total != 1 else ''}: {said}; {seconds:.1f} s")
    return counts


def _line(outcome: Outcome) -> str:
    """One figure's line."""
    line = f"{outcome.what:<9}  {_shown(outcome.job.output)}"
    if outcome.seconds:
        line += f"  {outcome.seconds:.2f} s"
    if outcome.text:
        line += f"  {outcome.text}"
    return line + (f"  see {_shown(outcome.difference)}" if outcome.difference is not None else "")


class _Teller:
    """Says one outcome: on a terminal above a bar, else as a plain line; failures go to standard error."""

    def __init__(self, bar: Progress | None, task: TaskID | None) -> None:
        self._bar = bar
        self._task = task

    def __call__(self, outcome: Outcome) -> None:
        if outcome.what == "failed":
            self._failed(outcome)
        elif self._bar is None:
            click.echo(_line(outcome))
        else:
            self._bar.console.print(_line(outcome), style=_COLORS[outcome.what], markup=False, highlight=False, soft_wrap=True)
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)

    def _failed(self, outcome: Outcome) -> None:
        line = f"ringscope: {outcome.job.where}: {outcome.job.name}: {outcome.text}"
        if self._bar is not None:
            self._bar.console.print(line, style=_COLORS["failed"], markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(line, err=True)


@contextmanager
def _bar(total: int) -> Iterator[_Teller]:
    if not sys.stdout.isatty():
        yield _Teller(None, None)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(TextColumn("figures"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), transient=True) as bar:
        yield _Teller(bar, bar.add_task("figures", total=total))


def _shown(path: Path) -> str:
    """A path as short as it can be said here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
