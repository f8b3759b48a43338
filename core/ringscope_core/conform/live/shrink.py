"""Making a sequence shorter while it still shows the same difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ringscope_core.conform.case import Op

StillDiffers = Callable[[list[Op]], bool]
SMALL: Final = (0, 1, 2)
IN_MOTION: Final = (0x14, 0x1C, 0x3A)
"""device_status, queue_enable, queue_reset in the common structure."""
NOTIFY_AT: Final = 0x3000
LEGACY_NOTIFY: Final = 0x10
LEGACY_END: Final = 0x13
"""queue_notify and status in the legacy BAR."""


def shrink(ops: list[Op], differs: StillDiffers, budget: int = 400) -> list[Op]:
    """The shortest form found within `budget` trials: first operations go, then values become simple."""
    trials = Budget(budget, differs)
    ops = _fewer(ops, trials)
    for _ in range(3):
        before = trials.kept
        ops = _simpler(ops, trials)
        ops = _fewer(ops, trials)
        if trials.kept == before or not trials.left:
            break
    return ops


class Budget:
    """Trials that may still be made."""

    def __init__(self, left: int, differs: StillDiffers) -> None:
        self.left: int = left
        self.kept: int = 0
        """Trials after which the sequence was shorter or simpler."""
        self._differs: StillDiffers = differs

    def try_out(self, ops: list[Op]) -> bool:
        """Whether `ops` still differ; no once nothing is left."""
        if not self.left:
            return False
        self.left -= 1
        if self._differs(ops):
            self.kept += 1
            return True
        return False


def _fewer(ops: list[Op], trials: Budget) -> list[Op]:
    """Delta debugging: leave out ever smaller pieces."""
    size = max(1, len(ops) // 2)
    while True:
        at = 0
        removed = False
        while at < len(ops) and trials.left:
            shorter = ops[:at] + ops[at + size :]
            if shorter and trials.try_out(shorter):
                ops = shorter
                removed = True
            else:
                at += size
        if not trials.left or (size == 1 and not removed):
            return ops
        size = max(1, size // 2)


def _simpler(ops: list[Op], trials: Budget) -> list[Op]:
    """Values one by one towards zero, data shorter."""
    for index in range(len(ops)):
        for simpler in _simpler_ops(ops[index]):
            if not trials.left:
                return ops
            candidate = [*ops[:index], simpler, *ops[index + 1 :]]
            if trials.try_out(candidate):
                ops = candidate
                break
    return ops


def _simpler_ops(op: Op) -> Iterator[Op]:
    kind = op[0]
    if kind == "w":
        yield from ([*op[:4], value, *op[5:]] for value in _smaller(op[4]))
    elif kind == "cw":
        yield from ([*op[:3], value] for value in _smaller(op[3]))
    elif kind == "mw" or kind == "inject":
        data = bytes.fromhex(op[2])
        yield from ([kind, op[1], simpler.hex()] for simpler in _less(data))
    elif kind == "mf" and op[2] > 1:
        yield [kind, op[1], op[2] // 2, op[3]]


def _smaller(value: int) -> Iterator[int]:
    yield from (small for small in SMALL if small < value)


def _less(data: bytes) -> Iterator[bytes]:
    if len(data) > 1:
        yield data[: len(data) // 2]
        yield data[:-1]
    if any(data):
        yield bytes(len(data))


def with_syncs(ops: list[Op]) -> list[Op]:
    """The operations, each that may set something in motion followed by a ``sync``.

    What QEMU's main loop does between two writes is a matter of luck: a frame that a reset or DRIVER_OK lets come, a bottom half.
    """
    out: list[Op] = []
    for index, op in enumerate(ops):
        out.append(op)
        following = ops[index + 1][0] if index + 1 < len(ops) else "sync"
        if following not in ("sync", "check") and sets_in_motion(op):
            out.append(["sync"])
    return out


def sets_in_motion(op: Op) -> bool:
    """A write to a status, a notification, a queue's reset or enable register, or anything in configuration space."""
    if op[0] == "cw":
        return True
    if op[0] != "w":
        return False
    bar, offset, size = int(op[1]), int(op[2]), int(op[3])
    if bar == 4:
        return offset >= NOTIFY_AT or any(offset <= place < offset + size for place in IN_MOTION)
    return bar == 2 or (bar == 0 and offset < LEGACY_END and offset + size > LEGACY_NOTIFY)


def forget_answers(ops: list[Op]) -> list[Op]:
    """The operations without what a QEMU answered, fit to be recorded again."""
    out: list[Op] = []
    for op in ops:
        if op[0] == "r":
            out.append([*op[:4], None, *op[5:]])
        elif op[0] == "cr":
            out.append([*op[:3], None])
        elif op[0] == "check":
            keys: dict[str, Any] = {key: op[1][key] for key in ("isr", "status", "gen", "msi", "legacy", "note") if key in op[1]}
            out.append(["check", keys])
        elif op[0] != "died":
            out.append(op)
    return out
