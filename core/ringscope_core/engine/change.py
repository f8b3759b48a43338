"""What a branch changes: one value, written by people as a line, kept in files as plain data.

=========================================  ==========================================================================
``none``                                   nothing: the run goes on as it would have
``inject net=hostnet0 frame=HEX``          a frame comes from the backend
``link net0 off``                          the cable of a NIC or a backend
``feature net0 -MRG_RXBUF +EVENT_IDX``     the driver resets the device and negotiates without, or with, these bits
``option net0 rx_queue_size=512``          the device is unplugged, and plugged in again with other options
``option net0 mrg_rxbuf=off from=start``   the device has other options from the start
``action break queue=1 fault=bad-table``   the driver does something: the fields of an ``[[action]]``
``traffic 0 rate_pps=100``                 a program of the guest goes on with other fields of its ``[[traffic]]``
``set traffic.0.rate_pps=100``             the scenario is another one, from the start
=========================================  ==========================================================================
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ringscope_core.engine.control import frame_of
from ringscope_core.engine.feature_bits import feature_bit, feature_name
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.overrides import split_setting

NONE: Final = "none"
SET: Final = "set"
OPTION: Final = "option"
KINDS: Final = (NONE, "inject", "link", "feature", OPTION, "action", "traffic", SET)
COMMANDS: Final[dict[str, str]] = {
    "inject": "x-ringscope-inject",
    "link": "set_link",
    "feature": "x-ringscope-feature",
    OPTION: "x-ringscope-option",
    "action": "x-ringscope-action",
    "traffic": "x-ringscope-traffic",
}
"""The command (`engine.control`) that each kind is, at its moment."""
_START: Final = "start"


@dataclass(frozen=True)
class Change:
    """One change.  `arguments` are those of its command; of ``set``: `settings`, a list of ``key=value``."""

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    from_start: bool = False
    """The scenario changes, so everything is new from event 0 on."""

    @property
    def command(self) -> str:
        """The command's name, "" for a change that is none."""
        return "" if self.from_start else COMMANDS.get(self.kind, "")

    def to_plain(self) -> dict[str, Any]:
        """A form for JSON."""
        return {"kind": self.kind, "arguments": self.arguments, "from_start": self.from_start}

    @staticmethod
    def from_plain(plain: object) -> Change:
        """The inverse of `to_plain`; a text is parsed (`parse_change`).  Raises InputError."""
        if isinstance(plain, str):
            return parse_change(plain)
        if not isinstance(plain, Mapping) or not isinstance(plain.get("arguments", {}), Mapping):
            raise InputError("change", str(plain), "a text, or an object with kind and arguments")
        change = Change(str(plain.get("kind")), dict(plain.get("arguments", {})), bool(plain.get("from_start", False)))
        # whatever form it came in, what is wrong with it is said by one
        return parse_change(change.describe())

    def describe(self) -> str:
        """The line that a person would write."""
        a = self.arguments
        if self.kind == "inject":
            return f"inject net={a.get('netdev', '')} frame={a.get('frame', '')}"
        if self.kind == "link":
            return f"link {a.get('name', '')} {'on' if a.get('up') else 'off'}"
        if self.kind == "feature":
            signs = [f"-{name}" for name in a.get("off", [])] + [f"+{name}" for name in a.get("on", [])]
            return " ".join(["feature", str(a.get("device", "")), *signs])
        if self.kind == OPTION:
            words = [f"{name}={value}" for name, value in a.get("options", {}).items()]
            return shlex.join([OPTION, str(a.get("device", "")), *words, *(["from=start"] if self.from_start else [])])
        if self.kind == "action":
            return " ".join(["action", str(a.get("do", "")), *(f"{name}={value}" for name, value in a.items() if name != "do")])
        if self.kind == "traffic":
            return " ".join(["traffic", str(a.get("entry", "")), *(f"{name}={value}" for name, value in a.items() if name != "entry")])
        if self.kind == SET:
            return shlex.join([SET, *map(str, a.get("settings", []))])
        return self.kind


