"""Which moment each picture of an animation shows and for how long: from two moments, a speed and a rate of frames.  No Qt here.

Times on the screen are exact fractions of a second; a file's units of time come in when it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from ringscope.figures.spec import DEFAULT_FPS
from ringscope_core.query.steps import KICK_KINDS, PACKET_KINDS
from ringscope_core.scenario.errors import InputError
from ringscope_core.trace.kinds import EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_LEAVE

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

MOST_SHOTS: Final = 3000
"""Pictures of one animation."""
_COUNTED: Final = 200_000
"""Steps that are counted to say how many there are."""
STEPS: Final[dict[str, tuple[int, ...]]] = {
    "event": (),
    "packet": PACKET_KINDS,
    "kick": KICK_KINDS,
    "frame": (int(EV_FRAME_ENTER), int(EV_FRAME_AT), int(EV_FRAME_LEAVE)),
}
"""What a step may be, and its kinds of events; ``frame`` is a call frame that begins, moves on or ends."""
STEP_RATE: Final = Fraction(2)
"""Steps a second when nothing else is asked for."""
MOST_FPS: Final[dict[str, int]] = {".gif": 50, ".webp": 100, "": 240}
"""Frames a second by type of file: viewers slow down a GIF's frames that last less than 20 ms."""
_SPEED: Final = re.compile(r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)\s*(x|ev/s|events/s|/s|s)", re.IGNORECASE)
SPEED_FORMS: Final = "1x (as fast as virtual time), 1e-6x, 100ev/s (events, or steps, a second), or 10s (all of it in so long)"


class Speed(NamedTuple):
    """How fast it goes: `value` times virtual time ("time"), events or steps a second ("events"), or seconds for all of it ("whole")."""

    kind: str
    value: Fraction

    def text(self) -> str:
        """As it is written."""
        return f"{float(self.value):g}{ {'time': 'x', 'events': 'ev/s', 'whole': 's'}[self.kind] }"


WHOLE: Final = Speed("whole", Fraction(10))
"""As the window plays when nobody chose a speed."""


class Shot(NamedTuple):
    """One picture: the moment after event `seq`, from `start` to `end` on the screen, in seconds."""

    seq: int
    start: Fraction
    end: Fraction


@dataclass(frozen=True, slots=True)
class Film:
    """What is asked of an animation beside its figure."""

    first: str
    """A moment, as ``--at`` has it."""
    last: str
    fps: Fraction = Fraction(DEFAULT_FPS)
    speed: Speed | None = None
    every: str = ""
    """A key of `STEPS`: one picture a step; empty: one picture every 1/fps s."""
    once: bool = False
    """Play once instead of over and over."""


def parse_speed(text: str) -> Speed:
    """``1x``, ``1e-6x``, ``100ev/s``, ``10s``; raises InputError."""
    found = _SPEED.fullmatch(text.strip())
    value = Fraction(found[1]) if found else Fraction(0)
    if found is None or value <= 0:
        raise InputError("speed", text, SPEED_FORMS)
    return Speed({"x": "time", "s": "whole"}.get(found[2].lower(), "events"), value)


def parse_fps(text: str, suffix: str) -> Fraction:
    """Frames a second of a file of type `suffix`, "" for a folder of PNG files; raises InputError."""
    most = MOST_FPS[suffix]
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not Fraction(1, 10) <= fps <= most:
        raise InputError("fps", text, f"a number from 0.1 to {most}" + (f" for {suffix}" if suffix else ""))
    return fps


def parse_every(text: str) -> str:
    """What a step is; raises InputError."""
    if text and text not in STEPS:
        raise InputError("every", text, f"one of {', '.join(STEPS)}")
    return text


def shots(reader: SessionReader, first: int, last: int, film: Film) -> list[Shot]:
    """The pictures from event `first` to event `last`, both shown; raises InputError when there is no way to make them."""
    if last < first:
        raise InputError("to", film.last, f"a moment not before --from: event {first} or later, not {last}")
    if film.every:
        return _stepped(reader, first, last, film)
    speed = film.speed or WHOLE
    span = reader.vt_at_seq(last) - reader.vt_at_seq(first)
    if speed.kind == "time" and not span:
        raise InputError("speed", speed.text(), f"a speed in events a second: virtual time stands still from event {first} to {last}")
    if speed.kind == "whole":
        # all of it in exactly so long, the last picture included
        steps = _counted(max(round(speed.value * film.fps), 2), film) - 1
        if span:
            return _by_time(reader, first, last, film, Fraction(span, steps))
        return _by_events(first, last, film, Fraction(max(last - first, 1), steps))
    if speed.kind == "events":
        return _by_events(first, last, film, speed.value / film.fps)
    return _by_time(reader, first, last, film, speed.value * 10**9 / film.fps)


def _by_time(reader: SessionReader, first: int, last: int, film: Film, a_frame: Fraction) -> list[Shot]:
    """Frame k shows what was so k times `a_frame` virtual ns after event `first`."""
    begin, end = reader.vt_at_seq(first), reader.vt_at_seq(last)
    count = _counted(-((begin - end) // a_frame) + 1, film)
    seqs = [max(min(reader.seq_at_vt(begin + int(k * a_frame)), last), first) for k in range(count)]
    return _even([first, *seqs[1:-1], last] if count > 1 else [last], film.fps)


def _by_events(first: int, last: int, film: Film, a_frame: Fraction) -> list[Shot]:
    """Frame k shows k times `a_frame` events after event `first`."""
    count = _counted(-((first - last) // a_frame) + 1, film)
    seqs = [min(first + int(k * a_frame), last) for k in range(count)]
    return _even([first, *seqs[1:-1], last] if count > 1 else [last], film.fps)


def _stepped(reader: SessionReader, first: int, last: int, film: Film) -> list[Shot]:
    """One picture a step."""
    speed = film.speed
    if speed is not None and speed.kind == "time":
        raise InputError("speed", speed.text(), f"steps a second, such as 4/s, or 10s for all: --every {film.every} goes by steps")
    kinds = STEPS[film.every]
    rows = reader.find_events(list(kinds or reader.kinds), first + 1, last, _COUNTED) if last > first else ()
    seqs = [first, *(int(row["seq"]) for row in rows)]
    if seqs[-1] != last:
        seqs.append(last)
    _counted(len(seqs), film)
    rate = STEP_RATE if speed is None else speed.value if speed.kind == "events" else len(seqs) / speed.value
    return _even(seqs, rate)


def _counted(count: int, film: Film) -> int:
    """`count`, unless that is too many: the message says how many, and what would make them fewer."""
    if count <= MOST_SHOTS:
        return count
    would = f"at most {MOST_SHOTS} pictures, and this would be {count if count <= _COUNTED or not film.every else f'more than {_COUNTED}'}"
    if film.every:
        raise InputError("every", film.every, f"{would}: a shorter range, or larger steps than {film.every}")
    if film.speed is not None:
        raise InputError("speed", film.speed.text(), f"{would}: a higher --speed, a shorter range or fewer --fps")
    raise InputError("fps", float(film.fps), f"{would}: fewer --fps")


def _even(seqs: Sequence[int], rate: Fraction) -> list[Shot]:
    return [Shot(seq, place / rate, (place + 1) / rate) for place, seq in enumerate(seqs)]
