"""One run: a machine, its guest, its network, and how time passes for them.

In process, without sockets or threads: the engine process, the command line, the figures and the tests all drive this class.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from ringscope_core.engine.debugger import Debugger
from ringscope_core.engine.pacing import MAX, Pacing
from ringscope_core.engine.recorder import Recorder
from ringscope_core.engine.sinks import EventDigest, FrameDigest
from ringscope_core.guest.kernel import GuestKernel
from ringscope_core.hw.machine import Machine
from ringscope_core.net.backends import backend_warnings, net_check_clients
from ringscope_core.net.errors import NetOptionError
from ringscope_core.qom.world import World
from ringscope_core.scenario.model import Scenario
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.kinds import EV_MARK, EV_RUN_STATE, EV_SAMPLE
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import BlockSink, EventLog
from ringscope_core.trace.mainloop import MainLoop
from ringscope_core.trace.state import MachineState

SAMPLE_NS: Final = 1_000_000_000 // 60
"""Between two keyframes: of virtual time in a headless run, of wall time in a live one."""
KEYFRAME_EVENTS: Final = 65536
"""A headless recording has a keyframe after that many events at the latest, so that every moment is near one."""
IDLE_WAIT_S: Final = 0.002
"""How long the run sleeps at most while sockets may bring something, or somebody may ask for something."""
FOREVER: Final = 1 << 62

PRELAUNCH: Final = 0
RUNNING: Final = 1
PAUSED: Final = 2
FINISHED: Final = 3
FAILED: Final = 4

_SOCKET_KINDS: Final = ("dgram",)
"""Backends to which frames come from outside, at any time."""


class Run:
    """A scenario being run.

    `trace_level` as in `trace.levels`; `recorder` writes a session; `live` says that somebody watches (samples go by wall
    time); `factor` is virtual time per wall time, `MAX` for no waiting; `digests` keeps digests of events and frames.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        trace_level: int = int(LEVEL_FULL),
        recorder: Recorder | None = None,
        live: bool = False,
        factor: float = MAX,
        digests: bool = True,
        sink: BlockSink | None = None,
    ) -> None:
        self.scenario: Scenario = scenario
        self.seed: int = scenario.seed if seed is None else seed
        self.live: bool = live
        self.log: EventLog = EventLog(Clock())
        self.log.level = trace_level
        self.clock: Clock = self.log.clock
        self.loop: MainLoop = MainLoop(self.clock)
        self.recorder: Recorder | None = recorder
        self.debugger: Debugger | None = None
        self.pacing: Pacing = Pacing(self.clock, scenario.time.mode == "realtime", factor)
        self.run_state: int = PRELAUNCH
        self.failures: list[str] = []
        """Messages of devices and backends that could not be made."""
        self.event_digest: EventDigest | None = None
        self.frame_digest: FrameDigest | None = None
        self.turns: int = 0
        self.preparing: bool = False
        """`build` runs a recording again before it comes to its own beginning."""
        self.disturbed: bool = False
        """Somebody changed the machine since the last turn: no time passes before the next one."""
        self._device_turn_ns: int = 0 if self.pacing.realtime else scenario.time.device_turn_ns
        self._guest_turn_ns: int = 0 if self.pacing.realtime else scenario.time.guest_turn_ns
        self._sample_due: int = 0
        self._marks: list[tuple[int, str, str]] = sorted((mark.at_ns(), mark.name, mark.note) for mark in scenario.mark)
        self.log.sink = sink
        # making a machine emits events
        self._attach_event_sinks(digests)
        self.machine: Machine = Machine(self.log, self.loop, scenario.machine.ram_bytes(), scenario.profile, scenario.machine_type())
        config = scenario.driver_config()
        config.seed = self.seed
        self.guest: GuestKernel = GuestKernel(self.machine.ports, config, scenario.traffic_specs(), digests, scenario.action_specs())
        self._attach_packet_sinks(digests)

    def _attach_event_sinks(self, digests: bool) -> None:
        if self.recorder is not None:
            self.recorder.attach(self.log)
        if digests:
            self.event_digest = EventDigest(self.log.sink)
            self.log.sink = self.event_digest

    def _attach_packet_sinks(self, digests: bool) -> None:
        if self.recorder is not None:
            self.recorder.attach_packets(self.machine.packets)
        if digests:
            self.frame_digest = FrameDigest(self.machine.packets.sink)
            self.machine.packets.sink = self.frame_digest

    @property
    def world(self) -> World:
        """The machine's objects and types."""
        return self.machine.world

    # -- building -----------------------------------------------------------------------------------------------------
    def build(self) -> bool:
        """Create backends, board devices and the scenario's devices, then boot the guest; false when QEMU would not have started.

        As main does: backends first (net_init_clients), then -device in order, then the warnings about clients without a peer,
        then the system's reset, then the machine runs.  What failed stands in `failures`, in QEMU's words.
        """
        self._set_state(PRELAUNCH, "")
        if not (self._add_netdevs() and self._add_devices()):
            self._set_state(FAILED, self.failures[-1])
            self._sample(True)
            return False
        for warning in [*backend_warnings(self.machine.net), *net_check_clients(self.machine.net)]:
            self.world.warn_report(warning)
        self.machine.system_reset()
        self._set_state(RUNNING, "")
        self.machine.cont()
        if self.scenario.driver.enabled:
            self.machine.memory.turn += 1
            self.guest.boot()
            self.machine.memory.turn += 1
        self._sample(True)
        if self.recorder is not None:
            # how the machine was built is what people look at most: a bounded recording keeps it
            self.recorder.pin()
        return True

    def _add_netdevs(self) -> bool:
        for option in self.scenario.netdev:
            try:
                self.machine.netdev_add(option)
            except NetOptionError as error:
                self.world.error_report(f"-netdev {option}: {error.text}")
                self.failures.append(self.world.messages[-1])
                return False
        return True

    def _add_devices(self) -> bool:
        for option in self.scenario.device:
            before = len(self.world.messages)
            if self.machine.device_add(option) is None:
                self.failures.extend(self.world.messages[before:])
                return False
        return True

    def _set_state(self, state: int, reason: str) -> None:
        self.run_state = state
        self.log.emit(EV_RUN_STATE, 0, state, self.log.text(reason))

    # -- running ------------------------------------------------------------------------------------------------------
    def turn(self) -> bool:
        """One turn of the main loop; returns whether anything moved."""
        clock, memory = self.clock, self.machine.memory
        self.disturbed = False
        clock.refresh_wall()
        self.pacing.follow()
        self._time_moved(True)
        moved = int(self.loop.run_bottom_halves()) + int(self.loop.run_timers())
        # from here on the guest may write what the device has read
        memory.turn += 1
        if moved:
            clock.now_ns += self._device_turn_ns
            self._time_moved(False)
        worked = int(self.guest.run())
        memory.turn += 1
        if worked:
            clock.now_ns += self._guest_turn_ns
            self._time_moved(False)
        delivered = int(self.machine.net.poll())
        if delivered:
            clock.now_ns += self._device_turn_ns
            self._time_moved(False)
        self.turns += 1
        self._end_turn()
        return bool(moved or worked or delivered)

    def _time_moved(self, between_turns: bool) -> None:
        """Virtual time has moved: where a breakpoint on a time stops, before anything happens at that time."""
        debugger = self.debugger
        if debugger is not None and int(self.clock.now_ns) >= debugger.time_due:
            debugger.time_reached(between_turns)

    def _end_turn(self) -> None:
        now = int(self.clock.now_ns)
        while self._marks and now >= self._marks[0][0]:
            _, name, note = self._marks.pop(0)
            self.mark(name, note)
        recorder = self.recorder
        wanted = recorder is not None and recorder.tick()
        if wanted or (int(self.clock.wall_ns) if self.live else now) >= self._sample_due:
            self._sample(wanted)
        elif recorder is not None and not self.live and int(self.log.seq) - recorder.keyframe_seq > KEYFRAME_EVENTS:
            recorder.keyframe(self.state())

    def mark(self, name: str, note: str = "") -> None:
        """Name the moment."""
        seq = self.log.emit(EV_MARK, 0, self.log.text(name))
        if self.recorder is not None:
            self.recorder.flush()
            self.recorder.writer.add_mark(int(seq), int(self.clock.now_ns), name, note)

    def record_control(self, name: str, arguments: Mapping[str, object]) -> None:
        """Write into the recording that a command takes effect now: before the next event, at this virtual time."""
        if self.recorder is not None:
            self.recorder.writer.add_control(int(self.log.seq), int(self.clock.now_ns), name, arguments)

    def replayed(self) -> list[int]:
        """While `preparing`: events made so far, and events to make."""
        return [int(self.log.seq), int(self.log.seq)]

    def pass_time(self, until_vt: int = FOREVER) -> bool:
        """Nothing moves: let time pass to the next thing that will happen, not beyond `until_vt`; false when nothing ever will."""
        if self.disturbed:
            return True
        target = self._next_vt(until_vt)
        if target < 0:
            if not self._expects_frames():
                return False
            self._wait(IDLE_WAIT_S)
        elif self.pacing.realtime:
            self._wait(min(self.pacing.wait_s(target), IDLE_WAIT_S))
        else:
            self._advance(target)
        return True

    def _next_vt(self, until_vt: int) -> int:
        """Virtual time of the next thing that is known to happen, -1 for none."""
        times = [int(self.loop.next_deadline_ns()), self._marks[0][0] if self._marks else -1, until_vt if until_vt < FOREVER else -1]
        if self.debugger is not None and self.debugger.time_due < FOREVER:
            times.append(self.debugger.time_due)
        target = min((vt for vt in times if vt >= 0), default=-1)
        if target > self._sample_due and not self.live and (self.recorder is not None or self.log.level < LEVEL_FULL):
            # samples stand at the same virtual times however fast time passes
            return self._sample_due
        return target

    def _advance(self, target: int) -> None:
        """Move virtual time to `target`, or as far as the wall clock lets it: a watched clock creeps, it does not jump."""
        wait = self.pacing.wait_s(target)
        if wait > 0:
            self._wait(min(wait, IDLE_WAIT_S))
            self.clock.refresh_wall()
            if self.disturbed:
                return
        self.clock.advance_to(min(target, self.pacing.allowed_vt()))

    def hold_back(self) -> None:
        """After a turn that moved: wait while virtual time is ahead of what the wall clock allows."""
        wait = self.pacing.wait_s(int(self.clock.now_ns))
        if wait > 0:
            self._wait(min(wait, IDLE_WAIT_S))

    @property
    def ahead(self) -> bool:
        """Whether virtual time is ahead of what the wall clock allows."""
        return self.pacing.factor > 0 and not self.pacing.realtime and self.pacing.wait_s(int(self.clock.now_ns)) > 0

    def _wait(self, seconds: float) -> None:
        if self.debugger is not None:
            self.debugger.wait(seconds)
        else:
            time.sleep(seconds)

    def _expects_frames(self) -> bool:
        return any(nc.kind in _SOCKET_KINDS for nc in self.machine.net.clients)

    # -- samples ------------------------------------------------------------------------------------------------------
    def _sample(self, force: bool) -> None:
        """A keyframe and the counters.  Below level full an event marks it, for the events alone would not tell what changed."""
        self._sample_due = (int(self.clock.wall_ns) if self.live else int(self.clock.now_ns)) + SAMPLE_NS
        recorder = self.recorder
        dropping = recorder is not None and recorder.dropping
        # nobody would know of one that is dropped, and a run that is run again has to have it at the same place
        if self.log.level < LEVEL_FULL and not dropping and (recorder is not None or not self.live):
            self.log.emit(EV_SAMPLE, 0)
        if recorder is None or dropping:
            return
        recorder.flush()
        for part in self.machine.instruments:
            part.sample()
        if force or int(self.log.seq) - 1 > recorder.keyframe_seq:
            recorder.keyframe(self.state())
        recorder.counters(int(self.clock.now_ns), int(self.clock.wall_ns), self.machine.counters)

    def resample(self) -> None:
        """A keyframe now; between turns."""
        self._sample(True)

    def state(self) -> MachineState:
        """The machine's state as its parts tell it; between turns only."""
        state = MachineState()
        state.seq = int(self.log.seq) - 1
        state.vt, state.wall = int(self.clock.now_ns), int(self.clock.wall_ns)
        state.run_state, state.level = self.run_state, int(self.log.level)
        self.world.snapshot(state)
        for part in self.machine.instruments:
            part.snapshot(state)
        self.guest.snapshot(state)
        state.stack = [[int(f.fn), int(f.line), int(f.a0), int(f.a1), int(f.a2), int(f.a3), int(f.seq)] for f in self.log.frames]
        return state

    def finish(self, reason: str) -> None:
        """The run is over: a last sample, and everything handed to the recorder."""
        if self.recorder is not None:
            self.recorder.settle()
        if self.run_state == RUNNING:
            self._set_state(FINISHED, reason)
        self._sample(True)
        self.log.flush()
        if self.recorder is not None:
            self.recorder.flush()
            self.recorder.finish()

    def close(self) -> None:
        """Let go of files and sockets."""
        for nc in list(self.machine.net.clients):
            nc.cleanup()
