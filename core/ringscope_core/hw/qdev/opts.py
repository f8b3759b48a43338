"""Option strings as ``-device`` takes them (util/qemu-option.c)."""

from __future__ import annotations

from typing import Final, final

from ringscope_core.qom.errp import Errp
from ringscope_core.trace.log import EventLog

ID_HINT: Final = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter."


@final
class DeviceOpts:
    """A parsed option string: ``driver,key=value,...``; a doubled comma is a comma."""

    def __init__(self, text: str) -> None:
        self.text: str = text
        self.ident: str | None = None
        """The value of ``id``, which is no property."""
        self.pairs: list[tuple[str, str]] = []
        """All others in order."""

    def get(self, key: str) -> str | None:
        """The value of `key`, the last one when it was given twice."""
        for name, value in reversed(self.pairs):
            if name == key:
                return value
        return None


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
            if key != "id":
                opts.pairs.append((key, value))
            elif opts.ident is None:
                opts.ident = value
    if opts.ident is not None and not id_wellformed(opts.ident):
        errp.set(log, "Parameter 'id' expects an identifier", ID_HINT)
        return None
    return opts
