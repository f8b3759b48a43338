"""Branches: the same up to a moment, something else from there on, and a recording like any other."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringscope_core.engine.branch import Outcome, Parent, default_level, run_branch
from ringscope_core.engine.branch_live import change_from_text
from ringscope_core.engine.branch_path import free_path
from ringscope_core.engine.change import Change, parse_change
from ringscope_core.engine.compare import ReplayError
from ringscope_core.engine.moment import Moment, parse_moment
from ringscope_core.engine.replay import Rerun
from ringscope_core.net.errors import NetOptionError
from ringscope_core.query.diff import diff
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace import kinds as k
from tests.core.engine.test_replay import headless
from tests.core.engine.watched import record


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of the default scenario, 0.4 s long."""
    return headless(tmp_path_factory.mktemp("branch") / "parent.ringscope", "default", [])


def branch(parent: Path, at: str, change: str, out: Path, **options: Any) -> Outcome:
    with SessionReader(parent) as reader:
        moment = parse_moment(reader, at)
    return run_branch(Parent(parent, moment, parse_change(change)), out, **options)


def parting(a: Path, b: Path) -> int:
    """Number of the first event in which two sessions differ, -1 for none."""
    with SessionReader(a) as one, SessionReader(b) as two:
        found = diff(Recording(one), Recording(two))
        return -1 if found.equal else found.common


def whole(path: Path) -> None:
    """The session can be run again to its end, and its events are all there."""
    with SessionReader(path) as reader:
        assert reader.event_count == reader.last_seq + 1
        run = Rerun(reader, reader.last_seq)
        run.build()
        run.close()
        assert run.compared == reader.event_count


@pytest.mark.parametrize("at", ["start", "#900", "#2500", "50ms", "0.25s", "end"])
def test_nothing_changed_goes_on_as_the_parent_did(parent: Path, tmp_path: Path, at: str) -> None:
    out = tmp_path / "b.ringscope"
    outcome = branch(parent, at, "none", out)
    with SessionReader(parent) as one, SessionReader(out) as two:
        a, b = one.events(0, one.last_seq), two.events(0, one.last_seq)
        for name in a.dtype.names or ():
            if name != "wall":
                assert (a[name] == b[name])[: outcome.compared if at == "end" else len(a)].all(), name
        assert two.packet_bytes(1) == one.packet_bytes(1)
    whole(out)


