"""Commands on the control queue (Linux virtio_net.c: virtnet_send_command; virtio 1.1, 5.1.6.5)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.ring import DESC_WRITE, Vring
from ringscope_core.guest.virtio_pci import VirtioPciDevice
from ringscope_core.memory.ram import PAGE
from ringscope_core.trace.mainloop import MainLoop

CLASS_RX: Final[i64] = 0
RX_PROMISC: Final[i64] = 0
RX_ALLMULTI: Final[i64] = 1
CLASS_MAC: Final[i64] = 1
MAC_TABLE_SET: Final[i64] = 0
MAC_ADDR_SET: Final[i64] = 1
CLASS_VLAN: Final[i64] = 2
VLAN_ADD: Final[i64] = 0
VLAN_DEL: Final[i64] = 1
CLASS_ANNOUNCE: Final[i64] = 3
ANNOUNCE_ACK: Final[i64] = 0
CLASS_MQ: Final[i64] = 4
MQ_VQ_PAIRS_SET: Final[i64] = 0

ACK_AT: Final[i64] = 2048
DATA_AT: Final[i64] = 64
MAX_DATA: Final[i64] = ACK_AT - DATA_AT
SPINS: Final[i64] = 1000


@final
class ControlQueue:
    """Sends one command at a time and waits for its answer."""

    def __init__(self, transport: VirtioPciDevice, ring: Vring, pages: PageAllocator, loop: MainLoop) -> None:
        self.transport: VirtioPciDevice = transport
        self.ring: Vring = ring
        self.loop: MainLoop = loop
        self.page_gpa: i64 = pages.alloc(PAGE)
        # Linux gives the control queue no callback, and waits by polling.
        ring.disable_cb()

    def command(self, klass: i64, cmd: i64, data: bytes) -> bool:
        """Send a command of class `klass` with `data` (at most MAX_DATA bytes); returns whether the device acknowledged it."""
        memory = self.ring.memory
        memory.write(self.page_gpa, bytes([klass & 0xFF, cmd & 0xFF]))
        memory.write(self.page_gpa + ACK_AT, b"\xff")
        ring = self.ring
        ring.segment(self.page_gpa, 2, 0)
        if data:
            memory.write(self.page_gpa + DATA_AT, data)
            ring.segment(self.page_gpa + DATA_AT, len(data), 0)
        ring.segment(self.page_gpa + ACK_AT, 1, DESC_WRITE)
        if ring.add_chain() < 0:
            return False
        self.transport.kick_if_wanted(ring)
        return self._wait() and memory.read(self.page_gpa + ACK_AT, 1) == b"\x00"

    def _wait(self) -> bool:
        """Spin until the answer is there.  The device's main loop runs meanwhile, as it does beside a spinning CPU."""
        ring = self.ring
        for _ in range(SPINS):
            if ring.begin_take(1):
                taken = ring.take() >= 0
                ring.end_take()
                return taken
            if ring.broken or self.loop.run_bottom_halves() == 0:
                return False
        return False

    def set_pairs(self, pairs: i64) -> bool:
        """Use `pairs` queue pairs."""
        return self.command(CLASS_MQ, MQ_VQ_PAIRS_SET, bytes([pairs & 0xFF, pairs >> 8 & 0xFF]))

    def set_rx_mode(self, promisc: bool, allmulti: bool) -> bool:
        """Which frames the device lets through beside those for the tables' addresses."""
        first = self.command(CLASS_RX, RX_PROMISC, b"\x01" if promisc else b"\x00")
        second = self.command(CLASS_RX, RX_ALLMULTI, b"\x01" if allmulti else b"\x00")
        return first and second

    def set_mac_table(self, unicast: list[bytes], multicast: list[bytes]) -> bool:
        """The two filter tables, as one command."""
        return self.command(CLASS_MAC, MAC_TABLE_SET, _table(unicast) + _table(multicast))

    def set_mac(self, mac: bytes) -> bool:
        """The device's own address."""
        return self.command(CLASS_MAC, MAC_ADDR_SET, mac)

    def add_vlan(self, vid: i64) -> bool:
        """Let frames of VLAN `vid` through."""
        return self.command(CLASS_VLAN, VLAN_ADD, bytes([vid & 0xFF, vid >> 8 & 0xFF]))

    def del_vlan(self, vid: i64) -> bool:
        """Let frames of VLAN `vid` through no longer."""
        return self.command(CLASS_VLAN, VLAN_DEL, bytes([vid & 0xFF, vid >> 8 & 0xFF]))

    def acknowledge_announce(self) -> bool:
        """The driver has announced itself."""
        return self.command(CLASS_ANNOUNCE, ANNOUNCE_ACK, b"")


def _table(macs: list[bytes]) -> bytes:
    return len(macs).to_bytes(4, "little") + b"".join(macs)
