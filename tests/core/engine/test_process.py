"""The engine as a process: recorded while it runs, controlled over QMP, killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringscope_core.gdb.backtrace import backtrace
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace import kinds as k

PING = "netdev=responder,id=hostnet0"


class Engine:
    """A running engine, its control and its recording."""

    def __init__(self, folder: Path, scenario: str, *more: str) -> None:
        self.session = folder / "run.ringscope"
        command = [sys.executable, "-m", "ringscope_core.engine", "--scenario", scenario, "--session", str(self.session), "--socket", str(folder / "q"), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        self.ready = json.loads(line)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.ready["socket"])
        self.socket.settimeout(10)
        self.lines = self.socket.makefile("rb")
        self.events: list[dict[str, Any]] = []
        assert "QMP" in self.message()
        assert self.ask("qmp_capabilities") == {}
        self.reader = SessionReader(self.session)

    def message(self) -> dict[str, Any]:
        message = json.loads(self.lines.readline())
        assert isinstance(message, dict)
        return message

    def reply(self, command: str, **arguments: object) -> dict[str, Any]:
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            message = self.message()
            if "event" not in message:
                return message
            self.events.append(message)

    def ask(self, command: str, **arguments: object) -> Any:
        reply = self.reply(command, **arguments)
        assert "return" in reply, reply
        return reply["return"]

    def error(self, command: str, **arguments: object) -> str:
        return str(self.reply(command, **arguments)["error"]["desc"])

    def status(self) -> dict[str, Any]:
        status = self.ask("x-ringscope-status")
        assert isinstance(status, dict)
        return status

    def until(self, condition: Callable[[], bool], what: str = "") -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, (what, self.status())
            time.sleep(0.02)

    def until_paused(self) -> dict[str, Any]:
        self.until(lambda: self.status()["state"] == "paused", "paused")
        return self.status()

    def recorded(self) -> bool:
        """Whether the reader has everything that has happened."""
        self.reader.refresh()
        return bool(self.reader.last_seq >= self.status()["seq"])

    def leave(self) -> int:
        self.socket.sendall(b'{"execute": "quit"}\n')
        return self.process.wait(15)

    def close(self) -> None:
        self.reader.close()
        self.lines.close()
        self.socket.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


Start = Callable[..., Engine]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    engines: list[Engine] = []

    def make(*args: str) -> Engine:
        engines.append(Engine(tmp_path, *args))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def test_a_life(start: Start) -> None:
    engine = start("ping")
    assert engine.ready["scenario"] == "ping"
    version = engine.ask("query-version")
    assert version["qemu"] == {"major": 4, "minor": 1, "micro": 0}
    assert version["package"].startswith("Ringscope ")
    assert "virtio-net-pci" in {row["name"] for row in engine.ask("qom-list-types", implements="pci-device")}
    assert {"name": "net0", "type": "child<virtio-net-pci>"} in engine.ask("qom-list", path="/machine/peripheral")
    assert engine.ask("qom-get", path="/machine/peripheral/net0", property="vectors") == 3
    assert engine.error("qom-get", path="/no/where", property="x") == "Device '/no/where' not found"
    assert engine.error("nothing") == "The command nothing has not been found"
    assert engine.error("qom-list") == "Parameter 'path' is missing"
    assert engine.error("qom-list", path=1) == "Invalid parameter type for 'path', expected: string"
    assert engine.error("stop", now=True) == "Parameter 'now' is unexpected"
    assert any(row["name"] == "rx_queue_size" for row in engine.ask("device-list-properties", typename="virtio-net-pci"))
    assert engine.ask("qom-list-properties", typename="virtio-net-pci")
    engine.until(lambda: bool(engine.reader.refresh() or True) and engine.reader.packet_count > 4, "packets")
    assert engine.ask("x-ringscope-mark", name="here", note="why") == {}
    engine.until(lambda: bool(engine.reader.refresh() or True) and bool(engine.reader.marks()), "mark")
    assert engine.ask("set_link", name="net0", up=False) == {}
    assert engine.error("set_link", name="net7", up=False) == "Device 'net7' not found"
    assert engine.ask("query-rx-filter")[0]["name"] == "net0"
    assert engine.error("query-rx-filter", name="zz") == "invalid net client name: zz"
    assert engine.ask("announce-self", initial=50, max=550, rounds=2, step=100) == {}
    assert engine.error("announce-self", initial=50, max=550, rounds=2, step=100, interfaces=[1]) == "Invalid parameter type for 'interfaces', expected: string"
    assert engine.leave() == 0
    engine.reader.refresh()
    assert engine.reader.meta["closed"] is True
    assert engine.reader.types
    assert engine.reader.event_counts()[int(k.EV_FRAME_TX)] > 2
    state = engine.reader.state_at(engine.reader.last_seq)
    assert state.rings
    assert state.stack == []


def test_stopped_inside_realize_and_stepped(start: Start) -> None:
    engine = start("realize", "--paused")
    status = engine.until_paused()
    assert status["reason"] == "start"
    assert set(status["capabilities"]) >= {"pause", "step", "speed", "inject", "trace", "mark", "break", "link"}
    points = engine.ask("x-ringscope-break", add={"function": "virtio_net_device_realize"})
    assert [(p["where"], p["enabled"]) for p in points] == [("virtio_net_device_realize", False), ("virtio_net_device_realize", True)], (
        "the scenario's own first"
    )
    assert engine.error("x-ringscope-break", add={"function": "nope"}).startswith("function: 'nope' is not allowed")
    engine.ask("cont")
    engine.until(lambda: "virtio_net_device_realize" in engine.status()["reason"], "breakpoint")
    status = engine.status()
    assert status["inside_turn"] is True
    engine.until(engine.recorded, "recorded")

    def function(depth: int = 0) -> tuple[str, int]:
        reader = engine.reader
        frame = backtrace(reader.state_at(reader.last_seq).stack, reader.functions, reader.strings)[depth]
        return frame.function, frame.line

    def step(kind: str) -> tuple[str, int]:
        before = engine.status()["seq"]
        engine.ask("x-ringscope-step", kind=kind)
        engine.until(lambda: engine.status()["state"] == "paused" and engine.status()["seq"] > before, kind)
        engine.until(engine.recorded, "recorded")
        return function()

    assert function() == ("virtio_net_device_realize", 2658)
    assert function(1) == ("virtio_device_realize", 2613)
    name, line = step("over")
    assert name == "virtio_net_device_realize"
    assert line > 2658
    assert step("event")[0] == "virtio_net_device_realize"
    assert step("out")[0] == "virtio_device_realize"
    # looking works in the middle of the call stack
    assert engine.ask("qom-get", path="/machine/peripheral/net0/virtio-backend", property="realized") is False
    assert engine.error("x-ringscope-step", kind="sideways").startswith("step: 'sideways' is not allowed")
    engine.ask("x-ringscope-break", remove=2)
    assert engine.error("x-ringscope-break", remove=2) == "Breakpoint 2 not found"
    engine.ask("cont")
    engine.until(lambda: engine.status()["state"] == "finished", "finished")
    assert engine.ask("qom-get", path="/machine/peripheral/net0/virtio-backend", property="realized") is True
    assert [e["event"] for e in engine.events if e["event"] in ("STOP", "RESUME")][:2] == ["RESUME", "STOP"]


def test_speeds_levels_and_pause_while_traffic_flows(start: Start) -> None:
    engine = start("default")
    engine.until(lambda: engine.status()["seq"] > 3000, "boot")
    engine.ask("x-ringscope-speed", events_per_second=20)
    time.sleep(0.2)
    began, before = time.monotonic(), engine.status()
    assert before["speed"]["events_per_second"] == 20
    engine.until(lambda: engine.status()["seq"] >= before["seq"] + 20, "slow events")
    # a busy machine is slower, none is faster
    assert engine.status()["seq"] - before["seq"] <= 20 * (time.monotonic() - began) + 10
    engine.ask("stop")
    assert engine.until_paused()["reason"] == "pause"
    seq = engine.status()["seq"]
    engine.ask("x-ringscope-step", kind="event", count=3)
    engine.until(lambda: engine.status()["seq"] == seq + 3, "three events")
    engine.until(engine.recorded, "recorded")
    engine.ask("x-ringscope-speed", factor=1)
    vt = engine.status()["vt"]
    time.sleep(0.5)
    went_on = time.monotonic()
    engine.ask("cont")
    time.sleep(0.1)
    went = engine.status()["vt"] - vt
    assert went < 1e9 * (time.monotonic() - went_on) + 300_000_000, "time stood still while the run did"
    engine.ask("x-ringscope-speed", max=True)
    engine.until(lambda: engine.status()["trace_level"] == "counters", "flat out")
    vt = engine.status()["vt"]
    engine.until(lambda: engine.status()["vt"] > vt + 100_000_000, "virtual time")
    keyframes = len(engine.reader.keyframes())
    engine.until(lambda: bool(engine.reader.refresh() or True) and len(engine.reader.keyframes()) > keyframes + 10, "keyframes")
    engine.ask("x-ringscope-trace", level="full")
    engine.until(lambda: engine.status()["trace_level"] == "full", "pinned")
    engine.ask("x-ringscope-speed", factor=1)
    assert engine.status()["speed"]["factor"] == 1
    engine.ask("x-ringscope-inject", netdev="hostnet0", frame="ffffffffffff525400000001" + "0800" + "00" * 46)
    assert engine.error("x-ringscope-inject", netdev="x", frame="00") == "Device 'x' not found"
    assert engine.error("x-ringscope-inject", netdev="hostnet0", frame="zz") == "Parameter 'frame' expects bytes in hexadecimal"
    assert engine.error("x-ringscope-speed", factor=-1).startswith("Parameter 'factor' expects")
    assert engine.error("x-ringscope-trace", level="all").startswith("Parameter 'level' expects")
    assert engine.leave() == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_leaves_a_session_that_opens(start: Start, how: signal.Signals) -> None:
    engine = start("default")
    engine.until(lambda: bool(engine.reader.refresh() or True) and engine.reader.packet_count > 3, "packets")
    seq = engine.status()["seq"]
    time.sleep(0.5)
    os.kill(engine.process.pid, how)
    engine.process.wait(10)
    with SessionReader(engine.session) as reader:
        assert reader.last_seq >= seq
        assert reader.meta["closed"] is False
        assert reader.state_at(reader.last_seq).rings
        assert reader.packet_bytes(1)
    engine.reader.refresh()


def test_sigterm_closes_the_session(start: Start) -> None:
    engine = start("ping")
    engine.process.terminate()
    assert engine.process.wait(15) == 0
    with SessionReader(engine.session) as reader:
        assert reader.meta["closed"] is True


def test_it_leaves_with_its_client(start: Start) -> None:
    engine = start("ping", "--leave-with-client")
    engine.lines.close()
    engine.socket.close()
    assert engine.process.wait(15) == 0


def test_a_device_that_cannot_be_made_is_told(start: Start) -> None:
    engine = start("bad-option")
    engine.until(lambda: engine.status()["state"] == "failed", "failed")
    assert engine.status()["failures"][0].endswith("Invalid rx_queue_size (= 100), must be a power of 2 between 256 and 1024.")
    assert engine.leave() == 0


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["--scenario", "nope"], "scenario: 'nope' is not allowed"),
        (["--scenario", "ping", "--session", "/no/such/folder/x"], "session /no/such/folder/x: cannot be created"),
        (["--scenario", "ping", "--set", "driver.mtu=1"], "driver.mtu: "),
    ],
)
def test_wrong_options_are_one_line(tmp_path: Path, args: list[str], line: str) -> None:
    base = ["--session", str(tmp_path / "s"), "--socket", str(tmp_path / "q")]
    done = subprocess.run([sys.executable, "-m", "ringscope_core.engine", *base, *args], check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ringscope-engine: {line}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_bad_changes_inside_a_turn_are_refused_and_do_no_harm(start: Start) -> None:
    """What would have to wait for the turn's end is checked when it is asked for."""
    engine = start("default")
    engine.ask("x-ringscope-break", add={"function": "virtio_net_flush_tx"})
    assert engine.until_paused()["inside_turn"]
    assert engine.error("set_link", name="zz", up=False) == "Device 'zz' not found"
    assert "1 to 200 characters" in engine.error("x-ringscope-mark", name="")
    assert "1 to 200 characters" in engine.error("x-ringscope-mark", name="x" * 201)
    engine.ask("x-ringscope-break", remove=engine.status()["breakpoints"][0]["id"])
    engine.ask("cont")
    engine.until(lambda: engine.status()["state"] == "running", "running")
