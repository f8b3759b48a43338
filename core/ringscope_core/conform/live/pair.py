"""A real QEMU and our machine side by side: a sequence is recorded on the one and replayed on the other."""

from __future__ import annotations

from dataclasses import dataclass

from ringscope_core.conform.case import Case, CaseConfig, Op
from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.conform.live.qemu_target import QemuTarget
from ringscope_core.conform.live.recorder import Recorder
from ringscope_core.conform.machine_target import MachineTarget
from ringscope_core.conform.outcome import Outcome
from ringscope_core.conform.replay import replay
from ringscope_core.conform.target import TargetDied
from ringscope_core.trace.levels import LEVEL_COUNTERS


@dataclass(frozen=True)
class Places:
    """Where a case's ISR and status bytes are."""

    isr_at: tuple[int, int]
    status_at: tuple[int, int]


class Pair:
    """Keeps one QEMU for as long as its sequences have the same board and netdev; each gets a device of its own."""

    def __init__(self, profile: str, reuse: int) -> None:
        self.profile: str = profile
        self.reuse: int = reuse
        """Sequences that one process may run."""
        self.started: int = 0
        self._qemu: QemuTarget | None = None
        self._spare: QemuTarget | None = None

    def prepare(self, config: CaseConfig) -> None:
        """Start the process of the next device, while the present one works."""
        if self._spare is None and not self._fits(self._qemu, config):
            self._spare = QemuTarget(config)
            self.started += 1

    def _fits(self, qemu: QemuTarget | None, config: CaseConfig) -> bool:
        # a tap remembers what devices told it
        return (
            qemu is not None
            and config.peer.kind != "tap"
            and config.machine.startswith("pc-i440fx")
            and not config.behind_root_port
            and (qemu.config.machine, qemu.config.peer, qemu.config.ram) == (config.machine, config.peer, config.ram)
            and qemu.process.resets + 1 < self.reuse
        )

    def _take(self, config: CaseConfig, fresh: bool) -> QemuTarget:
        qemu = self._qemu
        if not fresh and qemu is not None and self._fits(qemu, config):
            try:
                qemu.replug(config)
                return qemu
            except (HarnessError, TargetDied):
                pass
        self.drop()
        spare, self._spare = self._spare, None
        if spare is not None and spare.config != config:
            spare.close()
            spare = None
        if spare is None:
            spare = QemuTarget(config)
            self.started += 1
        spare.start()
        self._qemu = spare
        return spare

    def record(self, name: str, config: CaseConfig, places: Places, ops: list[Op], fresh: bool = False) -> Case:
        """What QEMU does; raises TargetError when it refuses the device, HarnessError when it cannot be driven."""
        qemu = self._take(config, fresh)
        try:
            done, final = Recorder(qemu, places.isr_at, places.status_at).record(ops)
        except HarnessError:
            self.drop()
            raise
        if done and done[-1][0] == "died":
            self.drop()
        return Case(name, config, done, final, "live", "", isr_at=places.isr_at, status_at=places.status_at, profile=self.profile)

    def compare(self, case: Case) -> Outcome:
        """What ours does."""
        return replay(case, lambda config: MachineTarget(config, self.profile, int(LEVEL_COUNTERS)))

    def drop(self) -> None:
        """The process is not to be used again."""
        if self._qemu is not None:
            self._qemu.close()
            self._qemu = None

    def close(self) -> None:
        """End everything."""
        self.drop()
        if self._spare is not None:
            self._spare.close()
            self._spare = None
