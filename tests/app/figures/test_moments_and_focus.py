"""Moments and objects in words: breakpoints, packets, rings, fields; and what is near to a wrong word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringscope.figures.focusing import Aim, aim_of, known_words, words_of
from ringscope.figures.look import check_filter
from ringscope.figures.moments import moment_of, parse_at
from ringscope.figures.recordings import Recordings
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.kinds import EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_TX, EV_POP
from ringscope_core.trace.oids import is_ring
from tests.app.figures.refusals import refusal


@pytest.fixture(scope="module")
def reader() -> Iterator[SessionReader]:
    """The default scenario, long enough for every ring to have moved."""
    with Recordings() as recordings:
        yield recordings.open("default", ["run.duration=300ms"])


@pytest.fixture(scope="module")
def recording(reader: SessionReader) -> Recording:
    """The same with its words."""
    return Recording(reader)


def test_a_break_is_where_a_debugger_stops(reader: SessionReader) -> None:
    """At the first statement of the first call; a line of it; an event; a field's first change."""
    seq = parse_at(reader, "break:virtio_net_device_realize")
    row = reader.events(seq, seq)[0]
    assert reader.functions[int(row["a0"])].name == "virtio_net_device_realize"
    assert int(row["kind"]) in (EV_FRAME_ENTER, EV_FRAME_AT)
    assert parse_at(reader, f"break:virtio_net_device_realize:{int(row['a1'])}") == seq
    frame = parse_at(reader, "break:frame_tx")
    assert int(reader.events(frame, frame)[0]["kind"]) == EV_FRAME_TX
    assert not len(reader.find_events([int(EV_FRAME_TX)], 0, frame - 1, 1))
    later = parse_at(reader, "break:frame_tx if packet > 3")
    assert later > frame
    status = parse_at(reader, "break:VirtIODevice.status")
    assert reader.state_at(status - 1).fields != reader.state_at(status).fields


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("break:virtio_net_device_realise", "did you mean virtio_net_device_realize?"),
        ("break:virtio_net_device_realize:1", "a line of virtio_net_device_realize that is reached: 2"),
        ("break:", "each also with ` if FILTER`; what to stop at is missing"),
        ("break: if packet > 3", "; what to stop at is missing"),
        ("break::12", "; what to stop at is missing"),
        ("break:frame_tx if", "; the filter behind if is missing"),
        ("break:frame_tx if nonsense >", "condition"),
        ("break:virtio_net_device_unrealize", "a breakpoint that is hit"),
        ("mark:lunch", "the recording has no marks"),
        ("noon", "mark:NAME"),
        ("packet:999999", "packets 1 to"),
        ("99s", "the recording holds"),
        ("seq:-1", "mark:NAME"),
    ],
)
def test_moments_that_are_not(reader: SessionReader, text: str, says: str) -> None:
    """One line for `at` that says what there is."""
    assert says in refusal("at", lambda: parse_at(reader, text))


def test_a_focus_brings_its_moment(reader: SessionReader) -> None:
    """A packet or an event without `at` is shown when it was; a ring when it was at work."""
    packet = reader.packets(2, 2)[0]
    assert moment_of(reader, "inspector", "", "packet:2") == packet.seq
    assert moment_of(reader, "inspector", "seq:5", "packet:2") == 5
    assert moment_of(reader, "events", "", "event:77") == 77
    for name in ("net0.rx0", "net0.tx0"):
        ring = aim_of(Recording(reader), name).oid
        seq = moment_of(reader, "rings", "", name)
        assert len(reader.find_events([int(EV_POP)], max(seq - 16, 0), seq, 1, True, [ring]))


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("net0", "/machine/peripheral/net0"),
        ("/machine/peripheral/net0", "/machine/peripheral/net0"),
        ("virtio-backend", "/machine/peripheral/net0/virtio-backend"),
        ("net0/virtio-backend", "/machine/peripheral/net0/virtio-backend"),
        ("net0.tx0", "00:02.0 tx0"),
        ("tx0", "00:02.0 tx0"),
        ("/machine/peripheral/net0.rx0", "00:02.0 rx0"),
        ("00:02.0 ctrl", "00:02.0 ctrl"),
        ("net0.tx0[5]", "00:02.0 tx0"),
        ("virtio-backend.VirtIODevice.status", "/machine/peripheral/net0/virtio-backend"),
        ("VirtIODevice.status", "/machine/peripheral/net0/virtio-backend"),
    ],
)
def test_objects_by_their_names(recording: Recording, word: str, path: str) -> None:
    """Whole paths, ends of paths, ids, rings of devices, fields."""
    assert recording.names.path(aim_of(recording, word).oid) == path


def test_particulars(recording: Recording) -> None:
    """Descriptors, fields, types, packets; several words add up and the last is the subject."""
    assert aim_of(recording, "net0.tx0[5]").head == 5
    field = aim_of(recording, "virtio-backend.VirtIODevice.status")
    assert recording.fields[field.field].name == "status"
    assert aim_of(recording, "virtio-net-device") == Aim(type_name="virtio-net-device", subject="type")
    both = aim_of(recording, "net0.tx0[5], packet:2")
    assert (both.head, both.packet, both.subject) == (5, 2, "packet")


def test_words_find_their_way_back(recording: Recording) -> None:
    """Whatever a window looks at has words that mean just that."""
    words = [*known_words(recording), "net0.tx0[5]", "virtio-backend.VirtIODevice.status", "packet:3", "event:9", "net0,type:device", "packet:1,net0.rx0[2]"]
    assert len(words) > 60
    for word in words:
        aim = aim_of(recording, word)
        assert aim_of(recording, words_of(recording, aim)) == aim, word
        if aim.oid and not is_ring(aim.oid):
            assert aim.type_name


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("net1", "did you mean net0?"),
        ("net0.rx7", "did you mean net0.rx0?"),
        ("virtio-net-devise", "did you mean virtio-net-device?"),
        ("type:virtio-net-devise", "did you mean type:virtio-net-device?"),
        ("packet:999999", "packet:1 to packet:"),
        ("event:99999999", "event:0 to event:"),
        ("#4711", "none of this recording"),
        ("net0.VirtIODevice.nonsense", "none of this recording"),
    ],
)
def test_a_wrong_focus_says_what_is_near(recording: Recording, word: str, says: str) -> None:
    """One line for `focus`."""
    assert says in refusal("focus", lambda: aim_of(recording, word))


def test_filters(recording: Recording) -> None:
    """Understood, or named."""
    check_filter(recording, "kind == frame_tx")
    with pytest.raises(InputError, match=r"^filter: "):
        check_filter(recording, "kind ==")
