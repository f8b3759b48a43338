"""A machine with a guest, run by a loop of a few lines: no scenario, no engine, no recorder."""

from __future__ import annotations

import struct

from ringscope_core.guest.config import ActionSpec, DriverConfig, TrafficSpec
from ringscope_core.guest.kernel import GuestKernel
from ringscope_core.hw.machine import Machine
from ringscope_core.net.backends.backend import Backend
from ringscope_core.qom.profile import DEFAULT_MACHINE, PROFILE_4_1
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.mainloop import MainLoop
from ringscope_core.trace.state import MachineState, apply

GUEST_TURN_NS = 2000
DEVICE_TURN_NS = 1000


class Folding(BlockSink):
    """Folds every block as it comes."""

    def __init__(self) -> None:
        self.state = MachineState()
        self.counts: dict[int, int] = {}

    def on_block(self, first_seq: int, rows: bytes) -> None:
        for row in struct.iter_unpack("<qqiiqqqqqqq", rows):
            apply(self.state, row)
            self.counts[row[2]] = self.counts.get(row[2], 0) + 1


class Box:
    """One machine, its backends, its guest."""

    def __init__(
        self,
        netdev: str = "responder,id=n0",
        device: str = "virtio-net-pci,netdev=n0,id=net0",
        config: DriverConfig | None = None,
        traffic: list[TrafficSpec] | None = None,
        level: int = int(LEVEL_FULL),
        profile: str = PROFILE_4_1,
        machine: str = DEFAULT_MACHINE,
        actions: list[ActionSpec] | None = None,
    ) -> None:
        self.log = EventLog(Clock())
        self.log.level = level
        self.folding = Folding()
        self.log.sink = self.folding
        self.loop = MainLoop(self.log.clock)
        self.machine = Machine(self.log, self.loop, 64 << 20, profile, machine)
        for option in netdev.split(" "):
            self.machine.netdev_add(option)
        for option in device.split(" "):
            assert self.machine.device_add(option) is not None, self.machine.world.messages
        self.machine.system_reset()
        self.machine.cont()
        self.guest = GuestKernel(self.machine.ports, config or DriverConfig(), traffic or [], actions=actions)

    def turn(self) -> int:
        """One turn of everything; returns how much moved."""
        self.log.clock.advance_to(self.log.clock.now_ns + DEVICE_TURN_NS)
        moved = int(self.loop.run_bottom_halves() + self.loop.run_timers())
        self.log.clock.advance_to(self.log.clock.now_ns + GUEST_TURN_NS)
        self.machine.memory.turn += 1
        moved += int(self.guest.run())
        self.machine.memory.turn += 1
        for client in list(self.machine.net.clients):
            if isinstance(client, Backend):
                moved += int(client.poll())
        return moved

    def run(self, turns: int = 100000) -> None:
        """Until the programs are done and nothing moves, or nothing ever will."""
        for _ in range(turns):
            if self.turn():
                continue
            if self.guest.finished() and all(client.done() for client in self.machine.net.clients if isinstance(client, Backend)):
                return
            deadline = self.loop.next_deadline_ns()
            if deadline < 0:
                return
            self.log.clock.advance_to(deadline)
        raise AssertionError(f"still busy after {turns} turns: {self.guest.stats()}")

    def close(self) -> None:
        """Let go of the backends' files."""
        for client in list(self.machine.net.clients):
            client.cleanup()

    def folded(self) -> MachineState:
        """What the events so far say."""
        self.log.flush()
        return self.folding.state

    def snapshot(self) -> MachineState:
        """What the guest itself says."""
        state = MachineState()
        self.guest.snapshot(state)
        return state


def traffic(kind: str, **settings: float) -> TrafficSpec:
    """A workload with some settings changed."""
    spec = TrafficSpec(kind)
    for name, value in settings.items():
        setattr(spec, name, value)
    return spec


def action(do: str, at_ns: int, **settings: object) -> ActionSpec:
    """An action with some settings changed."""
    spec = ActionSpec(do, at_ns)
    for name, value in settings.items():
        setattr(spec, name, value)
    return spec


def driver(**settings: object) -> DriverConfig:
    """A driver configuration with some settings changed."""
    config = DriverConfig()
    for name, value in settings.items():
        setattr(config, name, value)
    return config
