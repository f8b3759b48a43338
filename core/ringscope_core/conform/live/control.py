"""Commands for the control queue, good and malformed (virtio 1.x, 5.1.6.5)."""

from __future__ import annotations

import random
import struct

from ringscope_core.conform.live.frames import OTHERS, VIDS


def _macs(rng: random.Random, most: int) -> bytes:
    count = rng.choice((0, 1, 2, 3, most))
    macs = b"".join(rng.choice((*OTHERS, rng.randbytes(6))) for _ in range(count))
    return struct.pack("<I", count) + macs


def command(rng: random.Random) -> bytes:
    """Class, command and data."""
    kind = rng.randrange(8)
    if kind == 0:
        return bytes((0, rng.choice((0, 1, 2, 3, 4, 5, 6)), rng.choice((0, 1, 1, 2, 255))))
    if kind == 1:
        data = _macs(rng, rng.choice((5, 64, 65, 70))) + _macs(rng, rng.choice((5, 60, 64, 70)))
        return bytes((1, 0)) + data
    if kind == 2:
        return bytes((1, 1)) + rng.choice((*OTHERS, rng.randbytes(6)))
    if kind == 3:
        return bytes((2, rng.choice((0, 0, 1, 2)))) + struct.pack("<H", rng.choice((*VIDS, 4096, 65535)))
    if kind == 4:
        return bytes((3, rng.choice((0, 0, 1))))
    if kind == 5:
        return bytes((4, 0)) + struct.pack("<H", rng.choice((0, 1, 1, 2, 2, 3, 4, 0x8000, 0x8001)))
    if kind == 6:
        return bytes((5, rng.choice((0, 0, 0, 1)))) + struct.pack("<Q", rng.choice((0, 2, 0x82, 0x782, 0x700, 1 << 41, rng.getrandbits(64))))
    if rng.random() < 0.5:
        return rss_command(rng)
    return bytes((rng.choice((0, 1, 2, 3, 4, 5, 6, 255)), rng.randrange(8))) + rng.randbytes(rng.choice((0, 1, 2, 6, 8, 40)))


def opening(rng: random.Random, pairs: int) -> list[bytes]:
    """What a driver says when it has started: which frames it wants, how many queue pairs it uses."""
    said: list[bytes] = []
    if pairs > 1 and rng.random() < 0.7:
        said.append(bytes((4, 0)) + struct.pack("<H", rng.randrange(1, pairs + 1)))
    if rng.random() < 0.5:
        said.append(bytes((0, 0, 0)))
        if rng.random() < 0.7:
            said.append(bytes((1, 0)) + _macs(rng, 3) + _macs(rng, 3))
        said += [bytes((2, 0)) + struct.pack("<H", vid) for vid in rng.sample(VIDS, rng.randrange(3))]
        if rng.random() < 0.3:
            said.append(bytes((0, rng.randrange(1, 6), 1)))
    return said


def rss_command(rng: random.Random) -> bytes:
    """VIRTIO_NET_CTRL_MQ_RSS_CONFIG or HASH_CONFIG."""
    types = rng.choice((0, 0x3F, 0x1FF, 1, 0x200, rng.getrandbits(9)))
    if rng.random() < 0.4:
        table = b""
        head = struct.pack("<IHHHH", types, 0, 0, 0, 0)
        cmd = 2
    else:
        mask = rng.choice((0, 1, 3, 7, 127, 2, 255))
        table = b"".join(struct.pack("<H", rng.choice((0, 1, 2, 9))) for _ in range(mask + 1))
        head = struct.pack("<IHH", types, mask, rng.choice((0, 1, 7)))
        head += table + struct.pack("<H", rng.choice((1, 2, 2, 0, 3)))
        cmd = 1
    length = rng.choice((40, 40, 40, 0, 41, 20))
    if cmd == 2:
        return bytes((4, cmd)) + head + bytes((length,)) + rng.randbytes(length)
    return bytes((4, cmd)) + head + bytes((length,)) + rng.randbytes(length)


def spoil(rng: random.Random, data: bytes) -> bytes:
    """The command, cut, grown or with a bit turned."""
    kind = rng.randrange(3)
    if kind == 0:
        return data[: rng.randrange(len(data) + 1)]
    if kind == 1:
        return data + rng.randbytes(rng.choice((1, 2, 8)))
    place = rng.randrange(len(data))
    return data[:place] + bytes((data[place] ^ 1 << rng.randrange(8),)) + data[place + 1 :]
