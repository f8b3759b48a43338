"""Our machine as what a case is replayed on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringscope_core.conform.case import BAR_ADDRESSES, IO_BARS, CaseConfig
from ringscope_core.conform.final import final_state
from ringscope_core.conform.peer import FifoPeer, make_peers
from ringscope_core.conform.root_port import BEHIND_BDF, BRIDGE_SETUP, PORT_BDF, PORT_OPTION
from ringscope_core.conform.target import TargetError
from ringscope_core.hw.machine import CONFIG_ADDRESS, CONFIG_DATA, Machine
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.net.net import qmp_set_link
from ringscope_core.qom.object import Object
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

SLOT: Final = 4
SETTLE_NS: Final = 2_000_000
"""Timers due this soon fire while things settle, as they do while the recorder waits for QEMU."""
COMMAND: Final = 7
"""I/O, memory, bus master."""
MAX_TURNS: Final = 100_000
"""A machine that still moves after so many turns never comes to rest."""


class MachineTarget:
    """The methods of `Target` on our Machine."""

    def __init__(self, config: CaseConfig, profile: str, level: int = int(LEVEL_FULL)) -> None:
        """Raises TargetError when the profile has no such machine, or the device refuses its properties."""
        self.log: EventLog = EventLog(Clock())
        self.log.level = level
        try:
            self.machine: Machine = Machine(self.log, MainLoop(self.log.clock), config.ram, profile, config.machine)
        except ValueError as error:
            raise TargetError(str(error)) from None
        self.bdf: int = BEHIND_BDF if config.behind_root_port else SLOT << 3
        self.sent: list[tuple[int, bytes]] = []
        self.peers: list[FifoPeer] = make_peers(self.machine.net, config.peer, self.sent)
        # what a tap is like before anyone has told it anything
        self.told: dict[str, int] = {f"{index}.offload": 0 for index in range(len(self.peers))}
        self.seen_messages: int = 0
        if config.behind_root_port and self.machine.device_add(PORT_OPTION) is None:
            raise TargetError(self.machine.last_error)
        if self.machine.device_add(config.device_option()) is None:
            raise TargetError(" ".join(self.machine.world.messages) or self.machine.last_error)
        self.machine.system_reset()
        self.machine.cont()
        self.take_peer()
        if config.behind_root_port:
            for offset, size, value in BRIDGE_SETUP:
                self.machine.cfg_write(PORT_BDF, offset, size, value)
        self._ram: NDArray[Any] = np.frombuffer(self.machine.memory.view, dtype=np.uint8)
        self.place_bars()
        self.take_messages()

    def place_bars(self) -> None:
        """BARs where the cases expect them; i/o, memory, bus master on."""
        dev = self.machine.function_at(self.bdf)
        if dev is None:
            raise TargetError("there is no function in slot 04.0")
        for bar, address in BAR_ADDRESSES.items():
            if dev.io_regions[bar].size:
                self.cfg_write(0x10 + 4 * bar, 4, address)
                if dev.io_regions[bar].is_mem64:
                    self.cfg_write(0x14 + 4 * bar, 4, 0)
        self.cfg_write(4, 2, COMMAND)

    # -- registers ----------------------------------------------------------------------------------------------------
    def cfg_read(self, off: int, size: int) -> int:
        """By mechanism 1, as the recorder did: a register at a time."""
        self._choose(off)
        return int(self.machine.io_read(CONFIG_DATA + (off & 3), size))

    def cfg_write(self, off: int, size: int, value: int) -> None:
        """By mechanism 1: what lies behind the register is not written."""
        self.ram_written()
        self._choose(off)
        self.machine.io_write(CONFIG_DATA + (off & 3), size, value)

    def _choose(self, off: int) -> None:
        self.machine.io_write(CONFIG_ADDRESS, 4, 0x80000000 | self.bdf << 8 | off & 0xFC)

    def bar_read(self, bar: int, off: int, size: int) -> int:
        address = BAR_ADDRESSES[bar] + off
        value = int(self.machine.io_read(address, size) if bar in IO_BARS else self.machine.mmio_read(address, size))
        return value & ((1 << (8 * size)) - 1)

    def bar_write(self, bar: int, off: int, size: int, value: int) -> None:
        self.ram_written()
        if value >= 1 << 63:
            value -= 1 << 64
        address = BAR_ADDRESSES[bar] + off
        if bar in IO_BARS:
            self.machine.io_write(address, size, value)
        else:
            self.machine.mmio_write(address, size, value)

    def ram(self) -> NDArray[Any]:
        return self._ram

    def ram_written(self) -> None:
        self.machine.memory.turn += 1

    # -- the outside --------------------------------------------------------------------------------------------------
    def inject(self, queue: int, frame: bytes) -> None:
        self.peers[queue].fifo.append(frame)
        self.settle()

    def link(self, up: bool) -> None:
        qmp_set_link(self.machine.net, "net0", up)

    def announce(self, initial: int, max_ms: int, rounds: int, step: int) -> None:
        announce = getattr(self.machine, "announce_self", None)
        if announce is None:
            raise TargetError("announce-self is not modelled")
        announce(initial, max_ms, rounds, step)

    def sleep(self, ms: int) -> None:
        self._pass_time(int(self.log.clock.now_ns) + ms * 1_000_000)

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
        self.ram_written()
        moved = bool(self.machine.loop.run_bottom_halves()) | bool(self.machine.loop.run_timers())
        for peer in list(self.peers[0].watched) if self.peers else []:
            moved |= peer.pump()
        return moved

    def _rest(self) -> None:
        for _ in range(MAX_TURNS):
            if not self._turn():
                return
        raise TargetError("it does not come to rest")

    def settle(self) -> None:
        self._rest()
        start = int(self.log.clock.now_ns)
        while 0 <= int(self.machine.loop.next_deadline_ns()) <= start + SETTLE_NS:
            self._pass_time(int(self.machine.loop.next_deadline_ns()))
            self._rest()

    # -- what can be seen ---------------------------------------------------------------------------------------------
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
        # a hint makes a message of several lines
        return [line for message in messages for line in message.splitlines() if line.strip()]

    def device(self) -> VirtIONet:
        """The virtio-net-device behind the function."""
        found: list[Object] = [one for one in (self.machine.world.resolve_path("/machine/peripheral/net0/virtio-backend"),) if one is not None]
        assert found and isinstance(found[0], VirtIONet)
        return found[0]

    def final(self) -> dict[str, Any]:
        return final_state(self.device())

    def close(self) -> None:
        self.machine.stop()
