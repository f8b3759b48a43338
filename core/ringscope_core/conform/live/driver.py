"""A driver that writes down what it does: register names, set-up of a device, kicks.  Everything becomes operations of a case."""

from __future__ import annotations

import struct
from typing import Any, Final

from ringscope_core.conform.case import MSI_BASE, MSI_DATA, CaseConfig, Op
from ringscope_core.conform.live.layout import Layout
from ringscope_core.conform.live.ring_writers import PackedWriter, RingWriter, SplitWriter
from ringscope_core.conform.registers import COMMON, LEGACY

COMMON_SIZE: Final = {"device_status": 1, "config_generation": 1}
_WORDS: Final = ("device_feature_select", "device_feature", "driver_feature_select", "driver_feature")
LEGACY_SIZE: Final = {"host_features": 4, "guest_features": 4, "queue_pfn": 4, "status": 1, "isr": 1}
COMMON_AT: Final = {name: offset for offset, name in COMMON.items()}
LEGACY_AT: Final = {name: offset for offset, name in LEGACY.items()}
RING_BASE: Final = 0x10000
RING_STRIDE: Final = 0x8000
DATA_BASE: Final = 0x60000
"""Indirect tables and control data."""
BUFFER_BASE: Final = 0x100000
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8
VERSION_1: Final = 1 << 32
RING_PACKED: Final = 1 << 34
MRG_RXBUF: Final = 1 << 15
MQ: Final = 1 << 22
HASH_REPORT: Final = 1 << 57
RSC_EXT: Final = 1 << 61
NO_VECTOR: Final = 0xFFFF


