"""The debugger over the control protocol: stops that are stops, steps, breakpoints that survive, values set by hand."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringscope_core.engine.client import QmpClient, QmpError
from ringscope_core.engine.control import CHANGING
from ringscope_core.gdb.backtrace import backtrace
from ringscope_core.query.breakpoints import Breakpoint, find_hit
from ringscope_core.query.recording import Recording
from ringscope_core.query.travel import step
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace import kinds as k
from tests.core.engine.engines import Started

Start = Callable[..., Started]
BUSY = ("default", "--set", "traffic.0.rate_pps=5000")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Started] = []

    def make(*args: str, name: str = "run") -> Started:
        made.append(Started(tmp_path, *args, name=name))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def test_a_stop_is_answered_when_the_run_stands(start: Start) -> None:
    engine = start(*BUSY)
    for _ in range(20):
        engine.ask("stop")
        first = engine.status()
        assert first["state"] == "paused"
        assert first["stopped"] == "pause"
        engine.ask("cont")
        assert engine.status()["stopped"] == ""
    # sent at once, as an impatient person does
    engine.ask("cont")
    engine.ask("stop")
    assert engine.ask("stop") == {}
    assert engine.status()["state"] == "paused"


def test_while_it_stands_nothing_moves(start: Start) -> None:
    engine = start(*BUSY)
    time.sleep(0.3)
    engine.ask("stop")
    at = engine.stopped()
    reader = engine.recorded()
    assert reader.last_seq == at["seq"], "everything up to the stop is in the file"
    for command, arguments in (
        ("qom-list", {"path": "/machine/peripheral/net0/virtio-backend"}),
        ("qom-get", {"path": "/machine/peripheral/net0/virtio-backend", "property": "mac"}),
        ("qom-list-properties", {"typename": "virtio-net-pci"}),
        ("device-list-properties", {"typename": "virtio-net-pci"}),
        ("qom-list-types", {}),
        ("query-rx-filter", {}),
        ("query-pci", {}),
        ("human-monitor-command", {"command-line": "info qtree"}),
        ("human-monitor-command", {"command-line": "info network"}),
        ("x-ringscope-memory", {"addr": 0, "size": 4096}),
    ):
        engine.ask(command, **arguments)
    time.sleep(0.3)
    after = engine.status()
    assert (after["seq"], after["vt"], after["wall"]) == (at["seq"], at["vt"], after["wall"])
    with reader:
        reader.refresh()
        assert reader.last_seq == at["seq"]
    went_on = time.monotonic()
    engine.ask("cont")
    time.sleep(0.1)
    went = engine.status()["vt"] - at["vt"]
    assert went < 1e9 * (time.monotonic() - went_on) + 200_000_000, "what the wall did meanwhile is not caught up"


def test_looking_leaves_nothing_behind_in_7_2_either(start: Start) -> None:
    engine = start(*BUSY, "--set", "profile=7.2")
    time.sleep(0.3)
    engine.ask("stop")
    path = engine.ask("x-query-virtio")[0]["path"]
    before = engine.status()
    engine.ask("x-query-virtio-status", path=path)
    engine.ask("x-query-virtio-queue-status", path=path, queue=0)
    engine.ask("x-query-virtio-queue-element", path=path, queue=0)
    after = engine.status()
    assert (before["seq"], before["vt"]) == (after["seq"], after["vt"])


def test_the_stop_says_where_and_at_what(start: Start) -> None:
    engine = start("realize", "--paused")
    engine.paused()
    assert engine.status()["inside_turn"]
    points = engine.ask("x-ringscope-break", add={"what": "function", "where": "virtio_net_device_realize"})
    engine.ask("cont")
    data = engine.stopped()
    assert data["breakpoint"] == points[-1]["id"]
    status = engine.status()
    assert (data["seq"], data["vt"], data["reason"]) == (status["seq"], status["vt"], status["stopped"])
    with engine.recorded() as reader:
        assert reader.last_seq == data["seq"]
        stack = backtrace(reader.state_at(data["seq"]).stack, reader.functions, reader.strings)
    assert [(frame.function, frame.line) for frame in stack[:6] if frame.number is not None] == [
        ("virtio_net_device_realize", 2658),
        ("virtio_device_realize", 2613),
        ("device_set_realized", 834),
        ("property_set_bool", 2079),
        ("object_property_set_qobject", 26),
    ], "as the backtrace of a real QEMU"


@pytest.mark.parametrize("kind", ["event", "into", "over", "out", "packet", "kick", "turn"])
def test_steps_with_counts(start: Start, kind: str) -> None:
    engine = start(*BUSY)
    engine.ask("x-ringscope-break", add={"function": "virtio_net_flush_tx", "temporary": True})
    at = engine.stopped()
    assert [point["where"] for point in engine.status()["breakpoints"]] == []
    for count in (1, 3):
        engine.ask("x-ringscope-step", kind=kind, count=count)
        data = engine.stopped()
        assert data["reason"].startswith("step ")
        assert data["breakpoint"] is None
        with engine.recorded() as reader:
            if kind != "turn" and not (kind == "out" and data["reason"].startswith("step turn")):
                assert step(Recording(reader), at["seq"], kind, count) == data["seq"], "the same step over the recording"
        at = data
    if kind == "packet":
        assert "frame_" in at["reason"]
    assert "expected: string" in engine.refusal("x-ringscope-step", kind=1)
    assert engine.refusal("x-ringscope-step", kind="sideways").startswith("step: 'sideways' is not allowed")
    assert engine.refusal("x-ringscope-step", count=0).startswith("count: '0' is not allowed")


def test_steps_that_the_trace_level_does_not_show(start: Start) -> None:
    engine = start("default", "--trace", "counters", "--paused")
    engine.paused()
    assert "from trace level packets on; it is counters" in engine.refusal("x-ringscope-step", kind="packet")
    assert "from trace level full on" in engine.refusal("x-ringscope-step", kind="kick")
    assert "from trace level packets on" in engine.refusal("x-ringscope-until", packet=3)


def test_run_until(start: Start) -> None:
    engine = start("ping", "--paused", "--set", "traffic.0.rate_pps=1000")
    engine.paused()
    engine.ask("x-ringscope-until", time="4ms")
    data = engine.stopped()
    assert 4_000_000 <= data["vt"] < 4_100_000
    with engine.recorded() as reader:
        assert reader.last_seq == data["seq"]
        assert int(reader.events(data["seq"], data["seq"])["vt"][0]) < 4_000_000, "nothing of that time has happened yet"
    engine.ask("x-ringscope-until", seq=data["seq"] + 100)
    assert engine.stopped()["seq"] == data["seq"] + 100
    with engine.recorded() as reader:
        number = reader.packet_count + 5
    engine.ask("x-ringscope-until", packet=number)
    data = engine.stopped()
    with engine.recorded() as reader:
        assert next(row.seq for row in reader.packets(number, number)) == data["seq"]
    engine.ask("x-ringscope-until", event="kick", every=3)
    assert "event kick" in engine.stopped()["reason"]
    engine.ask("x-ringscope-until", field="VirtQueue.last_avail_idx", condition="obj == tx0")
    engine.stopped()
    assert engine.status()["breakpoints"] == [], "nobody keeps them"
    assert "an event to come" in engine.refusal("x-ringscope-until", seq=3)
    assert "a time to come" in engine.refusal("x-ringscope-until", time="1us")
    assert "a packet to come" in engine.refusal("x-ringscope-until", packet=1)
    assert "is not allowed" in engine.refusal("x-ringscope-until", function="nope")
    assert engine.status()["state"] == "paused"


def test_breakpoints_are_changed_listed_and_counted(start: Start) -> None:
    engine = start(*BUSY, "--paused")
    engine.paused()
    number = engine.ask("x-ringscope-break", add={"what": "event", "where": "kick", "ignore": 2})[-1]["id"]
    engine.ask("cont")
    assert engine.stopped()["breakpoint"] == number
    (point,) = engine.ask("x-ringscope-break")
    assert (point["hits"], point["ignore"], point["enabled"]) == (3, 2, True)
    engine.ask("x-ringscope-break", update={"id": number, "enabled": False})
    engine.ask("cont")
    assert engine.client.wait_event("X_RINGSCOPE_STOPPED", 0.3) is None
    hits = engine.ask("x-ringscope-break")[0]["hits"]
    assert hits == 3
    engine.ask("x-ringscope-break", update={"id": number, "enabled": True, "ignore": 0})
    assert engine.stopped()["breakpoint"] == number
    assert engine.refusal("x-ringscope-break", update={"id": 77, "enabled": True}) == "Breakpoint 77 not found"
    assert "not allowed" in engine.refusal("x-ringscope-break", update={"id": number, "every": 0})
    assert "not allowed" in engine.refusal("x-ringscope-break", update={"id": number, "hits": 0})
    assert "there is no field 'hed'" in engine.refusal("x-ringscope-break", add={"event": "kick", "condition": "hed == 3"})
    assert "one of {obj}" in engine.refusal("x-ringscope-break", add={"event": "kick", "log": "{head}"})
    assert engine.ask("x-ringscope-break", remove=number) == []


def test_run_until_takes_no_number_and_ends_at_any_stop(start: Start) -> None:
    engine = start("realize", "--paused")
    engine.paused()
    (own,) = engine.status()["breakpoints"]
    assert (own["id"], own["where"]) == (1, "virtio_net_device_realize")
    engine.ask("x-ringscope-break", update={"id": 1, "enabled": True})
    there = engine.ask("x-ringscope-until", function="virtio_net_pci_realize")
    assert there["id"] < 0
    stop = engine.stopped()
    assert (stop["breakpoint"], stop["reason"]) == (there["id"], "until function virtio_net_pci_realize")
    engine.ask("x-ringscope-until", function="virtio_bus_device_plugged")
    assert engine.stopped()["breakpoint"] == 1, "on the way"
    added = engine.ask("x-ringscope-break", add={"function": "virtio_add_queue"})
    assert [point["id"] for point in added] == [1, 2]
    engine.ask("x-ringscope-until", function="virtio_add_queue")
    assert engine.stopped()["breakpoint"] == 2, "both at one event: a person's is the one that is hit"
    engine.ask("x-ringscope-break", remove=2)
    engine.ask("x-ringscope-until", function="virtio_pci_device_plugged")
    assert engine.stopped()["reason"] == "until function virtio_pci_device_plugged", "what was not reached before is forgotten: it lies on the way"


def test_messages_are_told_written_and_stop_nothing(start: Start) -> None:
    engine = start("ping", "--set", "traffic.0.rate_pps=1000", "--paused")
    engine.paused()
    engine.ask("x-ringscope-break", add={"event": "virtqueue_pop", "condition": "obj == tx0", "log": "{obj} took head {head} as number {hits}", "every": 2})
    engine.ask("x-ringscope-break", add={"field": "VirtIODevice.status", "log": "{old} -> {value} at {vt}"})
    engine.ask("x-ringscope-break", add={"function": "virtio_net_device_realize", "log": "dev {dev}, {{errp}} {errp}"})
    engine.ask("x-ringscope-until", time="20ms")
    engine.stopped()
    event = engine.client.wait_event("X_RINGSCOPE_LOG", 5)
    assert event is not None
    with engine.recorded() as reader:
        logs = reader.logs()
        assert event["data"]["lines"][0]["text"] == logs[0].text
        assert event["data"]["missing"] == 0
        pops = [row.text for row in logs if row.breakpoint == 1]
        assert len(pops) > 5
        assert all(text.startswith("tx0 took head ") for text in pops)
        assert [text.rsplit(" ", 1)[1] for text in pops] == [str(2 * (i + 1)) for i in range(len(pops))]
        status = [row.text for row in logs if row.breakpoint == 2]
        assert status[0].startswith("0x0 -> 0x")
        (call,) = [row.text for row in logs if row.breakpoint == 3]
        assert call.startswith("dev 0x")
        assert ", {errp} 0x" in call
        kinds = {int(reader.events(row.seq, row.seq)["kind"][0]) for row in logs if row.breakpoint == 1}
        assert kinds == {int(k.EV_POP)}


def test_breakpoints_survive_and_hit_alike_in_the_recording(start: Start) -> None:
    engine = start("ping", "--set", "traffic.0.rate_pps=1000", "--paused")
    engine.paused()
    engine.ask("x-ringscope-break", add={"function": "virtio_net_flush_tx", "every": 2})
    engine.ask("x-ringscope-break", add={"event": "msi", "condition": "vector == 1"})
    stops: list[tuple[int, int]] = []
    for _ in range(12):
        engine.ask("cont")
        data = engine.stopped()
        stops.append((data["seq"], data["breakpoint"]))
    engine.leave()
    with SessionReader(engine.session) as reader:
        recording = Recording(reader)
        points = [Breakpoint.from_plain(row.spec) for row in reader.breakpoints()]
        assert sum(point.hits for point in points) > len(stops), "what every=2 let pass counts too"
        found: list[tuple[int, int]] = []
        seq = -1
        while (hit := find_hit(recording, points, seq, 1)) is not None and len(found) < len(stops):
            seq = hit[0]
            found.append((seq, hit[1].id))
        assert found == stops
        assert find_hit(recording, points, stops[5][0], -1) == (stops[4][0], points[stops[4][1] - 1])


def test_breakpoints_go_on_in_another_run_and_in_a_branch(start: Start) -> None:
    engine = start("ping", "--set", "traffic.0.rate_pps=1000", "--paused")
    engine.paused()
    engine.ask("x-ringscope-break", add={"event": "kick", "ignore": 3})
    engine.ask("x-ringscope-break", add={"function": "virtio_net_receive", "enabled": False})
    engine.ask("x-ringscope-break", add={"event": "field", "log": "{field}"})
    engine.ask("cont")
    at = engine.stopped()["seq"]
    specs = engine.ask("x-ringscope-break")
    assert specs[2]["hits"] > 0
    engine.leave()
    with SessionReader(engine.session) as reader:
        assert [row.spec for row in reader.breakpoints()] == specs, "up to date at the end"
    again = start("ping", "--set", "traffic.0.rate_pps=1000", "--paused", "--breakpoints-of", str(engine.session), name="again")
    again.paused()
    assert [(spec["id"], spec["hits"]) for spec in again.ask("x-ringscope-break")] == [(1, 0), (2, 0), (3, 0)]
    again.ask("cont")
    assert again.stopped()["seq"] == at, "the same run stops at the same place"
    branch = start("", "--branch-of", str(engine.session), "--paused", name="branch")
    branch.paused()
    assert [spec["where"] for spec in branch.ask("x-ringscope-break")] == ["kick", "virtio_net_receive", "field"]
    branch.ask("cont")
    assert branch.stopped()["breakpoint"] == 1
    assert branch.ask("x-ringscope-break")[0]["hits"] == 4, "not those of the way there"


def test_changes_are_recorded_where_they_take_effect(start: Start) -> None:
    engine = start(*BUSY)
    engine.ask("x-ringscope-break", add={"function": "virtio_net_flush_tx", "temporary": True})
    inside = engine.stopped()
    engine.ask("set_link", name="net0", up=False)
    engine.ask("x-ringscope-trace", level="packets")
    assert engine.status()["seq"] == inside["seq"], "it waits for the end of the turn"
    engine.ask("x-ringscope-step", kind="turn")
    engine.stopped()
    engine.ask("x-ringscope-inject", netdev="hostnet0", frame="ffffffffffff525400000001" + "0800" + "00" * 46)
    engine.ask("announce-self", initial=50, max=550, rounds=2, step=100)
    engine.ask("x-ringscope-set", object="net0", field="link", value=True)
    assert "'id' is missing" in engine.refusal("device_del")
    engine.refusal("device_add", driver="virtio-net-pci", id="net0")
    with engine.recorded() as reader:
        rows = reader.controls()
        assert [row.name for row in rows] == ["set_link", "x-ringscope-trace", "x-ringscope-inject", "announce-self", "x-ringscope-set", "device_add"]
        assert rows[0].arguments == {"name": "net0", "up": False}
        assert inside["seq"] < rows[0].seq <= rows[1].seq <= rows[2].seq
        assert rows[0].vt >= inside["vt"]
        event = reader.events(rows[0].seq, rows[0].seq)[0]
        assert int(event["vt"]) == rows[0].vt
        assert int(event["kind"]) in (int(k.EV_FRAME_ENTER), int(k.EV_FIELD)), "what the command did comes at once"


def test_memory(start: Start) -> None:
    engine = start(*BUSY)
    time.sleep(0.3)
    engine.ask("stop")
    with engine.recorded() as reader:
        rings = reader.state_at(reader.last_seq).rings
        ring = next(ring for ring in rings.values() if any(ring.desc))
        answer = engine.ask("x-ringscope-memory", addr=ring.desc_gpa, size=len(ring.desc))
        assert answer["data"] == bytes(ring.desc).hex()
        assert answer["holes"] == []
    end = 128 << 20
    answer = engine.ask("x-ringscope-memory", addr=end - 16, size=32)
    assert answer["holes"] == [[end, 16]]
    assert answer["data"].endswith("00" * 16)
    assert engine.ask("x-ringscope-memory", addr=(1 << 64) - 8, size=8)["size"] == 8
    for arguments in ({"addr": -1, "size": 1}, {"addr": 0, "size": 0}, {"addr": 0, "size": 1 << 21}, {"addr": (1 << 64) - 8, "size": 9}):
        assert "is not allowed" in engine.refusal("x-ringscope-memory", **arguments)
    assert "one of gpa" in engine.refusal("x-ringscope-memory", addr=0, size=1, space="io")


def test_values_set_by_hand(start: Start) -> None:
    engine = start(*BUSY)
    time.sleep(0.3)
    engine.ask("x-ringscope-step", kind="turn")
    engine.stopped()
    free = (128 << 20) - 64
    assert engine.ask("x-ringscope-set", memory=free, value="c0ffee")["done"] is True
    assert engine.ask("x-ringscope-memory", addr=free, size=3)["data"] == "c0ffee"
    with engine.recorded() as reader:
        ring = next(iter(reader.state_at(reader.last_seq).rings.values()))
    assert "outside the rings" in engine.refusal("x-ringscope-set", memory=ring.used_gpa, value="00")
    assert "guest RAM" in engine.refusal("x-ringscope-set", memory=1 << 40, value="00")
    assert "after it was realized" in engine.refusal("x-ringscope-set", object="net0", property="vectors", value=4)
    assert "device_add" in engine.refusal("x-ringscope-set", object="net0", property="realized", value=False)
    assert "follow from what its driver does" in engine.refusal("x-ringscope-set", object="net0", field="VirtIODevice.status", value=0)
    assert "object" in engine.refusal("x-ringscope-set", object="net9", property="mac", value="x")
    assert "exactly one" in engine.refusal("x-ringscope-set", object="net0", value=1)
    engine.ask("x-ringscope-set", object="net0", property="bootindex", value=3)
    assert engine.ask("qom-get", path="/machine/peripheral/net0", property="bootindex") == 3
    assert engine.ask("x-ringscope-set", object="net0", field="driver.promisc", value=0)["done"] is True
    assert engine.ask("x-ringscope-set", object="/machine/peripheral/net0/virtio-backend", field="link", value=False)["done"] is True
    engine.ask("cont")
    time.sleep(0.1)
    assert engine.status()["state"] == "running"
    assert engine.ask("query-rx-filter")[0]["promiscuous"] is False


def test_the_client(start: Start, tmp_path: Path) -> None:
    engine = start("ping", "--paused")
    with QmpClient(str(tmp_path / "run.q")) as second:
        assert second.greeting["version"]["qemu"]["major"] == 4
        assert second.execute("human-monitor-command", command_line="info qom-tree").startswith("/machine")
        with pytest.raises(QmpError, match="has not been found"):
            second.execute("nothing")
        assert second.wait_event("NEVER", 0.05) is None
        engine.ask("cont")
        assert second.wait_event("RESUME", 5) is not None
    with pytest.raises(QmpError, match="nobody answers"):
        QmpClient(str(tmp_path / "nothing"))
    engine.process.kill()
    with pytest.raises(QmpError) as gone:
        engine.client.execute("query-status")
    assert gone.value.kind == "ConnectionError"


STRANGERS = (
    ([b"HTTP/1.1 400\r\n"], 20.0, "does not speak QMP"),
    ([b"[]\n"], 20.0, "does not speak QMP"),
    ([], 0.2, "does not speak QMP"),
    ([json.dumps({"QMP": {}}).encode() + b"\n"], 20.0, "no reply to qmp_capabilities|closed by the other side|the connection is gone"),
)
"""What a stranger says, how long he is listened to in s, and what is said of him."""


def serve(listener: socket.socket, lines: list[bytes]) -> None:
    """Say `lines` to who comes next, and nothing more."""
    connection, _ = listener.accept()
    with connection:
        for line in lines:
            connection.sendall(line)
        time.sleep(0.3)


def test_the_client_and_a_stranger(tmp_path: Path) -> None:
    address = str(tmp_path / "stranger")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(4)
        for lines, patience_s, text in STRANGERS:
            thread = threading.Thread(target=serve, args=(listener, lines))
            thread.start()
            with pytest.raises(QmpError, match=text):
                QmpClient(address, patience_s)
            thread.join()


def test_a_run_with_commands_runs_again(start: Start) -> None:
    """What was recorded of the commands is enough to do all of it once more, event by event."""
    engine = start("default", "--set", "traffic.0.rate_pps=2000")
    time.sleep(0.3)
    engine.ask("x-ringscope-break", add={"function": "virtio_net_flush_tx", "temporary": True})
    engine.stopped()
    engine.ask("set_link", name="net0", up=False)
    engine.ask("x-ringscope-set", object="net0", property="bootindex", value=2)
    engine.ask("x-ringscope-until", time=f"{engine.status()['vt'] + 3_000_000}ns")
    engine.stopped()
    engine.ask("x-ringscope-set", object="net0", field="link", value=True)
    engine.ask("x-ringscope-set", object="net0", field="driver.promisc", value=0)
    engine.ask("x-ringscope-set", memory=(128 << 20) - 64, value="c0ffee")
    engine.ask("x-ringscope-step", kind="turn", count=3)
    engine.stopped()
    assert "Duplicate ID 'net0'" in engine.refusal("device_add", driver="virtio-net-pci", id="net0")
    engine.ask("x-ringscope-action", do="reset")
    engine.ask("x-ringscope-trace", level="packets")
    engine.ask("cont")
    time.sleep(0.3)
    engine.ask("x-ringscope-trace", level="full")
    engine.ask("stop")
    last = engine.status()["seq"]
    engine.leave()
    branch = start("", "--branch-of", str(engine.session), "--at", f"#{last}", "--paused", name="again")
    branch.until(lambda: branch.status()["state"] != "prelaunch", "run again")
    assert branch.status()["state"] == "paused", branch.status()
    with SessionReader(engine.session) as one, branch.recorded() as other:
        assert [(row.seq, row.vt, row.name) for row in other.controls()] == [(row.seq, row.vt, row.name) for row in one.controls() if row.name in CHANGING]
        assert len(one.controls()) == 9
        assert other.last_seq >= last


def test_a_breakpoint_in_a_command(start: Start) -> None:
    """What a command does is a place to stop as anything else; it is finished when the run goes on."""
    engine = start(*BUSY)
    engine.ask("x-ringscope-step", kind="turn")
    engine.stopped()
    number = engine.ask("x-ringscope-break", add={"field": "VirtIONet.status"})[-1]["id"]
    assert engine.ask("set_link", name="net0", up=False) == {}
    assert engine.stopped()["breakpoint"] == number
    engine.ask("x-ringscope-break", remove=number)
    engine.ask("cont")
    time.sleep(0.1)
    assert engine.status()["state"] == "running"
    with engine.recorded() as reader:
        assert [row.name for row in reader.controls()] == ["set_link"]


def test_a_stop_in_real_time_is_a_stop(start: Start) -> None:
    engine = start("default", "--set", "time.mode=realtime", "--paused")
    engine.paused()
    engine.ask("x-ringscope-until", time="150ms")
    at = engine.stopped()
    assert at["vt"] >= 150_000_000
    time.sleep(0.5)
    assert engine.status()["vt"] == at["vt"]
    went_on = time.monotonic()
    engine.ask("cont")
    time.sleep(0.05)
    engine.ask("stop")
    went = engine.status()["vt"] - at["vt"]
    assert went < 1e9 * (time.monotonic() - went_on) + 300_000_000, "the wall's half second is not caught up"


def test_a_run_that_has_ended(start: Start) -> None:
    engine = start("realize")
    engine.until(lambda: engine.status()["state"] == "finished", "finished")
    assert engine.ask("stop") == {}
    assert engine.refusal("x-ringscope-step").startswith("The run has ended")
    assert engine.refusal("x-ringscope-until", time="1s").startswith("The run has ended")
    assert engine.ask("x-ringscope-break", add={"event": "kick"})[-1]["where"] == "kick", "for who looks back"
    assert engine.ask("x-ringscope-memory", addr=0, size=16)["data"]


def test_two_impatient_clients(start: Start, tmp_path: Path) -> None:
    """Whatever two clients send across each other, every command is answered, and the run can be stopped and left."""
    engine = start(*BUSY)
    answers: list[int] = []
    problems: list[str] = []

    def pester(seed: int) -> None:
        source = random.Random(seed)
        with QmpClient(str(tmp_path / "run.q"), 20.0) as client:
            until = time.monotonic() + 3
            while time.monotonic() < until:
                command, arguments = source.choice(REQUESTS)
                try:
                    client.request(command, dict(arguments))
                except QmpError as error:
                    if error.kind == "ConnectionError" or "busy" in str(error):
                        problems.append(f"{command}: {error}")
                answers.append(1)

    threads = [threading.Thread(target=pester, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        # who does not read what comes is dropped
        engine.client.wait_event("NEVER", 0.2)
    assert problems == []
    assert len(answers) > 50
    engine.ask("stop")
    first = engine.status()
    assert first["state"] == "paused"
    with engine.recorded() as reader:
        assert reader.last_seq == first["seq"]
        rows = reader.events(0, reader.last_seq)
        assert (rows["seq"][1:] - rows["seq"][:-1] == 1).all()
    engine.leave()


REQUESTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("stop", {}),
    ("cont", {}),
    ("cont", {}),
    ("x-ringscope-step", {"kind": "event", "count": 5}),
    ("x-ringscope-step", {"kind": "over"}),
    ("x-ringscope-step", {"kind": "packet"}),
    ("x-ringscope-step", {"kind": "turn"}),
    ("x-ringscope-break", {"add": {"event": "kick", "temporary": True}}),
    ("x-ringscope-break", {"add": {"field": "VirtQueue.last_avail_idx", "condition": "obj == tx0", "ignore": 20}}),
    ("x-ringscope-break", {"add": {"event": "msi", "log": "{vector}"}}),
    ("x-ringscope-break", {"update": {"id": 2, "enabled": False}}),
    ("x-ringscope-break", {"remove": 1}),
    ("x-ringscope-break", {"remove": 3}),
    ("x-ringscope-until", {"function": "virtio_net_flush_tx"}),
    ("x-ringscope-status", {}),
    ("x-ringscope-sync", {}),
    ("x-ringscope-speed", {"max": True}),
    ("x-ringscope-speed", {"factor": 1.0}),
    ("x-ringscope-speed", {"events_per_second": 5000}),
    ("set_link", {"name": "net0", "up": True}),
    ("qom-get", {"path": "/machine/peripheral/net0", "property": "vectors"}),
    ("x-ringscope-memory", {"addr": 0, "size": 64}),
)
