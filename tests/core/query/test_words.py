"""Values and moments by words: what is understood, and what is said about the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringscope_core.query.recording import Recording
from ringscope_core.query.seek import completions
from ringscope_core.query.travel import parse_watch, seek, value_at, value_text, watch_text, why
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace import kinds as k
from tests.core.query.recordings import record


@pytest.fixture(scope="module")
def ping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    recording = record(tmp_path_factory.mktemp("words") / "ping.ringscope", "ping", virtual_ns=2_500_000_000, marks=[("1s", "Middle")])
    with recording.reader:
        yield recording


@pytest.mark.parametrize(
    "text",
    [
        "tx0.VirtQueue.last_avail_idx",
        "tx0.desc[5].addr",
        "tx0.desc[5]",
        "rx0.avail.idx",
        "rx0.avail.ring[3]",
        "tx0.used.ring[3]",
        "tx0.used.ring[3].len",
        "tx0.avail.used_event",
        "tx0.used.avail_event",
        "tx0.indirect[2][1].addr",
        "tx0.counter.packets",
        "run_state",
        "trace_level",
        "virtio-bus",
        "virtio-bus.ref",
    ],
)
def test_words_and_back(ping: Recording, text: str) -> None:
    watch = parse_watch(text, ping)
    assert watch_text(watch, ping) == text
    assert parse_watch(f"  {text} ", ping) == watch


def test_a_field_without_its_structure(ping: Recording) -> None:
    assert parse_watch("tx0.inuse", ping) == parse_watch("tx0.VirtQueue.inuse", ping)


def test_every_field_of_every_object_has_words(ping: Recording) -> None:
    state = ping.reader.state_at(ping.reader.last_seq)
    count = 0
    for oid, fields in state.fields.items():
        for number in list(fields)[:4]:
            watch = parse_watch(watch_text(parse_watch(f"#{oid}.{ping.decoder.field_name(number)}", ping), ping), ping)
            assert (watch.oid, watch.number) == (oid, number)
            count += 1
    assert count > 50


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no object"),
        ("tx9.inuse", "tx0"),
        ("tx0.inusse", "inuse"),
        ("tx0.desc[x]", "no such value"),
        ("tx0.counter.pakets", "packets"),
        ("tx0.avail.ring[1].len", "avail.ring"),
        ("net0.VirtIONet.nothing", "no such value"),
        ("#999999.ref", "no object"),
        ("\0\n" * 30, "no object"),
    ],
)
def test_words_that_name_nothing(ping: Recording, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_watch(text, ping)
    assert "\n" not in str(caught.value)


def test_a_name_of_several_objects_asks_for_the_path(ping: Recording) -> None:
    names = ping.names
    counts: dict[str, list[int]] = {}
    for oid in names.known():
        counts.setdefault(names.name(oid), []).append(oid)
    several = next((oids for oids in counts.values() if len(oids) > 1), None)
    if several is None:
        pytest.skip("every object of this recording has a name of its own")
    with pytest.raises(InputError, match="several"):
        parse_watch(names.name(several[0]), ping)
    assert parse_watch(names.path(several[0]), ping).oid == several[0]


def test_values_are_printed_as_fields_are(ping: Recording) -> None:
    last = ping.reader.last_seq
    watch = parse_watch("run_state", ping)
    assert value_text(watch, value_at(ping, watch, last), ping) in ("running", "finished")
    watch = parse_watch("tx0.desc[0].addr", ping)
    assert value_text(watch, value_at(ping, watch, last), ping).startswith("0x")
    assert value_text(watch, value_at(ping, watch, 0), ping) == "not known"


# -- moments --------------------------------------------------------------------------------------------------------------
def test_moments(ping: Recording) -> None:
    reader = ping.reader
    assert seek(ping, "#123") == seek(ping, "seq:123") == seek(ping, " 123 ") == 123
    assert seek(ping, "start") == 0
    assert seek(ping, "end") == reader.last_seq
    mark = reader.marks()[0]
    assert seek(ping, "mark:Middle") == seek(ping, "mark: middle") == mark.seq
    assert seek(ping, "packet:1") == reader.packets(1, 1)[0].seq == seek(ping, "p:#1")
    for text, vt in (("1.5s", 1_500_000_000), ("1500 ms", 1_500_000_000), ("20ms", 20_000_000), ("7us", 7000), ("0s", 0)):
        seq = seek(ping, text)
        assert reader.vt_at_seq(seq) <= vt
        assert seq == reader.last_seq or reader.vt_at_seq(seq + 1) > vt


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a time"),
        ("tomorrow", "mark:NAME"),
        ("1.5", "a time"),
        ("9999s", "the recording holds"),
        ("#99999999", "the recording holds #0"),
        ("packet:0", "packets 1 to"),
        ("packet:99999999999999999999999", "packets 1 to"),
        ("mark:nowhere", "Middle"),
        ("-5s", "a time"),
    ],
)
def test_moments_that_are_none(ping: Recording, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        seek(ping, text)


def test_completion_of_moments(ping: Recording) -> None:
    assert "mark:Middle" in completions(ping, "mid")
    assert "mark:Middle" in completions(ping, "mark:")
    assert completions(ping, "pa") == ["packet:"]


# -- causes ---------------------------------------------------------------------------------------------------------------
def test_why_walks_the_causes(ping: Recording) -> None:
    reader = ping.reader
    rows = reader.events(0, reader.last_seq)
    caused = rows[rows["cause"] >= 0]
    assert len(caused)
    for row in caused[:: max(len(caused) // 20, 1)]:
        chain = why(ping, int(row["seq"]))
        assert chain[0] == row["cause"]
        assert chain == sorted(chain, reverse=True)
        assert int(rows[chain[-1]]["cause"]) < 0
    interrupt = reader.find_events([int(k.EV_MSI)], 0, reader.last_seq, 100)[-1]
    assert len(why(ping, int(interrupt["seq"]))) >= 1
    assert why(ping, 0) == []
    assert why(ping, reader.last_seq + 10) == []
