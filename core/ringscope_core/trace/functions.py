"""QEMU 4.1.0's functions as call frames name them: file, line where the definition starts, arguments.

`FUNCTION_LINES` is data: the definitions' lines at v4.1.0, for hw/net/virtio-net.c in the build with the two backports
(CVE-2021-3748 and CVE-2022-26353).  `fn` declares that our code opens frames of a function, once, where it does so.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mypy_extensions import i64

from ringscope_core.trace.function_lines import FUNCTION_LINES


class FunctionSpec(NamedTuple):
    """A function that opens call frames.

    `args` are (name, unit) pairs in the C order, units as in `kinds.ArgSpec`; a frame carries the first four values.
    """

    number: int
    name: str
    file: str
    line: int
    args: tuple[tuple[str, str], ...]


_NUMBERS: Final[dict[str, int]] = {name: number for number, name in enumerate(sorted(FUNCTION_LINES))}
_DECLARED: Final[dict[str, tuple[tuple[str, str], ...]]] = {}


def fn(name: str, args: str = "") -> i64:
    """The number of QEMU's function `name`; `args` as ``"dev:ptr errp:ptr"``.

    Raises KeyError when the function is not in the table of definitions.  Numbers do not depend on the order of
    declarations, so two runs that import modules in another order record the same events.
    """
    number = _NUMBERS[name]
    if args:
        _DECLARED[name] = tuple((word.split(":", 1)[0], word.split(":", 1)[1]) for word in args.split())
    return number


def function_table() -> dict[int, FunctionSpec]:
    """Every function of the table, with the arguments declared so far."""
    return {number: FunctionSpec(number, name, FUNCTION_LINES[name][0], FUNCTION_LINES[name][1], _DECLARED.get(name, ())) for name, number in _NUMBERS.items()}
