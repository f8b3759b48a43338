"""Records what a real QEMU does with drivers that change rings in use, point them nowhere, or claim gigabytes.

``python -m tests.oracle.record_hostile OUT.jsonl.gz``
Needs the oracle's harness (`oracle_cases`, `qemu_oracle`) on the module path; see its README for what that needs.
"""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable
from typing import Any

from oracle_cases import INDIRECT, NEXT, WRITE, Case, D, Packed, Rec, Split, bits, frame, generate, write_jsonl  # type: ignore[import-not-found]
from qemu_oracle import Config  # type: ignore[import-not-found]

FRAME = frame(60)
RAM = 8 << 20
BUFFER = 0x40000
NOWHERE = 1 << 40


class Lab:
    """A driver with three rings that is ready."""

    def __init__(self, rec: Rec, features: int = 0, packed: bool = False, size: int = 8, mergeable: bool = True) -> None:
        self.rec = rec
        rec.negotiate(bits("VERSION_1") | (bits("MRG_RXBUF") if mergeable else 0) | features)
        rec.msix(3)
        kind = Packed if packed else Split
        self.rx, self.tx, self.ctrl = (kind(rec, i, size, 0x10000 + 0x4000 * i, vector=i) for i in range(3))
        for ring in (self.rx, self.tx, self.ctrl):
            ring.attach()
        rec.driver_ok()

    def select(self, queue: int, **registers: int) -> None:
        """Write registers of a queue."""
        self.rec.cset("queue_select", queue)
        for name, value in registers.items():
            self.rec.cset(f"queue_{name}", value)

    def send(self, at: int = BUFFER) -> None:
        """One good frame."""
        self.rec.mw(at, bytes(12) + FRAME)
        chain = self.tx.chain([D(at, 72)])
        if isinstance(self.tx, Split):
            self.tx.push(chain)
        self.tx.kick()

    def give(self, *descriptors: D) -> None:
        """One receive chain each."""
        self.rx.push(*[self.rx.chain([one]) for one in descriptors])
        self.rx.kick()

    def arrive(self, length: int = 60) -> None:
        """A frame, and what came of it."""
        self.rec.inject(frame(length))
        self.rec.check(gen=True)


def larger_in_use(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec)
    lab.select(1, size=256)
    lab.send()
    rec.check(gen=True)


def larger_in_use_receive(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec)
    lab.select(0, size=256)
    rec.fill(BUFFER, 2000, 0xA5)
    lab.give(D(BUFFER, 2000, WRITE))
    lab.arrive()


def _no_descriptors(rec: Rec, mergeable: bool) -> None:
    lab = Lab(rec, mergeable=mergeable)
    lab.select(0, desc_lo=0, enable=1)
    rec.fill(BUFFER, 2000, 0xA5)
    lab.give(D(BUFFER, 2000, WRITE))
    lab.arrive()


def no_descriptors(rec: Rec, rng: random.Random) -> None:
    _no_descriptors(rec, True)


def no_descriptors_big_buffers(rec: Rec, rng: random.Random) -> None:
    _no_descriptors(rec, False)


def across_the_end_then_a_frame(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec)
    lab.select(0, desc_lo=RAM - 16, enable=1)
    rec.check(gen=True)
    lab.arrive()
    lab.rx.kick()
    rec.check(gen=True)


def packed_shorter_in_use(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, bits("RING_PACKED"), True, 16)
    for i in range(6):
        lab.send(BUFFER + 0x1000 * i)
        rec.check()
    lab.select(1, size=4)
    for i in range(3):
        lab.send(0x50000 + 0x1000 * i)
        rec.check(gen=True)


def packed_longer_in_use(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, bits("RING_PACKED"), True)
    lab.select(1, size=64)
    lab.send()
    rec.check(gen=True)


def circle_in_a_megabyte(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec)
    rec.mw(0x100000, struct.pack("<QIHHQIHH", 0, 0, NEXT, 1, 0, 0, NEXT, 1))
    lab.rx.put(0, 0x100000, 0x100000, INDIRECT, 0)
    lab.rx.push(0)
    lab.rx.kick()
    lab.arrive()


