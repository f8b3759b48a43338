"""Ringscope as a target of the oracle's replayer: ``replay.py CASES --target tests.oracle.target:RingscopeTarget``."""

from __future__ import annotations

from typing import Any

from ringscope_core.hw.machine import Machine
from ringscope_core.qom.profile import PROFILE_4_1
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop
from tests.oracle.cases import NEWER_PROPERTIES
from tests.oracle.peer import OraclePeer, make_peers

BDF = 4 << 3
BAR_ADDRESSES = {0: 0xC000, 1: 0xFEB00000, 2: 0xC100, 4: 0xFE000000}
SETTLE_NS = 2_000_000
"""Timers due this soon fire while things settle, as they do while the recorder waits for QEMU."""


def device_option(config: dict[str, Any], profile: str = PROFILE_4_1) -> str:
    """The -device line of a case's configuration, without properties that 4.1 lacks: a case that needs one differs, it does not stop the replay."""
    props = {name: value for name, value in config["props"].items() if profile != PROFILE_4_1 or name not in NEWER_PROPERTIES}
    parts = [config["device"], "id=net0", "addr=04.0"]
    if config["peer"]["kind"] != "none":
        parts.append("netdev=n0")
    parts.extend(f"{name}={value}" for name, value in props.items())
    return ",".join(parts)


class RingscopeTarget:
    """The methods of `replay.Target` on our Machine."""

    def __init__(self, config: dict[str, Any], level: int = int(LEVEL_FULL), profile: str = PROFILE_4_1) -> None:
        self.log: EventLog = EventLog(Clock())
        self.log.level = level
        self.machine: Machine = Machine(self.log, MainLoop(self.log.clock), config.get("ram") or 8 << 20, profile, config["machine"])
        self.sent: list[tuple[int, bytes]] = []
        self.peers: list[OraclePeer] = make_peers(self.machine, config["peer"], self.sent)
        # what a tap is like before a driver has told it anything; 7.2's reset has told it, 4.1's has not
        self.told: dict[str, int] = {f"{index}.offload": 0 for index in range(len(self.peers))}
        self.told.update({f"{index}.queue": 0 for index in range(1, len(self.peers))})
        self.seen_messages: int = 0
        option = device_option(config, profile)
        if self.machine.device_add(option) is None:
            raise RuntimeError(f"-device {option}: {self.machine.world.messages}")
        self.machine.system_reset()
        self.machine.cont()
        self.place_bars()
        self.take_messages()
        if profile != PROFILE_4_1:
            self.take_peer()

    def place_bars(self) -> None:
        """BARs where the cases expect them; i/o, memory, bus master on."""
        dev = self.machine.pci_bus.functions[BDF]
        assert dev is not None
        for bar, address in BAR_ADDRESSES.items():
            if dev.io_regions[bar].size:
                self.cfg_write(0x10 + 4 * bar, 4, address)
                if dev.io_regions[bar].is_mem64:
                    self.cfg_write(0x14 + 4 * bar, 4, 0)
        self.cfg_write(4, 2, 7)

    # -- registers ----------------------------------------------------------------------------------------------------
    def cfg_read(self, off: int, size: int) -> int:
        return int(self.machine.cfg_read(BDF, off, size))

    def cfg_write(self, off: int, size: int, value: int) -> None:
        self.machine.memory.turn += 1
        self.machine.cfg_write(BDF, off, size, value)

    def bar_read(self, bar: int, off: int, size: int) -> int:
        address = BAR_ADDRESSES[bar] + off
        value = int(self.machine.io_read(address, size) if bar in (0, 2) else self.machine.mmio_read(address, size))
        return value & ((1 << (8 * size)) - 1)

    def bar_write(self, bar: int, off: int, size: int, value: int) -> None:
        self.machine.memory.turn += 1
        if value >= 1 << 63:
            value -= 1 << 64
        address = BAR_ADDRESSES[bar] + off
        if bar in (0, 2):
            self.machine.io_write(address, size, value)
        else:
            self.machine.mmio_write(address, size, value)

    def ram(self) -> memoryview:
        return self.machine.memory.view

    # -- the outside --------------------------------------------------------------------------------------------------
    def inject(self, queue: int, frame: bytes) -> None:
        self.peers[queue].fifo.append(frame)
        self.settle()

    def link(self, up: bool) -> None:
        self.machine.set_link("net0", up)

    def announce(self, initial: int, max_: int, rounds: int, step: int) -> None:
        self.machine.announce_self(initial, max_, rounds, step)

    def sleep(self, ms: int) -> None:
        self._pass_time(self.log.clock.now_ns + ms * 1_000_000)

    def _pass_time(self, until_ns: int) -> None:
        loop, clock = self.machine.loop, self.log.clock
        while True:
            deadline = int(loop.next_deadline_ns())
            if deadline < 0 or deadline > until_ns:
                break
            clock.advance_to(deadline)
            self._turn()
        clock.advance_to(until_ns)

    def _turn(self) -> bool:
        self.machine.memory.turn += 1
        moved = bool(self.machine.loop.run_bottom_halves()) | bool(self.machine.loop.run_timers())
        for peer in list(self.peers[0].watched) if self.peers else []:
            moved |= peer.pump()
        return moved

    def settle(self) -> None:
        while self._turn():
            pass
        start = int(self.log.clock.now_ns)
        while 0 <= int(self.machine.loop.next_deadline_ns()) <= start + SETTLE_NS:
            self._pass_time(int(self.machine.loop.next_deadline_ns()))
            while self._turn():
                pass

    def take_tx(self) -> list[tuple[int, bytes]]:
        sent = list(self.sent)
        self.sent.clear()
        return sent

    def take_peer(self) -> dict[str, int]:
        new: dict[str, int] = {}
        for peer in self.peers:
            new.update(peer.told)
        changed = {key: value for key, value in new.items() if self.told.get(key) != value}
        self.told.update(new)
        return changed

    def take_messages(self) -> list[str]:
        messages = self.machine.world.messages[self.seen_messages :]
        self.seen_messages = len(self.machine.world.messages)
        return messages

    def final(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self.machine.stop()
