"""Reading case files: JSON or JSON lines, compressed or not, told apart by what is in them and never by their names."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ringscope_core.conform.case import Case, CaseConfig, PeerSpec
from ringscope_core.conform.op_check import check_op, integer
from ringscope_core.conform.static_files import StaticForm, static_form
from ringscope_core.scenario.errors import InputError

MAX_BYTES: Final = 1 << 30
"""No case file is longer than this once it is unpacked."""
MAX_RAM: Final = 1 << 28
MIN_RAM: Final = 1 << 20
PAGE: Final = 4096
MAX_QUEUES: Final = 64
PEERS: Final = ("none", "hub", "stream", "socket", "dgram", "tap")
_PROFILE_OF: Final = {"4.1": "4.1", "7.2": "7.2"}
_GZIP: Final = b"\x1f\x8b"


class UnknownForm(InputError):
    """A JSON document that is nothing we know."""


@dataclass
class CaseFile:
    """What a file holds: operation cases, or facts that one of the static modules understands."""

    path: str
    cases: list[Case] = field(default_factory=list)
    static: StaticForm | None = None
    data: Any = None
    """The whole content, for a static form."""
    profile: str = "7.2"
    """The QEMU that recorded it."""


def read_case_file(path: Path) -> CaseFile:
    """Read `path`; raises UnknownForm for a JSON document that holds no cases, InputError for anything else that cannot be used."""
    name = str(path)
    data = _parse(name, _unpack(name, path))
    if isinstance(data, dict):
        found = static_form(data)
        if found is not None:
            return CaseFile(name, static=found, data=data, profile=_profile(name, data))
    rows, head = _rows(name, data)
    profile = _profile(name, head)
    cases = [_case(f"{name}: cases.{index}", row, profile) for index, row in enumerate(rows)]
    return CaseFile(name, cases, profile=profile)


def _unpack(name: str, path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError("file", name, f"it cannot be read: {error.strerror}") from None
    if not raw.startswith(_GZIP):
        return raw
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        out = unpacker.decompress(raw, MAX_BYTES)
    except zlib.error as error:
        raise InputError("file", name, f"it is not a whole gzip file: {error}") from None
    if unpacker.unconsumed_tail:
        raise InputError("file", name, f"at most {MAX_BYTES} bytes once unpacked")
    if not unpacker.eof:
        raise InputError("file", name, "the gzip data end too early: a whole file is needed")
    return out


def _parse(name: str, raw: bytes) -> Any:
    """One JSON document, or the list of a JSON lines file's."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise InputError("file", name, f"JSON in UTF-8 is needed, and byte {error.start} is not UTF-8") from None
    first, _, rest = text.partition("\n")
    try:
        if rest.strip() and first.startswith("{") and first.rstrip().endswith("}"):
            return _lines(name, text)
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError("file", name, f"JSON or JSON lines are needed: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise InputError("file", name, "JSON nested less deeply is needed") from None


def _lines(name: str, text: str) -> Any:
    rows: list[Any] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number == 1:
                # an object that only looks like a line of its own
                return json.loads(text)
            raise InputError("file", name, f"line {number} must be a JSON document: column {error.colno}: {error.msg}") from None
    return rows


def _rows(name: str, data: Any) -> tuple[list[Any], dict[str, Any]]:
    """The cases of a document and its head."""
    if isinstance(data, list):
        if data and isinstance(data[0], dict) and "ops" not in data[0]:
            return data[1:], data[0]
        return data, {}
    if isinstance(data, dict):
        if "ops" in data:
            return [data], data
        rows = data.get("cases")
        if isinstance(rows, list) and (not rows or any(isinstance(row, dict) and "ops" in row for row in rows)):
            head = data.get("head", data)
            return rows, head if isinstance(head, dict) else {}
    raise UnknownForm("file", name, "a list of cases, JSON lines of cases, or facts in a form that is known")


def _profile(name: str, head: dict[str, Any]) -> str:
    """The profile of the QEMU that a file's head names; 7.2 when it names none."""
    version = head.get("qemu", head.get("version", "7.2"))
    if isinstance(version, dict):
        # as query-version answers
        number = version.get("qemu", version)
        if isinstance(number, dict):
            version = f"{number.get('major')}.{number.get('minor')}.{number.get('micro')}"
    if isinstance(version, str):
        for prefix, profile in _PROFILE_OF.items():
            if version == prefix or version.startswith(prefix + "."):
                return profile
    raise InputError(f"{name}: qemu", version, f"a release of {' or '.join(_PROFILE_OF)}")


def _text(where: str, row: dict[str, Any], key: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str):
        raise InputError(f"{where}.{key}", value, "a string is needed")
    return value


def _case(where: str, row: Any, profile: str) -> Case:
    if not isinstance(row, dict):
        raise InputError(where, row, "a case is an object")
    ident = _text(where, row, "id")
    where = f"{where} ({ident[:60]})"
    config = _config(f"{where}.config", row.get("config"))
    ops = row.get("ops")
    if not isinstance(ops, list):
        raise InputError(f"{where}.ops", ops, "a list of operations")
    for index, op in enumerate(ops):
        check_op(f"{where}.ops.{index}", op, config)
        if op[0] == "died" and index != len(ops) - 1:
            raise InputError(f"{where}.ops.{index}", op, "'died' is the last operation")
    final = row.get("final", {})
    if not isinstance(final, dict):
        raise InputError(f"{where}.final", final, "an object")
    return Case(
        id=ident,
        config=config,
        ops=ops,
        final=final,
        family=_text(where, row, "family", ""),
        title=_text(where, row, "title", ""),
        since=_text(where, row, "since", ""),
        isr_at=_place(f"{where}.isr_at", row.get("isr_at", [0, 0x13])),
        status_at=_place(f"{where}.status_at", row.get("status_at", [0, 0x12])),
        profile=profile,
    )


def _place(where: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2 or value[0] not in (0, 1, 2, 4):
        raise InputError(where, value, "[BAR, offset]")
    return value[0], integer(f"{where}.1", value[1], 0, 1 << 24)


def _config(where: str, value: Any) -> CaseConfig:
    if not isinstance(value, dict):
        raise InputError(where, value, "an object")
    props = value.get("props", {})
    if not isinstance(props, dict) or not all(isinstance(one, (str, int, float, bool)) for one in props.values()):
        raise InputError(f"{where}.props", props, "an object of strings and numbers")
    ram = integer(f"{where}.ram", value.get("ram", 8 << 20), MIN_RAM, MAX_RAM)
    if ram % PAGE:
        raise InputError(f"{where}.ram", ram, f"a multiple of {PAGE}")
    return CaseConfig(
        machine=_text(where, value, "machine", "pc-i440fx-4.1"),
        device=_text(where, value, "device", "virtio-net-pci"),
        props={name: _prop(one) for name, one in props.items()},
        peer=_peer(f"{where}.peer", value.get("peer", {"kind": "stream"})),
        ram=ram,
    )


def _prop(value: object) -> str:
    """A property's value as the command line has it."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _peer(where: str, value: Any) -> PeerSpec:
    if not isinstance(value, dict):
        raise InputError(where, value, "an object")
    kind = value.get("kind")
    if kind not in PEERS:
        raise InputError(f"{where}.kind", kind, f"one of {', '.join(PEERS)}")
    queues = integer(f"{where}.queues", value.get("queues", 1), 1, MAX_QUEUES)
    if kind != "tap" and queues != 1:
        raise InputError(f"{where}.queues", queues, f"1 for a peer of kind '{kind}'")
    return PeerSpec(str(kind), queues, bool(value.get("vnet_hdr", True)) if kind == "tap" else False)
