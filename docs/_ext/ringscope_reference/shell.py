"""The directive ``ringscope-shell SCENARIO``: lines as one types them in a shell, and what they print about a recording of the scenario.

``sqlite3 run.ringscope '...'`` and ``python NAME.py run.ringscope ...`` (a program of ``docs/examples``) are understood, and carried out when the
documentation is built.
"""

from __future__ import annotations

import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Final

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from ringscope.figures.recordings import Recordings

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
FILE: Final = "run.ringscope"


def cell(value: object) -> str:
    """A value as the sqlite3 shell prints it in its list mode."""
    return "" if value is None else value.decode() if isinstance(value, bytes) else f"{value:.15g}" if isinstance(value, float) and value % 1 else str(value)


def select(session: Path, statement: str) -> str:
    """What the sqlite3 shell prints of a statement, with ``|`` between columns."""
    database = sqlite3.connect(f"file:{session}?mode=ro", uri=True)
    try:
        return "\n".join("|".join(cell(value) for value in row) for row in database.execute(statement))
    finally:
        database.close()


def run_line(line: str, session: Path) -> str:
    """What a line prints; raises ValueError for one that is neither, RuntimeError for one that fails."""
    words = shlex.split(line)
    if len(words) == 3 and words[:2] == ["sqlite3", FILE]:
        return select(session, words[2])
    if len(words) > 2 and words[0] == "python" and (EXAMPLES / words[1]).is_file():
        arguments = [str(session) if word == FILE else word for word in words[2:]]
        done = subprocess.run([sys.executable, str(EXAMPLES / words[1]), *arguments], check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{line}: {done.stderr.strip()[-400:]}")
        return done.stdout.rstrip()
    raise ValueError(f"{line!r} is neither sqlite3 {FILE} 'STATEMENT' nor python EXAMPLE {FILE} ...")


class ShellDirective(SphinxDirective):
    """Each line of the content behind a prompt, followed by what it prints."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A literal block; a line that cannot be carried out is an error with file and line."""
        parts: list[str] = []
        for example in EXAMPLES.glob("*.py"):
            self.env.note_dependency(str(example))
        with Recordings(Path(self.config.ringscope_cache) / "sessions") as recordings:
            session = Path(recordings.open(self.arguments[0]).path)
            for line in self.content:
                try:
                    parts.append(f"$ {line}\n{run_line(line, session)}")
                except (ValueError, RuntimeError, sqlite3.Error) as error:
                    raise self.error(str(error)) from None
        block = nodes.literal_block("\n".join(parts), "\n".join(parts), language="console")
        self.set_source_info(block)
        return [block]
