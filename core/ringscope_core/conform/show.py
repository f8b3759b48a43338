"""A case as text: every step, both sides, the first difference marked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ringscope_core.conform.case import Case, Op
from ringscope_core.conform.registers import PCI_CONFIG, register_name
from ringscope_core.conform.replay import Observation, Replay, Step, brief
from ringscope_core.conform.ring_map import RingMap
from ringscope_core.conform.target import Target

MARK: Final = ">>>"
PLAIN: Final = "   "
LONGEST: Final = 96


def show_case(case: Case, target: Target) -> Iterator[str]:
    """The lines, as the case is replayed on `target`."""
    yield f"{case.id}: {case.title}"
    peer = case.config.peer
    tap = f" with {peer.queues} queues, vnet_hdr {'on' if peer.vnet_hdr else 'off'}" if peer.kind == "tap" else ""
    yield f"  -M {case.config.machine} -device {case.config.device_option()}   peer {peer.kind}{tap}, recorded on QEMU {case.profile}"
    rings = RingMap()
    marked = False
    differences = 0
    replay = Replay(case, target)
    for step in replay.steps():
        first = not step.equal and not marked
        marked = marked or first
        differences += sum(not one.equal for one in step.seen)
        yield from _step_lines(step, rings, first, replay)
        rings.follow(step.op)
    yield f"{differences} differences" if differences else "no difference"


def _step_lines(step: Step, rings: RingMap, first: bool, replay: Replay) -> Iterator[str]:
    mark = MARK if first else PLAIN
    yield f"{mark} {step.index:>5}  {describe(step.op)}"
    if step.op[0] == "mw":
        yield from (f"{PLAIN}        | {line}" for line in rings.decode(step.op[1], bytes.fromhex(step.op[2])))
    for one in step.seen:
        yield from _observation(one, rings, first, replay)


def _observation(one: Observation, rings: RingMap, first: bool, replay: Replay) -> Iterator[str]:
    if one.equal:
        text = brief(one.expected)
        if one.expected not in ([], {}, "") and not (one.field == "mem" and not one.expected):
            yield f"{PLAIN}         = {one.field}: {text[:LONGEST]}"
        if one.field == "mem":
            for address, data in one.expected:
                # whole words: only the bytes that changed are recorded
                start, end = address & ~1, min(len(replay.ram), address + len(data) // 2 + 1 & ~1)
                yield from (f"{PLAIN}           | {line}" for line in rings.decode(start, replay.ram[start:end].tobytes()))
        return
    mark = MARK if first else " ! "
    yield f"{mark}       ! {one.field}"
    for side, value in (("qemu", one.expected), ("ours", one.got)):
        yield f"{mark}           {side}: {brief(value)}"
        if one.field.startswith("mem ") and isinstance(value, str):
            address = int(one.field.split()[1], 16)
            yield from (f"{mark}               | {line}" for line in rings.decode(address, bytes.fromhex(value)))


def _hex(value: Any) -> str:
    return f"{value:#x}" if isinstance(value, int) else str(value)


def _data(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text) // 2} bytes)"


def describe(op: Op) -> str:
    """One operation in words."""
    kind = op[0]
    if kind in ("r", "w"):
        name = register_name(op[1], op[2], op[5] if len(op) > 5 else "")
        place = f"bar{op[1]}+{op[2]:#x}/{op[3]}{f'  {name}' if name else ''}"
        return f"write {place} = {_hex(op[4])}" if kind == "w" else f"read  {place}"
    if kind in ("cr", "cw"):
        name = PCI_CONFIG.get(op[1], "")
        place = f"config {op[1]:#x}/{op[2]}{f'  {name}' if name else ''}"
        return f"write {place} = {_hex(op[3])}" if kind == "cw" else f"read  {place}"
    if kind == "mw":
        return f"guest writes {op[1]:#x}: {_data(op[2])}"
    if kind == "mf":
        return f"guest fills {op[1]:#x}, {op[2]} bytes, with {op[3]:#x}"
    if kind == "mr":
        return f"guest reads {op[1]:#x}, {op[2]} bytes"
    if kind == "inject":
        return f"frame to queue {op[1]}, {len(op[2]) // 2} bytes: {_data(op[2])}"
    if kind == "link":
        return f"set_link {'on' if op[1] else 'off'}"
    if kind == "check":
        return f"check{': ' + str(op[1]['note']) if 'note' in op[1] else ''}"
    return " ".join(str(part) for part in op)