class Driver:
    """Collects operations."""

    def __init__(self, config: CaseConfig, layout: Layout) -> None:
        self.config: CaseConfig = config
        self.layout: Layout = layout
        self.ops: list[Op] = []
        self.msix_vectors: int = 0
        self.legacy: bool = layout.common is None
        """It talks to the legacy BAR."""
        self.features: int = 0
        self.rings: dict[int, RingWriter] = {}
        self.places: dict[int, tuple[int, int, int]] = {}
        """Addresses of each ring's three parts."""
        self.host_header: int = 10
        """Bytes of virtio_net_hdr before a frame to and from a tap."""

    # -- plain operations ---------------------------------------------------------------------------------------------
    def read(self, bar: int, offset: int, size: int, name: str = "") -> None:
        """A bus read."""
        self.ops.append(["r", bar, offset, size, None, *([name] if name else [])])

    def write(self, bar: int, offset: int, size: int, value: int, name: str = "") -> None:
        """A bus write."""
        self.ops.append(["w", bar, offset, size, value, *([name] if name else [])])

    def memory(self, address: int, data: bytes) -> None:
        """The guest writes its memory; what lies beyond its end is left out."""
        room = self.config.ram - address
        if data and room > 0:
            self.ops.append(["mw", address, data[:room].hex()])

    def fill(self, address: int, length: int, byte: int) -> None:
        """The guest fills memory."""
        self.ops.append(["mf", address, length, byte])

    def sync(self) -> None:
        """Bottom halves run."""
        self.ops.append(["sync"])

    def check(self) -> None:
        """Look at everything."""
        wanted: dict[str, Any] = {"isr": 0, "status": 0}
        if self.msix_vectors:
            wanted["msi"] = []
        if self.layout.common:
            wanted["gen"] = 0
        if self.legacy and self.layout.common:
            wanted["legacy"] = 1
        self.ops.append(["check", wanted])

    # -- named registers ----------------------------------------------------------------------------------------------
    def common(self, name: str, value: int | None = None) -> None:
        """Write, or without a value read, a common configuration register."""
        assert self.layout.common is not None
        bar, base = self.layout.common
        size = COMMON_SIZE.get(name, 4 if name in _WORDS or name.endswith(("_lo", "_hi")) else 2)
        if value is None:
            self.read(bar, base + COMMON_AT[name], size, f"common.{name}")
        else:
            self.write(bar, base + COMMON_AT[name], size, value, f"common.{name}")

    def old(self, name: str, value: int | None = None) -> None:
        """Write, or without a value read, a legacy register."""
        offset = LEGACY_AT[name]
        if name in ("config_vector", "queue_vector") and not self.msix_vectors:
            return
        size = LEGACY_SIZE.get(name, 2)
        if value is None:
            self.read(0, offset, size, f"legacy.{name}")
        else:
            self.write(0, offset, size, value, f"legacy.{name}")

    def status(self, value: int) -> None:
        """Write device_status."""
        if self.legacy:
            self.old("status", value)
        else:
            self.common("device_status", value)

    # -- set-up -------------------------------------------------------------------------------------------------------
    def msix(self, vectors: int, control: int = 0x8000) -> None:
        """Program vectors so that each writes its own word, and turn MSI-X on."""
        for vector in range(vectors):
            for place, word in enumerate((MSI_BASE + 4 * vector, 0, MSI_DATA | vector, 0)):
                self.write(1, 16 * vector + 4 * place, 4, word)
        self.ops.append(["cw", self.layout.msix + 2, 2, control])
        self.msix_vectors = vectors

    def negotiate(self, features: int, select_again: bool = False) -> None:
        """Reset, then agree on `features`."""
        self.rings.clear()
        self.places.clear()
        self.features = features
        self.status(0)
        self.status(ACKNOWLEDGE)
        self.status(ACKNOWLEDGE | DRIVER)
        if self.legacy:
            self.old("host_features")
            self.old("guest_features", features & 0xFFFFFFFF)
        else:
            for word in (0, 1):
                self.common("driver_feature_select", word)
                self.common("driver_feature", features >> 32 * word & 0xFFFFFFFF)
            self.status(ACKNOWLEDGE | DRIVER | FEATURES_OK)
            if select_again:
                self.common("device_status")
        self.host_header = 20 if features & HASH_REPORT else 12 if features & (VERSION_1 | MRG_RXBUF) else 10

    def place_of(self, index: int, size: int) -> tuple[int, int, int]:
        """Where the parts of a queue's ring go."""
        base = RING_BASE + RING_STRIDE * (index % 10)
        if self.legacy:
            avail = base + 16 * size
            return base, avail, avail + 6 + 2 * size + 4095 & ~4095
        if self.features & RING_PACKED:
            driver = base + 16 * size + 15 & ~15
            return base, driver, driver + 16
        avail = base + 16 * size
        return base, avail, avail + 6 + 2 * size + 63 & ~63

    def queue(self, index: int, size: int, vector: int, enable: int = 1, place: tuple[int, int, int] | None = None) -> None:
        """Set a queue up; a legacy driver has no say in its size."""
        place = place or self.place_of(index, size)
        if self.legacy:
            self.old("queue_sel", index)
            self.old("queue_num")
            self.old("queue_vector", vector)
            self.old("queue_pfn", place[0] >> 12)
        else:
            self.common("queue_select", index)
            self.common("queue_size", size)
            if self.msix_vectors:
                self.common("queue_msix_vector", vector)
            for name, address in zip(("desc", "driver", "device"), place, strict=True):
                self.common(f"queue_{name}_lo", address & 0xFFFFFFFF)
                self.common(f"queue_{name}_hi", address >> 32)
            self.common("queue_enable", enable)
        self.places[index] = place
        self.rings[index] = self._writer(index, size, place)

    def _writer(self, index: int, size: int, place: tuple[int, int, int]) -> RingWriter:
        if self.features & RING_PACKED and not self.legacy:
            return PackedWriter(self.memory, index, size, *place)
        return SplitWriter(self.memory, index, size, *place)

    def kick(self, index: int, value: int | None = None) -> None:
        """Notify the device of a queue."""
        if self.legacy or self.layout.notify is None:
            self.old("queue_notify", index if value is None else value)
            return
        bar, base, multiplier = self.layout.notify
        offset = base + index * multiplier
        if offset + 2 <= self.layout.bars[bar]:
            self.write(bar, offset, 2, index if value is None else value, f"notify.{index}")

    @property
    def header(self) -> int:
        """Bytes of virtio_net_hdr that the guest sees."""
        if self.features & HASH_REPORT:
            return 20
        return 12 if self.features & (VERSION_1 | MRG_RXBUF) else 10

    def control_queue(self) -> int:
        """The control queue's number: the last."""
        return 2 * self.config.peer.queues if self.features & MQ and self.config.peer.queues > 1 else 2


def word(value: int) -> bytes:
    """A little-endian 16 bit word."""
    return struct.pack("<H", value & 0xFFFF)
