"""The store: names, decoding, states, and another recording in the same place."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from ringscope.focus import Focus
from ringscope.store import Store
from ringscope_core.query.decode import format_count, format_ns
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.kinds import KIND_BY_NAME
from ringscope_core.trace.oids import ring_oid
from tests.app.synthetic import BDF, Recording, build_machine, icmp_frame, make_session, send


def first(store: Store, kind: str) -> str:
    return store.describe_event(store.find([KIND_BY_NAME[kind].number], 0, store.last_seq)[0])


def test_objects_and_rings_have_names(store: Store) -> None:
    by_name = {store.name_of(oid): oid for oid in store.names.known()}
    assert store.path_of(by_name["virtio-backend"]) == "/machine/peripheral/net0/virtio-backend"
    assert store.type_of(by_name["net0"]) == "virtio-net-pci"
    assert [store.name_of(int(ring_oid(BDF, n))) for n in range(3)] == ["rx0", "tx0", "ctrl"]
    assert store.path_of(int(ring_oid(BDF, 1))) == "00:03.0 tx0"
    assert store.name_of(999) == "#999"


def test_events_are_decoded_by_their_units(store: Store) -> None:
    assert first(store, "object_new").startswith("type=object")
    assert first(store, "field") == "VirtIONet.max_queues = 1 (was 0)"
    assert first(store, "frame_leave") == "virtio_init -> 0"
    assert first(store, "bus_attach") == "bus=pci.0  index=0"
    enters = store.find([KIND_BY_NAME["frame_enter"].number], 0, store.last_seq, 10)
    assert store.describe_event(enters[3]) == "virtio_net_device_realize(dev=0x55555729b2b0, errp=0x7fffffffe1f0) :2658"


def test_values_by_unit(store: Store) -> None:
    value = store.format_value
    assert value("ptr", 0) == "NULL" and value("flags", -1) == "0xffffffffffffffff" and value("idx", 65537) == "1"
    assert value("enum:direction", 1) == "rx" and value("enum:direction", 9) == "9" and value("oid", 0) == "none"
    assert (format_ns(999), format_ns(1500), format_ns(2_500_000), format_ns(3_000_000_000)) == ("999 ns", "1.500 µs", "2.500 ms", "3.000000 s")
    assert format_count(1234567).replace("\u2009", ",") == "1,234,567"


def test_the_state_is_that_after_the_event(store: Store) -> None:
    attach = store.find([KIND_BY_NAME["bus_attach"].number], 0, store.last_seq)[0]
    seq, oid = int(attach["seq"]), int(attach["obj"])
    assert store.state_at(seq - 1).objects[oid].bus == 0
    assert store.state_at(seq).objects[oid].bus == int(attach["a0"])


def test_a_live_moment_far_behind_is_the_keyframe(store: Store) -> None:
    focus = Focus()
    focus.advance(store.last_seq)
    store.live = True
    assert store.moment(focus).seq == store.last_seq
    store.live = False
    focus.scrub(17)
    assert store.moment(focus).seq == 17


def test_growing_tells_once_and_names_follow(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "live.ringscope"
    rec = Recording(path)
    build_machine(rec)
    rec.keyframe()
    rec.writer.sync()
    store = Store(SessionReader(path), live=True)
    before = store.last_seq
    assert not store.poll()
    send(rec, 1, 0, icmp_frame(0))
    rec.keyframe()
    rec.writer.sync()
    with qtbot.waitSignal(store.grown, timeout=1000):
        assert store.poll()
    assert store.last_seq > before
    rec.close()
    store.reader.close()


def test_another_recording_takes_the_place(tmp_path: Path, store: Store, qtbot: QtBot) -> None:
    other = make_session(tmp_path / "other.ringscope", 3)
    old_last = store.last_seq
    with qtbot.waitSignal(store.replaced, timeout=1000):
        store.open(SessionReader(other), True)
    assert store.generation == 1 and store.last_seq < old_last and store.live
    assert store.state_at(store.last_seq).rings
    store.reader.close()


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.row(-1) is None and store.row(store.last_seq + 1) is None
    assert store.kind(4711) is None and store.text(10**6) == "<string 1000000>"
