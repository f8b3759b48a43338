"""``--set key=value``: changes to a scenario before it is checked.

A key is a path such as ``traffic.0.rate_pps`` or ``driver.event_idx``.  Short forms: ``pcap=FILE`` (the file that a pcap backend
replays), ``netdev=OPTIONS`` and ``device=OPTIONS`` (QEMU's option strings; the first replaces the scenario's, further ones add),
``duration=3s``, ``packets=N``, ``rate_pps``, ``size`` and ``count`` (of every traffic entry).
"""

from __future__ import annotations

from typing import Any, Final, get_args, get_origin

import msgspec

from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.model import Scenario
from ringscope_core.scenario.validate import check, fields_of

SHORT_FORMS: Final = ("pcap", "netdev", "device", "duration", "packets", "rate_pps", "size", "count")
_TRAFFIC_FORMS: Final = ("rate_pps", "size", "count")


def split_setting(setting: str) -> tuple[str, str]:
    """Key and value of ``key=value``; raises InputError."""
    key, sign, value = setting.partition("=")
    if not sign or not key.strip():
        raise InputError("--set", setting, "key=value, such as traffic.0.rate_pps=1000")
    return key.strip(), value


def apply_settings(data: dict[str, Any], settings: list[str]) -> None:
    """Change the scenario's plain data in place; raises InputError."""
    replaced: set[str] = set()
    for setting in settings:
        key, value = split_setting(setting)
        if key in ("netdev", "device"):
            if key not in replaced:
                data[key] = []
                replaced.add(key)
            data[key].append(value)
        elif key == "pcap":
            _set_pcap(data, value)
        elif key in ("duration", "packets"):
            _set_path(data, f"run.{key}", value)
        elif key in _TRAFFIC_FORMS:
            for place in range(len(data.get("traffic", []))):
                _set_path(data, f"traffic.{place}.{key}", value)
        else:
            _set_path(data, key, value)


def _set_pcap(data: dict[str, Any], path: str) -> None:
    """Let the scenario's pcap backend replay `path`."""
    netdevs = data.get("netdev", [])
    for place, option in enumerate(netdevs):
        if isinstance(option, str) and (option == "pcap" or option.startswith(("pcap,", "type=pcap,"))):
            kept = [part for part in _options(option) if not part.startswith("file=")]
            netdevs[place] = ",".join([*kept, "file=" + path.replace(",", ",,")])
            return
    raise InputError("pcap", path, "only for a scenario with a pcap backend, such as pcap-replay")


def _options(text: str) -> list[str]:
    """The parts of an option string, with doubled commas left as they are."""
    return [part.replace("\0", ",,") for part in text.replace(",,", "\0").split(",")]


def _set_path(data: dict[str, Any], key: str, text: str) -> None:
    """Walk down `key` beside the model's types; create what is missing; put the checked value there."""
    names = key.split(".")
    where: Any = data
    kind: Any = Scenario
    for depth, name in enumerate(names):
        path = ".".join(names[: depth + 1])
        last = depth + 1 == len(names)
        if get_origin(kind) is list:
            kind = get_args(kind)[0]
            index = _index(path, name, where, kind)
            if last:
                where[index] = check(path, text, kind, from_text=True)
                return
            where = where[index]
            continue
        kind = _field_type(path, name, kind)
        if last:
            where[name] = check(path, text, kind, from_text=True)
            return
        where = where.setdefault(name, [] if get_origin(kind) is list else {})


def _field_type(path: str, name: str, kind: Any) -> Any:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise InputError(path, name, "nothing: the part before it is a plain value")
    known = fields_of(kind)
    if name not in known:
        allowed = ", ".join(known)
        if kind is Scenario:
            allowed += "; short forms: " + ", ".join(SHORT_FORMS)
        raise InputError(path, name, f"one of {allowed}")
    return known[name]


def _index(path: str, name: str, entries: list[Any], kind: Any) -> int:
    """A place in a list; one past the end adds a text (an entry with required parts can not begin empty)."""
    limit = len(entries) if kind is str else len(entries) - 1
    if not name.isdecimal() or int(name) > limit:
        raise InputError(path, name, f"a place from 0 to {limit}" if limit >= 0 else "nothing: the scenario has no such entry")
    index = int(name)
    if index == len(entries):
        entries.append("")
    return index
