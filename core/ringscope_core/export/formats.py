"""The formats that a session is exported in, and the one function that does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope_core.export import csv_file, json_lines, markdown, parquet, pcapng, perfetto, target
from ringscope_core.export.job import Format, Job, Option
from ringscope_core.export.moments import range_of
from ringscope_core.export.request import WHATS, Meter, Progress, Request, Summary
from ringscope_core.export.selection import Selection
from ringscope_core.export.tables import steps_of
from ringscope_core.scenario.errors import InputError

if TYPE_CHECKING:
    from ringscope_core.query.recording import Recording


def _table_steps(job: Job) -> int:
    return sum(steps_of(what, job.selection) for what in job.whats)


FORMATS: Final[Mapping[str, Format]] = {
    made.name: made
    for made in (
        Format(
            "pcapng",
            "pcapng: frames for Wireshark and tshark",
            ".pcapng",
            ("packets",),
            pcapng.write,
            pcapng.steps,
            (
                Option(
                    "vnet-hdr",
                    "virtio_net_hdr",
                    ("none", "link", "comment"),
                    means="`none`: Ethernet frames alone. `link`: virtio_net_hdr before each frame, as link type USER0 (147)."
                    " `comment`: as a comment of each frame, its fields, then its bytes",
                ),
                Option(
                    "interfaces",
                    "One interface for each",
                    ("queue", "direction", "device"),
                    means="what an interface stands for; its name, description and hardware say which",
                ),
                Option("time", "Clock", ("virtual", "wall"), means="`virtual`: QEMU_CLOCK_VIRTUAL, from 0. `wall`: the host's, from when the run began"),
            ),
        ),
        Format(
            "perfetto",
            "Perfetto trace: calls, rings, notifications, counters",
            ".pftrace",
            ("events",),
            perfetto.write,
            perfetto.steps,
            (
                Option(
                    "time",
                    "Clock",
                    ("virtual", "wall", "events"),
                    means="`virtual` and `wall`: the clock. `events`: a microsecond an event; calls take no virtual time, so their nest is seen best"
                    " on this clock, on which counters have no place",
                ),
                Option("instants", "Instants", ("main", "all"), means="`main`: notifications, frames and errors. `all`: every event"),
            ),
        ),
        Format(
            "csv",
            "CSV: one table",
            ".csv",
            WHATS,
            csv_file.write,
            _table_steps,
            (Option("text", "Event in words", ("no", "yes"), means="`yes` adds the column `description`, the event in words"),),
        ),
        Format("jsonl", "JSON lines", ".jsonl", WHATS, json_lines.write, _table_steps, many=True),
        Format(
            "parquet",
            "Parquet: a folder that many sessions share",
            "",
            WHATS,
            parquet.write,
            _table_steps,
            (Option("partition", "Virtual time in a file", (), "10s", parquet.span_ns, "the virtual time that a file spans"),),
            many=True,
            folder=True,
        ),
        Format("markdown", "Markdown report", ".md", ("report",), markdown.write, markdown.steps),
    )
}


def format_named(name: str) -> Format:
    """The format `name`.  Raises InputError."""
    found = FORMATS.get(name)
    if found is None:
        raise InputError("to", name, f"one of {', '.join(FORMATS)}")
    return found


def check(request: Request) -> tuple[Format, tuple[str, ...], dict[str, str]]:
    """The format, the tables and all options of a request.  Raises InputError for what the format does not know."""
    made = format_named(request.format)
    whats = request.whats or made.whats[:1]
    for what in whats:
        if what not in made.whats:
            raise InputError("what", what, f"{made.name} holds {', '.join(made.whats)}")
    if len(whats) > 1 and not made.many:
        raise InputError("what", ",".join(whats), f"{made.name} holds one of {', '.join(made.whats)} at a time")
    known = {option.name: option for option in made.options}
    options = {name: option.preset for name, option in known.items()}
    for name, value in request.options.items():
        if name not in known:
            raise InputError(name, value, f"{made.name} has {', '.join(known) or 'no options'}")
        option = known[name]
        if option.values and value not in option.values:
            raise InputError(name, value, f"one of {', '.join(option.values)}")
        if option.check is not None:
            option.check(value)
        options[name] = value
    return made, tuple(dict.fromkeys(whats)), options


def export(recording: Recording, request: Request, path: Path, progress: Progress | None = None) -> Summary:
    """Write what `request` asks of `recording` to `path`, which appears when it is whole.

    `progress` is called some times a second at the most with (done, total); when it answers false the export ends with `Cancelled` and leaves nothing.
    Raises InputError for a request that cannot be, SessionError for a recording that cannot be read.
    """
    made, whats, options = check(request)
    if request.format == "parquet":
        parquet.arrow()
    selection = Selection(recording, range_of(recording, request.since, request.until), request.filter)
    job = Job(selection, whats, options, Meter(progress, 0))
    if made.folder:
        _into_folder(made, job, path, request.force, progress)
    else:
        with target.written(path, request.force) as unfinished:
            _run(made, job, unfinished, progress)
            job.summary.size = target.size_of(unfinished)
    return job.summary


def export_exists(recording: Recording, request: Request, path: Path) -> bool:
    """Whether the export would have to replace something."""
    made, whats, _ = check(request)
    if made.folder:
        return any(part.exists() for part in parquet.folders(recording, whats, path))
    return path.exists()


def _run(made: Format, job: Job, path: Path, progress: Progress | None) -> None:
    job.meter = Meter(progress, made.steps(job))
    job.meter.at(0)
    made.write(job, path)
    job.meter.at(job.meter.total)


def _into_folder(made: Format, job: Job, path: Path, force: bool, progress: Progress | None) -> None:
    """Into a folder that holds other sessions too: this one's parts are put there when all of them are whole."""
    if path.exists() and not path.is_dir():
        raise InputError("output", str(path), "the name of a folder, this is a file")
    parquet.check_free(job, path, force)
    with target.scratch(path) as unfinished:
        _run(made, job, unfinished, progress)
        job.summary.size = target.size_of(unfinished)
        parquet.merge(unfinished, path)
