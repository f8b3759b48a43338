"""A breakpoint as people set it and as scenarios, sessions and the control protocol keep it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from ringscope_core.scenario.errors import InputError

KINDS: Final = ("function", "checkpoint", "event", "field", "time")
"""What a breakpoint may be on."""
ANY: Final = "*"
"""``where`` of an event breakpoint: events of every kind."""
_FORMER: Final = {"kind": "event"}
"""Words of an earlier protocol."""
MAX_TEXT: Final = 2000
"""Characters of a condition or a message."""
_MOST: Final = 1 << 62


@dataclass
class Breakpoint:
    """One breakpoint, data alone; `matching.Bound` gives it its meaning in a recording.

    `what` is one of `KINDS`; `where` a function's name, ``FUNCTION:LINE``, a kind of event (``*`` for every one), ``Struct.field`` or
    ``OBJECT.Struct.field``, or a virtual time (ns, or with a unit).  Where matches are counted they are from event `since` on: the first
    `ignore` of them pass, of the others each `every`-th is a hit.  With a `log` it says so and does not stop.
    """

    id: int = 0
    """Its number, given by the run."""
    what: str = "function"
    """What it is on: ``function``, ``checkpoint``, ``event``, ``field`` or ``time``; ``{"function": "virtio_init"}`` is short for this and `where`."""
    where: str = ""
    """A function; ``FUNCTION:LINE``; a kind of event, several with commas, ``*`` for every one; ``Struct.field`` or ``OBJECT.Struct.field``; a virtual time."""
    condition: str = ""
    """A filter that the event has to fulfil, such as ``obj == tx0 and head in 0..7``."""
    oid: int = -1
    """An object's id, -1 for any."""
    enabled: bool = True
    """Whether it is at work."""
    ignore: int = 0
    """Matches that pass first."""
    hits: int = 0
    """Matches so far in the live run, those ignored included."""
    temporary: bool = False
    """Gone after it has stopped a run."""
    log: str = ""
    """A message to write instead of stopping; ``{name}`` stands for an argument of the event."""
    every: int = 1
    """Of the matches that do not pass each so-many-th is a hit."""
    since: int = 0
    """The event from which on matches are counted, given by the run."""

    @staticmethod
    def from_plain(plain: object) -> Breakpoint:
        """A breakpoint from its plain form, or from a short one such as ``{"function": "virtio_init"}``.

        Types and ranges are checked, names are not (`breakpoints.parse_breakpoint` does both).  Raises InputError.
        """
        if not isinstance(plain, dict):
            raise InputError("breakpoint", plain, "an object with what and where")
        words = dict(plain)
        if "what" not in words:
            given = [name for name in (*KINDS, *_FORMER) if name in words]
            if len(given) != 1:
                raise InputError("breakpoint", ", ".join(map(str, words)), f"exactly one of {', '.join(KINDS)}")
            words["what"] = given[0]
            words["where"] = words.pop(given[0])
        words["what"] = _FORMER.get(str(words["what"]), words["what"])
        if isinstance(words.get("where"), int) and words["what"] == "time":
            words["where"] = str(words["where"])
        return replace(Breakpoint(), **_checked(words))

    def to_plain(self) -> dict[str, object]:
        """A form for JSON, every field present."""
        return asdict(self)

    def title(self) -> str:
        """What it is on, in a few words: ``function virtio_init if obj == net0``."""
        about = f"{self.what} {self.where}"
        return f"{about} if {self.condition}" if self.condition else about

    def stops_at(self, ordinal: int) -> bool:
        """Whether match number `ordinal` (from 1) is a hit."""
        return ordinal > self.ignore and (ordinal - self.ignore) % self.every == 0


_LEAST: Final = {"id": 0, "oid": -1, "ignore": 0, "hits": 0, "every": 1, "since": 0}


def _checked(words: dict[object, object]) -> dict[str, Any]:
    known = {field.name: type(field.default) for field in fields(Breakpoint)}
    out: dict[str, Any] = {}
    for name, value in words.items():
        if not isinstance(name, str) or name not in known:
            raise InputError("breakpoint", name, f"one of {', '.join(known)}")
        kind = known[name]
        if kind is int:
            if not isinstance(value, int) or isinstance(value, bool) or not _LEAST[name] <= value <= _MOST:
                raise InputError(name, value, f"a whole number from {_LEAST[name]}")
        elif not isinstance(value, kind):
            raise InputError(name, value, "true or false" if kind is bool else "a text")
        elif isinstance(value, str) and len(value) > MAX_TEXT:
            raise InputError(name, value, f"at most {MAX_TEXT} characters")
        out[name] = value
    if out.get("what") not in KINDS:
        raise InputError("breakpoint", out.get("what", ""), f"one of {', '.join(KINDS)}")
    return out
