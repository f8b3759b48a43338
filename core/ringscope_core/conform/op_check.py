"""What an operation of a case file may look like: names, numbers of arguments, ranges."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ringscope_core.conform.case import CaseConfig, Op
from ringscope_core.scenario.errors import InputError

_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_SIZES: Final = (1, 2, 4, 8)
_BARS: Final = (0, 1, 2, 4)
MAX_OFFSET: Final = 1 << 24
MAX_SLEEP_MS: Final = 600_000
MAX_FRAME: Final = 1 << 17


def integer(where: str, value: Any, low: int, high: int) -> int:
    """`value` when it is an integer of the range."""
    if type(value) is not int or not low <= value <= high:
        raise InputError(where, value, f"an integer from {low} to {high}")
    return value


def hex_bytes(where: str, value: Any, longest: int) -> bytes:
    """The bytes of a hexadecimal string."""
    if not isinstance(value, str) or len(value) > 2 * longest or _HEX.fullmatch(value) is None:
        raise InputError(where, value, f"an even number of hexadecimal digits, at most {longest} bytes")
    return bytes.fromhex(value)


def text_list(where: str, value: Any) -> list[str]:
    """A list of strings."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InputError(where, value, "a list of strings")
    return value


def _count(where: str, op: Op, *numbers: int) -> None:
    if len(op) - 1 not in numbers:
        raise InputError(where, op, f"'{op[0]}' has {' or '.join(str(n) for n in numbers)} arguments")


def _register(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 4, 5)
    if op[1] not in _BARS or type(op[1]) is not int:
        raise InputError(f"{where}.1", op[1], "a BAR: 0, 1, 2 or 4")
    integer(f"{where}.2", op[2], 0, MAX_OFFSET)
    _access(where, op[3], op[4], 3)
    if len(op) > 5 and not isinstance(op[5], str):
        raise InputError(f"{where}.5", op[5], "a name")


def _access(where: str, size: Any, value: Any, at: int) -> None:
    if type(size) is not int or size not in _SIZES:
        raise InputError(f"{where}.{at}", size, "1, 2, 4 or 8")
    # a bus takes the low bytes of what is written
    integer(f"{where}.{at + 1}", value, 0, (1 << 64) - 1)


def _config(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 3)
    integer(f"{where}.1", op[1], 0, 0xFF)
    _access(where, op[2], op[3], 2)
    if op[2] == 8:
        raise InputError(f"{where}.2", op[2], "1, 2 or 4")


def _memory(where: str, op: Op, config: CaseConfig) -> None:
    count = 3 if op[0] in ("mf", "mr") else 2
    _count(where, op, count)
    start = integer(f"{where}.1", op[1], 0, config.ram)
    if op[0] == "mw":
        hex_bytes(f"{where}.2", op[2], config.ram - start)
        return
    length = integer(f"{where}.2", op[2], 0, config.ram - start)
    if op[0] == "mf":
        integer(f"{where}.3", op[3], 0, 255)
    elif len(hex_bytes(f"{where}.3", op[3], length)) != length:
        raise InputError(f"{where}.3", op[3], f"{length} bytes")


def _inject(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 2)
    if not config.peer.takes_frames:
        raise InputError(where, op, f"a peer of kind '{config.peer.kind}' sends no frames")
    integer(f"{where}.1", op[1], 0, config.peer.queues - 1)
    hex_bytes(f"{where}.2", op[2], MAX_FRAME)


def _link(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 1)
    integer(f"{where}.1", int(op[1]) if isinstance(op[1], bool) else op[1], 0, 1)


def _announce(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 4)
    for index in range(1, 5):
        integer(f"{where}.{index}", op[index], 0, 100_000)


def _sleep(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 1)
    integer(f"{where}.1", op[1], 0, MAX_SLEEP_MS)


def _nothing(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 0)


def _note(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 1)


def _died(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 2)
    text_list(f"{where}.2", op[2])


def _check(where: str, op: Op, config: CaseConfig) -> None:
    _count(where, op, 1)
    expected = op[1]
    if not isinstance(expected, dict):
        raise InputError(f"{where}.1", expected, "an object")
    for key, value in expected.items():
        at = f"{where}.{key}"
        test = _CHECKS.get(key)
        if test is None:
            raise InputError(where, key, f"one of {', '.join(_CHECKS)}")
        test(at, value, config)


def _pairs(where: str, value: Any, each: Callable[[str, Any, Any], None]) -> None:
    if not isinstance(value, list):
        raise InputError(where, value, "a list of pairs")
    for index, pair in enumerate(value):
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(f"{where}.{index}", pair, "a list of two")
        each(f"{where}.{index}", pair[0], pair[1])


def _check_msi(where: str, value: Any, config: CaseConfig) -> None:
    def each(at: str, slot: Any, data: Any) -> None:
        integer(f"{at}.0", slot, 0, 63)
        integer(f"{at}.1", data, 0, 0xFFFFFFFF)

    _pairs(where, value, each)


def _check_mem(where: str, value: Any, config: CaseConfig) -> None:
    def each(at: str, address: Any, data: Any) -> None:
        hex_bytes(f"{at}.1", data, config.ram - integer(f"{at}.0", address, 0, config.ram))

    _pairs(where, value, each)


def _check_tx(where: str, value: Any, config: CaseConfig) -> None:
    def each(at: str, queue: Any, frame: Any) -> None:
        integer(f"{at}.0", queue, 0, config.peer.queues - 1)
        hex_bytes(f"{at}.1", frame, MAX_FRAME)

    _pairs(where, value, each)


def _check_peer(where: str, value: Any, config: CaseConfig) -> None:
    if not isinstance(value, dict):
        raise InputError(where, value, "an object")
    for key, number in value.items():
        integer(f"{where}.{key}", number, -(1 << 31), (1 << 32) - 1)


def _byte(where: str, value: Any, config: CaseConfig) -> None:
    integer(where, value, 0, 255)


def _strings(where: str, value: Any, config: CaseConfig) -> None:
    text_list(where, value)


def _anything(where: str, value: Any, config: CaseConfig) -> None:
    return


_CHECKS: Final[dict[str, Callable[[str, Any, CaseConfig], None]]] = {
    "msi": _check_msi,
    "mem": _check_mem,
    "tx": _check_tx,
    "peer": _check_peer,
    "intx": _byte,
    "isr": _byte,
    "status": _byte,
    "gen": _byte,
    "stderr": _strings,
    "legacy": _anything,
    "note": _anything,
}

OPS: Final[dict[str, Callable[[str, Op, CaseConfig], None]]] = {
    "r": _register,
    "w": _register,
    "cr": _config,
    "cw": _config,
    "mw": _memory,
    "mf": _memory,
    "mr": _memory,
    "inject": _inject,
    "link": _link,
    "announce": _announce,
    "sleep": _sleep,
    "sync": _nothing,
    "check": _check,
    "died": _died,
    "note": _note,
}


def check_op(where: str, op: Any, config: CaseConfig) -> None:
    """Raise InputError when `op` is not an operation that a machine of `config` can take."""
    if not isinstance(op, list) or not op or not isinstance(op[0], str):
        raise InputError(where, op, "a list that begins with an operation's name")
    test = OPS.get(op[0])
    if test is None:
        raise InputError(f"{where}.0", op[0], f"one of {', '.join(OPS)}")
    test(where, op, config)
