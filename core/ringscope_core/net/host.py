"""The network clients of one machine: who there is, which MAC addresses are taken, whether the machine runs."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.net.client import KIND_NIC, NetClientState
from ringscope_core.trace.log import EventLog
from ringscope_core.trace.mainloop import MainLoop

BASE_MAC: Final = bytes((0x52, 0x54, 0x00, 0x12, 0x34))
"""First five bytes of the addresses that QEMU gives; the sixth counts from 0x56."""
FIRST_MAC: Final = 0x56


@final
class NetHost:
    """What net/net.c keeps in static variables."""

    def __init__(self, log: EventLog, loop: MainLoop) -> None:
        self.log: EventLog = log
        self.loop: MainLoop = loop
        self.vm_running: bool = True
        """runstate_is_running(); changed through `net.net_vm_change_state`, which also moves what waits."""
        self.clients: list[NetClientState] = []
        """net_clients, in the order of their creation."""
        self._macs_used: list[int] = [0] * 256

    # -- clients ------------------------------------------------------------------------------------------------------
    def assign_name(self, nc: NetClientState) -> str:
        """A name for `nc`: its model and how many other clients have that model (assign_name)."""
        others = sum(1 for other in self.clients if other is not nc and other.model == nc.model)
        return f"{nc.model}.{others}"

    def find_netdev(self, name: str) -> NetClientState | None:
        """The first client called `name` that is no NIC (qemu_find_netdev)."""
        for nc in self.clients:
            if nc.kind != KIND_NIC and nc.name == name:
                return nc
        return None

    def find_clients(self, name: str, except_kind: str = "") -> list[NetClientState]:
        """All clients called `name` but those of kind `except_kind` (qemu_find_net_clients_except)."""
        return [nc for nc in self.clients if nc.kind != except_kind and nc.name == name]

    def poll(self) -> i64:
        """Give every client its share of the turn; returns how many frames moved."""
        moved: i64 = 0
        for nc in self.clients:
            moved += nc.poll()
        return moved

    def done(self) -> bool:
        """Whether no client will bring anything more by itself."""
        return all(nc.done() for nc in self.clients)

    def close(self) -> None:
        """The run ends: every client closes what it holds (sockets, files)."""
        for nc in self.clients:
            nc.cleanup()

    # -- MAC addresses ------------------------------------------------------------------------------------------------
    def macaddr_default_if_unset(self, mac: bytes) -> bytes:
        """`mac`, or the next free default address when it is all zeros (qemu_macaddr_default_if_unset)."""
        if mac != bytes(6):
            if mac[:5] == BASE_MAC:
                self._macs_used[mac[5]] += 1
            return mac
        last = next((n for n in range(FIRST_MAC, 0xFF) if self._macs_used[n] == 0), 0xFF)
        self._macs_used[last] += 1
        return BASE_MAC + bytes((last,))

    def macaddr_set_free(self, mac: bytes) -> None:
        """Give an address back (qemu_macaddr_set_free)."""
        if mac[:5] == BASE_MAC and self._macs_used[mac[5]] > 0:
            self._macs_used[mac[5]] -= 1
