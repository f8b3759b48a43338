"""A process that behaves like the engine on its command line and on QMP, and emulates nothing.  Started by test_engine_source."""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any


class StandIn:
    """One run: a session file, a note of what it was told, and a QMP server for any number of clients."""

    def __init__(self, session: Path, address: str) -> None:
        session.write_bytes(b"")
        self.told = session.with_suffix(".told")
        self.state = "running"
        self.points: list[dict[str, Any]] = []
        self.speed: dict[str, object] = {"events_per_second": 0.0, "factor": 1.0, "max": False}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(4)

    def serve(self) -> None:
        """Until killed or told to quit."""
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.client, args=(connection,), daemon=True).start()

    def client(self, connection: socket.socket) -> None:
        """Greeting, then a reply for each line."""
        stream = connection.makefile("rwb", buffering=0)
        self.send(stream, {"QMP": {"version": {}, "capabilities": []}})
        for line in stream:
            request = json.loads(line)
            try:
                self.send(stream, {"return": self.answer(request["execute"], request.get("arguments", {})), "id": request["id"]})
            except LookupError as error:
                self.send(stream, {"error": {"class": "GenericError", "desc": str(error.args[0])}, "id": request["id"]})

    def change(self, arguments: dict[str, Any]) -> object:
        """The table of breakpoints, as the engine has it."""
        if "add" in arguments:
            if arguments["add"].get("where", "") == "":
                raise LookupError(f"there is no function {arguments['add']['function']}")
            self.points = [*self.points, {**arguments["add"], "id": len(self.points) + 1, "hits": 0}]
        return self.points

    @staticmethod
    def send(stream: Any, message: dict[str, object]) -> None:
        """One line."""
        stream.write(json.dumps(message).encode() + b"\r\n")

    def answer(self, command: str, arguments: dict[str, Any]) -> object:
        """What the command returns; LookupError for an error."""
        if command == "qmp_capabilities":
            return {}
        if command == "x-ringscope-status":
            paused = {"stopped": "breakpoint 2: event kick", "seq": 40, "vt": 5000} if self.state == "paused" else {}
            can = ["pause", "step", "speed", "break"]
            return {"state": self.state, "speed": self.speed, "trace_level": "full", "capabilities": can, "failures": [], "breakpoints": self.points, **paused}
        if command == "qom-list":
            return [{"name": "machine", "type": "child<container>"}]
        with self.told.open("a") as notes:
            notes.write(f"{command} {json.dumps(arguments)}\n" if arguments else f"{command}\n")
        if command == "x-ringscope-break":
            return self.change(arguments)
        if command == "x-ringscope-speed":
            self.speed = {"events_per_second": 0.0, "factor": 1.0, "max": False, **arguments}
        self.state = {"stop": "paused", "cont": "running"}.get(command, self.state)
        return {}


def main() -> int:
    """The engine's command line, as far as the window uses it."""
    parser = argparse.ArgumentParser()
    for name in ("--scenario", "--session", "--socket", "--speed", "--trace", "--set"):
        parser.add_argument(name)
    parser.add_argument("--paused", action="store_true")
    parser.add_argument("--leave-with-client", action="store_true")
    parser.add_argument("--keep", default="all")
    given = parser.parse_args()
    if given.scenario == "nonsense":
        print("ringscope-engine: scenario: 'nonsense' is not allowed; one of ping, realize", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    engine = StandIn(Path(given.session), given.socket)
    engine.state = "paused" if given.paused else "running"
    print(json.dumps({"ready": True, "session": given.session, "socket": given.socket, "scenario": given.scenario}), flush=True)
    engine.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
