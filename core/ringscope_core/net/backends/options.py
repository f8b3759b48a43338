"""Option strings of ``-netdev``: QEMU's syntax (``type,key=value,...``, a doubled comma is a comma) and its complaints."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar, final

from ringscope_core.net.addresses import ip4_from_text, ip6_from_text, mac_from_text
from ringscope_core.net.backends.vnet import HOST_MTU, RX_NAMES, VnetSide
from ringscope_core.net.errors import NetOptionError

T = TypeVar("T")

ID_HINT: Final = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter."
INT32_MAX: Final = 2**31 - 1


def parse_opts(text: str) -> list[tuple[str, str]]:
    """Key and value pairs of an option string; the first word alone is the ``type`` (opts_do_parse)."""
    pairs: list[tuple[str, str]] = []
    for number, part in enumerate(_split(text)):
        key, equals, value = part.partition("=")
        if equals:
            pairs.append((key, value))
        elif number == 0:
            if part:
                pairs.append(("type", part))
        elif part.startswith("no"):
            pairs.append((part[2:], "off"))
        else:
            pairs.append((part, "on"))
    return pairs


def _split(text: str) -> list[str]:
    parts: list[str] = []
    current = ""
    at = 0
    while at < len(text):
        if text[at] != ",":
            current += text[at]
            at += 1
        elif text[at : at + 2] == ",,":
            current += ","
            at += 2
        else:
            parts.append(current)
            current = ""
            at += 1
    parts.append(current)
    return parts


def id_wellformed(name: str) -> bool:
    """Whether `name` can name something (id_wellformed)."""
    head, rest = name[:1], name[1:]
    return head.isascii() and head.isalpha() and all(c.isascii() and (c.isalnum() or c in "-._") for c in rest)


_INTEGER: Final = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]{1,40})|0([0-7]{1,40})|(0|[1-9][0-9]{0,40}))")


def integer(text: str) -> int | None:
    """The number that C's strtoll reads in all of `text`, base by its prefix; None when it is none (or has over 40 digits)."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        return None
    sign, hexadecimal, octal, decimal = found.groups()
    value = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    return -value if sign == "-" else value


@final
class NetdevOptions:
    """The options of one netdev, taken one by one; what nobody took is an error."""

    def __init__(self, text: str) -> None:
        """Raises NetOptionError for a missing or malformed id and a missing type."""
        self.text: str = text
        self._values: dict[str, str] = {}
        self._known: set[str] = set()
        if "\0" in text:
            raise NetOptionError("an option string cannot hold a NUL character", "netdev", repr(text))
        first_id: str | None = None
        for key, value in parse_opts(text):
            if key == "id" and first_id is None:
                first_id = value
            self._values[key] = value
        if first_id is None:
            raise NetOptionError("Parameter 'id' is missing", "id")
        if not id_wellformed(first_id):
            raise NetOptionError("Parameter 'id' expects an identifier", "id", first_id, "an identifier", ID_HINT)
        self.id: str = first_id
        self._values.pop("id")
        self.kind: str = self.required("type")

    def has(self, key: str) -> bool:
        """Whether `key`, or anything below it (``local`` of ``local.type``), was given."""
        return key in self._values or any(name.startswith(key + ".") for name in self._values)

    def optional(self, key: str, default: str = "") -> str:
        """Take the value of `key`; the last one counts when it was given twice."""
        self._known.add(key)
        return self._values.pop(key, default)

    def required(self, key: str) -> str:
        """Take the value of `key`, which must be there."""
        if key not in self._values:
            raise NetOptionError(f"Parameter '{key}' is missing", key)
        return self.optional(key)

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """Take a number from `least` to `most`."""
        given = self.optional(key, str(default))
        expects = f"a number between {least} and {most}"
        value = integer(given)
        if value is None or not least <= value <= most:
            raise NetOptionError(f"Parameter '{key}' expects {expects}", key, given, expects)
        return value

    def int32(self, key: str) -> int:
        """Take a number that QEMU's schema has as int32, with its messages."""
        given = self.required(key)
        value = integer(given)
        if value is None:
            raise NetOptionError(f"Parameter '{key}' expects an int64 value", key, given, "an int64 value")
        if not -INT32_MAX - 1 <= value <= INT32_MAX:
            raise NetOptionError(f"Parameter '{key}' expects int32_t", key, given, "int32_t")
        return value

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        """Take one of the words `allowed`."""
        given = self.optional(key, default)
        if given not in allowed:
            raise NetOptionError(f"Parameter '{key}' does not accept value '{given}'", key, given, ", ".join(allowed))
        return given

    def flag(self, key: str, default: bool) -> bool:
        """Take a switch, with QEMU's words for one."""
        given = self.optional(key, "on" if default else "off")
        if given in ("on", "yes", "true", "y"):
            return True
        if given in ("off", "no", "false", "n"):
            return False
        raise NetOptionError(f"Parameter '{key}' expects 'on' or 'off'", key, given, "on, off")

    def mac(self, key: str, default: bytes) -> bytes:
        """Take a unicast MAC address."""
        given = self.optional(key)
        if not given:
            return default
        value = self._convert(key, given, "a MAC address", mac_from_text)
        if value[0] & 1:
            raise NetOptionError(f"Parameter '{key}' expects a unicast MAC address", key, given, "a unicast MAC address")
        return value

    def ip4(self, key: str, default: bytes) -> bytes:
        """Take an IPv4 address."""
        given = self.optional(key)
        return self._convert(key, given, "an IPv4 address", ip4_from_text) if given else default

    def ip6(self, key: str, default: bytes) -> bytes:
        """Take an IPv6 address."""
        given = self.optional(key)
        return self._convert(key, given, "an IPv6 address", ip6_from_text) if given else default

    def _convert(self, key: str, given: str, expects: str, convert: Callable[[str], T]) -> T:
        try:
            return convert(given)
        except ValueError:
            raise NetOptionError(f"Parameter '{key}' expects {expects}", key, given, expects) from None

    def finish(self) -> None:
        """Raise NetOptionError when something was given that nobody took."""
        for key, value in self._values.items():
            stem = key.split(".", 1)[0]
            if "." in key and any(known.startswith(stem + ".") for known in self._known):
                raise NetOptionError(f"Parameter '{key}' is unexpected", key, value)
            raise NetOptionError(f"Invalid parameter '{stem}'", key, value)


@final
class VnetHdrOption:
    """``vnet_hdr=on|off`` (or ``vnet-hdr``): the virtio_net_hdr in front of frames to and from a NIC, as a tap has it.

    With it ``rx_csum=none|valid|partial``, ``gso=on|off`` (whether a driver that takes them gets frames bigger than the MTU), ``mtu=``.
    """

    def __init__(self, options: NetdevOptions, own: bool = False) -> None:
        """`own`: the host makes its frames itself; it leaves their checksums to the driver unless told otherwise."""
        self.own: bool = own
        hyphened = options.flag("vnet-hdr", False)
        self.on: bool = options.flag("vnet_hdr", hyphened)
        self.whole: bool = False
        self.rx_csum: int = 0
        self.mtu: int = int(HOST_MTU)
        if self.on:
            self.rx_csum = RX_NAMES.index(options.choice("rx_csum", "partial" if own else "none", RX_NAMES))
            self.whole = not options.flag("gso", True)
            self.mtu = options.number("mtu", self.mtu, 576, 65535)

    def make(self) -> VnetSide | None:
        """What one client gets."""
        return VnetSide(self.whole, self.rx_csum, self.mtu, self.own) if self.on else None
