"""Recording: operations go to a real QEMU, and what it answers is written into them."""

from __future__ import annotations

import copy
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringscope_core.conform.case import MSI_BASE, MSI_SLOTS, Op
from ringscope_core.conform.live.qemu_target import QemuTarget
from ringscope_core.conform.replay import INTERRUPT_BIT, changed_ranges, low_bytes
from ringscope_core.conform.target import TargetDied

LEGACY_STATUS: Final = 0x12


class Recorder:
    """Runs one sequence.  A ``check`` of the sequence names by its keys what shall be looked at."""

    def __init__(self, target: QemuTarget, isr_at: tuple[int, int], status_at: tuple[int, int]) -> None:
        self.target: QemuTarget = target
        self.isr_at: tuple[int, int] = isr_at
        self.status_at: tuple[int, int] = status_at
        self.ram: NDArray[Any] = target.ram()
        self.image: NDArray[Any] = self.ram.copy()

    def record(self, ops: list[Op]) -> tuple[list[Op], dict[str, Any]]:
        """The operations with QEMU's answers, and its final state; they end with ``died`` when it aborted."""
        done: list[Op] = []
        try:
            for op in ops:
                op = copy.copy(op)
                done.append(op)
                self._do(op)
            self.target.flush()
            return done, self.target.final()
        except TargetDied as died:
            if done and done[-1][0] == "check":
                done.pop()
            # what was asked for and not answered any more
            done = [op for op in done if not (op[0] in ("r", "cr") and None in op)]
            done.append(["died", died.code, died.messages])
            return done, {}

    def _do(self, op: Op) -> None:
        target, kind = self.target, op[0]
        if kind == "w":
            target.bar_write(op[1], op[2], op[3], low_bytes(op[4], op[3]))
        elif kind == "r":
            target.later_bar_read(op[1], op[2], op[3], op, 4)
        elif kind == "mw":
            self._write(op[1], np.frombuffer(bytes.fromhex(op[2]), dtype=np.uint8))
        elif kind == "mf":
            self._write(op[1], np.full(op[2], op[3], dtype=np.uint8))
        elif kind == "check":
            op[1] = self._check(op[1])
        elif kind == "inject":
            target.inject(op[1], bytes.fromhex(op[2]))
        elif kind == "cr":
            target.later_cfg_read(op[1], op[2], op, 3)
        elif kind == "cw":
            target.cfg_write(op[1], op[2], low_bytes(op[3], op[2]))
        elif kind == "mr":
            target.flush()
            op[3] = self.ram[op[1] : op[1] + op[2]].tobytes().hex()
        elif kind == "link":
            target.link(bool(op[1]))
        elif kind == "announce":
            target.announce(*op[1:])
        elif kind == "sleep":
            target.sleep(op[1])
        elif kind == "sync":
            # a bottom half that schedules itself again after each burst takes many turns
            target.quiet()

    def _write(self, address: int, data: NDArray[Any]) -> None:
        self.target.before_ram_write()
        self.ram[address : address + len(data)] = data
        self.image[address : address + len(data)] = data

    def _check(self, wanted: dict[str, Any]) -> dict[str, Any]:
        target = self.target
        target.quiet()
        seen: dict[str, Any] = {}
        if "note" in wanted:
            seen["note"] = wanted["note"]
        if "msi" in wanted:
            area = slice(MSI_BASE, MSI_BASE + 4 * MSI_SLOTS)
            words = np.frombuffer(self.ram[area].tobytes(), dtype="<u4")
            seen["msi"] = [[int(slot), int(words[slot])] for slot in np.flatnonzero(words)]
            self.ram[area] = 0
            self.image[area] = 0
        changes = changed_ranges(self.image, self.ram)
        seen["mem"] = [[start, self.ram[start:end].tobytes().hex()] for start, end in changes]
        for start, end in changes:
            self.image[start:end] = self.ram[start:end]
        sent = target.take_tx()
        if target.config.peer.takes_frames:
            seen["tx"] = [[queue, frame.hex()] for queue, frame in sent]
        told = target.take_peer()
        if told:
            seen["peer"] = told
        answers: list[Any] = [0, 0, 0, 0]
        target.later_cfg_read(6, 2, answers, 0)
        bar, offset = self.status_at
        if "isr" in wanted:
            target.later_bar_read(*self.isr_at, 1, answers, 1)
        if wanted.get("legacy"):
            bar, offset = 0, LEGACY_STATUS
            seen["legacy"] = 1
        if "status" in wanted:
            target.later_bar_read(bar, offset, 1, answers, 2)
        if "gen" in wanted:
            target.later_bar_read(self.status_at[0], self.status_at[1] + 1, 1, answers, 3)
        target.flush()
        seen["intx"] = answers[0] >> INTERRUPT_BIT & 1
        seen |= {key: answers[place] for place, key in ((1, "isr"), (2, "status"), (3, "gen")) if key in wanted}
        messages = target.take_messages()
        if messages:
            seen["stderr"] = messages
        return seen
