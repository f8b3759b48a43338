"""The virtio-net driver: probe, queues, configuration changes, interrupts (Linux: drivers/net/virtio_net.c)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.config import RX_BIG, DriverConfig
from ringscope_core.guest.control import ControlQueue
from ringscope_core.guest.features import (
    F_CTRL_MAC_ADDR,
    F_CTRL_RX,
    F_CTRL_VLAN,
    F_CTRL_VQ,
    F_EVENT_IDX,
    F_GUEST_TSO4,
    F_INDIRECT_DESC,
    F_MAC,
    F_MQ,
    F_MRG_RXBUF,
    F_MTU,
    F_STATUS,
    F_VERSION_1,
    choose,
    has,
)
from ringscope_core.guest.napi import Softirq
from ringscope_core.guest.pci import PciFunction
from ringscope_core.guest.receive import BIG_PAGES, LAYOUT_BIG, LAYOUT_MERGEABLE, LAYOUT_SMALL, ReceiveQueue
from ringscope_core.guest.ring import Vring, ring_bytes
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.transmit import SendQueue
from ringscope_core.guest.virtio_pci import (
    NO_VECTOR,
    STATUS_ACKNOWLEDGE,
    STATUS_DRIVER,
    STATUS_DRIVER_OK,
    STATUS_FAILED,
    STATUS_FEATURES_OK,
    STATUS_NEEDS_RESET,
    ProbeError,
    VirtioPciDevice,
)
from ringscope_core.hw.ports import GuestPorts
from ringscope_core.net.addresses import mac_from_text, mac_to_text
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_GUEST_IRQ
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.log import SEVERITY_ERROR, SEVERITY_INFO, SEVERITY_WARNING
from ringscope_core.trace.oids import RINGS_PER_FUNCTION, ring_oid
from ringscope_core.trace.state import MachineState

F_DRIVER_STATE: Final[i64] = field("virtio_device.driver_state", "flags")
F_PAIRS: Final[i64] = field("virtnet_info.curr_queue_pairs", "count")
F_LINK: Final[i64] = field("virtnet_info.status", "flags")
F_FEATURES: Final[i64] = field("driver.features", "flags")
F_DRIVER_MAC: Final[i64] = field("driver.mac", "flags")
F_DRIVER_MTU: Final[i64] = field("driver.mtu", "bytes")

NET_STATUS_LINK_UP: Final[i64] = 1
NET_STATUS_ANNOUNCE: Final[i64] = 2

CONFIG_MAC: Final[i64] = 0
CONFIG_STATUS: Final[i64] = 6
CONFIG_MAX_PAIRS: Final[i64] = 8
CONFIG_MTU: Final[i64] = 10

TX_TABLE_ENTRIES: Final[i64] = 19
"""Entries of a transmit queue's indirect tables: header and 17 fragments, rounded up."""
CTRL_TABLE_ENTRIES: Final[i64] = 4
LAST_MESSAGE: Final[i64] = 0xEF
"""The last interrupt vector that is free for devices."""


def driver_oid(bdf: i64) -> i64:
    """The object id that the driver's own fields are recorded under: a ring id past the last queue a net device can have."""
    return ring_oid(bdf, RINGS_PER_FUNCTION - 1)


