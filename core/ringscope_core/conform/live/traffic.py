"""What a driver does with its rings: buffers posted, frames sent, commands, and everything that is wrong."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Final

from ringscope_core.conform.live import control, frames
from ringscope_core.conform.live.driver import BUFFER_BASE, DATA_BASE, RSC_EXT, Driver, word
from ringscope_core.conform.live.ring_writers import INDIRECT, NEXT, WRITE, Descriptor, PackedWriter, RingWriter, SplitWriter

NOWHERE: Final = (0x80000000, 0x1_0000_0000, 0x12_3456_7000, 1 << 52, (1 << 64) - 4096, (1 << 64) - 16)
"""Addresses without RAM."""
LENGTHS: Final = (0, 1, 2, 9, 10, 11, 12, 13, 14, 16, 20, 60, 100, 1514, 2048, 4096, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)
TABLES: Final = 0x28000
"""Bytes for tables and control data."""
FILTERED: Final = 16
"""Bytes of a frame that the receive filter reads, whatever its length."""
MOST_IN_FLIGHT: Final = 6
"""Frames that a netdev may have to hold back: a datagram socket keeps ten."""


class Traffic:
    """Random ring operations on a driver."""

    def __init__(self, rng: random.Random, driver: Driver) -> None:
        self.rng: random.Random = rng
        self.driver: Driver = driver
        self._buffer: int = BUFFER_BASE
        self._data: int = DATA_BASE
        self.injected: int = 0
        self.flows: list[frames.Flow] = [frames.Flow(rng), frames.Flow(rng)]
        self.dangerous: bool = False
        """Chains shorter than a header, which end QEMU, may be made."""

    # -- memory -------------------------------------------------------------------------------------------------------
    def buffer(self, length: int) -> int:
        """A place for a buffer, with gaps so that an overrun shows."""
        size = self.driver.config.ram - BUFFER_BASE
        if self._buffer + length + 64 > BUFFER_BASE + size:
            self._buffer = BUFFER_BASE
        address = self._buffer
        self._buffer += min(length, 1 << 17) + self.rng.choice((5, 16, 24, 33))
        return address

    def data(self, length: int) -> int:
        """A place for a table or a command."""
        if self._data + length > DATA_BASE + TABLES:
            self._data = DATA_BASE
        address = self._data
        self._data += length + self.rng.choice((0, 8, 16))
        return address

    def out(self, content: bytes, cuts: int) -> list[Descriptor]:
        """Readable buffers that hold `content`, cut at random places."""
        places = sorted(self.rng.sample(range(1, len(content)), min(cuts, len(content) - 1))) if len(content) > 1 else []
        parts = [content[start:end] for start, end in zip([0, *places], [*places, len(content)], strict=True)]
        made: list[Descriptor] = []
        for part in parts:
            address = self.buffer(len(part))
            self.driver.memory(address, part)
            made.append(Descriptor(address, len(part)))
        return made

    def room(self, lengths: list[int]) -> list[Descriptor]:
        """Writable buffers, prefilled so that every byte written shows."""
        made: list[Descriptor] = []
        for length in lengths:
            address = self.buffer(length)
            if length and address + length <= self.driver.config.ram:
                self.driver.fill(address, length, 0xA5)
            made.append(Descriptor(address, length, WRITE))
        return made

    def add(self, ring: RingWriter, chain: list[Descriptor]) -> None:
        """Make a chain available, sometimes through a table."""
        if len(chain) > ring.size or self.rng.random() < 0.2:
            ring.indirect(chain, self.data(16 * len(chain)))
        else:
            ring.chain(chain)

    def done(self, ring: RingWriter, kick: bool = True) -> None:
        """Publish, and mostly kick and look."""
        ring.publish()
        if kick:
            self.driver.kick(ring.index)
            self.settle()

    def settle(self) -> None:
        """Let it happen; mostly look."""
        if self.rng.random() < 0.75:
            self.driver.check()
        else:
            self.driver.sync()

    # -- good ---------------------------------------------------------------------------------------------------------
    def send(self, ring: RingWriter) -> None:
        """Good frames."""
        rng = self.rng
        length = self.driver.header
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            frame = self.frame()
            header = frames.vnet_header(rng, length, len(frame)) if self.driver.config.peer.vnet_hdr else rng.choice((bytes(length), rng.randbytes(length)))
            if rng.random() < 0.6:
                chain = [*self.out(header, 0), *self.out(frame, rng.choice((0, 0, 1, 3)))]
            else:
                chain = self.out(header + frame, rng.choice((0, 1, 2, 6)))
            self.add(ring, chain)
        self.done(ring)

    def post(self, ring: RingWriter) -> None:
        """Receive buffers, sometimes kicked."""
        rng = self.rng
        head = self.driver.header
        for _ in range(rng.choice((1, 2, 4, 8, 12))):
            kind = rng.randrange(7)
            if kind <= 1 or kind == 6:
                lengths = [rng.choice((1526, 2048, 4096, 10000))]
            elif kind == 2:
                lengths = [head, rng.choice((1514, 4096))]
            elif kind == 3:
                lengths = [rng.randrange(head, 200) for _ in range(rng.choice((1, 2, 3)))]
            elif kind == 4:
                lengths = [head, *([4096] * rng.choice((1, 4, 17)))]
            else:
                lengths = [rng.choice((head, 64, 100)), rng.choice((1, 50, 600)), rng.choice((1500, 3000))]
            self.add(ring, self.room(lengths))
        self.done(ring, rng.random() < 0.6)

    def frame(self) -> bytes:
        """A frame of any kind; a connection's next segment where segments are coalesced."""
        rng = self.rng
        if self.driver.features & RSC_EXT and rng.random() < 0.7:
            return rng.choice(self.flows).segment(rng)
        return frames.frame(rng, rng.choice((9000, 16000, 16000, 16000, 65000)))

    def inject(self) -> None:
        """A frame arrives."""
        rng, driver = self.rng, self.driver
        peer = driver.config.peer
        if not peer.takes_frames or self.injected >= MOST_IN_FLIGHT:
            return
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            # of a frame shorter than its header, or than what the filter reads, QEMU takes the rest from the frame before: not to be compared
            frame = self.frame().ljust(FILTERED, b"\0")
            if peer.kind == "tap" and peer.vnet_hdr:
                frame = frames.vnet_header(rng, driver.host_header, len(frame)) + frame
                if rng.random() < 0.03:
                    frame = frame[: driver.host_header + FILTERED + rng.randrange(20)]
            driver.ops.append(["inject", rng.randrange(peer.queues), frame.hex()])
            self.injected += 1
            if self.injected >= MOST_IN_FLIGHT:
                break
        self.settle()

    def command(self, ring: RingWriter) -> None:
        """Control commands, some malformed."""
        rng = self.rng
        said: list[bytes] = []
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            data = control.command(rng)
            if rng.random() < 0.2:
                data = control.spoil(rng, data)
            said.append(data)
        self.commands(ring, said)

    def commands(self, ring: RingWriter, said: list[bytes]) -> None:
        """Each in a chain with a byte for the answer."""
        rng = self.rng
        for data in said:
            if len(data) < 2 and rng.random() < 0.9:
                # one without a header ends the device
                continue
            if not data:
                continue
            ack = self.room([rng.choice((1, 1, 1, 1, 4))])
            self.driver.fill(ack[0].addr, ack[0].length, 0xEE)
            if rng.random() < 0.5 and len(data) > 2:
                chain = [*self.out(data[:2], 0), *self.out(data[2:], rng.choice((0, 0, 1, 3)))]
            else:
                chain = self.out(data, rng.choice((0, 1)))
            self.add(ring, chain + ack)
        self.done(ring)

    # -- suppression --------------------------------------------------------------------------------------------------
    def suppress(self, ring: RingWriter) -> None:
        """Ask for fewer interrupts, or say where the next one is wanted."""
        rng = self.rng
        if isinstance(ring, SplitWriter):
            ring.flags = rng.choice((0, 0, 1, 2, 0xFFFF))
            ring.used_event(rng.choice((0, ring.idx, ring.idx + 1, ring.idx - 1, rng.randrange(65536))))
        elif isinstance(ring, PackedWriter):
            ring.event(rng.choice((0, 1, ring.place | ring.wrap << 15, rng.randrange(65536))), rng.choice((0, 0, 1, 2, 3, rng.randrange(65536))))

    # -- bad ----------------------------------------------------------------------------------------------------------
    def bad(self, ring: RingWriter) -> None:
        """One thing that no driver should do."""
        rng = self.rng
        if isinstance(ring, SplitWriter):
            rng.choice(self._split_faults())(ring)
        elif isinstance(ring, PackedWriter):
            rng.choice(self._packed_faults())(ring)

    def plausible(self) -> list[Descriptor]:
        """A chain of one to three buffers as any queue could take them: enough for a header."""
        rng = self.rng
        return [
            *self.out(rng.randbytes(rng.choice((12, 20, 40))), rng.choice((0, 1))),
            *self.out(rng.randbytes(60), 0),
            *(self.room([rng.choice((1, 64, 2048))]) if rng.random() < 0.4 else []),
        ]

    def odd_chain(self) -> list[Descriptor]:
        """A chain with something odd in one buffer."""
        rng = self.rng
        chain = self.plausible()
        if rng.random() < 0.5:
            chain = self.room([rng.choice((20, 64, 2048)), 100])
        one = rng.choice(chain)
        kind = rng.randrange(7)
        if kind == 0:
            one.addr = rng.choice(NOWHERE)
            one.length = rng.choice((60, 100, 5000))
        elif kind == 1:
            one.addr = self.driver.config.ram - rng.choice((0, 1, 8, 50))
        elif kind == 2:
            one.length = rng.choice((0, 0, 0x10000, 0x200000))
        elif kind == 3:
            one.flags ^= WRITE
        elif kind == 4:
            one.flags |= rng.choice((INDIRECT, 8, 0x7FF8 & rng.randrange(65536) & ~0x80))
        elif kind == 5:
            chain.reverse()
        else:
            rng.shuffle(chain)
        return chain

    def enough(self, chain: list[Descriptor]) -> list[Descriptor]:
        """The chain, but only when its first part is no shorter than a header, or danger is allowed."""
        if self.dangerous:
            return chain
        total = sum(one.length for one in chain if not one.flags & WRITE)
        writable = sum(one.length for one in chain if one.flags & WRITE)
        head = self.driver.header
        return chain if (total == 0 or total >= head) and (writable in (0, 1) or writable >= head) else self.plausible()

    def _split_faults(self) -> list[Callable[[SplitWriter], None]]:
        return [
            self._odd,
            self._odd,
            self._odd,
            self._bad_head,
            self._bad_next,
            self._loop,
            self._jump,
            self._bad_table,
            self._odd_table,
            self._long_table,
            self._garbage,
        ]

    def _packed_faults(self) -> list[Callable[[PackedWriter], None]]:
        return [self._odd, self._odd, self._odd, self._bad_table, self._odd_table, self._long_table, self._odd_flags, self._big_ident, self._garbage]

    def _odd(self, ring: RingWriter) -> None:
        ring.chain(self.enough(self.odd_chain()))

    def _bad_head(self, ring: SplitWriter) -> None:
        ring.offer(self.rng.choice((ring.size, ring.size + 1, 0x7FFF, 0xFFFF)))

    def _bad_next(self, ring: SplitWriter) -> None:
        address = self.buffer(64)
        ring.slot(ring.free, address, 64, NEXT | self.rng.choice((0, WRITE)), self.rng.choice((ring.size, ring.size + 5, 0xFFFF)))
        ring.offer(ring.free)
        ring.free = (ring.free + 1) % ring.size

    def _loop(self, ring: SplitWriter) -> None:
        first = ring.free
        other = (first + 1) % ring.size
        flags = NEXT | self.rng.choice((0, WRITE))
        ring.slot(first, self.buffer(64), 64, flags, other)
        ring.slot(other, self.buffer(64), 64, flags, self.rng.choice((first, other)))
        ring.offer(first)
        ring.free = (first + 2) % ring.size

    def _jump(self, ring: SplitWriter) -> None:
        """avail.idx runs ahead of what is there."""
        jump = self.rng.choice((1, 2, ring.size, ring.size + 1, 0x7FFF, 0x8000, 0xFFFF))
        if not self.dangerous and jump <= ring.size:
            # slots that were never written have heads 0: such a chain must be long enough for a header
            ring.slot(0, self.buffer(100), 100, self.rng.choice((0, WRITE)), 0)
        ring.idx = (ring.idx + jump) & 0xFFFF

    def _bad_table(self, ring: RingWriter) -> None:
        """An indirect table of an impossible length or place."""
        rng = self.rng
        where = rng.choice((self.data(64), self.data(64), *NOWHERE[:3], self.driver.config.ram - 16))
        length = rng.choice((1, 15, 17, 16, 32, 160)) if isinstance(ring, PackedWriter) else rng.choice((0, 1, 15, 16, 17, 32, 160))
        if length % 16 == 0 and not self.dangerous:
            length += 1
        ring.indirect([], where, length, rng.choice((0, 0, WRITE, NEXT)) if isinstance(ring, SplitWriter) else rng.choice((0, 0, WRITE)))

    def _odd_table(self, ring: RingWriter) -> None:
        chain = self.enough(self.odd_chain())
        ring.indirect(chain, self.data(16 * len(chain)))

    def _long_table(self, ring: RingWriter) -> None:
        """A table with as many entries as an element may have, or more."""
        rng = self.rng
        count = rng.choice((16, 100, 1023, 1024, 1025, 1100))
        flags = rng.choice((0, WRITE))
        address = self.buffer(4096)
        ring.indirect([Descriptor(address + n % 4000, 1 + n % 3, flags) for n in range(count)], DATA_BASE + 0x8000)

    def _odd_flags(self, ring: PackedWriter) -> None:
        """A descriptor with any flags at all."""
        rng = self.rng
        flags = rng.choice((ring.flags() | NEXT, ring.flags() | 8, ring.flags() ^ 0x8080, rng.randrange(65536) & ~INDIRECT))
        ring.raw(ring.place, self.buffer(100), 100, rng.randrange(ring.size), flags)
        ring.step()

    def _big_ident(self, ring: PackedWriter) -> None:
        ring.raw(ring.place, self.buffer(100), 100, self.rng.choice((ring.size, 0xFFFF, 1024)), ring.flags() | self.rng.choice((0, WRITE)))
        ring.step()

    def _garbage(self, ring: RingWriter) -> None:
        """Random bytes over a part of the ring."""
        rng = self.rng
        if not self.dangerous:
            # random descriptors are sometimes shorter than a header
            return self._odd(ring)
        place = rng.choice(self.driver.places[ring.index])
        self.driver.memory(place + rng.randrange(64), rng.randbytes(rng.choice((1, 2, 8, 64))))
        return None

    def hostile_words(self, ring: RingWriter) -> None:
        """The used ring, or the event words, as the device left them is overwritten."""
        rng = self.rng
        place = self.driver.places[ring.index][2]
        self.driver.memory(place, rng.choice((word(1), word(0xFFFF), struct.pack("<HH", 0, rng.randrange(65536)), bytes(8))))
