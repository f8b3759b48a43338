"""Commands on the control queue (Linux virtio_net.c: virtnet_send_command; virtio 1.2, 5.1.6.5)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.transport import VirtioTransport
from ringscope_core.guest.virtqueue import DESC_WRITE, Virtqueue
from ringscope_core.memory.ram import PAGE
from ringscope_core.trace.log import SEVERITY_WARNING
from ringscope_core.trace.mainloop import MainLoop

CLASS_RX: Final[i64] = 0
RX_PROMISC: Final[i64] = 0
RX_ALLMULTI: Final[i64] = 1
RX_ALLUNI: Final[i64] = 2
RX_NOMULTI: Final[i64] = 3
RX_NOUNI: Final[i64] = 4
RX_NOBCAST: Final[i64] = 5
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
MQ_RSS_CONFIG: Final[i64] = 1
MQ_HASH_CONFIG: Final[i64] = 2
CLASS_GUEST_OFFLOADS: Final[i64] = 5
GUEST_OFFLOADS_SET: Final[i64] = 0

ACK_AT: Final[i64] = 64
DATA_AT: Final[i64] = PAGE
DATA_PAGES: Final[i64] = 8
MAX_DATA: Final[i64] = DATA_PAGES * PAGE
"""Bytes of one command's data at most: a filter table of some 5400 addresses."""
CONTROL_BYTES: Final[i64] = DATA_AT + MAX_DATA
SPINS: Final[i64] = 1000
"""Turns of the device that the driver waits for an answer."""

DONE: Final[i64] = 0
REFUSED: Final[i64] = 1
"""The device answered VIRTIO_NET_ERR, or something that is no answer."""
NO_ANSWER: Final[i64] = 2
"""It did not answer in time, or still owes the answer to a former command."""
BROKEN: Final[i64] = 3
"""The queue's ring is broken."""
NO_ROOM: Final[i64] = 4
"""The command is too long, or the ring full."""

OUTCOMES: Final = ("done", "refused", "no answer", "broken ring", "no room")
"""Words for what became of a command, by value."""


