"""Engine processes for tests, spoken to with the client."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringscope_core.engine.client import QmpClient, QmpError
from ringscope_core.session.reader import SessionReader


class Started:
    """An engine process with a client of it."""

    def __init__(self, folder: Path, scenario: str, *more: str, name: str = "run") -> None:
        self.session = folder / f"{name}.ringscope"
        base = ["--session", str(self.session), "--socket", str(folder / f"{name}.q")]
        what = ["--scenario", scenario] if scenario else []
        command = [sys.executable, "-m", "ringscope_core.engine", *what, *base, *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        self.client = QmpClient(json.loads(line)["socket"])

    def ask(self, command: str, **arguments: object) -> Any:
        return self.client.request(command, arguments)

    def refusal(self, command: str, **arguments: object) -> str:
        try:
            answer = self.client.request(command, arguments)
        except QmpError as error:
            return str(error)
        raise AssertionError(f"{command} was carried out: {answer}")

    def status(self) -> dict[str, Any]:
        found = self.ask("x-ringscope-status")
        assert isinstance(found, dict)
        return found

    def stopped(self, timeout: float = 15.0) -> dict[str, Any]:
        """The data of the next stop."""
        event = self.client.wait_event("X_RINGSCOPE_STOPPED", timeout)
        assert event is not None, self.status()
        data = event["data"]
        assert isinstance(data, dict)
        return data

    def paused(self) -> None:
        """Wait until an engine that was started paused stands: its stop may come before its client."""
        self.until(lambda: bool(self.status()["stopped"]), "paused")
        while self.client.wait_event("X_RINGSCOPE_STOPPED", 0.1) is not None:
            pass

    def until(self, condition: Callable[[], bool], what: str = "") -> None:
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline, (what, self.status())
            time.sleep(0.02)

    def recorded(self) -> SessionReader:
        """A reader that has everything up to now."""
        self.ask("x-ringscope-sync")
        return SessionReader(self.session)

    def leave(self) -> None:
        self.ask("quit")
        assert self.process.wait(15) == 0

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
