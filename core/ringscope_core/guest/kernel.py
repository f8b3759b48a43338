"""The guest: its drivers, its softirqs, its programs.  One turn of it is what a virtual CPU does between two waits."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from ringscope_core.guest.actions import ActionProgram
from ringscope_core.guest.alloc import GuestOutOfMemoryError, PageAllocator
from ringscope_core.guest.config import ActionSpec, DriverConfig, TrafficSpec
from ringscope_core.guest.napi import Softirq
from ringscope_core.guest.net_queues import LAST_MESSAGE
from ringscope_core.guest.pci import PciBus, PciFunction, PciResourceError
from ringscope_core.guest.programs import make_workloads
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.tally import FrameTally
from ringscope_core.guest.transport import VIRTIO_VENDOR, ProbeError
from ringscope_core.guest.virtio_net import VirtnetInfo
from ringscope_core.guest.workload import Workload
from ringscope_core.hw.ports import GuestPorts, IrqSink
from ringscope_core.trace.log import SEVERITY_ERROR, SEVERITY_INFO
from ringscope_core.trace.state import MachineState

VIRTIO_NET_IDS: Final = (0x1000, 0x1041)
"""Transitional and modern PCI device ids of network cards."""
FIRST_MESSAGE: Final[i64] = 0x21
"""MSI message numbers (interrupt vectors) are handed out from here, above the exceptions and the system call gate."""
INTX_RETRIES: Final[i64] = 4


class GuestKernel(IrqSink):
    """Boots on a machine's `GuestPorts`, then lives by `run`."""

    def __init__(
        self, ports: GuestPorts, config: DriverConfig, traffic: list[TrafficSpec], digests: bool = True, actions: list[ActionSpec] | None = None
    ) -> None:
        """`digests`: keep SHA-256 digests of the frames sent and delivered; `actions`: what the drivers are made to do, and when."""
        super().__init__()
        self.ports: GuestPorts = ports
        self.config: DriverConfig = config
        self.traffic: list[TrafficSpec] = traffic
        self.digests: bool = digests
        self.pages: PageAllocator = PageAllocator(ports.memory)
        self.softirq: Softirq = Softirq()
        self.bus: PciBus = PciBus(ports)
        self.interfaces: list[VirtnetInfo] = []
        self.workloads: list[Workload] = []
        self.entries: list[int] = []
        """The traffic entry that each of them comes from."""
        self.program: ActionProgram = ActionProgram(actions or [], ports.loop)
        self.problems: list[str] = []
        """Why a driver could not be bound, a line each."""
        self.spurious: i64 = 0
        """Interrupts nobody claimed."""
        self._messages: list[int] = []
        """Messages that arrived, each once, as an interrupt controller keeps them."""
        self._causes: list[int] = []
        """The event in which each of them arrived, -1 when it was not recorded."""
        self._pin_level: list[int] = [0, 0, 0, 0]
        self._next_message: i64 = FIRST_MESSAGE
        self._no_frames: FrameTally = FrameTally(digests)
        self._booted: bool = False
        ports.set_irq_sink(self)

    # -- boot ---------------------------------------------------------------------------------------------------------
    def boot(self) -> i64:
        """Scan the bus, drive every virtio network card found, start the programs; returns how many interfaces are up."""
        self.bus.scan()
        for function in self.bus.functions:
            if function.vendor == VIRTIO_VENDOR and function.device in VIRTIO_NET_IDS:
                self._drive(function)
        self._booted = True
        now = self.ports.clock.now_ns
        up = [info for info in self.interfaces if info.up]
        for number, spec in enumerate(self.traffic):
            if spec.device < len(up):
                self._add_programs(number, spec, up[spec.device].stack)
        for work in self.workloads:
            work.start(now)
        self.program.start()
        return len(up)

    def _add_programs(self, number: i64, spec: TrafficSpec, stack: NetStack) -> None:
        """The programs of traffic entry `number`, not yet started."""
        works = make_workloads(spec, stack, self.ports.loop, self.config.peer_ip, number, self.config.seed)
        self.workloads.extend(works)
        self.entries.extend([int(number)] * len(works))

    def change_traffic(self, number: i64, spec: TrafficSpec) -> bool:
        """Let `spec` take the place of traffic entry `number` from now on; False when its interface is not up.

        The programs of that entry end as they stand: what they sent stays sent.
        """
        up = [info for info in self.interfaces if info.up]
        if spec.device >= len(up):
            return False
        for place in range(len(self.workloads) - 1, -1, -1):
            if self.entries[place] == number:
                self.workloads[place].wake_at(-1)
                del self.workloads[place]
                del self.entries[place]
        first = len(self.workloads)
        self._add_programs(number, spec, up[spec.device].stack)
        for work in self.workloads[first:]:
            work.start(self.ports.clock.now_ns)
        return True

    def _drive(self, function: PciFunction) -> None:
        stack = NetStack(self.ports.clock, _nth_address(self.config.ip, len(self.interfaces)), self.digests)
        info = VirtnetInfo(self.ports, function, self.pages, self.softirq, self.config, stack)
        self.interfaces.append(info)
        if self.bring_up(info, self._next_message, LAST_MESSAGE):
            self._next_message += info.messages_used

    def bring_up(self, info: VirtnetInfo, base: i64, messages: i64) -> bool:
        """Probe an interface; what stands in the way becomes one of `problems`."""
        try:
            info.probe(base, messages)
        except (ProbeError, PciResourceError, GuestOutOfMemoryError) as problem:
            self.problems.append(f"guest: {problem}")
            self.ports.log.message(SEVERITY_ERROR, self.problems[-1])
            return False
        self.ports.log.message(SEVERITY_INFO, f"guest: {info.announcement()}")
        return True

    def rescan(self) -> None:
        """Something was plugged in or out: let go of interfaces whose function is gone, drive the new ones.

        A card in the place of a former one takes over its stack, so that the programs go on.
        """
        for info in self.interfaces:
            if info.transport is not None and not self.bus.is_there(info.function):
                info.vanish()
        for function in self.bus.rescan():
            if function.vendor != VIRTIO_VENDOR or function.device not in VIRTIO_NET_IDS:
                continue
            former = [info for info in self.interfaces if info.function.bdf == function.bdf]
            if former:
                former[0].function = function
                # the messages of a card with as many vectors are enough; one with more shares them
                if former[0].messages_used:
                    self.bring_up(former[0], former[0].message_base, former[0].messages_used)
                elif self.bring_up(former[0], self._next_message, LAST_MESSAGE):
                    self._next_message += former[0].messages_used
            else:
                self._drive(function)

    def up(self) -> bool:
        """Whether at least one interface came up."""
        return any(info.up for info in self.interfaces)

    # -- interrupts (called by the machine, at any moment) ------------------------------------------------------------
    def msi(self, vector: i64) -> None:
        """A message arrived; handled at the guest's next turn."""
        message = int(vector)
        if message in self._messages:
            return
        self._messages.append(message)
        self._causes.append(int(self.ports.log.cause))

    def intx(self, pin: i64, level: i64) -> None:
        """An interrupt pin changed."""
        self._pin_level[pin & 3] = level

    # -- turns --------------------------------------------------------------------------------------------------------
    def run(self) -> i64:
        """One turn: interrupts, deferred work, polling, programs, what the stack wants to send.

        Returns how much it did; 0 means that nothing changes before an interrupt or a timer.
        """
        if not self._booted:
            return 0
        moved = self._take_interrupts()
        if self.program.is_due():
            moved += self.program.run(self)
        for info in self.interfaces:
            moved += info.work()
            moved += info.poll()
        moved += self.softirq.run()
        for work in self.workloads:
            moved += work.turn()
        for info in self.interfaces:
            for sender in info.senders:
                moved += sender.run_qdisc()
        if self._messages or self.softirq.queue:
            moved += 1
        return moved

    def _take_interrupts(self) -> i64:
        taken: i64 = 0
        if self._messages:
            messages = self._messages
            causes = self._causes
            self._messages = []
            self._causes = []
            log = self.ports.log
            for place, message in enumerate(messages):
                taken += 1
                log.cause = causes[place]
                if not self._dispatch(message):
                    self.spurious += 1
        if 1 in self._pin_level:
            taken += self._take_pin()
        self.ports.log.cause = -1
        return taken

    def _dispatch(self, message: i64) -> bool:
        return any(info.message(message) for info in self.interfaces)

    def _take_pin(self) -> i64:
        """A level-triggered line: serve its devices until it falls, a few times at most."""
        taken: i64 = 0
        for _ in range(INTX_RETRIES):
            claimed = False
            for info in self.interfaces:
                if info.pin():
                    claimed = True
            if not claimed:
                self.spurious += 1
                break
            taken += 1
            if 1 not in self._pin_level:
                break
        return taken

    # -- results ------------------------------------------------------------------------------------------------------
    def finished(self) -> bool:
        """Whether every program is done; False when one of them never ends, True without programs."""
        return self._booted and self.program.finished() and all(work.finished() for work in self.workloads)

    @property
    def delivered(self) -> FrameTally:
        """Frames the first interface's driver took out of its rings, before the stack looks at them."""
        return self.interfaces[0].stack.delivered if self.interfaces else self._no_frames

    @property
    def sent(self) -> FrameTally:
        """Frames the first interface's driver put into its rings."""
        return self.interfaces[0].stack.sent if self.interfaces else self._no_frames

    def delivered_count(self) -> i64:
        """Frames delivered on all interfaces."""
        total: i64 = 0
        for info in self.interfaces:
            total += info.stack.delivered.count
        return total

    def sent_count(self) -> i64:
        """Frames sent on all interfaces."""
        total: i64 = 0
        for info in self.interfaces:
            total += info.stack.sent.count
        return total

    def drops(self) -> dict[str, int]:
        """Frames the guest lost, by reason; only reasons that happened."""
        every: dict[str, int] = {}
        for info in self.interfaces:
            for sender in info.senders:
                _count(every, "driver ring full", sender.qdisc_drops)
                _count(every, "longer than the guest's mtu", sender.too_long)
            _count(every, "guest: lost in a reset", info.lost)
            _count(every, "guest: no interface", info.stack.unsent)
            for receiver in info.receivers:
                _count(every, "guest: short element", receiver.short_frames)
                _count(every, "guest: bad header", receiver.bad_headers)
                _count(every, "guest: buffers missing", receiver.missing_buffers)
        return every

    def stats(self) -> list[dict[str, object]]:
        """Each program's name and counts."""
        rows: list[dict[str, object]] = []
        for work in self.workloads:
            row: dict[str, object] = {"kind": work.name}
            row.update(work.stats())
            rows.append(row)
        return rows

    def driver_stats(self) -> list[dict[str, int]]:
        """What each interface's driver counted beside frames: offloads, commands, resets; only what happened."""
        return [info.stats() for info in self.interfaces]

    def snapshot(self, state: MachineState) -> None:
        """Put every interface's driver fields and rings into `state`."""
        for info in self.interfaces:
            info.snapshot(state)

    def remove(self, index: i64) -> None:
        """Unbind the driver of interface `index`: reset, memory back."""
        self.interfaces[index].remove()


def _count(counts: dict[str, int], reason: str, number: i64) -> None:
    if number:
        counts[reason] = counts.get(reason, 0) + int(number)


def _nth_address(ip: str, number: i64) -> str:
    """The address of interface `number`: the last part counts up."""
    head, last = ip.rsplit(".", 1)
    return f"{head}.{(int(last) + int(number) - 1) % 254 + 1}"
