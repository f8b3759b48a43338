"""Sphinx's end of the process that draws: started when something is first needed, ended with the build."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, Final

_START: Final = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ringscope.sphinx.worker import main; main(sys.argv[2])"
"""Python's own search path is handed on: ``conf.py`` may have changed it."""
_END_S: Final = 10.0
"""Time that a process has to end when its input has ended."""


class WrongInput(Exception):
    """What was asked for cannot be; the sentence says why."""


class Defect(Exception):
    """Ringscope failed; `details` is what its process printed."""

    def __init__(self, text: str, details: str) -> None:
        super().__init__(text)
        self.details = details


class WorkerLink:
    """Asks the process.  After a fork the child has a process of its own: two may not share one's pipes."""

    def __init__(self, folder: Path) -> None:
        """`folder` keeps recordings of scenarios."""
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0
        self._log: IO[bytes] | None = None

    def ask(self, job: str, **words: Any) -> Any:
        """The answer of `worker.Jobs.<job>`; raises WrongInput, Defect."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": job, **words}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise self._ended(process, job)
        said = json.loads(line)
        if "wrong" in said:
            raise WrongInput(said["wrong"])
        if "defect" in said:
            raise Defect(f"defect of Ringscope ({job}): {said['defect']}", self._printed())
        return said["answer"]

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        with contextlib.suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        if self._log is not None:
            self._log.close()
            self._log = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._owner != os.getpid():
            self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, json.dumps([str(Path(place).absolute()) for place in sys.path]), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                encoding="utf-8",
            )
        return self._process

    def _ended(self, process: subprocess.Popen[str], job: str) -> Defect:
        code = process.wait()
        details = self._printed()
        self.close()
        last = details.strip().splitlines()[-1:] or ["it printed nothing"]
        return Defect(f"Ringscope's drawing process ended with code {code} ({job}): {last[0]}", details)

    def _printed(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")
