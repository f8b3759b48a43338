"""Words that print tables: rings, events, fields, types; aligned, and the same numbers as the views show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ringscope.views.rings.layouts import ring_snapshot
from ringscope_core.gdb.console import Console
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.named import named
from ringscope_core.gdb.ring_tables import RingTables
from ringscope_core.gdb.tables import Table, aligned, columns
from ringscope_core.scenario.errors import InputError
from tests.core.gdb.conftest import Open


@pytest.fixture
def busy(open_console: Open) -> Iterator[Console]:
    """A split ring at work: the guest has a frame that the driver has not taken yet."""
    yield open_console("ping", "catch frame_rx", "run")


def test_columns_stand_below_each_other() -> None:
    assert aligned([("a", "1"), ("long", "20")], frozenset((1,))) == ["a      1", "long  20"]
    assert columns("\u961f\u5217") == 4 and aligned([("\u961f\u5217", "x"), ("abcde", "y")]) == ["\u961f\u5217   x", "abcde  y"]
    assert Table(("one", "two"), (("", "b"),), title="all").text() == "all\none  two\n     b"


@pytest.mark.parametrize("scenario", ["ping", "packed"])
@pytest.mark.parametrize("name", ["rx0", "tx0"])
def test_slots_are_those_of_the_view(open_console: Open, scenario: str, name: str) -> None:
    """The picture of a ring and the table in words derive the same rows."""
    console = open_console(scenario, "catch frame_rx", "run")
    moment = console.moment
    oid = named(console.inferior.recording, f"net0.{name}", console.inferior.seq)
    tables = RingTables(moment, oid)
    snap = ring_snapshot(oid, moment.state.rings[oid], moment.state.fields[oid])
    assert tables.descriptors(0, snap.num - 1).rows == tuple(snap.cells(slot) for slot in range(snap.num))
    assert tables.counts() == snap.counts
    found = {(side, name): (value, place) for side, name, value, place in tables.indices().rows}
    same = 0
    for side, _, cells in snap.parties():
        for label, shown in cells:
            if (side, label) in found:
                value, place = found[side, label]
                same += 1
                assert re.split(r" of | \(", shown)[0] in (value, f"{value} \N{RIGHTWARDS ARROW} {place}", value.replace("DESC", f"DESC {place}")), label
    assert same >= 15
    assert {"last_avail_idx", "used_idx", "last_used_idx"} <= {name for _, name in found}


def test_a_ring_in_parts(busy: Console) -> None:
    """Indices by themselves, slots in a range, a chain by its head."""
    assert busy.execute("ring rx0").startswith("rx0: split ring of 256 descriptors: ")
    rows = busy.execute("ring rx0 avail 0..3").splitlines()
    assert rows[0].startswith("rx0: available ring, flags 0x0") and rows[1].split() == ["slot", "head", "state"] and len(rows) == 6
    assert rows[2].split() == ["0", "0", "stale"] or rows[2].split()[2] in ("in", "available")
    assert busy.execute("ring rx0 used 0..0").splitlines()[1].split() == ["slot", "id", "len", "state"]
    assert busy.execute("ring rx0 desc 7..7").splitlines()[-1].split()[:2] == ["7", "7"]
    assert busy.execute("ring rx0 chain 7").splitlines()[-1].split()[0] == "desc[7]"
    assert len(busy.execute("ring net0.ctrl all").splitlines()) > 3 * 64


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ring", "Argument required (a ring: rx0, tx0, ctrl)."),
        ("ring net0", "net0 is no ring."),
        ("ring rx0 middle", 'Undefined part of a ring: "middle".  It is one of indices, desc, avail, used, chain, all.'),
        ("ring rx0 desc 250..256", "rx0 has slots 0 to 255."),
        ("ring rx0 chain 256", "A chain begins at a descriptor, 0 to 255: chain HEAD."),
        ("ring rx9", "object: 'rx9' is not allowed; an object or a ring of the recording, such as net0, virtio-backend, "),
        ("events limit 0", "The limit is 1 to 10000."),
        ("events 5..4", "The recording holds events 0 to "),
        ("types virtio-nut-device", 'There is no type "virtio-nut-device".  Did you mean virtio-net-device?'),
        ("fields", "Argument required (an object: a QOM path or its end, net0, tx0)."),
    ],
)
def test_what_is_not_there_is_said(busy: Console, line: str, message: str) -> None:
    with pytest.raises(ConsoleError) as caught:
        busy.execute(line)
    assert str(caught.value).startswith(message)


def test_a_packed_ring_has_no_available_ring(open_console: Open) -> None:
    console = open_console("packed", "catch frame_tx", "run")
    assert "tx0: packed ring of 256 descriptors" in console.execute("ring tx0")
    with pytest.raises(ConsoleError, match="tx0 is a packed ring: it has descriptors and two event structures, no avail ring"):
        console.execute("ring tx0 avail")


def test_a_ring_before_its_memory(open_console: Open) -> None:
    """The device has made the queue; the driver has not said where it lies."""
    console = open_console("realize", "tb virtio_net_device_realize", "run", "finish")
    assert console.execute("ring rx0").splitlines()[0] == "rx0: no memory of it is known at this moment"
    assert ["driver", "avail_idx_shadow", "unknown"] in [row.split() for row in console.execute("ring rx0").splitlines()]
    with pytest.raises(ConsoleError, match="no memory of it is known"):
        console.execute("ring rx0 desc")


def test_names_of_objects(busy: Console) -> None:
    recording, seq = busy.inferior.recording, busy.inferior.seq
    backend = named(recording, "/machine/peripheral/net0/virtio-backend", seq)
    assert backend == named(recording, "net0/virtio-backend", seq) == named(recording, "virtio-backend", seq)
    assert named(recording, "tx0", seq) == named(recording, "net0.tx0", seq) == named(recording, "$tx0", seq)
    with pytest.raises(InputError, match="there are several"):
        named(recording, "bus master[0]", seq)


def test_events_up_to_around_and_between(busy: Console) -> None:
    """Without a range the last ones up to the cursor; a range from its beginning; around with the cursor in the middle."""

    def numbers(line: str) -> list[int]:
        return [int(row.split()[0]) for row in busy.execute(line).splitlines()[1:]]

    seq = busy.inferior.seq
    assert numbers("events limit 3") == [seq - 2, seq - 1, seq]
    assert numbers("events around limit 4") == [seq - 1, seq, seq + 1, seq + 2]
    assert numbers("events 10..20 limit 2") == [10, 11]
    kicks = numbers("events kind == kick")
    assert kicks and all(row.split()[2] == "kick" for row in busy.execute("events kind == kick").splitlines()[1:])
    assert numbers(f"events kind == kick 0..{seq} limit 1") == kicks[:1]
    assert busy.execute("events kind == kick 0..5") == "No such event."


def test_fields_and_types(busy: Console) -> None:
    text = busy.execute("fields net0/virtio-backend")
    assert text.startswith("/machine/peripheral/net0/virtio-backend (virtio-net-device)\nstructure")
    assert any(row.split() == ["VirtIONet", "max_queues", "1"] for row in text.splitlines())
    tree = busy.execute("types virtio-device").splitlines()
    assert tree[1].split() == ["virtio-device", "416", "320", "abstract"] and tree[2].startswith("  virtio-net-device")
    assert "unknown" in busy.execute("types")
