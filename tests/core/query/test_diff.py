"""`diff`: the first event where two runs part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringscope_core.query.diff import Options, Parting, diff, event_words
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.rows import PacketRow
from ringscope_core.trace import kinds as k
from tests.core.query.sessions import record
from tests.core.session.recording import Recording as Writer
from tests.core.session.recording import make


@contextmanager
def opened(*paths: Path) -> Iterator[list[Recording]]:
    readers = [SessionReader(path) for path in paths]
    yield [Recording(reader) for reader in readers]
    for reader in readers:
        reader.close()


def compared(a: Path, b: Path, options: Options | None = None) -> Parting:
    with opened(a, b) as (one, two):
        return diff(one, two, options)


@pytest.fixture(scope="module")
def ping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("diff") / "ping.ringscope")


def test_the_same_run_twice(tmp_path: Path, ping: Path) -> None:
    found = compared(ping, record(tmp_path / "b.ringscope"))
    assert found.equal
    assert found.complete
    with SessionReader(ping) as reader:
        assert found.common == reader.event_count


def test_another_setting_is_where_they_part(tmp_path: Path, ping: Path) -> None:
    other = record(tmp_path / "b.ringscope", settings=("driver.mtu=1400",))
    with opened(ping, other) as (one, two):
        found = diff(one, two)
        words = event_words(one, found.a), event_words(two, found.b)
    assert found.why == "the same event with another value"
    assert "driver.mtu = 1500 B" in words[0]
    assert "driver.mtu = 1400 B" in words[1]
    assert int(found.a["seq"]) == found.common == int(found.b["seq"])
    assert [(row.where.split(" ")[-1], row.old, row.new) for row in found.states] == [("driver.mtu", "1500 B", "1400 B")]
    assert found.before == []


def test_a_longer_run(tmp_path: Path, ping: Path) -> None:
    shorter = record(tmp_path / "b.ringscope", packets=3)
    found = compared(ping, shorter)
    assert found.common > 1000
    assert found.a is not None
    assert not found.equal


def test_frames_with_other_bytes(tmp_path: Path) -> None:
    for name, byte in (("a", 0x11), ("b", 0x2B)):
        recording = Writer(tmp_path / name)
        recording.start()
        recording.traffic(4)
        recording.flush()
        frames = [bytes(60), bytes(38) + bytes([byte]) + bytes(21), bytes(60)]
        recording.writer.add_packets([PacketRow(n + 1, n, 0, 0, 0, 0, 6 * n + 9, 60) for n in range(3)], frames)
        recording.writer.close()
    found = compared(tmp_path / "a", tmp_path / "b")
    assert found.why == "the frame of packet 2 has other bytes, the first at 38: 11 and 2b"
    assert found.common == int(found.a["seq"]) == 15
    assert compared(tmp_path / "a", tmp_path / "b", Options(packets=False)).equal


def write(path: Path, texts: list[str], extra: list[tuple[int, int]], count: int = 5) -> Path:
    """A few events that name texts; `extra` are events (place, kind) put in between."""
    recording = Writer(path)
    log = recording.log
    for text in texts:
        log.text(text)
    for place in range(count):
        for at, kind in extra:
            if at == place:
                log.emit(kind, 1, 4096, 1)
        log.clock.now_ns += 10
        log.emit(k.EV_MARK, 0, log.text(f"mark {place}"))
        log.emit(k.EV_ERROR_SET, 1, log.text("wrong"), 0x5555_0000 + len(texts) * 4096)
    recording.flush()
    recording.writer.close()
    return path


def test_texts_are_compared_and_not_their_numbers(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", [], []), write(tmp_path / "b", ["one more", "and one"], [])
    assert compared(a, b).equal
    strict = compared(a, b, Options(addresses=True))
    assert (strict.common, strict.why) == (1, "the same event with another errp")


def test_kinds_can_be_left_out(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", [], []), write(tmp_path / "b", [], [(2, int(k.EV_TIMER)), (4, int(k.EV_TIMER))])
    found = compared(a, b)
    assert (found.common, found.why) == (4, "another event")
    assert compared(a, b, Options(ignore=frozenset(["timer"]))).equal
    assert compared(a, b, Options(ignore=frozenset(["bh"]))).common == 4


def test_times(tmp_path: Path) -> None:
    for name, delay in (("a", 0), ("b", 1)):
        recording = Writer(tmp_path / name)
        for place in range(3):
            recording.log.clock.now_ns += 10 + (delay if place else 0)
            recording.log.emit(k.EV_BH, 0, 1)
        recording.flush()
        recording.writer.close()
    found = compared(tmp_path / "a", tmp_path / "b")
    assert (found.common, found.why) == (1, "the same event with another time")
    assert compared(tmp_path / "a", tmp_path / "b", Options(times=False)).equal


def test_what_one_side_lost_is_left_out_of_the_other(tmp_path: Path) -> None:
    make(tmp_path / "a", 300)
    recording = Writer(tmp_path / "b")
    recording.start()
    recording.traffic(150)
    recording.flush()
    recording.traffic(150)
    recording.log.flush()
    whole = recording.keeper.data
    recording.writer.close()
    holed = Writer(tmp_path / "c")
    holed.start()
    holed.flush()
    holed.writer.add_strings(1, recording.log.strings.texts[1:])
    holed.writer.add_block(100, whole[100 * 80 : 900 * 80])
    holed.writer.add_gap(4, 99, 96, 0, "slow disk")
    holed.writer.close()
    found = compared(tmp_path / "b", tmp_path / "c")
    assert found.not_compared > 90
    assert found.common >= 804
    assert found.why.endswith("the other goes on")


def test_progress_can_cancel(ping: Path) -> None:
    with opened(ping, ping) as (one, two):
        assert not diff(one, two, None, lambda done, total: False).complete
