"""The QMP protocol over real sockets: greeting, negotiation, errors, events, many clients."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringscope_core.engine.qmp import Handler, QmpError, QmpServer


class Echo(Handler):
    """Answers with what it was asked."""

    def execute(self, command: str, arguments: dict[str, Any]) -> object:
        if command == "fail":
            raise QmpError("as asked")
        if command == "echo":
            return arguments
        return super().execute(command, arguments)


class Client:
    """Speaks lines."""

    def __init__(self, server: QmpServer) -> None:
        if ":" in server.address:
            host, _, port = server.address.rpartition(":")
            self.socket = socket.create_connection((host, int(port)))
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(server.address)
        self.socket.settimeout(5)
        self.lines = self.socket.makefile("rb")

    def read(self) -> dict[str, Any]:
        message = json.loads(self.lines.readline())
        assert isinstance(message, dict)
        return message

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def ask(self, command: str, **arguments: object) -> dict[str, Any]:
        self.send(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        return self.read()

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


@pytest.fixture(params=["unix", "tcp"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[QmpServer]:
    server = QmpServer(str(tmp_path / "q.sock") if request.param == "unix" else "127.0.0.1:0", Echo())
    yield server
    server.close()
    assert not (tmp_path / "q.sock").exists()


@pytest.fixture
def client(server: QmpServer) -> Iterator[Client]:
    client = Client(server)
    yield client
    client.close()


def test_a_conversation(client: Client, server: QmpServer) -> None:
    greeting = client.read()
    assert greeting["QMP"]["version"]["qemu"] == {"major": 4, "minor": 1, "micro": 0}
    assert greeting["QMP"]["version"]["package"].startswith("Ringscope ")
    assert greeting["QMP"]["capabilities"] == []
    assert client.ask("echo")["error"] == {"class": "CommandNotFound", "desc": "Expecting capabilities negotiation with 'qmp_capabilities'"}
    assert client.ask("qmp_capabilities") == {"return": {}}
    assert client.ask("echo", a=[1, "x"]) == {"return": {"a": [1, "x"]}}
    assert client.ask("nothing")["error"] == {"class": "CommandNotFound", "desc": "The command nothing has not been found"}
    assert client.ask("fail")["error"] == {"class": "GenericError", "desc": "as asked"}
    client.send('{"execute": "echo", "id": {"n": 7}}\n')
    assert client.read() == {"id": {"n": 7}, "return": {}}
    server.event("STOP", {"reason": "x"})
    event = client.read()
    assert event["event"] == "STOP"
    assert event["data"] == {"reason": "x"}
    assert set(event["timestamp"]) == {"seconds", "microseconds"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("{]", "Invalid JSON syntax"),
        ("[" * 5000, "Invalid JSON syntax"),
        ("[1]", "QMP input must be a JSON object"),
        ("{}", "QMP input lacks member 'execute'"),
        ('{"execute": 1}', "QMP input member 'execute' must be a string"),
        ('{"execute": "echo", "arguments": 1}', "QMP input member 'arguments' must be an object"),
        ('{"execute": "echo", "more": 1}', "QMP input member 'more' is unexpected"),
        (b"\xff\xfe", "Invalid JSON syntax"),
    ],
)
def test_bad_requests(client: Client, line: str | bytes, text: str) -> None:
    client.read()
    client.send(line)
    client.send("\n")
    assert client.read()["error"]["desc"] == text
    assert client.ask("qmp_capabilities") == {"return": {}}


def test_requests_in_pieces_and_together(client: Client) -> None:
    client.read()
    client.send('{"execute": "qmp_')
    client.send('capabilities"}\r\n{"execute": "echo"}\n\n  \n{"execute": "echo", "id": 1}\n')
    assert [client.read() for _ in range(3)] == [{"return": {}}, {"return": {}}, {"id": 1, "return": {}}]


def test_a_flood_without_a_line_ends_the_connection(client: Client) -> None:
    client.read()
    with pytest.raises(OSError):
        for _ in range(100):
            client.send(b"x" * 100_000)
        while client.socket.recv(65536):
            continue
        raise ConnectionResetError


def test_events_go_to_everyone_who_negotiated(client: Client, server: QmpServer) -> None:
    other = Client(server)
    client.read()
    other.read()
    assert client.ask("qmp_capabilities") == {"return": {}}
    server.event("RESUME")
    assert client.read()["event"] == "RESUME"
    assert other.ask("qmp_capabilities") == {"return": {}}
    other.close()
    server.event("STOP")
    assert client.read()["event"] == "STOP"


def test_only_the_loopback(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not the loopback"):
        QmpServer("0.0.0.0:0", Echo())
    with pytest.raises(OSError):
        QmpServer(str(tmp_path / "no" / "q.sock"), Echo())
