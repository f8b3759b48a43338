"""Replaying a case on a target, step by step, and comparing what can be seen."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringscope_core.conform.case import MSI_BASE, MSI_SLOTS, Case, CaseConfig, Op
from ringscope_core.conform.final import comparable
from ringscope_core.conform.outcome import Difference, Outcome
from ringscope_core.conform.target import Target, TargetDied, TargetError

MakeTarget = Callable[[CaseConfig], Target]
SHOWN_BYTES: Final = 48
CONFIG_STATUS: Final = 6
"""PCI status register."""
INTERRUPT_BIT: Final = 3
LEGACY_STATUS: Final = 0x12


@dataclass(frozen=True)
class Observation:
    """One thing compared at a step."""

    field: str
    expected: Any
    got: Any

    @property
    def equal(self) -> bool:
        """Both sides say the same."""
        return bool(self.expected == self.got)


@dataclass
class Step:
    """One operation with everything that was looked at; `index` is its place in the case, ``len(ops)`` for the final state."""

    index: int
    op: Op
    seen: list[Observation] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Nothing differs at this step."""
        return all(one.equal for one in self.seen)


def brief(value: Any) -> str:
    """A value on one line, cut when it is long."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) < 400 else f"{text[:300]}...({len(text)})"


def _queue_of(frame: list[Any]) -> int:
    return int(frame[0])


def low_bytes(value: int, size: int) -> int:
    """What a bus takes of `value`."""
    return value & ((1 << 8 * size) - 1)


class Replay:
    """Goes through one case on one target."""

    def __init__(self, case: Case, target: Target) -> None:
        self.case: Case = case
        self.target: Target = target
        self.ram: NDArray[Any] = target.ram()
        self.image: NDArray[Any] = self.ram.copy()
        """What memory should hold."""

    def steps(self) -> Iterator[Step]:
        """Every operation in turn."""
        index = -1
        try:
            for index, op in enumerate(self.case.ops):
                step = Step(index, op)
                self._do(step)
                yield step
            if self.case.final:
                index = len(self.case.ops)
                yield self._final(index)
        except TargetDied as died:
            yield Step(index, ["died"], [Observation("died", "goes on", f"ended with {died.code}: {' '.join(died.messages)}")])
        except TargetError as error:
            yield Step(index, ["stuck"], [Observation("stuck", "goes on", str(error))])
        except Exception as error:
            # a defect of the device model is a difference like any other, and the other cases still count
            place = traceback.extract_tb(error.__traceback__)[-1]
            yield Step(index, ["defect"], [Observation("defect", "goes on", f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})")])

    def _do(self, step: Step) -> None:
        op, target = step.op, self.target
        kind = op[0]
        if kind == "w":
            target.bar_write(op[1], op[2], op[3], low_bytes(op[4], op[3]))
        elif kind == "r":
            name = f" {op[5]}" if len(op) > 5 else ""
            step.seen.append(Observation(f"read bar{op[1]}+{op[2]:#x}/{op[3]}{name}", hex(op[4]), hex(target.bar_read(op[1], op[2], op[3]))))
        elif kind == "mw":
            self._write(op[1], np.frombuffer(bytes.fromhex(op[2]), dtype=np.uint8))
        elif kind == "mf":
            self._write(op[1], np.full(op[2], op[3], dtype=np.uint8))
        elif kind == "check":
            self._check(step, op[1])
        elif kind == "inject":
            target.inject(op[1], bytes.fromhex(op[2]))
        elif kind == "cr":
            step.seen.append(Observation(f"config read {op[1]:#x}/{op[2]}", hex(op[3]), hex(target.cfg_read(op[1], op[2]))))
        elif kind == "cw":
            target.cfg_write(op[1], op[2], low_bytes(op[3], op[2]))
        elif kind == "mr":
            step.seen.append(Observation(f"memory {op[1]:#x}", op[3].lower(), self.ram[op[1] : op[1] + op[2]].tobytes().hex()))
        elif kind == "link":
            target.link(bool(op[1]))
        elif kind == "announce":
            target.announce(*op[1:])
        elif kind == "sleep":
            target.sleep(op[1])
        elif kind == "sync":
            target.settle()
        elif kind == "died":
            self._died(step)

    def _write(self, address: int, data: NDArray[Any]) -> None:
        self.ram[address : address + len(data)] = data
        self.image[address : address + len(data)] = data
        self.target.ram_written()

    # -- looking ------------------------------------------------------------------------------------------------------
    def _check(self, step: Step, expected: dict[str, Any]) -> None:
        target, seen = self.target, step.seen
        target.settle()
        if "msi" in expected:
            seen.append(Observation("msi", expected["msi"], self._take_msi()))
        if "mem" in expected:
            self._compare_memory(step, expected["mem"])
        if "tx" in expected:
            # the recorder reads one queue after another: only the order within each is known
            got = [[queue, frame.hex()] for queue, frame in target.take_tx()]
            seen.append(Observation("tx", sorted(expected["tx"], key=_queue_of), sorted(got, key=_queue_of)))
        seen.append(Observation("peer", expected.get("peer", {}), target.take_peer()))
        if "intx" in expected:
            seen.append(Observation("intx", expected["intx"], target.cfg_read(CONFIG_STATUS, 2) >> INTERRUPT_BIT & 1))
        if "isr" in expected:
            seen.append(Observation("isr", expected["isr"], target.bar_read(*self.case.isr_at, 1)))
        bar, offset = self.case.status_at
        if "status" in expected:
            status = target.bar_read(0, LEGACY_STATUS, 1) if expected.get("legacy") else target.bar_read(bar, offset, 1)
            seen.append(Observation("status", hex(expected["status"]), hex(status)))
        if "gen" in expected:
            seen.append(Observation("gen", expected["gen"], target.bar_read(bar, offset + 1, 1)))
        seen.append(Observation("stderr", expected.get("stderr", []), target.take_messages()))

    def _take_msi(self) -> list[list[int]]:
        """Messages that arrived; afterwards there are none."""
        area = slice(MSI_BASE, MSI_BASE + 4 * MSI_SLOTS)
        if area.stop > len(self.ram):
            return []
        words = np.frombuffer(self.ram[area].tobytes(), dtype="<u4")
        found = [[int(slot), int(words[slot])] for slot in np.flatnonzero(words)]
        self.ram[area] = 0
        self.image[area] = 0
        return found

    def _compare_memory(self, step: Step, changes: list[list[Any]]) -> None:
        """The device changed exactly what it should have."""
        image, ram = self.image, self.ram
        for address, data in changes:
            change = np.frombuffer(bytes.fromhex(data), dtype=np.uint8)
            image[address : address + len(change)] = change
        for start, end in changed_ranges(image, ram):
            cut = min(end, start + SHOWN_BYTES)
            step.seen.append(Observation(f"mem {start:#x} ({end - start} bytes)", image[start:cut].tobytes().hex(), ram[start:cut].tobytes().hex()))
        if step.equal:
            step.seen.append(Observation("mem", changes, changes))
        else:
            image[:] = ram

    def _died(self, step: Step) -> None:
        """QEMU aborted here; ours must go on and still answer."""
        self.target.settle()
        alive = self.target.cfg_read(0, 2)
        expected = f"QEMU aborts: {' '.join(step.op[2])}"
        step.seen.append(Observation("died", expected, "goes on" if alive == 0x1AF4 else f"goes on, but its vendor id reads {alive:#x}"))

    def _final(self, index: int) -> Step:
        step = Step(index, ["final"])
        got, want = comparable(self.target.final()), comparable(self.case.final)
        for key, value in want.items():
            have = got.get(key)
            if isinstance(value, dict) and isinstance(have, dict):
                step.seen += [Observation(f"final {key} {name}", value.get(name), have.get(name)) for name in {**value, **have}]
            elif key == "vqs" and isinstance(value, list) and all(isinstance(one, dict) for one in value) and len(value) == len(have):
                for number, (one, other) in enumerate(zip(value, have, strict=True)):
                    step.seen += [Observation(f"final vq[{number}] {name}", one[name], other.get(name)) for name in one]
            else:
                step.seen.append(Observation(f"final {key}", value, have))
        return step


def changed_ranges(before: NDArray[Any], after: NDArray[Any], gap: int = 8) -> list[tuple[int, int]]:
    """Where two memories differ, as [start, end); ranges at most `gap` equal bytes apart are one."""
    words = np.flatnonzero(before.view(np.uint64) != after.view(np.uint64))
    if not len(words):
        return []
    places = (words[:, None] * 8 + np.arange(8)).ravel()
    places = places[before[places] != after[places]]
    cuts = np.flatnonzero(np.diff(places) > gap)
    starts = places[np.concatenate(([0], cuts + 1))]
    ends = places[np.concatenate((cuts, [len(places) - 1]))] + 1
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def outcome_of(case: Case, steps: Iterator[Step]) -> Outcome:
    """All differences of a case's steps."""
    outcome = Outcome(case.id, case.title)
    for step in steps:
        for one in step.seen:
            if not one.equal:
                where = one.field if step.op[0] == "final" else f"op {step.index} {one.field}"
                outcome.differences.append(Difference(where, brief(one.expected), brief(one.got)))
    return outcome


def replay(case: Case, make: MakeTarget) -> Outcome:
    """Run `case` on a new target."""
    try:
        target = make(case.config)
    except TargetError as error:
        return Outcome(case.id, case.title, [Difference("config", "the device is made", str(error))])
    except Exception as error:
        return Outcome(case.id, case.title, [Difference("defect", "the device is made", f"{type(error).__name__}: {error}")])
    try:
        return outcome_of(case, Replay(case, target).steps())
    finally:
        target.close()
