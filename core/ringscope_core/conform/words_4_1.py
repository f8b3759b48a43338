"""What QEMU 4.1 says where 7.2 was heard: rules for messages about options."""

from __future__ import annotations

import re
from typing import Final

SHORT_FORM: Final = re.compile(r"short-form boolean option|^Please use ")
SIGNED: Final = ("speed", "x-txburst", "bootindex")
TRUE_IN_ANY_CASE: Final = ("on", "yes", "true", "off", "no", "false")


def newer_than_4_1(args: list[str], properties: tuple[str, ...]) -> str:
    """Why 4.1 has nothing to say to these arguments, "" when it has."""
    for option, text in zip(args[::2], args[1::2], strict=False):
        if text.startswith("{"):
            return "JSON options came after QEMU 4.1"
        if option == "-netdev" and text.split(",")[0] in ("stream", "dgram"):
            return "netdevs stream and dgram came after QEMU 4.1"
        if option == "-global":
            name = _global_property(text)
            if name in properties:
                return f"{name} came after QEMU 4.1"
        elif option != "-netdev":
            for part in text.split(",")[1:]:
                name, equals, value = part.partition("=")
                if name in properties:
                    return f"{name} came after QEMU 4.1"
                if equals and value.lower() in TRUE_IN_ANY_CASE and value not in TRUE_IN_ANY_CASE:
                    return "4.1 takes on and off in any case"
                if equals and value in ("y", "n"):
                    return "y and n came after QEMU 4.1"
        if "duplex=" in text and "speed=-" in text:
            return "4.1 aborts on the second error of one realize"
    return ""


def _global_property(text: str) -> str:
    """Of both forms of ``-global``."""
    named = re.search(r"(?:^|,)property=([^,]*)", text)
    return named[1] if named else text.partition("=")[0].rpartition(".")[2]


def asks_in_another_order(args: list[str], expected: str, got: str) -> bool:
    """Whether the two lines tell of two options of one device: 4.1 sets options as they are written, 7.2 by their hashes, and the first bad one ends it."""
    for option, text in zip(args[::2], args[1::2], strict=False):
        if option == "-device":
            given = {part.partition("=")[0] for part in text.split(",")[1:]}
            left, right = (_named(line.removeprefix(f"-device {text}: ")) & given for line in (expected, got))
            if left and right and left != right:
                return True
    return False


def _named(message: str) -> set[str]:
    """Names of options that a message may speak of."""
    return {word for word in re.findall(r"'(?:[\w-]*\.)?([\w-]+)'", message)}


def in_words_of_4_1(lines: list[str]) -> list[str]:
    """The lines that 4.1 prints."""
    return [part for line in lines for part in _line(line)]


def _line(line: str) -> list[str]:
    if SHORT_FORM.search(line):
        return []
    line = re.sub(r"Property '[\w-]+\.([^']*)' not found", r"Property '.\1' not found", line)
    line = re.sub(r"Property '[^']+' is not (?:writable|readable)", "Insufficient permission to perform this operation", line)
    line = re.sub(r"Parameter '([^']+)' expects 'on' or 'off'", r"Invalid parameter type for '\1', expected: boolean", line)
    line = re.sub(r"Parameter '([^']+)' expects integer", lambda m: f"Parameter '{m[1]}' expects {'int64' if m[1] in SIGNED else 'uint64'}", line)
    if not line.startswith(("-netdev ", "-nic ")):
        line = re.sub(r"Parameter '[^']+' does not accept value '([^']*)'", r"Invalid parameter '\1'", line)
    line = re.sub(r"Invalid number of queue pairs", "Invalid number of queues", line)
    line = re.sub(r",id=(\(null\)|[\w.-]+)$", "", line) if "in use by" in line else line
    line = line.replace("expects a non-abstract device type", "expects non-abstract device type").replace(
        "expects a pluggable device type", "expects pluggable device type"
    )
    return [line]