CHANGES = {
    "inject net=hostnet0 frame=ffffffffffff5254001234560800": k.EV_FRAME_RX,
    "link net0 off": k.EV_FIELD,
    "feature net0 -MRG_RXBUF": k.EV_RING_RESET,
    "feature net0 -EVENT_IDX -INDIRECT_DESC": k.EV_RING_RESET,
    "option net0 rx_queue_size=512": k.EV_OBJ_FREE,
    "action break queue=1 fault=zero-length": k.EV_VIRTIO_ERROR,
    "action reset": k.EV_RING_RESET,
    "action promisc number=0": k.EV_CTRL,
    "action mac mac=52:54:00:00:00:77": k.EV_CTRL,
    "traffic 0 rate_pps=1000": k.EV_GUEST_TX,
    "traffic 3 kind=ping rate_pps=500": k.EV_GUEST_TX,
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change(parent: Path, tmp_path: Path, change: str) -> None:
    out = tmp_path / "b.ringscope"
    outcome = branch(parent, "200ms", change, out)
    assert outcome.compared == outcome.took_effect
    assert parting(parent, out) >= outcome.took_effect
    with SessionReader(out) as reader, SessionReader(parent) as before:
        wanted = int(CHANGES[change])
        after = len(reader.find_events((wanted,), outcome.took_effect, reader.last_seq, 1 << 20))
        assert after > 0
        (row,) = reader.controls()
        assert (row.seq, row.name) == (outcome.took_effect, parse_change(change).command)
        about = reader.meta["branch"]
        assert isinstance(about, dict)
        assert (about["of"], about["seq"]) == (before.meta["id"], outcome.took_effect)
        assert Change.from_plain(about["change"]) == parse_change(change)
        assert [mark.name for mark in reader.marks()] == ["branch"]
    whole(out)


def test_a_bit_less_is_negotiated(parent: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.ringscope"
    outcome = branch(parent, "100ms", "feature net0 -VIRTIO_NET_F_MRG_RXBUF", out)
    with SessionReader(out) as reader:
        recording = Recording(reader)
        states = [reader.state_at(seq) for seq in (outcome.took_effect - 1, reader.last_seq)]
        oid = next(oid for oid in recording.names.known() if recording.names.type_name(oid) == "virtio-net-device")
        bits = [state.value(oid, recording.field_id("VirtIODevice.guest_features")) >> 15 & 1 for state in states]
        assert bits == [1, 0]


def test_options_change_from_the_moment_and_from_the_start(parent: Path, tmp_path: Path) -> None:
    first = branch(parent, "100ms", "option net0 rx_queue_size=512 from=start", tmp_path / "a.ringscope")
    then = branch(parent, "100ms", "option net0 rx_queue_size=512", tmp_path / "b.ringscope")
    assert (first.took_effect, first.compared) == (0, 0)
    assert then.compared == then.took_effect > 1000
    sizes = []
    for name in ("a", "b"):
        with SessionReader(tmp_path / f"{name}.ringscope") as reader:
            state = reader.state_at(reader.last_seq)
            sizes.append(sorted({ring.num for ring in state.rings.values()}))
    assert sizes[0] == sizes[1]
    assert 512 in sizes[0]
    with SessionReader(tmp_path / "a.ringscope") as reader:
        # and so is its scenario
        data = reader.meta["scenario_data"]
        assert isinstance(data, dict)
        assert "rx_queue_size=512" in data["device"][0]
    backend = branch(parent, "end", "option hostnet0 latency-ns=5000 from=start", tmp_path / "c.ringscope")
    assert parting(parent, tmp_path / "c.ringscope") > 0
    assert backend.ended == "duration"


def test_a_setting_from_the_start(parent: Path, tmp_path: Path) -> None:
    outcome = branch(parent, "end", "set traffic.0.rate_pps=777 seed=5", tmp_path / "b.ringscope")
    assert outcome.took_effect == 0
    with SessionReader(tmp_path / "b.ringscope") as reader:
        data = reader.meta["scenario_data"]
        assert isinstance(data, dict)
        assert data["traffic"][0]["rate_pps"] == 777
    whole(tmp_path / "b.ringscope")


def test_a_branch_is_branched(parent: Path, tmp_path: Path) -> None:
    one, two, three = (tmp_path / f"{name}.ringscope" for name in "abc")
    branch(parent, "150ms", "link net0 off", one)
    branch(one, "end", "link net0 on", two, duration_ns=100_000_000)
    outcome = branch(two, "end", "feature net0 -INDIRECT_DESC", three, duration_ns=50_000_000)
    with SessionReader(three) as reader:
        assert [row.name for row in reader.controls()] == ["set_link", "set_link", "x-ringscope-feature"]
        assert reader.last_vt >= 550_000_000
    assert outcome.compared == outcome.took_effect
    whole(three)


def test_a_change_inside_a_turn_waits_for_its_end(parent: Path, tmp_path: Path) -> None:
    with SessionReader(parent) as reader:
        inside = int(reader.find_events((int(k.EV_FRAME_ENTER),), 2500, reader.last_seq, 1)[0]["seq"])
        # every event of the turn has the parent's number
        outcome = run_branch(Parent(parent, Moment(inside), parse_change("link net0 off")), tmp_path / "b.ringscope")
        assert outcome.took_effect > inside + 1
    assert parting(parent, tmp_path / "b.ringscope") == outcome.took_effect


def test_the_level_of_a_branch(tmp_path: Path) -> None:
    quiet = headless(tmp_path / "a.ringscope", "ping", [], "counters")
    branch(quiet, "200ms", "none", tmp_path / "b.ringscope", level=default_level("full"))
    branch(quiet, "200ms", "none", tmp_path / "c.ringscope", level=default_level("keep"))
    counts = []
    for name in "bc":
        with SessionReader(tmp_path / f"{name}.ringscope") as reader:
            counts.append(len(reader.find_events((int(k.EV_POP),), 0, reader.last_seq, 1 << 20)))
        whole(tmp_path / f"{name}.ringscope")
    assert counts[0] > 0 == counts[1]
    with pytest.raises(InputError, match="keep, counters, packets, full"):
        default_level("loud")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("link xx off", "Device 'xx' not found"),
        ("feature net9 -MRG_RXBUF", "device: 'net9' is not allowed"),
        ("inject net=no frame=ffffffffffff", "netdev: 'no' is not allowed; one of hostnet0"),
        ("option net7 mq=on", "device: 'net7' is not allowed; one of net0"),
        ("option hostnet0 latency-ns=1", "what a backend is can only change from the start"),
        ("option net0 rx_queue_size=3", "QEMU says: Invalid rx_queue_size"),
        ("option net0 rx_queue_size=3 from=start", "what QEMU would take"),
        ("action fly", "action.do: 'fly' is not allowed"),
        ("action mac", "an Ethernet address"),
        ("action pairs number=9", "an action that the guest's driver can do at that moment"),
        ("traffic 9 rate_pps=1", "an entry from 0 to 3"),
        ("traffic 0 bogus=1", "traffic.0 has kind, rate_pps"),
        ("set bogus=1", "bogus: 'bogus' is not allowed"),
    ],
)
def test_what_cannot_be_changed_leaves_nothing(parent: Path, tmp_path: Path, change: str, error: str) -> None:
    with pytest.raises((InputError, NetOptionError)) as caught:
        branch(parent, "100ms", change, tmp_path / "b.ringscope")
    assert error in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", "one of none, inject"),
        ("bogus", "one of none, inject"),
        ("link", "comes first"),
        ("link net0", "on or off"),
        ("link net0 maybe", "on or off"),
        ("inject net=a", "frame= must be given"),
        ("inject net=a frame=xyz", "bytes in hexadecimal"),
        ("inject net=a frame=", "1 to 69632 bytes"),
        ("inject net=a frame=00 more=1", "one of net, frame"),
        ("feature net0", "-NAME or +NAME"),
        ("feature net0 MRG_RXBUF", "-NAME to leave a bit out"),
        ("feature net0 -NO_SUCH_BIT", "a bit from 0 to 63"),
        ("option net0", "name=value behind the device"),
        ("option net0 a=1 from=now", "from=start"),
        ("option net0 id=x", "leave the device what it is"),
        ("traffic x a=1", "0, 1, ..."),
        ("traffic 0", "name=value behind the entry"),
        ("set", "key=value"),
        ("set x", "key=value"),
        ("none at all", "nothing behind none"),
        ("link 'net0", "quotes that close"),
    ],
)
def test_a_line_that_is_no_change(text: str, allowed: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_change(text)
    assert allowed in str(caught.value)


@pytest.mark.parametrize("text", [*CHANGES, "none", "set a=1 'b=two words'", "option net0 mq=on from=start", "feature net0 -63 +41"])
def test_a_change_comes_back_from_its_forms(text: str) -> None:
    change = parse_change(text)
    assert parse_change(change.describe()) == change
    assert Change.from_plain(json.loads(json.dumps(change.to_plain()))) == change
    assert change_from_text(json.dumps(change.to_plain())) == change


def test_a_change_in_json_is_checked_too() -> None:
    for text in (
        '{"kind": "bogus"}',
        '{"kind": "inject", "arguments": {"netdev": "x", "frame": "zz"}}',
        '{"kind"',
        '["link"]',
        '{"kind": "link", "arguments": 5}',
    ):
        with pytest.raises(InputError):
            change_from_text(text if text.startswith("{") else '"' + text.replace('"', "'") + '"')


def test_moments(parent: Path) -> None:
    with SessionReader(parent) as reader:
        end = reader.last_seq
        assert parse_moment(reader, "#12") == parse_moment(reader, "seq:12") == parse_moment(reader, "12") == (12, 0)
        assert parse_moment(reader, "packet:1").seq == reader.packets(1, 1)[0].seq
        assert parse_moment(reader, "start") == (0, 0)
        # the last event says that the run is over
        assert parse_moment(reader, "end") == parse_moment(reader, f"#{end}") == (end - 1, 400_000_000)
        assert parse_moment(reader, "100ms") == (reader.seq_at_vt(100_000_000), 100_000_000)
        for text in ("", "soon", "#", "#x", f"#{end + 1}", "9s", "mark:none", "packet:0", "packet:99999"):
            with pytest.raises(InputError, match="--at"):
                parse_moment(reader, text)


def test_a_recording_stays(parent: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="both stay"):
        branch(parent, "start", "none", parent)
    assert free_path(parent).name == "parent-branch-1.ringscope"
    failed = headless(tmp_path / "bad.ringscope", "bad-option", [])
    with pytest.raises(InputError, match="did not start"):
        branch(failed, "start", "link net0 off", tmp_path / "b.ringscope")
    # but another scenario may start
    assert branch(failed, "start", "set device=virtio-net-pci,id=net0", tmp_path / "b.ringscope").events > 100


def test_another_run_is_refused(parent: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.ringscope"
    copy.write_bytes(parent.read_bytes())
    import sqlite3

    with sqlite3.connect(copy) as database:
        database.execute("UPDATE meta SET value = '4242' WHERE key = 'seed'")
    database.close()
    with pytest.raises(ReplayError):
        branch(copy, "end", "none", tmp_path / "b.ringscope")
    assert not (tmp_path / "b.ringscope").exists()


_CHANGES = st.sampled_from([*CHANGES, "none", "action queue-reset queue=1", "action remove", "link hostnet0 off"])
_SCENARIOS = st.sampled_from(["ping", "multiqueue", "packed", "virtio-user", "rss", "legacy", "udp-echo"])


@given(_SCENARIOS, st.integers(0, 1_000_000), st.floats(0, 1), _CHANGES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_change_at_any_moment_of_a_disturbed_run(tmp_path_factory: pytest.TempPathFactory, scenario: str, seed: int, place: float, change: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = record(folder / "a.ringscope", scenario, seed, 0.15)
    with SessionReader(path) as reader:
        moment = parse_moment(reader, f"#{int(place * reader.last_seq)}")
    out = folder / "b.ringscope"
    try:
        outcome = run_branch(Parent(path, moment, parse_change(change)), out, duration_ns=3_000_000)
    except (InputError, NetOptionError) as error:
        # what the machine does not have, and nothing else
        assert "not found" in str(error) or "is not allowed" in str(error)
        assert not out.exists()
        return
    assert outcome.took_effect > moment.seq
    assert outcome.compared == outcome.took_effect
    whole(out)


def engine(parent: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ringscope_core.engine", "--branch-of", str(parent), "--session", str(out), "--socket", str(out.with_suffix(".q")), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_engine_runs_a_branch_live(parent: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.ringscope"
    process = engine(parent, out, "--at", "200ms", "--change", "feature net0 -MRG_RXBUF", "--speed", "5")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"]
    deadline = time.monotonic() + 20
    with SessionReader(out) as reader:
        while reader.last_vt < 700_000_000 and time.monotonic() < deadline:
            time.sleep(0.05)
            reader.refresh()
        assert reader.last_vt >= 700_000_000
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()
    with SessionReader(out) as reader:
        about = reader.meta["branch"]
        assert isinstance(about, dict)
        assert 0 < parting(parent, out) >= int(str(about["seq"]))
    whole(out)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--change", "bogus"), "change: 'bogus' is not allowed"),
        (("--at", "9s"), "--at: '9000000000 ns' is not allowed"),
    ],
)
def test_an_engine_that_cannot_branch_says_why(parent: Path, tmp_path: Path, more: tuple[str, ...], line: str) -> None:
    process = engine(parent, tmp_path / "b.ringscope", *more)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert line in err
    assert not out
    assert not (tmp_path / "b.ringscope").exists()
