"""Any file that can be made a session: recognised by how it begins, never by its name."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Final

from ringscope_core.export.captures import import_capture, is_capture
from ringscope_core.export.from_json_lines import import_json_lines, is_json_lines
from ringscope_core.export.incoming import unreadable
from ringscope_core.export.request import Progress, Summary
from ringscope_core.export.target import size_of
from ringscope_core.scenario.errors import InputError

ALLOWED: Final = "a pcap or pcapng capture, or JSON lines that ringscope export wrote"
SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".jsonl")


def kind_of(source: Path) -> str:
    """``session``, ``capture``, ``json lines``, or nothing for a file that is none of them.  Raises InputError when it cannot be read."""
    try:
        with source.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise unreadable(source, error) from None
    if head.startswith(b"SQLite format 3\0"):
        return "session"
    if is_capture(head):
        return "capture"
    return "json lines" if is_json_lines(head) else ""


def temporary_target(source: Path) -> Path:
    """Where a session of `source` may be that lasts as long as this program."""
    folder = Path(tempfile.mkdtemp(prefix="ringscope-import-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / f"{source.stem}.ringscope"


def session_of(source: Path) -> Path:
    """`source` itself, or, where it is something that can be imported, a session made of it that lasts as long as this program.  Raises InputError."""
    if not source.is_file() or kind_of(source) not in ("capture", "json lines"):
        return source
    target = temporary_target(source)
    import_file(source, target)
    return target


def import_file(source: Path, path: Path, force: bool = False, progress: Progress | None = None) -> Summary:
    """Make a session of `source` at `path`, which appears when it is whole.

    `progress` as in `formats.export`.  Raises InputError for a file that is nothing of the kind or is damaged.
    """
    kind = kind_of(source)
    if not kind or kind == "session":
        raise InputError("file", str(source), "no session: open it as it is" if kind else ALLOWED)
    if source.resolve() == path.resolve():
        raise InputError("output", str(path), "another file than the one that is read")
    summary = (import_capture if kind == "capture" else import_json_lines)(source, path, force, progress)
    summary.size = size_of(path)
    return summary
