"""A real QEMU as what a case is recorded on, or replayed on."""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringscope_core.conform.case import BAR_ADDRESSES, IO_BARS, CaseConfig
from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.conform.live.qemu_process import QemuProcess
from ringscope_core.conform.target import TargetDied, TargetError

_READ: Final = {1: "readb", 2: "readw", 4: "readl", 8: "readq"}
_WRITE: Final = {1: "writeb", 2: "writew", 4: "writel", 8: "writeq"}
_IN: Final = {1: "inb", 2: "inw", 4: "inl"}
_OUT: Final = {1: "outb", 2: "outw", 4: "outl"}
SLOT: Final = 4
COMMAND: Final = 7
SYNC_ROUNDS: Final = 4
TIMER_SECONDS: Final = 0.0015
"""A transmit timer of 150 us has fired after this."""
MAX_ROUNDS: Final = 4000
HOTPLUG_SELECT: Final = 0xAE10
HOTPLUG_EJECT: Final = 0xAE08
"""Registers of the i440FX board's PCI hotplug controller."""
CONFIG_ADDRESS: Final = 0xCF8
CONFIG_DATA: Final = 0xCFC


class QemuTarget:
    """The methods of `Target`, and what recording needs: writes wait until something has to be known."""

    def __init__(self, config: CaseConfig) -> None:
        self.config: CaseConfig = config
        self.process: QemuProcess = QemuProcess(config)
        self._waiting: list[str] = []
        self._sinks: list[tuple[int, list[Any], int]] = []
        self._sent: list[tuple[int, bytes]] = []
        self._told: dict[str, int] = {}
        self._path: str = ""
        self._bars: list[tuple[int, bool]] = []
        self._sleepy: bool = config.props.get("tx") == "timer"
        self.injected: bool = False
        self._before: NDArray[Any] = np.zeros(config.ram, dtype=np.uint8)

    def start(self) -> None:
        """Wait until it runs, place the BARs; raises TargetError when it refuses its options."""
        try:
            self.process.wait_ready()
            self._find_bars()
            self._begin()
        except (HarnessError, TargetDied, TargetError):
            self.process.close()
            raise

    def _begin(self) -> None:
        self._place_bars()
        self.flush()
        self.take_messages()
        self._told.update(self.process.peer.told())

    def replug(self, config: CaseConfig) -> None:
        """Another device on the same board with the same netdev, in the same process: cheaper than a new one.

        The old device goes as a guest lets it go, through the ejection register of the ACPI hotplug controller.
        """
        process = self.process
        self._waiting.clear()
        self._sinks.clear()
        self._sent.clear()
        process.resets += 1
        if self.injected:
            # frames that wait for buffers keep the netdev from reading on
            process.qmp("stop")
            process.qmp("cont")
            process.sync(SYNC_ROUNDS)
            if process.peer.unread():
                raise HarnessError("frames are left in the netdev")
            self.injected = False
        process.forget_events()
        process.qmp("device_del", {"id": "net0"})
        process.batch([f"outl {HOTPLUG_SELECT:#x} 0x0", f"outl {HOTPLUG_EJECT:#x} {1 << SLOT:#x}"])
        process.wait_event("DEVICE_DELETED")
        process.ram[:] = 0
        if config.peer.kind != "none":
            process.qmp("set_link", {"name": "n0", "up": True})
        process.peer.receive()
        self.config = process.config = config
        self._path = ""
        self._sleepy = config.props.get("tx") == "timer"
        refused = process.hmp(f"device_add {config.device_option()}")
        if refused.strip():
            raise HarnessError(f"the device is not plugged: {refused.strip()}")
        self._find_bars()
        self._begin()

    # -- BARs ---------------------------------------------------------------------------------------------------------
    def _find_bars(self) -> None:
        """Which BARs there are, by writing ones."""
        self._bars = []
        skip = False
        for bar in range(6):
            if skip:
                skip = False
                continue
            self.cfg_write(0x10 + 4 * bar, 4, 0xFFFFFFFF)
            value = self.cfg_read(0x10 + 4 * bar, 4)
            if value == 0 or bar not in BAR_ADDRESSES:
                continue
            skip = value & 5 == 4
            self._bars.append((bar, skip))

    def _place_bars(self) -> None:
        for bar, is_long in self._bars:
            self.cfg_write(0x10 + 4 * bar, 4, BAR_ADDRESSES[bar])
            if is_long:
                self.cfg_write(0x14 + 4 * bar, 4, 0)
        self.cfg_write(4, 2, COMMAND)

    # -- accesses -----------------------------------------------------------------------------------------------------
    def flush(self) -> None:
        """Carry out what waits."""
        if not self._waiting:
            return
        waiting, sinks = self._waiting, self._sinks
        self._waiting, self._sinks = [], []
        try:
            replies = self.process.batch(waiting)
        except TargetDied:
            raise self.process.gone() from None
        for place, op, at in sinks:
            op[at] = int(replies[place], 0)

    def _value(self) -> int:
        """Carry out what waits; the last reply."""
        waiting = self._waiting
        op = [0]
        self._sinks.append((len(waiting) - 1, op, 0))
        self.flush()
        return op[0]

    def _config(self, off: int) -> None:
        self._waiting.append(f"outl {CONFIG_ADDRESS:#x} {0x80000000 | SLOT << 11 | (off & 0xFC):#x}")

    def cfg_read(self, off: int, size: int) -> int:
        self._config(off)
        self._waiting.append(f"{_IN[size]} {CONFIG_DATA + (off & 3):#x}")
        return self._value()

    def cfg_write(self, off: int, size: int, value: int) -> None:
        self._config(off)
        self._waiting.append(f"{_OUT[size]} {CONFIG_DATA + (off & 3):#x} {value:#x}")

    def _bar(self, bar: int, off: int, size: int) -> None:
        commands = _IN if bar in IO_BARS else _READ
        self._waiting.append(f"{commands[size]} {BAR_ADDRESSES[bar] + off:#x}")

    def bar_read(self, bar: int, off: int, size: int) -> int:
        self._bar(bar, off, size)
        return self._value()

    def bar_write(self, bar: int, off: int, size: int, value: int) -> None:
        commands = _OUT if bar in IO_BARS else _WRITE
        self._waiting.append(f"{commands[size]} {BAR_ADDRESSES[bar] + off:#x} {value:#x}")

    def later_bar_read(self, bar: int, off: int, size: int, op: list[Any], at: int) -> None:
        """Read when the next batch goes, into ``op[at]``."""
        self._bar(bar, off, size)
        self._sinks.append((len(self._waiting) - 1, op, at))

    def later_cfg_read(self, off: int, size: int, op: list[Any], at: int) -> None:
        """Read when the next batch goes, into ``op[at]``."""
        self._config(off)
        self._waiting.append(f"{_IN[size]} {CONFIG_DATA + (off & 3):#x}")
        self._sinks.append((len(self._waiting) - 1, op, at))

    def ram(self) -> NDArray[Any]:
        return self.process.ram

    def before_ram_write(self) -> None:
        """What waits has to happen before memory changes."""
        self.flush()

    def ram_written(self) -> None:
        return

    # -- the outside --------------------------------------------------------------------------------------------------
    def inject(self, queue: int, frame: bytes) -> None:
        self.flush()
        self.injected = True
        self.process.peer.send(queue, frame)
        self.settle()

    def link(self, up: bool) -> None:
        self._qmp("set_link", {"name": "net0", "up": up})

    def announce(self, initial: int, max_ms: int, rounds: int, step: int) -> None:
        self._qmp("announce-self", {"initial": initial, "max": max_ms, "rounds": rounds, "step": step})

    def _qmp(self, command: str, arguments: dict[str, Any] | None = None) -> Any:
        self.flush()
        try:
            return self.process.qmp(command, arguments)
        except TargetDied:
            raise self.process.gone() from None

    def sleep(self, ms: int) -> None:
        self.flush()
        time.sleep(ms / 1000)

    def settle(self) -> None:
        self.flush()
        process = self.process
        try:
            if self._sleepy:
                process.sync(1)
                time.sleep(TIMER_SECONDS)
            self._settle(process)
        except TargetDied:
            raise process.gone() from None

    def _settle(self, process: QemuProcess) -> None:
        """A round trip is a turn of QEMU's main loop at least: what is scheduled runs, what has arrived is read."""
        process.sync(SYNC_ROUNDS)
        unread = process.peer.unread()
        while unread:
            process.sync(SYNC_ROUNDS)
            left = process.peer.unread()
            if left == unread:
                return
            unread = left

    def quiet(self) -> None:
        """Settle until guest memory and the peer stand still."""
        self.settle()
        process, before = self.process, self._before
        np.copyto(before, process.ram)
        for _ in range(MAX_ROUNDS):
            moved = process.peer.receive()
            self._sent += moved
            try:
                process.sync(2)
            except TargetDied:
                raise process.gone() from None
            if not moved and np.array_equal(before.view(np.uint64), process.ram.view(np.uint64)):
                more = process.peer.receive()
                self._sent += more
                if not more:
                    return
            np.copyto(before, process.ram)
        raise HarnessError("QEMU does not come to rest")

    # -- what can be seen ---------------------------------------------------------------------------------------------
    def take_tx(self) -> list[tuple[int, bytes]]:
        self._sent += self.process.peer.receive()
        sent, self._sent = self._sent, []
        return sent

    def take_peer(self) -> dict[str, int]:
        new = dict(self.process.peer.told())
        changed = {key: value for key, value in sorted(new.items()) if self._told.get(key) != value}
        self._told.update(new)
        return changed

    def take_messages(self) -> list[str]:
        return self.process.messages()

    def final(self) -> dict[str, Any]:
        self.settle()
        if not self._path:
            self._path = next(str(one["path"]) for one in self._qmp("x-query-virtio") if one["name"] == "virtio-net")
        status = self._qmp("x-query-virtio-status", {"path": self._path})
        queues = [self._qmp("x-query-virtio-queue-status", {"path": self._path, "queue": index}) for index in range(status["num-vqs"])]
        rx_filter = self._qmp("query-rx-filter")[0]
        rx_filter.pop("name", None)
        rx_filter["vlan-table"] = _runs(rx_filter.get("vlan-table", []))
        shown = ("started", "broken", "isr", "queue-sel", "disabled", "start-on-kick")
        return {
            **{key: status[key] for key in shown},
            "status": _short(status["status"]),
            "guest-features": _short(status["guest-features"]),
            "vqs": [{key: queue[key] for key in _QUEUE_KEYS if key in queue} for queue in queues],
            "rx-filter": rx_filter,
        }

    def close(self) -> None:
        self.process.close()


_QUEUE_KEYS: Final = (
    *("vring-num", "vring-desc", "vring-avail", "vring-used", "last-avail-idx", "shadow-avail-idx"),
    *("used-idx", "signalled-used", "signalled-used-valid", "inuse"),
)


def _runs(vids: list[int]) -> list[list[int]]:
    """VLAN numbers, highest first, as runs."""
    runs: list[list[int]] = []
    for vid in vids:
        if runs and runs[-1][1] == vid + 1:
            runs[-1][1] = vid
        else:
            runs.append([vid, vid])
    return runs


def _short(value: Any) -> Any:
    """QMP's names without their explanations."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_short(one) for one in value]
    return value.split(":")[0] if isinstance(value, str) else value
