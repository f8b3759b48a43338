"""What a scenario makes the drivers do at given moments: reset, change settings, break a ring on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from ringscope_core.guest.config import FAULTS, ActionSpec
from ringscope_core.guest.control import RX_ALLMULTI, RX_PROMISC
from ringscope_core.guest.virtqueue import DESC_INDIRECT, DESC_WRITE
from ringscope_core.guest.workload import WakeTimer
from ringscope_core.memory.ram import PAGE
from ringscope_core.net.addresses import mac_from_text
from ringscope_core.trace.log import SEVERITY_INFO, SEVERITY_WARNING
from ringscope_core.trace.mainloop import MainLoop

if TYPE_CHECKING:
    from ringscope_core.guest.kernel import GuestKernel
    from ringscope_core.guest.virtio_net import VirtnetInfo

ODD_TABLE: Final[i64] = 7
"""Bytes of an indirect table that is no whole number of descriptors."""


@final
class ActionProgram:
    """Carries the actions out in the order of their times."""

    def __init__(self, actions: list[ActionSpec], loop: MainLoop) -> None:
        self.actions: list[ActionSpec] = sorted(actions, key=_time)
        self.loop: MainLoop = loop
        self.timer: WakeTimer = WakeTimer()
        self.place: i64 = 0
        """The next one."""
        self.next_ns: i64 = -1
        """Its time, -1 when all are done or the program has not started."""
        self.failed: i64 = 0
        """Actions that could not be done."""

    def start(self) -> None:
        """The guest has booted."""
        self._arm()

    def _arm(self) -> None:
        if self.place < len(self.actions):
            self.next_ns = self.actions[self.place].at_ns
            self.loop.timer_mod(self.timer, self.next_ns)
        else:
            self.next_ns = -1

    def is_due(self) -> bool:
        """Whether the next action's time has come."""
        return self.next_ns >= 0 and self.loop.clock.now_ns >= self.next_ns

    def finished(self) -> bool:
        """Whether all are done."""
        return self.place >= len(self.actions)

    def run(self, kernel: GuestKernel) -> i64:
        """Do all that is due; returns how many."""
        moved: i64 = 0
        while self.is_due():
            action = self.actions[self.place]
            self.place += 1
            self._arm()
            self.perform(kernel, action)
            moved += 1
        return moved

    def perform(self, kernel: GuestKernel, action: ActionSpec) -> bool:
        """Do one action now, whatever its time; whether it could be done."""
        done = _act(kernel, action)
        if not done:
            self.failed += 1
        severity = SEVERITY_INFO if done else SEVERITY_WARNING
        kernel.ports.log.message(severity, f"guest: action {action.do}{'' if done else ' could not be done'}")
        return done


def _time(action: ActionSpec) -> int:
    return int(action.at_ns)


def _act(kernel: GuestKernel, action: ActionSpec) -> bool:
    """One action; whether it could be done."""
    if action.do == "rescan":
        kernel.rescan()
        return True
    if action.device >= len(kernel.interfaces):
        return False
    info = kernel.interfaces[action.device]
    if action.do == "probe":
        # as a driver that is bound again: the messages it had are still its own
        return info.transport is None and kernel.bring_up(info, info.message_base, info.messages)
    if info.transport is None or not info.up:
        return False
    if action.do == "reset":
        return info.restart()
    if action.do == "remove":
        info.remove()
        return True
    if action.do == "queue-reset":
        return info.reset_queue(action.queue)
    if action.do == "break":
        return _break(info, action)
    return _set(info, action)


def _set(info: VirtnetInfo, action: ActionSpec) -> bool:
    """A setting changes."""
    if action.do == "pairs":
        return info.set_pairs(action.number)
    if action.do == "mac":
        return info.set_mac(mac_from_text(action.text))
    if action.do == "offloads":
        return info.set_offloads(int(action.number))
    control = info.control
    if control is None:
        return False
    if action.do == "promisc":
        return control.set_rx(RX_PROMISC, action.number != 0)
    if action.do == "allmulti":
        return control.set_rx(RX_ALLMULTI, action.number != 0)
    if action.do == "vlan-add":
        return control.add_vlan(action.number)
    if action.do == "vlan-del":
        return control.del_vlan(action.number)
    raise ValueError(f"no action {action.do!r}")


def _break(info: VirtnetInfo, action: ActionSpec) -> bool:
    """Give the device a chain that no driver may give, and tell it of that."""
    if not 0 <= action.queue < len(info.rings):
        return False
    ring = info.rings[action.queue]
    if ring.num_free < 2 or info.queues is None:
        return False
    page = info.queues.alloc(PAGE)
    if action.text == FAULTS[0]:
        ring.add(page, ODD_TABLE, DESC_INDIRECT)
    elif action.text == FAULTS[1]:
        ring.add(page, 0, 0)
    else:
        # in the ring itself: a table would hide the order from the ring's picture
        tables, ring.tables_gpa = ring.tables_gpa, 0
        ring.segment(page, 64, DESC_WRITE)
        ring.segment(page + 64, 64, 0)
        ring.add_chain()
        ring.tables_gpa = tables
    ring.publish()
    # whatever the device wants to hear of: this it shall see
    ring.kick_prepare()
    assert info.transport is not None
    info.transport.kick(ring)
    return True