@final
class ControlQueue:
    """Sends one command at a time and waits for its answer, for a while."""

    def __init__(self, transport: VirtioTransport, ring: Virtqueue, pages: PageAllocator, loop: MainLoop) -> None:
        self.transport: VirtioTransport = transport
        self.ring: Virtqueue = ring
        self.loop: MainLoop = loop
        self.page_gpa: i64 = pages.alloc(CONTROL_BYTES)
        self.outcome: i64 = DONE
        """What became of the last command (`OUTCOMES`)."""
        self.outcomes: list[int] = [0] * len(OUTCOMES)
        """How many commands ended each way."""
        self.owed: bool = False
        """The device has a command that it did not answer in time: its buffers are not ours."""
        # Linux gives the control queue no callback, and waits by polling.
        ring.disable_cb()

    def use_ring(self, ring: Virtqueue) -> None:
        """The queue was reset: go on with a new, empty ring; nothing is owed any more."""
        self.ring = ring
        self.owed = False
        ring.disable_cb()

    def command(self, klass: i64, cmd: i64, data: bytes) -> bool:
        """Send a command of class `klass` with `data` (at most MAX_DATA bytes); returns whether the device acknowledged it."""
        self.outcome = self._command(klass, cmd, data)
        self.outcomes[self.outcome] += 1
        if self.outcome == NO_ANSWER or self.outcome == BROKEN:
            self.ring.log.message(SEVERITY_WARNING, f"virtio_net: control command {klass}:{cmd}: {OUTCOMES[self.outcome]}")
        return self.outcome == DONE

    def _command(self, klass: i64, cmd: i64, data: bytes) -> i64:
        ring = self.ring
        memory = ring.memory
        if ring.broken:
            return BROKEN
        if self.owed and not self._reap():
            return NO_ANSWER
        if len(data) > MAX_DATA:
            return NO_ROOM
        memory.write(self.page_gpa, bytes([klass & 0xFF, cmd & 0xFF]))
        memory.write(self.page_gpa + ACK_AT, b"\xff")
        ring.segment(self.page_gpa, 2, 0)
        if data:
            memory.write(self.page_gpa + DATA_AT, data)
            ring.segment(self.page_gpa + DATA_AT, len(data), 0)
        ring.segment(self.page_gpa + ACK_AT, 1, DESC_WRITE)
        if ring.add_chain() < 0:
            return NO_ROOM
        self.transport.kick_if_wanted(ring)
        if not self._wait():
            self.owed = not ring.broken
            return BROKEN if ring.broken else NO_ANSWER
        return DONE if memory.read(self.page_gpa + ACK_AT, 1) == b"\x00" else REFUSED

    def _reap(self) -> bool:
        """Take a late answer; whether it has come."""
        if self.ring.begin_take(1):
            self.owed = self.ring.take() < 0
            self.ring.end_take()
        return not self.owed

    def _wait(self) -> bool:
        """Spin until the answer is there.  The device's main loop runs meanwhile, as it does beside a spinning CPU.

        When nothing is left for it to do, no answer can come before time passes, and a spinning CPU does not let it pass.
        """
        ring = self.ring
        for _ in range(SPINS):
            if ring.begin_take(1):
                taken = ring.take() >= 0
                ring.end_take()
                return taken
            if ring.broken or self.loop.run_bottom_halves() == 0:
                return False
        return False

    # -- commands -----------------------------------------------------------------------------------------------------
    def set_pairs(self, pairs: i64) -> bool:
        """Use `pairs` queue pairs."""
        return self.command(CLASS_MQ, MQ_VQ_PAIRS_SET, _le16(pairs))

    def set_rx_mode(self, promisc: bool, allmulti: bool) -> bool:
        """Which frames the device lets through beside those for the tables' addresses."""
        first = self.set_rx(RX_PROMISC, promisc)
        second = self.set_rx(RX_ALLMULTI, allmulti)
        return first and second

    def set_rx(self, mode: i64, on: bool) -> bool:
        """One switch of the receive filter."""
        return self.command(CLASS_RX, mode, b"\x01" if on else b"\x00")

    def set_mac_table(self, unicast: list[bytes], multicast: list[bytes]) -> bool:
        """The two filter tables, as one command."""
        return self.command(CLASS_MAC, MAC_TABLE_SET, _table(unicast) + _table(multicast))

    def set_mac(self, mac: bytes) -> bool:
        """The device's own address."""
        return self.command(CLASS_MAC, MAC_ADDR_SET, mac)

    def add_vlan(self, vid: i64) -> bool:
        """Let frames of VLAN `vid` through."""
        return self.command(CLASS_VLAN, VLAN_ADD, _le16(vid))

    def del_vlan(self, vid: i64) -> bool:
        """Let frames of VLAN `vid` through no longer."""
        return self.command(CLASS_VLAN, VLAN_DEL, _le16(vid))

    def acknowledge_announce(self) -> bool:
        """The driver has announced itself."""
        return self.command(CLASS_ANNOUNCE, ANNOUNCE_ACK, b"")

    def set_offloads(self, bits: int) -> bool:
        """Which of the negotiated receive offloads are on."""
        return self.command(CLASS_GUEST_OFFLOADS, GUEST_OFFLOADS_SET, bits.to_bytes(8, "little"))

    def set_rss(self, hash_types: int, table: list[int], unclassified: i64, max_tx: i64, key: bytes) -> bool:
        """Steer by hash: an indirection table of a power of two of receive queues, and the Toeplitz key (virtio 1.2, 5.1.6.5.7.1)."""
        body = hash_types.to_bytes(4, "little") + _le16(len(table) - 1) + _le16(unclassified)
        body += b"".join([_le16(queue) for queue in table])
        return self.command(CLASS_MQ, MQ_RSS_CONFIG, body + _le16(max_tx) + bytes([len(key)]) + key)

    def set_hash(self, hash_types: int, key: bytes) -> bool:
        """Only report hashes (5.1.6.5.6.4): the same command with the fields of the table reserved."""
        return self.command(CLASS_MQ, MQ_HASH_CONFIG, hash_types.to_bytes(4, "little") + bytes(8) + bytes([len(key)]) + key)


def _table(macs: list[bytes]) -> bytes:
    return len(macs).to_bytes(4, "little") + b"".join(macs)


def _le16(value: i64) -> bytes:
    return bytes([value & 0xFF, value >> 8 & 0xFF])