def circle_that_offers_bytes(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec)
    rec.mw(0x100000, struct.pack("<QIHHQIHH", 0, 0, NEXT, 1, 0x200000, 1, NEXT | WRITE, 1))
    lab.rx.put(0, 0x100000, 0x200000, INDIRECT, 0)
    lab.rx.push(0)
    lab.rx.kick()
    lab.arrive()


def _table_nowhere(rec: Rec, queue: int) -> None:
    lab = Lab(rec)
    ring = (lab.rx, lab.tx)[queue]
    ring.put(0, NOWHERE, 0xFFFFFFF0, INDIRECT, 0)
    ring.push(0)
    ring.kick()
    lab.arrive()


def table_of_gigabytes_nowhere(rec: Rec, rng: random.Random) -> None:
    _table_nowhere(rec, 0)


def table_of_gigabytes_nowhere_transmit(rec: Rec, rng: random.Random) -> None:
    _table_nowhere(rec, 1)


def addresses_without_number(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, bits("CTRL_VQ", "CTRL_RX"))
    for count, last in ((100000, 0), (65, 0), (64, 0), (0, 100000), (1, 64), (1, 63)):
        rec.mw(BUFFER, b"\1\0" + struct.pack("<I", count))
        rec.mw(BUFFER + 0x1000, struct.pack("<I", last))
        rec.fill(BUFFER + 0x2000, 1, 0xEE)
        parts = [D(BUFFER, 6), D(0x100000, count * 6), D(BUFFER + 0x1000, 4), D(0x200000, last * 6), D(BUFFER + 0x2000, 1, WRITE)]
        lab.ctrl.push(lab.ctrl.chain([part for part in parts if part.len], at=0))
        lab.ctrl.kick()
        rec.check(gen=True)


def longer_than_the_network_takes(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec)
    for length in (69632, 69633, 0x200000):
        lab.tx.push(lab.tx.chain([D(BUFFER, 12), D(0x100000, length)], at=0))
        lab.tx.kick()
        rec.check(gen=True)


def header_in_the_bounce_buffer(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec)
    rec.fill(BUFFER, 2000, 0xA5)
    lab.give(D(NOWHERE, 100, WRITE), D(BUFFER, 2000, WRITE))
    lab.arrive(500)
    lab.give(D(NOWHERE, 100, WRITE), D(2 * NOWHERE, 2000, WRITE))
    lab.arrive(500)


def layout_changed_in_use(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, bits("RING_PACKED") * 0)
    for _ in range(6):
        lab.send()
        rec.check()
    rec.cset("device_status", 7)
    rec.cset("driver_feature_select", 1)
    rec.cset("driver_feature", 5)
    rec.cset("device_status", 15)
    lab.tx.kick()
    rec.check(gen=True)


STORIES: list[Callable[[Rec, random.Random], None]] = [
    larger_in_use,
    larger_in_use_receive,
    no_descriptors,
    no_descriptors_big_buffers,
    across_the_end_then_a_frame,
    packed_shorter_in_use,
    packed_longer_in_use,
    circle_in_a_megabyte,
    circle_that_offers_bytes,
    table_of_gigabytes_nowhere,
    table_of_gigabytes_nowhere_transmit,
    addresses_without_number,
    longer_than_the_network_takes,
    header_in_the_bounce_buffer,
    layout_changed_in_use,
]


def main() -> None:
    """Record every story into the file that is named."""
    cases = []
    for story in STORIES:
        props: dict[str, Any] = {"romfile": "", "ioeventfd": "off"}
        if story.__name__.startswith(("packed", "layout")):
            props["packed"] = "on"
        since = "7.0" if "packed" in props else ""
        cases.append(Case("hostile", story.__name__, story.__name__.replace("_", " "), story, Config(props=props, ram=RAM), since=since))
    write_jsonl(sys.argv[1], generate(cases, "H", jobs=1), "datapath")


if __name__ == "__main__":
    main()
