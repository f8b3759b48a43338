"""The virtio-net driver: probe, configuration changes, interrupts, resets (Linux: drivers/net/virtio_net.c)."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.guest.alloc import GuestOutOfMemoryError, PageAllocator
from ringscope_core.guest.config import TRANSPORT_LEGACY, TRANSPORT_MODERN, DriverConfig
from ringscope_core.guest.control import OUTCOMES, RX_ALLUNI, RX_NOBCAST, RX_NOMULTI, RX_NOUNI, ControlQueue
from ringscope_core.guest.features import (
    F_CTRL_GUEST_OFFLOADS,
    F_CTRL_MAC_ADDR,
    F_CTRL_RX,
    F_CTRL_RX_EXTRA,
    F_CTRL_VLAN,
    F_HASH_REPORT,
    F_MAC,
    F_MQ,
    F_MTU,
    F_RING_RESET,
    F_RSS,
    F_SPEED_DUPLEX,
    F_STATUS,
    F_VERSION_1,
    RX_OFFLOADS,
    choose,
    has,
)
from ringscope_core.guest.napi import Softirq
from ringscope_core.guest.net_queues import LAST_MESSAGE, LAYOUT_NAMES, NetQueues
from ringscope_core.guest.pci import PciFunction
from ringscope_core.guest.poll_mode import PollReceiveQueue
from ringscope_core.guest.receive import ReceiveQueue
from ringscope_core.guest.rss import RSS_KEY, WANTED_TYPES, indirection_table
from ringscope_core.guest.stack import NetStack
from ringscope_core.guest.transmit import SendQueue
from ringscope_core.guest.transport import (
    STATUS_ACKNOWLEDGE,
    STATUS_DRIVER,
    STATUS_DRIVER_OK,
    STATUS_FAILED,
    STATUS_FEATURES_OK,
    STATUS_NEEDS_RESET,
    ProbeError,
    VirtioTransport,
)
from ringscope_core.guest.virtio_pci import VirtioPciDevice
from ringscope_core.guest.virtio_pci_legacy import LegacyPciDevice
from ringscope_core.guest.virtqueue import Virtqueue
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
F_SPEED: Final[i64] = field("virtnet_info.speed", "count")
F_DUPLEX: Final[i64] = field("virtnet_info.duplex", "count")
F_RESETS: Final[i64] = field("driver.resets", "count")
F_RECOVERIES: Final[i64] = field("driver.recoveries", "count")

NET_STATUS_LINK_UP: Final[i64] = 1
NET_STATUS_ANNOUNCE: Final[i64] = 2

CONFIG_MAC: Final[i64] = 0
CONFIG_STATUS: Final[i64] = 6
CONFIG_MAX_PAIRS: Final[i64] = 8
CONFIG_MTU: Final[i64] = 10
CONFIG_SPEED: Final[i64] = 12
CONFIG_DUPLEX: Final[i64] = 16
CONFIG_RSS_KEY_SIZE: Final[i64] = 17
CONFIG_RSS_TABLE_LENGTH: Final[i64] = 18
CONFIG_HASH_TYPES: Final[i64] = 20

SPEED_UNKNOWN: Final[i64] = -1
DUPLEX_UNKNOWN: Final[i64] = 0xFF
NO_FILTER_EXTRA: Final = "the device has no such filter"


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
        self.oid: i64 = driver_oid(function.ring_bdf)
        self.transport: VirtioTransport | None = None
        self.queues: NetQueues | None = None
        self.message_base: i64 = 0
        self.messages: i64 = 0
        """MSI-X messages it may use, from `message_base` on."""
        self.messages_used: i64 = 0
        self.configured: bool = False
        """The device's configuration has been read."""
        self.features: int = 0
        self.features_off: int = 0
        """Bits that it is made to leave out, whatever its settings say."""
        self.features_on: int = 0
        """Bits that it is made to take where they are offered."""
        self.max_pairs: i64 = 1
        self.pairs: i64 = 0
        self.mtu: i64 = config.mtu
        self.speed: i64 = SPEED_UNKNOWN
        """Mbit/s, -1 unknown."""
        self.duplex: i64 = DUPLEX_UNKNOWN
        self.link: i64 = 0
        """The device's status field as the driver last saw it."""
        self.driver_state: i64 = 0
        """The device status bits the driver has written."""
        self.mac_value: i64 = 0
        self.receivers: list[ReceiveQueue] = []
        self.senders: list[SendQueue] = []
        self.pollers: list[PollReceiveQueue] = []
        self.control: ControlQueue | None = None
        self.rings: list[Virtqueue] = []
        self.config_pending: bool = False
        self.up: bool = False
        self.gone: bool = False
        """The function does not answer any more."""
        # what happened to it since the guest booted
        self.resets: i64 = 0
        """Times the driver reset the device and set it up again."""
        self.recoveries: i64 = 0
        """How many of these because the device needed it."""
        self.queue_resets: i64 = 0
        self.announces: i64 = 0
        self.lost: i64 = 0
        """Frames that were under way when a reset or removal came."""
        self._counts: dict[str, int] = {}
        """What the queues of former set-ups counted."""
        self._said_speed: i64 = 0
        self._said_duplex: i64 = 0
        self._said_resets: i64 = 0
        self._said_recoveries: i64 = 0

    # -- probe --------------------------------------------------------------------------------------------------------
    def probe(self, message_base: i64, messages: i64 = LAST_MESSAGE) -> i64:
        """Bring the interface up; MSI-X messages are numbered from `message_base` on, `messages` at most.  Returns how many it uses.

        On failure the status gets FAILED, memory comes back, and a ProbeError or GuestOutOfMemoryError leaves.
        """
        transport = self._find_transport()
        self.transport = transport
        self.message_base = message_base
        self.messages = min(messages, LAST_MESSAGE + 1 - message_base)
        self.gone = False
        self._say_life(self.resets, self.recoveries)
        transport.enable()
        try:
            transport.reset()
            self.ports.log.field(self.oid, F_DRIVER_STATE, 0, self.driver_state)
            self.driver_state = 0
            self._set_state(STATUS_ACKNOWLEDGE)
            self._set_state(STATUS_DRIVER)
            self._negotiate(transport)
            self._read_config(transport)
            used = self._setup_queues(transport)
        except (ProbeError, GuestOutOfMemoryError):
            self._set_state(STATUS_FAILED)
            self._release()
            raise
        self.messages_used = used
        for receiver in self.receivers[: self.pairs]:
            receiver.fill()
        self._set_state(STATUS_DRIVER_OK)
        self._open(transport)
        return used

    def _find_transport(self) -> VirtioTransport:
        """The interface that the settings name, else the modern one where the function has it (virtio_pci_probe)."""
        wanted = self.config.transport
        if wanted == TRANSPORT_LEGACY:
            return LegacyPciDevice(self.ports, self.function, self.pages)
        try:
            return VirtioPciDevice(self.ports, self.function, self.pages)
        except ProbeError as problem:
            if wanted == TRANSPORT_MODERN:
                raise
            self.ports.log.message(SEVERITY_INFO, str(problem))
        return LegacyPciDevice(self.ports, self.function, self.pages)

    def _set_state(self, bits: i64) -> None:
        transport = self.transport
        assert transport is not None
        transport.add_status(bits)
        old = self.driver_state
        self.driver_state = old | bits
        self.ports.log.field(self.oid, F_DRIVER_STATE, self.driver_state, old)

    def _negotiate(self, transport: VirtioTransport) -> None:
        offered = transport.device_features()
        if not transport.legacy and not has(offered, F_VERSION_1):
            raise ProbeError("virtio_net: device does not offer VIRTIO_F_VERSION_1")
        self.features = choose(offered, self.config, self.features_off, self.features_on)
        transport.write_features(self.features)
        self.ports.log.field(self.oid, F_FEATURES, _signed(self.features), 0)
        if transport.legacy:
            return
        self._set_state(STATUS_FEATURES_OK)
        if not transport.status() & STATUS_FEATURES_OK:
            raise ProbeError("virtio_net: device refuses features")

    def _read_config(self, transport: VirtioTransport) -> None:
        """MAC, queue pairs, MTU, speed (virtnet_probe)."""
        mac = transport.config_bytes(CONFIG_MAC, 6) if has(self.features, F_MAC) else b"\x52\x54\x00\x00\x00\x01"
        self._set_mac(mac)
        if has(self.features, F_MQ) or has(self.features, F_RSS):
            self.max_pairs = transport.config_read(CONFIG_MAX_PAIRS, 2)
        wanted = self.config.queue_pairs
        self.pairs = self.max_pairs if wanted <= 0 or wanted > self.max_pairs else wanted
        if has(self.features, F_MTU):
            mtu = transport.config_read(CONFIG_MTU, 2)
            if mtu < self.mtu:
                self.mtu = mtu
        self.configured = True
        self.ports.log.field(self.oid, F_DRIVER_MTU, self.mtu, 0)
        self._update_speed(transport)

    def _update_speed(self, transport: VirtioTransport) -> None:
        """virtnet_update_settings."""
        if not has(self.features, F_SPEED_DUPLEX):
            return
        data = transport.config_bytes(CONFIG_SPEED, 5)
        speed: i64 = int.from_bytes(data[:4], "little", signed=True)
        duplex: i64 = data[4]
        self._say_speed(speed, duplex)
        self.speed = speed
        self.duplex = duplex

    def _say_speed(self, speed: i64, duplex: i64) -> None:
        self.ports.log.field(self.oid, F_SPEED, speed, self._said_speed)
        self.ports.log.field(self.oid, F_DUPLEX, duplex, self._said_duplex)
        self._said_speed = speed
        self._said_duplex = duplex

    def _set_mac(self, mac: bytes) -> None:
        value: i64 = int.from_bytes(mac, "big")
        self.ports.log.field(self.oid, F_DRIVER_MAC, value, self.mac_value)
        self.mac_value = value
        self.stack.mac = mac

    def _setup_queues(self, transport: VirtioTransport) -> i64:
        queues = NetQueues(transport, self.pages, self.config, self.features, self.mtu, self.max_pairs)
        self.queues = queues
        # the same lists, so that what a failure leaves half made is found here too
        self.rings = queues.rings
        self.senders = queues.senders
        self.receivers = queues.receivers
        self.pollers = queues.pollers
        used = queues.build(self.softirq, self.stack, self.ports.loop, self.message_base, self.messages)
        self.control = queues.control
        self.stack.senders = self.senders
        self.stack.pairs = self.pairs
        return used

    # -- up -----------------------------------------------------------------------------------------------------------
    def _open(self, transport: VirtioTransport) -> None:
        """DRIVER_OK is set: tell the device of the receive buffers, choose pairs and filters, look at the link (virtnet_open)."""
        self.up = True
        for receiver in self.receivers[: self.pairs]:
            transport.kick_if_wanted(receiver.ring)
        if self.control is not None:
            self._configure(self.control)
        self.ports.log.field(self.oid, F_PAIRS, self.pairs, 0)
        # Linux polls each queue once: something may have come before callbacks were looked at.
        if not self.pollers:
            for receiver in self.receivers[: self.pairs]:
                receiver.schedule()
        self._update_link(transport)

    def _configure(self, control: ControlQueue) -> None:
        config = self.config
        if has(self.features, F_MQ) and not control.set_pairs(self.pairs):
            self._warn("Failed to set queue pairs")
            self.pairs = 1
            self.stack.pairs = 1
        self._configure_hash(control)
        if has(self.features, F_CTRL_RX) and not control.set_rx_mode(config.promisc, config.allmulti):
            self._warn("Failed to set the receive mode")
        self._configure_filter(control)
        if config.mac and has(self.features, F_CTRL_MAC_ADDR):
            self.set_mac(mac_from_text(config.mac))
        unicast = [mac_from_text(text) for text in config.unicast]
        multicast = [mac_from_text(text) for text in config.multicast]
        if (unicast or multicast) and not control.set_mac_table(unicast, multicast):
            self._warn("Failed to set MAC filter table.")
        if has(self.features, F_CTRL_VLAN):
            for vid in config.vlans:
                if not control.add_vlan(vid):
                    self._warn(f"Failed to add VLAN ID {vid}.")

    def _configure_filter(self, control: ControlQueue) -> None:
        """The switches of CTRL_RX_EXTRA that the settings turn on."""
        config = self.config
        wanted = ((RX_ALLUNI, config.alluni), (RX_NOMULTI, config.nomulti), (RX_NOUNI, config.nouni), (RX_NOBCAST, config.nobcast))
        for mode, on in wanted:
            if on and not (has(self.features, F_CTRL_RX_EXTRA) and control.set_rx(mode, True)):
                self._warn(f"Failed to set receive mode {mode}: {NO_FILTER_EXTRA if not has(self.features, F_CTRL_RX_EXTRA) else OUTCOMES[control.outcome]}")

    def _configure_hash(self, control: ControlQueue) -> None:
        """Key, table and hash types for the pairs in use (virtnet_commit_rss_command)."""
        transport = self.transport
        rss = has(self.features, F_RSS)
        if transport is None or not (rss or has(self.features, F_HASH_REPORT)):
            return
        types: int = transport.config_read(CONFIG_HASH_TYPES, 4) & WANTED_TYPES
        key = RSS_KEY[: transport.config_read(CONFIG_RSS_KEY_SIZE, 1)]
        if rss:
            table = indirection_table(self.pairs, transport.config_read(CONFIG_RSS_TABLE_LENGTH, 2))
            done = control.set_rss(types, table, 0, self.pairs, key)
            for receiver in self.receivers:
                receiver.rss_table = table if done else []
        else:
            done = control.set_hash(types, key)
        if not done:
            self._warn("Failed to set hashing")

    def _update_link(self, transport: VirtioTransport) -> None:
        """virtnet_config_changed_work: announce when asked to, follow the link."""
        status = NET_STATUS_LINK_UP
        if has(self.features, F_STATUS):
            status = transport.config_read(CONFIG_STATUS, 2)
        self.ports.log.field(self.oid, F_LINK, status & NET_STATUS_LINK_UP, self.link)
        self.link = status & NET_STATUS_LINK_UP
        for sender in self.senders:
            sender.carrier = self.link != 0
        if status & NET_STATUS_ANNOUNCE and self.control is not None:
            self.announces += 1
            self.stack.announce()
            self.control.acknowledge_announce()
        self._update_speed(transport)

    def announcement(self) -> str:
        """What the guest's log says of the interface."""
        queues = self.queues
        transport = self.transport
        assert queues is not None and transport is not None
        ways = f"{'legacy' if transport.legacy else 'modern'}, {'packed' if queues.mode.packed else 'split'} rings"
        return (
            f"virtio_net: {mac_to_text(self.stack.mac)}, {ways}, {self.pairs} of {self.max_pairs} queue pairs, "
            f"{LAYOUT_NAMES[queues.shape.layout]} receive buffers, mtu {self.mtu}"
        )

    def _warn(self, text: str) -> None:
        self.ports.log.message(SEVERITY_WARNING, f"virtio_net: {text}")

    # -- changes while it is up ---------------------------------------------------------------------------------------
    def set_pairs(self, pairs: i64) -> bool:
        """Use `pairs` queue pairs from now on (ethtool -L); False when that many are not there, or the device refuses."""
        control, transport = self.control, self.transport
        if control is None or transport is None or not 1 <= pairs <= self.max_pairs or not has(self.features, F_MQ):
            return False
        for receiver in self.receivers[self.pairs : pairs]:
            receiver.refill()
        if not control.set_pairs(pairs):
            self._warn("Failed to set queue pairs")
            return False
        self.ports.log.field(self.oid, F_PAIRS, pairs, self.pairs)
        self.pairs = pairs
        self.stack.pairs = pairs
        self._configure_hash(control)
        return True

    def set_mac(self, mac: bytes) -> bool:
        """Another Ethernet address (virtnet_set_mac_address); False when the device refuses."""
        control, transport = self.control, self.transport
        if control is not None and has(self.features, F_CTRL_MAC_ADDR):
            if not control.set_mac(mac):
                self._warn("Failed to set the MAC address")
                return False
        elif transport is not None and not has(self.features, F_VERSION_1):
            # the legacy way: byte by byte, into the configuration
            for place in range(6):
                transport.config_write(CONFIG_MAC + place, 1, mac[place])
        else:
            return False
        self._set_mac(mac)
        return True

    def set_offloads(self, bits: int) -> bool:
        """Turn negotiated receive offloads on or off (virtnet_set_guest_offloads)."""
        if self.control is None or not has(self.features, F_CTRL_GUEST_OFFLOADS):
            return False
        if not self.control.set_offloads(bits & self.features & RX_OFFLOADS):
            self._warn("Failed to set guest offload.")
            return False
        return True

    def reset_queue(self, index: i64) -> bool:
        """Reset one queue and start it again (virtqueue_resize, of the same size); False when that can not be done."""
        queues = self.queues
        if queues is None or not self.up or not has(self.features, F_RING_RESET) or not 0 <= index < len(self.rings):
            return False
        try:
            if index & 1 and index < 2 * self.max_pairs:
                self.senders[index >> 1].free_old_xmit()
                self.lost += self.senders[index >> 1].outstanding()
            queues.restart(index)
        except ProbeError as problem:
            self._warn(str(problem))
            return False
        self.queue_resets += 1
        return True

    # -- interrupts ---------------------------------------------------------------------------------------------------
    def message(self, message: i64) -> bool:
        """An MSI-X message came; returns whether it is this device's."""
        transport = self.transport
        queues = self.queues
        if transport is None or queues is None:
            return False
        vector = transport.vector_of_message(message)
        if vector < 0:
            return False
        if vector == 0:
            self._irq_event(self.oid, 0)
            self.config_pending = True
            return True
        for ring in queues.ring_of_vector[vector]:
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
        if not self.pollers:
            for ring in self.rings[: 2 * self.max_pairs]:
                self._ring_interrupt(ring, 0)
        return True

    def _ring_interrupt(self, ring: Virtqueue, vector: i64) -> None:
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
        """Deferred work: of a configuration interrupt, or because a ring broke; returns 1 when there was some."""
        queues = self.queues
        if queues is not None and queues.trouble.seen and self.config.recover:
            queues.trouble.seen = False
            self._recover()
            return 1
        if not self.config_pending:
            return 0
        self.config_pending = False
        transport = self.transport
        if transport is None or not self.up:
            return 0
        if not transport.present():
            self.vanish()
            return 1
        if transport.status() & STATUS_NEEDS_RESET:
            self._needs_reset()
            return 1
        self._update_link(transport)
        return 1

    def poll(self) -> i64:
        """Look at every receive queue in use that is polled; returns how many frames came."""
        moved: i64 = 0
        for place in range(len(self.pollers)):
            if place < self.pairs:
                moved += self.pollers[place].poll_burst()
        return moved

    # -- resets -------------------------------------------------------------------------------------------------------
    def _needs_reset(self) -> None:
        """The device is broken: set it up again, or leave it at that."""
        self.ports.log.message(SEVERITY_ERROR, "virtio_net: device needs reset")
        if self.config.recover:
            self._recover()
            return
        for sender in self.senders:
            sender.carrier = False

    def _recover(self) -> None:
        self.recoveries += 1
        self.restart()

    def restart(self) -> bool:
        """Reset the device and set it up from the start, with the same settings; whether it came up again.

        What the stack left to the queues waits; what the device had is lost.
        """
        if self.transport is None:
            return False
        waiting = [sender.qdisc for sender in self.senders]
        self.resets += 1
        self._down()
        try:
            self.probe(self.message_base, self.messages)
        except (ProbeError, GuestOutOfMemoryError) as problem:
            self.ports.log.message(SEVERITY_ERROR, f"guest: {problem}")
            if self.transport is None:
                self._say_life(0, 0)
            return False
        for place, frames in enumerate(waiting):
            self.senders[place % len(self.senders)].qdisc.extend(frames)
        self.ports.log.message(SEVERITY_INFO, f"guest: {self.announcement()}")
        return True

    def renegotiate(self, off: int, on: int) -> bool:
        """Reset the device and negotiate again, without the bits `off` and with the bits `on`; whether it came up again."""
        self.features_off = (self.features_off | off) & ~on
        self.features_on = (self.features_on | on) & ~off
        return self.restart()

    def remove(self) -> None:
        """Reset the device and give all memory back (virtnet_remove); `probe` may follow."""
        if self.transport is None:
            return
        self._down()
        self._say_life(0, 0)
        self.ports.log.message(SEVERITY_INFO, "virtio_net: interface removed")

    def _say_life(self, resets: i64, recoveries: i64) -> None:
        """Record the counters that outlive a set-up, 0 while there is no interface."""
        log = self.ports.log
        log.field(self.oid, F_RESETS, resets, self._said_resets)
        log.field(self.oid, F_RECOVERIES, recoveries, self._said_recoveries)
        self._said_resets = resets
        self._said_recoveries = recoveries

    def vanish(self) -> None:
        """The function is gone (surprise removal): nothing of it can be touched, everything else is as in `remove`."""
        if self.transport is None:
            return
        self.gone = True
        self.ports.log.message(SEVERITY_ERROR, "virtio_net: device is gone")
        self.remove()

    def _down(self) -> None:
        """Stop the device and take everything apart."""
        transport, queues = self.transport, self.queues
        assert transport is not None
        if queues is not None:
            self.lost += queues.lost()
            self._count(queues)
        if not self.gone:
            try:
                transport.reset()
            except ProbeError as problem:
                self._warn(str(problem))
            transport.disable_msix()
        self._release()
        log = self.ports.log
        log.field(self.oid, F_DRIVER_STATE, 0, self.driver_state)
        self._forget()

    def _release(self) -> None:
        """Memory back, fields cleared; what the driver wrote into the status stays on record."""
        queues = self.queues
        if queues is not None:
            queues.release()
        log = self.ports.log
        log.field(self.oid, F_FEATURES, 0, _signed(self.features))
        log.field(self.oid, F_PAIRS, 0, self.pairs if self.up else 0)
        log.field(self.oid, F_LINK, 0, self.link)
        log.field(self.oid, F_DRIVER_MAC, 0, self.mac_value)
        log.field(self.oid, F_DRIVER_MTU, 0, self.mtu if self.configured else 0)
        self._say_speed(0, 0)
        state = self.driver_state
        transport = self.transport
        self._forget()
        self.driver_state = state
        self.transport = transport

    def _forget(self) -> None:
        self.transport = None
        self.queues = None
        self.features = 0
        self.max_pairs = 1
        self.pairs = 0
        self.mtu = self.config.mtu
        self.speed = SPEED_UNKNOWN
        self.duplex = DUPLEX_UNKNOWN
        self.link = 0
        self.driver_state = 0
        self.mac_value = 0
        self.configured = False
        self.receivers = []
        self.senders = []
        self.pollers = []
        self.control = None
        self.rings = []
        self.stack.senders = []
        self.config_pending = False
        self.up = False

    # -- results ------------------------------------------------------------------------------------------------------
    def stats(self) -> dict[str, int]:
        """What happened since the guest booted, by name; only what did."""
        counts = dict(self._counts)
        if self.queues is not None:
            _add(counts, _counted(self.queues))
        own: dict[str, int] = {
            "resets": self.resets,
            "recoveries": self.recoveries,
            "queue resets": self.queue_resets,
            "announced": self.announces,
            "lost in resets": self.lost,
        }
        _add(counts, own)
        return {name: number for name, number in counts.items() if number}

    def _count(self, queues: NetQueues) -> None:
        _add(self._counts, _counted(queues))

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
        fields[int(F_DRIVER_MTU)] = self.mtu if self.configured else 0
        fields[int(F_SPEED)] = self._said_speed
        fields[int(F_DUPLEX)] = self._said_duplex
        fields[int(F_RESETS)] = self.resets
        fields[int(F_RECOVERIES)] = self.recoveries
        for ring in self.rings:
            ring.snapshot(state)
        for receiver in self.receivers:
            receiver.snapshot(state)
        for sender in self.senders:
            sender.snapshot(state)


def _counted(queues: NetQueues) -> dict[str, int]:
    """What the queues of one set-up have counted beside frames."""
    counts: dict[str, int] = {}
    for sender in queues.senders:
        _add(counts, {"checksums left to the device": sender.csum_left, "segmentations left to the device": sender.gso_left, "frames cut": sender.cut})
    for receiver in queues.receivers:
        _add(
            counts,
            {
                "checksums verified by the device": receiver.csum_valid,
                "checksums completed": receiver.csum_partial,
                "large frames received": receiver.gso_frames,
                "coalesced segments": receiver.rsc_segments,
                "hashes": receiver.hashed,
                "frames on another queue than their hash's": receiver.misrouted,
                "bad headers": receiver.bad_headers,
            },
        )
    control = queues.control
    if control is not None:
        _add(counts, {f"commands: {OUTCOMES[place]}": number for place, number in enumerate(control.outcomes)})
    return counts


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number


def _signed(value: int) -> int:
    """The signed twin of an unsigned 64 bit word, as event arguments carry it."""
    return value - (1 << 64) if value >> 63 else value