def parse_change(text: str) -> Change:
    """A change from its line; raises InputError.  What only a machine can tell (names, what a driver can do) is not looked at."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError("change", text, f"words, with quotes that close ({error})") from None
    kind = words[0] if words else ""
    parser = _PARSERS.get(kind)
    if parser is None:
        raise InputError("change", kind or text, f"one of {', '.join(KINDS)}, and what belongs to it")
    return parser(words[1:])


def _pairs(kind: str, words: list[str], needed: tuple[str, ...] = (), allowed: tuple[str, ...] | None = None) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise InputError(f"change {kind}", word, "name=value")
        if allowed is not None and name not in allowed:
            raise InputError(f"change {kind}", name, f"one of {', '.join(allowed)}")
        found[name] = value
    for name in needed:
        if name not in found:
            raise InputError(f"change {kind}", " ".join(words), f"{name}= must be given")
    return found


def _first(kind: str, words: list[str], what: str) -> str:
    if not words or "=" in words[0] or words[0][0] in "+-":
        raise InputError(f"change {kind}", " ".join(words), f"{what} comes first")
    return words[0]


def _none(words: list[str]) -> Change:
    if words:
        raise InputError("change none", " ".join(words), "nothing behind none")
    return Change(NONE)


def _inject(words: list[str]) -> Change:
    given = _pairs("inject", words, ("net", "frame"), ("net", "frame"))
    return Change("inject", {"netdev": given["net"], "frame": frame_of(given["frame"]).hex()})


def _link(words: list[str]) -> Change:
    name = _first("link", words, "the name of a NIC or a netdev")
    if len(words) != 2 or words[1] not in ("on", "off"):
        raise InputError("change link", " ".join(words[1:]), "on or off")
    return Change("link", {"name": name, "up": words[1] == "on"})


def _feature(words: list[str]) -> Change:
    device = _first("feature", words, "the id of a network card")
    sides: dict[str, list[str]] = {"-": [], "+": []}
    for word in words[1:]:
        if word[0] not in sides:
            raise InputError("change feature", word, "-NAME to leave a bit out, +NAME to take it")
        sides[word[0]].append(feature_name(feature_bit(word[1:])) if not word[1:].isdecimal() else word[1:])
    if len(words) < 2:
        raise InputError("change feature", device, "-NAME or +NAME behind the card, such as -MRG_RXBUF")
    return Change("feature", {"device": device, "off": sides["-"], "on": sides["+"]})


def _option(words: list[str]) -> Change:
    device = _first("option", words, "the id of a device")
    options = _pairs("option", words[1:])
    start = options.pop("from", "")
    if start not in ("", _START):
        raise InputError("change option", f"from={start}", "from=start, or nothing for the moment of the branch")
    if not options:
        raise InputError("change option", device, "name=value behind the device, such as rx_queue_size=512")
    if "driver" in options or "id" in options:
        raise InputError("change option", "driver, id", "options that leave the device what it is")
    return Change(OPTION, {"device": device, "options": options}, start == _START)


def _action(words: list[str]) -> Change:
    do = _first("action", words, "what to do")
    fields = _pairs("action", words[1:], (), ("device", "queue", "number", "mac", "fault"))
    return Change("action", {"do": do, **fields})


def _traffic(words: list[str]) -> Change:
    entry = _first("traffic", words, "the place of an entry")
    if not entry.isdecimal():
        raise InputError("change traffic", entry, "the place of an entry: 0, 1, ...")
    fields = _pairs("traffic", words[1:])
    if not fields:
        raise InputError("change traffic", entry, "name=value behind the entry, such as rate_pps=100")
    return Change("traffic", {"entry": int(entry), **fields})


def _set(words: list[str]) -> Change:
    if not words:
        raise InputError("change set", "", "key=value, such as traffic.0.rate_pps=100")
    for word in words:
        split_setting(word)
    return Change(SET, {"settings": words}, True)


_PARSERS: Final = {
    NONE: _none,
    "inject": _inject,
    "link": _link,
    "feature": _feature,
    OPTION: _option,
    "action": _action,
    "traffic": _traffic,
    SET: _set,
}
