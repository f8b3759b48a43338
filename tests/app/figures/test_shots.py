"""Which moments an animation shows, and for how long."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from ringscope.figures.shots import MOST_SHOTS, Film, Shot, Speed, parse_every, parse_fps, parse_speed, shots
from ringscope_core.query.steps import KICK_KINDS, PACKET_KINDS
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader


def film(**words: object) -> Film:
    """A film from anywhere to anywhere."""
    return Film("start", "end", **words)  # type: ignore[arg-type]


def check_times(found: list[Shot]) -> None:
    """One picture follows the other, the first at 0."""
    assert found[0].start == 0
    assert all(before.end == after.start for before, after in pairwise(found))


def test_by_virtual_time_each_picture_is_its_moment(reader: SessionReader) -> None:
    """Picture k is the last event at or before its time; the ends are the events asked for."""
    first, last = reader.seq_at_vt(reader.last_vt // 3), reader.last_seq
    factor = Fraction(reader.last_vt, 10**9) / 2
    found = shots(reader, first, last, film(speed=Speed("time", factor), fps=Fraction(10)))
    begin = reader.vt_at_seq(first)
    check_times(found)
    assert (found[0].seq, found[-1].seq) == (first, last)
    for place, shot in enumerate(found[1:-1], 1):
        at = begin + int(place * factor * 10**9 / 10)
        assert shot.seq == max(reader.seq_at_vt(at), first) and reader.vt_at_seq(shot.seq) <= at
    assert begin + len(found) * factor * 10**9 / 10 >= reader.vt_at_seq(last)


def test_by_events(reader: SessionReader) -> None:
    """Ten pictures a second at twenty events a second: every other event, and the last."""
    found = shots(reader, 100, 151, film(speed=Speed("events", Fraction(20)), fps=Fraction(10)))
    assert [shot.seq for shot in found] == [*range(100, 151, 2), 151]
    check_times(found)


def test_all_of_it_in_so_long(reader: SessionReader) -> None:
    """Exactly so long, also where virtual time stands still."""
    for first, last in ((0, reader.last_seq), (10, 60)):
        found = shots(reader, first, last, film(speed=Speed("whole", Fraction(2)), fps=Fraction(25)))
        assert (found[0].seq, found[-1].seq, found[-1].end, len(found)) == (first, last, 2, 50)


@pytest.mark.parametrize(("every", "kinds"), [("packet", PACKET_KINDS), ("kick", KICK_KINDS)])
def test_by_steps(reader: SessionReader, every: str, kinds: tuple[int, ...]) -> None:
    """A picture for each such event between the ends, and for the ends."""
    first, last = 50, reader.last_seq - 3
    found = shots(reader, first, last, film(every=every, speed=Speed("events", Fraction(4))))
    wanted = [int(row["seq"]) for row in reader.find_events(list(kinds), first + 1, last, 10_000)]
    assert wanted and [shot.seq for shot in found] == sorted({first, *wanted, last})
    assert {shot.end - shot.start for shot in found} == {Fraction(1, 4)}


def test_every_event(reader: SessionReader) -> None:
    """Each one."""
    assert [shot.seq for shot in shots(reader, 40, 60, film(every="event"))] == list(range(40, 61))


def test_one_moment(reader: SessionReader) -> None:
    """From a moment to the same one is one picture, or that one for as long as was asked."""
    assert [shot.seq for shot in shots(reader, 40, 40, film(every="packet"))] == [40]
    assert {shot.seq for shot in shots(reader, 40, 40, film())} == {40}


def test_what_cannot_be(reader: SessionReader) -> None:
    """Backwards, too many, standing time: each says what to change."""
    with pytest.raises(InputError, match=r"^to: .*not before --from"):
        shots(reader, 9, 8, film())
    with pytest.raises(InputError, match=rf"^speed: .0.1ev/s. .*at most {MOST_SHOTS} pictures, and this would be \d+"):
        shots(reader, 0, reader.last_seq, film(speed=Speed("events", Fraction(1, 10))))
    with pytest.raises(InputError, match=r"^speed: .*virtual time stands still"):
        shots(reader, 10, 20, film(speed=Speed("time", Fraction(1))))
    with pytest.raises(InputError, match=r"^speed: .*steps a second"):
        shots(reader, 10, 20, film(every="event", speed=Speed("time", Fraction(1))))


def test_too_many_steps(reader: SessionReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how many there are."""
    monkeypatch.setattr("ringscope.figures.shots.MOST_SHOTS", 50)
    with pytest.raises(InputError, match=r"^every: .event. .*at most 50 pictures, and this would be 101:"):
        shots(reader, 100, 200, film(every="event"))


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("1x", Speed("time", Fraction(1))),
        ("1e-6x", Speed("time", Fraction(1, 10**6))),
        (".5X", Speed("time", Fraction(1, 2))),
        ("100ev/s", Speed("events", Fraction(100))),
        ("100 events/s", Speed("events", Fraction(100))),
        ("4/s", Speed("events", Fraction(4))),
        ("2.5s", Speed("whole", Fraction(5, 2))),
    ],
)
def test_speeds(text: str, speed: Speed) -> None:
    """As people write them."""
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "fast", "0x", "-1x", "1", "1xx", "1e999999s" * 40])
def test_no_speeds(text: str) -> None:
    """One line with the forms."""
    with pytest.raises(InputError, match=r"^speed: .*1e-6x"):
        parse_speed(text)


@pytest.mark.parametrize(("text", "suffix"), [("0", ".gif"), ("51", ".gif"), ("nan", ".webp"), ("x", ""), ("1/0", ""), ("1000", "")])
def test_no_fps(text: str, suffix: str) -> None:
    """Each type of file has its most."""
    with pytest.raises(InputError, match=r"^fps: "):
        parse_fps(text, suffix)


def test_no_step() -> None:
    """The words of steps."""
    with pytest.raises(InputError, match="one of event, packet, kick, frame"):
        parse_every("turn")
