"""Option strings as ``-device`` takes them (util/qemu-option.c)."""

from __future__ import annotations

from typing import Final, final

from ringscope_core.qom.errp import Errp
from ringscope_core.qom.hash_order import qdict_order
from ringscope_core.qom.visitor import PropValue
from ringscope_core.trace.log import EventLog

ID_HINT: Final = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter."


@final
class DeviceOpts:
    """A parsed option string: ``driver,key=value,...``; a doubled comma is a comma.  7.2 takes a JSON object too."""

    def __init__(self, text: str) -> None:
        self.text: str = text
        self.ident: str | None = None
        """The value of ``id``, which is no property."""
        self.pairs: list[tuple[str, PropValue]] = []
        """All others in order."""
        self.json: bool = False
        """The values are typed."""
        self.short_forms: list[tuple[str, str]] = []
        """Options given by a word alone, and what it means as ``name=value``."""

    def value(self, key: str) -> PropValue:
        """The value of `key`, the last one when it was given twice."""
        for name, value in reversed(self.pairs):
            if name == key:
                return value
        return None

    def get(self, key: str) -> str | None:
        """The value of `key` when it is a text."""
        value = self.value(key)
        return value if isinstance(value, str) else None

    def as_dict(self) -> dict[str, str]:
        """Texts by name, ``id`` too."""
        found = {name: value for name, value in self.pairs if isinstance(value, str)}
        if self.ident is not None:
            found["id"] = self.ident
        return found

    def in_dict_order(self) -> list[tuple[str, PropValue]]:
        """Each option once, as 7.2 goes through the dictionary that it makes of them."""
        keys = [name for name, _ in self.pairs]
        if self.ident is not None:
            keys.append("id")
        return [(name, self.value(name)) for name in qdict_order(keys) if name != "id" or self.ident is None]


def split_options(text: str) -> list[str]:
    """The parts between single commas."""
    parts = [""]
    at = 0
    while at < len(text):
        if text.startswith(",,", at):
            parts[-1] += ","
            at += 2
        elif text[at] == ",":
            parts.append("")
            at += 1
        else:
            parts[-1] += text[at]
            at += 1
    return parts


def id_wellformed(name: str) -> bool:
    """Whether `name` can name something."""
    return name[:1].isascii() and name[:1].isalpha() and all(char.isascii() and (char.isalnum() or char in "-._") for char in name)


def _pair(part: str, first: bool) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    if equals:
        return key, value
    if first:
        return "driver", part
    # a word alone switches on, with "no" in front off
    return (part[2:], "off") if part.startswith("no") else (part, "on")


def parse_device_opts(text: str, log: EventLog, errp: Errp) -> DeviceOpts | None:
    """Parse an option string; None with an error when its id is none."""
    opts = DeviceOpts(text)
    for number, part in enumerate(split_options(text)):
        if part or number == 0:
            key, value = _pair(part, number == 0)
            if number and "=" not in part:
                opts.short_forms.append((part, f"{key}={value}"))
            if key != "id":
                opts.pairs.append((key, value))
            elif opts.ident is None:
                opts.ident = value
    # a short ``id`` is no name that anyone looks at
    if opts.ident is not None and not id_wellformed(opts.ident) and ("id", "id=on") not in opts.short_forms:
        errp.set(log, "Parameter 'id' expects an identifier", ID_HINT)
        return None
    return opts


def device_opts_of(text: str, values: dict[str, PropValue]) -> DeviceOpts:
    """The options of a JSON object whose text is `text`; its id is taken as it is."""
    opts = DeviceOpts(text)
    opts.json = True
    for name, value in values.items():
        if name == "id" and isinstance(value, str):
            opts.ident = value
        else:
            opts.pairs.append((name, value))
    return opts
