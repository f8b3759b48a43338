"""Breakpoints over a recording hit where the live run stopped, in both directions."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ringscope_core.query.breakpoints import Breakpoint, find_hit, log_lines, parse_breakpoint
from ringscope_core.query.filters import Filter
from ringscope_core.query.recording import Recording
from ringscope_core.query.row_filter import RowFilter
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from tests.core.query.recorded import Noting, record


def forwards(recording: Recording, points: list[Breakpoint]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    seq = -1
    while (hit := find_hit(recording, points, seq, 1)) is not None:
        seq = hit[0]
        found.append((seq, hit[1].id))
    return found


def backwards(recording: Recording, points: list[Breakpoint]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    seq = recording.reader.last_seq + 1
    while (hit := find_hit(recording, points, seq, -1)) is not None:
        seq = hit[0]
        found.append((seq, hit[1].id))
    return found


def compare(path: Path, debugger: Noting) -> list[tuple[int, int]]:
    with SessionReader(path) as reader:
        recording = Recording(reader)
        points = list(debugger.breakpoints.points)
        # a time may come after an event at which the run stood already
        live = [stop for place, stop in enumerate(debugger.stops_seen) if place == 0 or debugger.stops_seen[place - 1][0] != stop[0]]
        ahead = forwards(recording, points)
        assert backwards(recording, points) == ahead[::-1]
        # who goes back finds hits also before a breakpoint was set
        since = {point.id: point.since for point in points}
        assert [hit for hit in ahead if hit[0] >= since[hit[1]]] == live
    return live


POINTS: dict[str, dict[str, object]] = {
    "function": {"function": "virtio_net_device_realize"},
    "function behind its prologue": {"function": "virtio_device_realize"},
    "function of the data path": {"function": "virtio_net_flush_tx"},
    "checkpoint": {"checkpoint": "virtio_device_realize:2613"},
    "event": {"event": "kick"},
    "event of two kinds": {"event": "frame_tx, frame_rx", "condition": "len > 60"},
    "event and a name": {"event": "virtqueue_pop", "condition": "obj == tx0 and head in 0..40"},
    "event and no hit": {"event": "virtqueue_pop", "condition": "head == 70000"},
    "every kind and a word": {"event": "*", "condition": '"realize"'},
    "every kind and a type": {"event": "*", "condition": "obj ~ virtio-backend and not kind == object_ref"},
    "field": {"field": "VirtIODevice.status"},
    "field of an object": {"field": "virtio-backend.VirtIODevice.status"},
    "field by path": {"field": "/machine/peripheral/net0.DeviceState.realized"},
    "field and a condition": {"field": "VirtIODevice.status", "condition": "value >= 7 and not old in 7..15"},
    "field in ring events": {"field": "tx0.VirtQueue.last_avail_idx"},
    "field that seldom changes": {"field": "VirtQueue.notification"},
    "field in a ring's memory": {"field": "rx0.ring.used.idx"},
    "reference count": {"field": "net0.Object.ref"},
    "time": {"time": "3ms"},
    "time in ns": {"time": 1_000_000},
    "third": {"event": "kick", "every": 3},
    "ignored": {"event": "kick", "ignore": 5},
    "ignored and every": {"function": "virtio_net_flush_tx", "ignore": 2, "every": 4},
    "disabled": {"event": "kick", "enabled": False},
    "message": {"event": "kick", "log": "kick of {obj}"},
}


@pytest.mark.parametrize("name", POINTS)
def test_each_sort_hits_alike(name: str, tmp_path: Path) -> None:
    debugger = record(tmp_path / "a", "ping", [POINTS[name]], 20_000_000, ["traffic.0.rate_pps=1000"])
    live = compare(tmp_path / "a", debugger)
    if name in ("event and no hit", "disabled", "message"):
        assert live == []
        assert debugger.breakpoints.points[0].hits == (0 if name != "message" else len(debugger.said))
    else:
        assert live, "the machine does that"
        assert debugger.breakpoints.points[0].hits >= len(live)


NAMES = ("tx0", "rx0", "ctrl", "net0", "virtio-backend", "/")
FUNCTIONS = ("virtio_net_flush_tx", "virtio_net_receive", "object_property_set", "device_set_realized", "virtio_queue_notify", "bus_add_child")
EVENTS = ("kick", "msi", "virtqueue_pop", "virtqueue_fill", "frame_tx", "field", "object_ref", "frame_enter", "used_take", "avail_add", "object_new")
FIELDS = (
    "VirtQueue.last_avail_idx",
    "VirtQueue.used_idx",
    "VirtQueue.inuse",
    "VirtIODevice.status",
    "vring_virtqueue.num_free",
    "ring.avail.idx",
    "Object.ref",
)
CONDITIONS = (
    "",
    "",
    "obj == {name}",
    "not obj == {name}",
    "head in 3..9",
    "len > 100 or idx < 20",
    "vt >= 5ms",
    "seq in 500..2500",
    "type ~ virtio",
    '"net0"',
    "cause >= 0",
)


def random_point(source: random.Random) -> dict[str, object]:
    point: dict[str, object] = {"every": source.choice((1, 1, 2, 7)), "ignore": source.choice((0, 0, 3))}
    what = source.choice(("function", "checkpoint", "event", "event", "field", "field", "time"))
    if what == "time":
        return {"time": source.randrange(20_000_000)}
    where = {
        "function": source.choice(FUNCTIONS),
        "checkpoint": source.choice(("virtio_device_realize:2613", "device_set_realized:834", "object_property_set:1271")),
        "event": source.choice((*EVENTS, ",".join(source.sample(EVENTS, 3)))),
        "field": source.choice(("", "", "tx0.", "net0.")) + source.choice(FIELDS),
    }[what]
    condition = source.choice(CONDITIONS).format(name=source.choice(NAMES))
    if what == "event" and condition and source.random() < 0.2:
        where = "*"
    return {**point, "what": what, "where": where, "condition": condition}


@pytest.mark.parametrize(
    ("number", "scenario", "settings"),
    [
        (1, "ping", ["traffic.0.rate_pps=1000"]),
        (2, "multiqueue", []),
        (3, "packed", []),
        (4, "default", ["profile=7.2"]),
        (5, "recovery", []),
        (6, "realize", []),
    ],
)
def test_random_points_hit_alike(number: int, scenario: str, settings: list[str], tmp_path: Path) -> None:
    """Whatever is set, alone or together, before the machine is built or in the middle: one set of hits, both ways."""
    source = random.Random(number)
    for place in range(4):
        points = [random_point(source) for _ in range(source.choice((1, 1, 4)))]
        path = tmp_path / str(place)
        compare(path, record(path, scenario, points, 15_000_000, settings, late=source.choice((0, len(points) // 2))))


def test_a_search_can_be_cancelled(tmp_path: Path) -> None:
    debugger = record(tmp_path / "a", "ping", [{"event": "kick"}], 5_000_000, ["traffic.0.rate_pps=1000"])
    with SessionReader(tmp_path / "a") as reader:
        recording = Recording(reader)
        points = list(debugger.breakpoints.points)
        asked: list[int] = []

        def cancelled() -> bool:
            asked.append(1)
            return len(asked) > 2

        assert find_hit(recording, points, -1, 1, cancelled) is None
        assert find_hit(recording, points, -1, 1) is not None


def test_messages_over_a_recording_are_those_of_the_run(tmp_path: Path) -> None:
    plain: list[dict[str, object]] = [
        {"event": "virtqueue_pop", "log": "{obj} {head} of {event}, {hits}", "every": 2},
        {"field": "tx0.VirtQueue.last_avail_idx", "log": "{obj}.{field} {old} -> {value} at {vt}, {seq}"},
        {"function": "virtio_net_device_realize", "log": "dev {dev}"},
        {"function": "object_property_set_bool", "log": "{name} of {obj}"},
        {"field": "Object.ref", "log": "{obj}: {value}"},
        {"time": "5ms", "log": "now {vt} behind {seq}"},
    ]
    debugger = record(tmp_path / "a", "ping", plain, 10_000_000, ["traffic.0.rate_pps=1000"])
    with SessionReader(tmp_path / "a") as reader:
        recording = Recording(reader)
        for point in debugger.breakpoints.points:
            said = [(seq, text) for seq, _, number, text in debugger.said if number == point.id]
            assert said
            assert [(seq, text) for seq, _, text in log_lines(recording, point, point.since, reader.last_seq, 100_000)] == said


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ({"function": "virtio_nit"}, "the name of a QEMU function"),
        ({"checkpoint": "virtio_init"}, "FUNCTION:LINE"),
        ({"event": "kik"}, "event: 'kik' is not allowed"),
        ({"event": "*"}, "needed for events of every kind"),
        ({"field": "VirtIONet.nothing"}, "Struct.field or OBJECT.Struct.field"),
        ({"field": "nobody.VirtIODevice.status"}, "an object that there is"),
        ({"time": "soon"}, "virtual time"),
        ({"time": "1s", "condition": "head == 1"}, "a time has no event"),
        ({"event": "kick", "condition": "head =="}, "a value is missing"),
        ({"event": "kick", "condition": "queue == tx"}, "compared with a number"),
        ({"event": "kick", "log": "{que}"}, "one of {obj}"),
        ({"event": "kick", "log": "{queue"}, "braces close"),
        ({"event": "kick", "every": 0}, "a whole number from 1"),
        ({"event": "kick", "enabled": 1}, "true or false"),
        ({"event": "kick", "color": "red"}, "one of id, what"),
        ({"event": "kick", "time": "1s"}, "exactly one of"),
        ({"what": "line", "where": "x"}, "one of function"),
        ({"event": "kick", "condition": "x" * 3000}, "at most 2000 characters"),
        ("kick", "an object with what and where"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(plain: object, text: str, tmp_path: Path) -> None:
    record(tmp_path / "a", "ping", [], 1_000_000)
    with SessionReader(tmp_path / "a") as reader:
        with pytest.raises(InputError) as error:
            parse_breakpoint(plain, Recording(reader))
        assert text in str(error.value)
        assert "\n" not in str(error.value)


def test_a_plain_form_and_back() -> None:
    point = Breakpoint.from_plain({"kind": "kick", "ignore": 2, "log": "x"})
    assert (point.what, point.where) == ("event", "kick")
    assert Breakpoint.from_plain(point.to_plain()) == point


CONDITIONS_OF_ALL_SORTS = """
kind == kick
kind in {kick, msi}
kind != field
group == ring and not obj == tx0
obj ~ tx
obj in {rx0, net0}
head in 2..9
head in {1, 5}
len ~ 1
fn ~ realize
fn == virtio_init
field ~ avail
text ~ a
parent == net0
reason == start
vt < 2ms or seq > 3000
"tx0"
"realize"
wall > 5
cause == -1
type ~ virtio
name == net0
state == running
value >= 0x8000000000000000
line < 800
idx > 5 and slot != 3
obj > 70000
kind ~ frame_
"""


def test_row_by_row_as_all_at_once(tmp_path: Path) -> None:
    """A condition means the same to the live debugger and to a list."""
    record(tmp_path / "a", "multiqueue", [], 4_000_000)
    texts = CONDITIONS_OF_ALL_SORTS.strip().splitlines()
    with SessionReader(tmp_path / "a") as reader:
        recording = Recording(reader)
        rows = reader.events(0, reader.last_seq)
        plain = rows.tolist()
        for text in texts:
            expected = Filter(text, recording).mask(rows).tolist()
            matches = RowFilter(text, recording).matches
            assert [matches(row) for row in plain] == expected, text