@final
class VirtnetInfo:
    """One network interface: the device as its driver sees it."""

    def __init__(self, ports: GuestPorts, function: PciFunction, pages: PageAllocator, softirq: Softirq, config: DriverConfig, stack: NetStack) -> None:
        """Nothing touches the device before `probe`."""
        self.ports: GuestPorts = ports
        self.function: PciFunction = function
        self.pages: PageAllocator = pages
        self.softirq: Softirq = softirq
        self.config: DriverConfig = config
        self.stack: NetStack = stack
        self.oid: i64 = driver_oid(function.bdf)
        self.transport: VirtioPciDevice | None = None
        self.features: int = 0
        self.max_pairs: i64 = 1
        self.pairs: i64 = 0
        self.mtu: i64 = config.mtu
        self.link: i64 = 0
        """The device's status field as the driver last saw it."""
        self.driver_state: i64 = 0
        """The device status bits the driver has written."""
        self.mac_value: i64 = 0
        self.receivers: list[ReceiveQueue] = []
        self.senders: list[SendQueue] = []
        self.control: ControlQueue | None = None
        self.rings: list[Vring] = []
        self.ring_of_vector: list[list[Vring]] = []
        """Rings by MSI-X vector; vector 0 also carries configuration changes."""
        self._allocated: list[tuple[int, int]] = []
        self.config_pending: bool = False
        self.up: bool = False

    # -- probe --------------------------------------------------------------------------------------------------------
    def probe(self, message_base: i64) -> i64:
        """Bring the interface up; MSI-X messages are numbered from `message_base` on.  Returns how many it uses.

        On failure the status gets FAILED and a ProbeError leaves.
        """
        transport = VirtioPciDevice(self.ports, self.function, self.pages)
        self.transport = transport
        transport.enable()
        try:
            transport.reset()
            self._set_state(STATUS_ACKNOWLEDGE)
            self._set_state(STATUS_DRIVER)
            self._negotiate(transport)
            self._read_config(transport)
            used = self._setup_queues(transport, message_base)
        except ProbeError:
            self._set_state(STATUS_FAILED)
            raise
        for receiver in self.receivers[: self.pairs]:
            receiver.fill()
        self._set_state(STATUS_DRIVER_OK)
        self._open(transport)
        return used

    def _set_state(self, bits: i64) -> None:
        transport = self.transport
        assert transport is not None
        transport.add_status(bits)
        old = self.driver_state
        self.driver_state = old | bits
        self.ports.log.field(self.oid, F_DRIVER_STATE, self.driver_state, old)

    def _negotiate(self, transport: VirtioPciDevice) -> None:
        offered = transport.device_features()
        if not has(offered, F_VERSION_1):
            raise ProbeError("virtio_net: device does not offer VIRTIO_F_VERSION_1")
        self.features = choose(offered, self.config)
        transport.write_features(self.features)
        self.ports.log.field(self.oid, F_FEATURES, _signed(self.features), 0)
        self._set_state(STATUS_FEATURES_OK)
        if not transport.status() & STATUS_FEATURES_OK:
            raise ProbeError("virtio_net: device refuses features")

    def _read_config(self, transport: VirtioPciDevice) -> None:
        """MAC, queue pairs, MTU, link (virtnet_probe)."""
        mac = bytes([transport.config_read(CONFIG_MAC + i, 1) for i in range(6)]) if has(self.features, F_MAC) else b"\x52\x54\x00\x00\x00\x01"
        self._set_mac(mac)
        if has(self.features, F_MQ):
            self.max_pairs = transport.config_read(CONFIG_MAX_PAIRS, 2)
        wanted = self.config.queue_pairs
        self.pairs = self.max_pairs if wanted <= 0 or wanted > self.max_pairs else wanted
        if has(self.features, F_MTU):
            mtu = transport.config_read(CONFIG_MTU, 2)
            if mtu < self.mtu:
                self.mtu = mtu
        self.ports.log.field(self.oid, F_DRIVER_MTU, self.mtu, 0)

    def _set_mac(self, mac: bytes) -> None:
        value: i64 = int.from_bytes(mac, "big")
        self.ports.log.field(self.oid, F_DRIVER_MAC, value, self.mac_value)
        self.mac_value = value
        self.stack.mac = mac

    # -- queues -------------------------------------------------------------------------------------------------------
    def _setup_queues(self, transport: VirtioPciDevice, message_base: i64) -> i64:
        """Rings and interrupts for every pair the device has, and the control queue (virtnet_find_vqs)."""
        count = 2 * self.max_pairs
        vectors = self._choose_vectors(transport, count, LAST_MESSAGE + 1 - message_base)
        if vectors:
            transport.enable_msix(vectors, message_base)
            transport.set_config_vector(0)
        self.ring_of_vector = [[] for _ in range(vectors)]
        for index in range(count):
            self._add_ring(transport, index, self._vector_of(index, vectors, count))
        if has(self.features, F_CTRL_VQ):
            self._add_ring(transport, count, NO_VECTOR)
        for ring in self.rings:
            transport.enable_queue(ring.index)
        self._make_pairs(transport)
        return vectors

    def _choose_vectors(self, transport: VirtioPciDevice, queues: i64, messages: i64) -> i64:
        """One vector a queue and one for changes; else two in all; else the interrupt pin (vp_find_vqs)."""
        available: i64 = transport.find_msix() if self.config.msix else 0
        if messages < available:
            available = messages
        if available > queues:
            return queues + 1
        return 2 if available >= 2 else 0

    def _vector_of(self, index: i64, vectors: i64, queues: i64) -> i64:
        if vectors == 0:
            return NO_VECTOR
        return index + 1 if vectors == queues + 1 else 1

    def _add_ring(self, transport: VirtioPciDevice, index: i64, vector: i64) -> None:
        indirect = has(self.features, F_INDIRECT_DESC)
        ring = transport.setup_queue(index, vector, has(self.features, F_EVENT_IDX), indirect)
        self.rings.append(ring)
        self._allocated.append((int(ring.desc_gpa), int(ring_bytes(ring.num)[2])))
        if vector != NO_VECTOR:
            self.ring_of_vector[vector].append(ring)
        entries = self._table_entries(index)
        if indirect and entries:
            size = 16 * entries * ring.num
            ring.use_tables(self.pages.alloc(size), entries)
            self._allocated.append((int(ring.tables_gpa), int(size)))

    def _table_entries(self, index: i64) -> i64:
        """Room a queue's indirect tables need, 0 where chains are one descriptor long."""
        if index == 2 * self.max_pairs:
            return CTRL_TABLE_ENTRIES
        if index & 1:
            return TX_TABLE_ENTRIES
        return BIG_PAGES + 1 if self._layout() == LAYOUT_BIG else 0

    def _layout(self) -> i64:
        if has(self.features, F_MRG_RXBUF):
            return LAYOUT_MERGEABLE
        if has(self.features, F_GUEST_TSO4) or self.config.rx_mode == RX_BIG:
            return LAYOUT_BIG
        return LAYOUT_SMALL

    def _make_pairs(self, transport: VirtioPciDevice) -> None:
        layout = self._layout()
        for pair in range(self.max_pairs):
            sender = SendQueue(transport, self.softirq, self.rings[2 * pair + 1], self.config, self.pages, self.stack.sent, self.mtu, pair)
            receiver = ReceiveQueue(transport, self.softirq, self.rings[2 * pair], layout, self.config, self.pages, self.stack, sender, pair)
            self.senders.append(sender)
            self.receivers.append(receiver)
            self._allocated.append((int(sender.pool_gpa), int(sender.pool_bytes)))
            self._allocated.append((int(receiver.pool_gpa), int(receiver.pool_bytes)))
        self.stack.senders = self.senders
        self.stack.pairs = self.pairs
        if has(self.features, F_CTRL_VQ):
            self.control = ControlQueue(transport, self.rings[2 * self.max_pairs], self.pages, self.ports.loop)
            self._allocated.append((int(self.control.page_gpa), 4096))

    # -- up -----------------------------------------------------------------------------------------------------------
    def _open(self, transport: VirtioPciDevice) -> None:
        """DRIVER_OK is set: tell the device of the receive buffers, choose pairs and filters, look at the link (virtnet_open)."""
        self.up = True
        for receiver in self.receivers[: self.pairs]:
            transport.kick_if_wanted(receiver.ring)
        if self.control is not None:
            self._configure(self.control)
        self.ports.log.field(self.oid, F_PAIRS, self.pairs, 0)
        # Linux polls each queue once: something may have come before callbacks were looked at.
        for receiver in self.receivers[: self.pairs]:
            receiver.schedule()
        self._update_link(transport)

    def _configure(self, control: ControlQueue) -> None:
        config = self.config
        if has(self.features, F_MQ) and not control.set_pairs(self.pairs):
            self._warn("Failed to set queue pairs")
            self.pairs = 1
            self.stack.pairs = 1
        if has(self.features, F_CTRL_RX) and not control.set_rx_mode(config.promisc, config.allmulti):
            self._warn("Failed to set the receive mode")
        if config.mac and has(self.features, F_CTRL_MAC_ADDR):
            mac = mac_from_text(config.mac)
            if control.set_mac(mac):
                self._set_mac(mac)
            else:
                self._warn("Failed to set the MAC address")
        if config.multicast and not control.set_mac_table([], [mac_from_text(text) for text in config.multicast]):
            self._warn("Failed to set MAC filter table.")
        if has(self.features, F_CTRL_VLAN):
            for vid in config.vlans:
                if not control.add_vlan(vid):
                    self._warn(f"Failed to add VLAN ID {vid}.")

    def _update_link(self, transport: VirtioPciDevice) -> None:
        """virtnet_config_changed_work: announce when asked to, follow the link."""
        status = NET_STATUS_LINK_UP
        if has(self.features, F_STATUS):
            status = transport.config_read(CONFIG_STATUS, 2)
        if status & NET_STATUS_ANNOUNCE and self.control is not None:
            self.control.acknowledge_announce()
            status &= ~NET_STATUS_ANNOUNCE
        self.ports.log.field(self.oid, F_LINK, status, self.link)
        self.link = status
        for sender in self.senders:
            sender.carrier = status & NET_STATUS_LINK_UP != 0

    def announcement(self) -> str:
        """What the guest's log says of the interface."""
        bits = "mergeable" if self._layout() == LAYOUT_MERGEABLE else "big" if self._layout() == LAYOUT_BIG else "small"
        return f"virtio_net: {mac_to_text(self.stack.mac)}, {self.pairs} of {self.max_pairs} queue pairs, {bits} receive buffers, mtu {self.mtu}"

    def _warn(self, text: str) -> None:
        self.ports.log.message(SEVERITY_WARNING, f"virtio_net: {text}")

    # -- interrupts ---------------------------------------------------------------------------------------------------
    def message(self, message: i64) -> bool:
        """An MSI-X message came; returns whether it is this device's."""
        transport = self.transport
        if transport is None:
            return False
        vector = transport.vector_of_message(message)
        if vector < 0:
            return False
        if vector == 0:
            self._irq_event(self.oid, 0)
            self.config_pending = True
            return True
        for ring in self.ring_of_vector[vector]:
            self._ring_interrupt(ring, vector)
        return True

    def pin(self) -> bool:
        """The interrupt pin is up; returns whether this device raised it (vp_interrupt: reading the ISR lowers the pin)."""
        transport = self.transport
        if transport is None or not self.up or transport.vectors:
            return False
        isr = transport.read_isr()
        if isr == 0:
            return False
        if isr & 2:
            self.config_pending = True
        for ring in self.rings[: 2 * self.max_pairs]:
            self._ring_interrupt(ring, 0)
        return True

    def _ring_interrupt(self, ring: Vring, vector: i64) -> None:
        """vring_interrupt: spurious unless there are used elements."""
        if not ring.more_used():
            return
        self._irq_event(ring.oid, vector)
        pair = ring.index >> 1
        if ring.index & 1:
            self.senders[pair].interrupt()
        else:
            self.receivers[pair].schedule()

    def _irq_event(self, oid: i64, vector: i64) -> None:
        log = self.ports.log
        if log.level >= LEVEL_FULL:
            log.cause = log.emit(EV_GUEST_IRQ, oid, vector)

    def work(self) -> i64:
        """Deferred work of a configuration interrupt; returns 1 when there was some."""
        if not self.config_pending:
            return 0
        self.config_pending = False
        transport = self.transport
        if transport is None or not self.up:
            return 0
        if transport.status() & STATUS_NEEDS_RESET:
            self.ports.log.message(SEVERITY_ERROR, "virtio_net: device needs reset")
            for sender in self.senders:
                sender.carrier = False
            return 1
        self._update_link(transport)
        return 1

    # -- down ---------------------------------------------------------------------------------------------------------
    def remove(self) -> None:
        """Reset the device and give all memory back (virtnet_remove); `probe` may follow."""
        transport = self.transport
        if transport is None:
            return
        transport.reset()
        log = self.ports.log
        for receiver in self.receivers:
            receiver.cancel()
        for sender in self.senders:
            sender.cancel()
        for ring in self.rings:
            ring.release()
        for gpa, size in self._allocated:
            self.pages.free(gpa, size)
        log.field(self.oid, F_DRIVER_STATE, 0, self.driver_state)
        log.field(self.oid, F_FEATURES, 0, _signed(self.features))
        log.field(self.oid, F_PAIRS, 0, self.pairs if self.up else 0)
        log.field(self.oid, F_LINK, 0, self.link)
        log.field(self.oid, F_DRIVER_MAC, 0, self.mac_value)
        log.field(self.oid, F_DRIVER_MTU, 0, self.mtu)
        log.message(SEVERITY_INFO, "virtio_net: interface removed")
        self._forget()

    def _forget(self) -> None:
        self.transport = None
        self.features = 0
        self.max_pairs = 1
        self.pairs = 0
        self.mtu = self.config.mtu
        self.link = 0
        self.driver_state = 0
        self.mac_value = 0
        self.receivers = []
        self.senders = []
        self.control = None
        self.rings = []
        self.ring_of_vector = []
        self._allocated = []
        self.config_pending = False
        self.up = False

    # -- keyframes ----------------------------------------------------------------------------------------------------
    def snapshot(self, state: MachineState) -> None:
        """Put the driver's fields and its rings into `state`."""
        if self.transport is None:
            return
        fields = state.fields.setdefault(int(self.oid), {})
        fields[int(F_DRIVER_STATE)] = self.driver_state
        fields[int(F_FEATURES)] = _signed(self.features)
        fields[int(F_PAIRS)] = self.pairs if self.up else 0
        fields[int(F_LINK)] = self.link
        fields[int(F_DRIVER_MAC)] = self.mac_value
        fields[int(F_DRIVER_MTU)] = self.mtu
        for ring in self.rings:
            ring.snapshot(state)
        for receiver in self.receivers:
            receiver.snapshot(state)
        for sender in self.senders:
            sender.snapshot(state)


def _signed(value: int) -> int:
    """The signed twin of an unsigned 64 bit word, as event arguments carry it."""
    return value - (1 << 64) if value >> 63 else value
