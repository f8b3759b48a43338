"""A random sequence of operations on a random device, made from a seed alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ringscope_core.conform.case import CaseConfig, Op
from ringscope_core.conform.live import control
from ringscope_core.conform.live.driver import ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, HASH_REPORT, NO_VECTOR, RING_PACKED, VERSION_1, Driver
from ringscope_core.conform.live.layout import Layout
from ringscope_core.conform.live.ring_writers import RingWriter
from ringscope_core.conform.live.shrink import with_syncs
from ringscope_core.conform.live.traffic import NOWHERE, Traffic

SIZES: Final = (16, 16, 16, 32, 64, 256)
ODD_SIZES: Final = (1, 2, 4, 8, 3, 5, 17, 100, 128, 512, 1024)
STATUSES: Final = (0, 1, 3, 4, 7, 0xB, 0xF, 0xF, 0x80, 0x8F, 0x40, 0x4F, 0xFF)
LEGACY_MASK: Final = 0xFFFFFFFF
NEEDS_NO_BITS: Final = (1 << 33) | (1 << 36)
CONFIG_OFFSETS: Final = tuple(range(0, 0x40, 2))


@dataclass(frozen=True)
class Plan:
    """One sequence, before anyone has answered."""

    name: str
    config: CaseConfig
    layout: Layout
    ops: list[Op]


class SequenceMaker:
    """Makes the operations of one sequence."""

    def __init__(self, rng: random.Random, config: CaseConfig, layout: Layout) -> None:
        self.rng: random.Random = rng
        self.layout: Layout = layout
        self.driver: Driver = Driver(config, layout)
        self.traffic: Traffic = Traffic(rng, self.driver)
        self.traffic.dangerous = rng.random() < 0.05
        self.driver.legacy = layout.common is None or (layout.legacy and rng.random() < 0.15)

    def make(self) -> list[Op]:
        """The operations."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.15:
            self.registers(rng.choice((10, 30, 60)))
            if rng.random() < 0.3:
                self.set_up()
                self.steps(rng.choice((2, 5)))
        else:
            self.set_up()
            self.steps(rng.choice((3, 6, 10, 16)))
        self.driver.check()
        return self.driver.ops

    # -- set-up -------------------------------------------------------------------------------------------------------
    def pick_features(self) -> int:
        """What the driver takes of what is offered, sometimes what is not."""
        rng = self.rng
        offered = self.layout.features
        kind = rng.random()
        if kind < 0.35:
            features = offered
        elif kind < 0.5:
            features = offered & (VERSION_1 | RING_PACKED)
        else:
            features = sum(1 << bit for bit in range(64) if offered >> bit & 1 and rng.random() < 0.6)
        features &= ~NEEDS_NO_BITS if rng.random() < 0.8 else -1
        if not self.driver.legacy and rng.random() < 0.9:
            features |= offered & VERSION_1
        if rng.random() < 0.5:
            features |= offered & RING_PACKED
        if rng.random() < 0.03:
            features |= 1 << rng.randrange(64)
        if rng.random() < 0.1:
            features &= rng.getrandbits(64) | VERSION_1
        return features & LEGACY_MASK if self.driver.legacy else features

    def set_up(self) -> None:
        """Bring the device up, mostly as a driver should."""
        rng, driver = self.rng, self.driver
        if self.layout.vectors and rng.random() < 0.7 and not driver.msix_vectors:
            driver.msix(min(self.layout.vectors, rng.choice((1, 2, 3, 4, 8, 16))), rng.choice((0x8000, 0x8000, 0x8000, 0x8000, 0xC000)))
        driver.negotiate(self.pick_features(), rng.random() < 0.3)
        if driver.msix_vectors and rng.random() < 0.8:
            if driver.legacy:
                driver.old("config_vector", rng.randrange(driver.msix_vectors))
            else:
                driver.common("config_msix_vector", rng.choice((rng.randrange(driver.msix_vectors), NO_VECTOR, driver.msix_vectors)))
        for index in range(driver.control_queue() + 1):
            if rng.random() < 0.92:
                self.queue(index)
        if rng.random() < 0.95:
            driver.status(ACKNOWLEDGE | DRIVER | DRIVER_OK | (0 if driver.legacy else FEATURES_OK))
            driver.sync()
        driver.check()
        self.open()

    def open(self) -> None:
        """What a driver does first: buffers to receive into, what it wants to receive."""
        rng, traffic = self.rng, self.traffic
        if rng.random() < 0.75:
            for _ in range(rng.choice((1, 2, self.driver.config.peer.queues))):
                self._on("rx", traffic.post)
        if rng.random() < 0.7:
            said = control.opening(rng, self.driver.config.peer.queues)
            if said:
                self._on("ctrl", lambda ring: traffic.commands(ring, said))

    def queue(self, index: int) -> None:
        """Set one queue up."""
        rng, driver = self.rng, self.driver
        legacy_size = 64 if index == driver.control_queue() else int(driver.config.props.get("rx_queue_size", "256")) if index % 2 == 0 else 256
        size = legacy_size if driver.legacy else rng.choice(SIZES) if rng.random() < 0.9 else rng.choice(ODD_SIZES)
        vector = rng.randrange(driver.msix_vectors) if driver.msix_vectors else NO_VECTOR
        if rng.random() < 0.05:
            vector = rng.choice((NO_VECTOR, driver.msix_vectors, 0x100))
        place = None
        if rng.random() < 0.02 and not driver.legacy:
            good = driver.place_of(index, size)
            at = rng.randrange(3)
            others = (good[(at + 1) % 3], good[(at + 1) % 3] + 4, good[(at + 2) % 3] - 4)
            odd = rng.choice((*NOWHERE, *others, driver.config.ram - rng.choice((4, 16, 100, 4096)), good[at] + rng.choice((1, 2, 8)), 0))
            place = (odd if at == 0 else good[0], odd if at == 1 else good[1], odd if at == 2 else good[2])
        driver.queue(index, size, vector, 1 if rng.random() < 0.98 else rng.choice((0, 2, 0xFFFF)), place)

    # -- steps --------------------------------------------------------------------------------------------------------
    def ring(self, kinds: str) -> RingWriter | None:
        """A ring that was set up: of "rx", "tx", "ctrl" or any."""
        last = self.driver.control_queue()
        rings = [
            one
            for index, one in self.driver.rings.items()
            if kinds == "any" or (kinds == "ctrl" and index == last) or (index != last and (kinds == "rx") == (index % 2 == 0) and kinds != "ctrl")
        ]
        return self.rng.choice(rings) if rings else None

    def steps(self, count: int) -> None:
        """Random things to do."""
        todo: list[tuple[int, Callable[[], None]]] = [
            (22, lambda: self._on("tx", self.traffic.send)),
            (18, lambda: self._on("rx", self.traffic.post)),
            (18, self.traffic.inject),
            (14, lambda: self._on("ctrl", self.traffic.command)),
            (10, self._fault),
            (5, lambda: self._on("any", self.traffic.suppress)),
            (3, self._link),
            (3, self._poke),
            (3, self._look),
            (2, self._again),
            (2, self._status),
            (2, self._reset_queue),
            (2, self._idle_kick),
            (2, self._mask),
            (1, self._bus_master),
            (1, lambda: self._on("any", self.traffic.hostile_words)),
            (1, self._config_write),
            (1, self._announce),
        ]
        weights = [weight for weight, _ in todo]
        for _ in range(count):
            self.rng.choices(todo, weights)[0][1]()

    def _on(self, kinds: str, what: Callable[[RingWriter], None]) -> None:
        ring = self.ring(kinds)
        if ring is not None:
            what(ring)

    def _fault(self) -> None:
        ring = self.ring("any")
        if ring is not None:
            self.traffic.bad(ring)
            self.traffic.done(ring)
            if ring.index % 2 == 0:
                self.traffic.inject()
            if self.rng.random() < 0.6:
                # most faults end the device until it is reset
                self._again()

    def _poke(self) -> None:
        self.registers(self.rng.choice((1, 3, 6)))
        if self.rng.random() < 0.5:
            self._again()

    def _link(self) -> None:
        self.driver.ops.append(["link", self.rng.choice((0, 1, 1))])
        self.traffic.settle()

    def _announce(self) -> None:
        """One round, which is at once.  With a header of 20 bytes QEMU sends 8 bytes of its stack in it: not to be compared."""
        if self.driver.features & HASH_REPORT:
            return
        self.driver.ops.append(["announce", 50, 550, 1, 100])
        self.traffic.settle()

    def _look(self) -> None:
        driver = self.driver
        if driver.legacy:
            for name in ("status", "queue_pfn", "queue_num"):
                driver.old(name)
            return
        for name in self.rng.sample(
            ("device_status", "num_queues", "queue_size", "queue_enable", "queue_desc_lo", "queue_msix_vector", "config_msix_vector"), 3
        ):
            driver.common(name)
        if self.layout.device is not None:
            bar, base = self.layout.device
            for offset in range(0, self.layout.config_length & ~3, 4):
                driver.read(bar, base + offset, 4, "device")

    def _again(self) -> None:
        """A reset, and mostly the device comes up again."""
        self.driver.status(0)
        self.traffic.settle()
        if self.rng.random() < 0.85:
            self.set_up()

    def _status(self) -> None:
        self.driver.status(self.rng.choice(STATUSES))
        self.traffic.settle()

    def _reset_queue(self) -> None:
        """queue_reset, then the queue again."""
        driver = self.driver
        ring = self.ring("any")
        if ring is None or driver.legacy:
            return
        driver.common("queue_select", ring.index)
        driver.common("queue_reset", self.rng.choice((1, 1, 1, 0, 2)))
        driver.common("queue_reset")
        driver.common("queue_enable")
        self.traffic.settle()
        if self.rng.random() < 0.7:
            self.queue(ring.index)
            self.traffic.settle()

    def _idle_kick(self) -> None:
        index = self.rng.choice((0, 1, 2, 3, 5, 64))
        self.driver.kick(index, self.rng.choice((None, index, 0, 0xFFFF)))
        self.traffic.settle()

    def _mask(self) -> None:
        """A vector masked or not, or the function."""
        driver, rng = self.driver, self.rng
        if not driver.msix_vectors:
            return
        if rng.random() < 0.6:
            driver.write(1, 16 * rng.randrange(driver.msix_vectors) + 12, 4, rng.randrange(2))
        else:
            driver.ops.append(["cw", self.layout.msix + 2, 2, rng.choice((0x8000, 0xC000, 0x0000))])
        self.traffic.settle()

    def _bus_master(self) -> None:
        driver = self.driver
        driver.ops.append(["cw", 4, 2, self.rng.choice((3, 7, 7, 0x407))])
        self.traffic.settle()
        driver.ops.append(["cw", 4, 2, 7])
        self.traffic.settle()

    def _config_write(self) -> None:
        """The device's configuration is written: only the MAC, and only at times, takes it."""
        driver, rng = self.driver, self.rng
        bar, base = self.layout.device or (0, 0x18 if driver.msix_vectors else 0x14)
        for _ in range(rng.choice((1, 6))):
            size = rng.choice((1, 2, 4))
            driver.write(bar, base + rng.randrange(0, 12), size, rng.getrandbits(8 * size))
            driver.sync()
        driver.check()

    # -- registers ----------------------------------------------------------------------------------------------------
    def registers(self, count: int) -> None:
        """Accesses of any size at any place."""
        for _ in range(count):
            self.rng.choice(
                (
                    self._common_access,
                    self._common_access,
                    self._common_access,
                    self._legacy_access,
                    self._table_access,
                    self._config_access,
                    self._window,
                    self._anywhere,
                )
            )()
        self.driver.check()

    def _value(self, size: int) -> int:
        rng = self.rng
        return rng.choice((0, 1, 2, 0xFF, 0x100, 0xFFFF, 0xFFFFFFFF, rng.getrandbits(8 * size), 1 << rng.randrange(8 * size))) & ((1 << 8 * size) - 1)

    def _access(self, bar: int, offset: int, size: int, write: float) -> None:
        if bar not in self.layout.bars or offset + size > self.layout.bars[bar]:
            return
        if self.rng.random() < write:
            self.driver.write(bar, offset, size, self._value(size))
            self.driver.sync()
        else:
            self.driver.read(bar, offset, size)

    def _common_access(self) -> None:
        if self.layout.common is None:
            return
        rng = self.rng
        bar, base = self.layout.common
        offset = rng.choice((*range(0, 0x3C, 2), 0x14, 0x14, 0x15, 0x16, 0x1C)) if rng.random() < 0.85 else rng.randrange(0, 0x48)
        self._access(bar, base + offset, rng.choice((1, 2, 2, 4, 4, 8)), 0.5)

    def _legacy_access(self) -> None:
        self._access(0, self.rng.randrange(0, 0x20), self.rng.choice((1, 2, 4)), 0.4)

    def _table_access(self) -> None:
        rng = self.rng
        if 1 in self.layout.bars:
            offset = rng.choice((rng.randrange(0, 16 * (self.layout.vectors + 2), 4), 0x800, 0x804, rng.randrange(0, 0xFF8, 4)))
            if offset < 16 * self.driver.msix_vectors or rng.random() < 0.6:
                self.driver.read(1, offset, rng.choice((4, 4, 8)))
            elif offset % 16 == 12:
                # addresses stay: a message to anywhere would look like memory that the device wrote
                self.driver.write(1, offset, 4, rng.randrange(2))
                self.driver.sync()

    def _config_access(self) -> None:
        rng, ops = self.rng, self.driver.ops
        size = rng.choice((1, 2, 4))
        if rng.random() < 0.6:
            ops.append(["cr", rng.randrange(0, 256, size), size, None])
            return
        kind = rng.randrange(4)
        if kind == 0:
            ops.append(["cw", 4, 2, rng.choice((7, 7, 0x407, 0x147, 0x507))])
        elif kind == 1:
            ops.append(["cw", rng.choice((0x3C, 0x0C, 0x0E, 0x2C, 0x06)), rng.choice((1, 2)), rng.getrandbits(16)])
        elif kind == 2:
            offset = rng.randrange(0, 256, size)
            if not 0x10 <= offset < 0x28:
                # BARs stay where they are
                ops.append(["cw", offset, size, rng.getrandbits(8 * size)])
        else:
            ops.append(["cw", 0x3C, 1, rng.getrandbits(8)])
        self.driver.sync()

    def _window(self) -> None:
        """An access through the configuration space window (virtio 1.x, 4.1.4.9)."""
        cap, rng, ops = self.layout.window, self.rng, self.driver.ops
        if not cap:
            return
        ops.append(["cw", cap + 4, 1, rng.choice((4, 4, 4, 4, 0, 1, 2, 5))])
        ops.append(
            [
                "cw",
                cap + 8,
                4,
                rng.choice((0, 4, 0x12, 0x14, 0x16, 0x18, 0x1000, 0x2000, 0x2006, 0x3000, 0x3004, 0x3FFE, 0x4000, rng.getrandbits(14), 0xFFFFFFFF)),
            ]
        )
        ops.append(["cw", cap + 12, 4, rng.choice((1, 2, 4, 4, 0, 3, 8))])
        if rng.random() < 0.5:
            ops.append(["cr", cap + 16, rng.choice((1, 2, 4)), None])
        else:
            ops.append(["cw", cap + 16, rng.choice((1, 2, 4)), self._value(4)])
        self.driver.sync()

    def _anywhere(self) -> None:
        rng = self.rng
        bar = rng.choice([bar for bar in self.layout.bars if bar in (0, 4)] or [1])
        size = rng.choice((1, 2, 4, 8)) if bar else rng.choice((1, 2, 4))
        offset = rng.randrange(0, self.layout.bars[bar])
        self._access(bar, offset, size, 0.0 if bar == 1 else 0.35)


def make_sequence(seed: int, number: int, config: CaseConfig, layout: Layout) -> Plan:
    """Sequence `number` of `seed` on a device of `config`."""
    name = f"live-{seed}-{number}"
    return Plan(name, config, layout, with_syncs(SequenceMaker(random.Random(name), config, layout).make()))
