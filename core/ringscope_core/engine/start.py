"""Starts an engine process for a program that has no event loop, and ends it with the program."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ringscope_core.engine.client import QmpClient, QmpError
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

QUIT_S: Final = 10.0
"""An engine that was told to quit and is still there after that is killed."""
_CONNECT_S: Final = 10.0


class CannotStartError(InputError):
    """The engine process says why it does not start."""

    def __init__(self, message: str) -> None:
        super().__init__("engine", message, "")
        self.args = (message,)


class StartedEngine:
    """An engine process, its control, and the session that it writes.  Use as a context manager, or `close` it."""

    def __init__(self, scenario: str, settings: Sequence[str] = (), *, session: Path | None = None, options: Sequence[str] = ()) -> None:
        """Start `scenario` with ``KEY=VALUE`` `settings`; without `session` the recording goes with the process.

        `options` are more of the engine's own (``--paused``, ``--speed max``).  Raises CannotStartError, SessionError.
        """
        self._folder: Path = Path(tempfile.mkdtemp(prefix="ringscope-"))
        self.session: Path = session if session is not None else self._folder / "run.ringscope"
        address = str(self._folder / "qmp") if hasattr(socket, "AF_UNIX") else "127.0.0.1:0"
        command = [sys.executable, "-m", "ringscope_core.engine", "--scenario", scenario, "--session", str(self.session), "--socket", address]
        for setting in settings:
            command += ["--set", setting]
        # a session of its own: Ctrl-C at the terminal is for the console, which then asks the run to stop
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [*command, *options, "--leave-with-client"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self.client: QmpClient = QmpClient(self._ready(), _CONNECT_S)
        except BaseException:
            self._end()
            raise

    def _ready(self) -> str:
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().strip().splitlines()
            raise CannotStartError(said[-1].removeprefix("ringscope-engine: ") if said else "the engine ended before it began")
        ready = json.loads(line)
        if not isinstance(ready, dict) or not isinstance(ready.get("socket"), str):
            raise SessionError("engine", "did not say where it listens")
        return str(ready["socket"])

    def close(self) -> None:
        """End the process; its session is complete then."""
        with suppress(QmpError, OSError):
            self.client.execute("quit")
        self.client.close()
        self._end()

    def _end(self) -> None:
        try:
            self.process.wait(QUIT_S if self.process.poll() is None and hasattr(self, "client") else 0.1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> StartedEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
