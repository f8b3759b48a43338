"""Records what a real QEMU does with hashing, coalescing and announcing: ``python -m tests.oracle.record_features OUT.jsonl.gz [FAMILY...]``.

Needs the oracle's harness (`oracle_cases`, `qemu_oracle`) on the module path; see its README for what that needs.
"""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable
from typing import Any

from oracle_cases import WRITE, Case, D, Rec, Split, bits, generate, write_jsonl  # type: ignore[import-not-found]
from qemu_oracle import Config  # type: ignore[import-not-found]

from ringscope_core.net.packet import ethernet, icmp6_echo, icmp_echo, ipv4, ipv6, tcp, udp, vlan

NIC_MAC = bytes.fromhex("525400123456")
HOST_MAC = bytes.fromhex("525400000001")
IP_A, IP_B, IP_C = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 15)), bytes((192, 168, 77, 3))
IP6_A = bytes.fromhex("fec00000000000000000000000000001")
IP6_B = bytes.fromhex("fec0000000000000000000000000000f")
IP6_HOME = bytes.fromhex("20010db8000000000000000000000abc")
KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")

CTRL_AT, ACK_AT, BUFFERS_AT = 0x80000, 0x8F000, 0x100000


class Lab:
    """A device with all its queues set up, and the driver's side of them."""

    def __init__(self, rec: Rec, pairs: int, features: int, *, ring: int = 64, mask: bool = True) -> None:
        self.rec = rec
        self.pairs = pairs
        self.features = rec.negotiate(features, mask)
        self.mq = bool(self.features & bits("MQ", "RSS"))
        queues = 2 * (pairs if self.mq else 1) + 1
        rec.msix(queues)
        self.rings = [Split(rec, i, ring, 0x10000 + 0x4000 * i, vector=i) for i in range(queues)]
        for one in self.rings:
            one.attach()
        rec.driver_ok()
        self.room = BUFFERS_AT
        self.commands = 0
        rec.check()

    @property
    def control(self) -> Split:
        return self.rings[-1]

    def give(self, pair: int, count: int, size: int = 1800) -> None:
        """Receive buffers of one descriptor each."""
        ring = self.rings[2 * pair]
        heads = []
        for _ in range(count):
            self.rec.fill(self.room, size, 0xA5)
            heads.append(ring.chain([D(self.room, size, WRITE)]))
            self.room += size + 8
        ring.push(*heads)
        ring.kick()

    def ctrl(self, klass: int, cmd: int, data: bytes, note: str = "") -> None:
        """One command, then everything is looked at."""
        self.commands += 1
        self.rec.mw(CTRL_AT, bytes([klass, cmd]) + data)
        self.rec.fill(ACK_AT, 1, 0xEE)
        parts = [D(CTRL_AT, 2)] + ([D(CTRL_AT + 2, len(data))] if data else []) + [D(ACK_AT, 1, WRITE)]
        self.control.push(self.control.chain(parts))
        self.control.kick()
        self.rec.check(note=note)

    def arrive(self, frame: bytes, queue: int = 0, note: str = "", header: bytes | None = None) -> None:
        """A frame comes, with an empty header of the length that was agreed on, then everything is looked at."""
        self.come(frame, queue, header)
        self.rec.check(note=note)

    def come(self, frame: bytes, queue: int = 0, header: bytes | None = None) -> None:
        """A frame comes and nobody looks."""
        if header is None:
            header = bytes(self.header_len())
        self.rec.inject(header + frame, queue)

    def header_len(self) -> int:
        """Length of the tap's header; 0 for a peer without."""
        if not self.rec.q.cfg.peer.get("vnet_hdr"):
            return 0
        if self.features & bits("HASH_REPORT"):
            return 20
        return 12 if self.features & bits("VERSION_1", "MRG_RXBUF") else 10


def rss_config(types: int, table: list[int], queues: int, key: bytes = KEY, *, unclassified: int = 0, mask: int | None = None) -> bytes:
    """struct virtio_net_rss_config."""
    size = len(table) - 1 if mask is None else mask
    return struct.pack("<IHH", types, size, unclassified) + struct.pack(f"<{len(table)}H", *table) + struct.pack("<HB", queues, len(key)) + key


def hash_config(types: int, key: bytes = KEY) -> bytes:
    """struct virtio_net_hash_config."""
    return struct.pack("<I4H", types, 0, 0, 0, 0) + bytes([len(key)]) + key


# -- frames -----------------------------------------------------------------------------------------------------------
def eth(kind: int, payload: bytes) -> bytes:
    return ethernet(NIC_MAC, HOST_MAC, kind, payload)


def ip4(protocol: int, payload: bytes, source: bytes = IP_A, fragment: int = 0x4000) -> bytes:
    return ipv4(source, IP_B, protocol, payload, 7, 64, fragment)


def tcp4(port: int = 1000, data: bytes = b"payload", source: bytes = IP_A) -> bytes:
    return tcp(source, IP_B, port, 80, 100, 200, 16, data)


def udp4(port: int = 1000, data: bytes = b"payload", source: bytes = IP_A) -> bytes:
    return udp(source, IP_B, port, 53, data)


def tcp6(port: int = 1000, data: bytes = b"payload") -> bytes:
    return tcp(IP6_A, IP6_B, port, 80, 100, 200, 16, data)


def ip6(following: int, payload: bytes) -> bytes:
    return ipv6(IP6_A, IP6_B, following, payload)


def with_options(packet: bytes) -> bytes:
    """The IPv4 packet with 4 bytes of options (its checksum is not looked at)."""
    total = struct.unpack(">H", packet[2:4])[0] + 4
    return b"\x46" + packet[1:2] + struct.pack(">H", total) + packet[4:20] + b"\x01\x01\x01\x00" + packet[20:]


def hop(following: int, units: int = 0) -> bytes:
    return bytes([following, units]) + b"\x01\x04\0\0\0\0" + bytes(8 * units)


def home(following: int, before: bytes = b"") -> bytes:
    """Destination options with a home address after the options `before`."""
    options = before + b"\xc9\x10" + IP6_HOME
    options += bytes(-(len(options) + 2) % 8)
    return bytes([following, (len(options) + 2) // 8 - 1]) + options


def routing(following: int, kind: int = 2, left: int = 1, units: int = 2) -> bytes:
    return bytes([following, units, kind, left]) + bytes(4) + (IP6_HOME + bytes(64))[: 8 * units]


def frames() -> list[tuple[str, bytes]]:
    """Frames of every kind that hashing tells apart."""
    udp6 = udp(IP6_A, IP6_B, 1000, 53, b"payload")
    return [
        ("tcp4", eth(0x800, ip4(6, tcp4()))),
        ("tcp4 another port", eth(0x800, ip4(6, tcp4(1001)))),
        ("tcp4 another host", eth(0x800, ip4(6, tcp4(1000, b"x", IP_C), IP_C))),
        ("udp4", eth(0x800, ip4(17, udp4()))),
        ("icmp4", eth(0x800, ip4(1, icmp_echo(8, 1, 2, b"ping")))),
        ("sctp4", eth(0x800, ip4(132, bytes(40)))),
        ("tcp4 first fragment", eth(0x800, ip4(6, tcp4(), fragment=0x2000))),
        ("udp4 last fragment", eth(0x800, ip4(17, udp4(), fragment=0x0010))),
        ("udp4 reserved bit", eth(0x800, ip4(17, udp4(), fragment=0x8000))),
        ("tcp4 options", eth(0x800, with_options(ip4(6, tcp4())))),
        ("tcp4 cut in its header", eth(0x800, ip4(6, tcp4()))[:50]),
        ("udp4 cut in its header", eth(0x800, ip4(17, udp4()))[:40]),
        ("ip4 cut", eth(0x800, ip4(17, udp4()))[:33]),
        ("ip4 version 5", eth(0x800, b"\x55" + ip4(17, udp4())[1:])),
        ("vlan tcp4", vlan(NIC_MAC, HOST_MAC, 5, 0x800, ip4(6, tcp4()))),
        ("qinq tcp4", NIC_MAC + HOST_MAC + b"\x88\xa8\0\x05\x81\0\0\x06\x08\0" + ip4(6, tcp4())),
        ("two vlans", NIC_MAC + HOST_MAC + b"\x81\0\0\x05\x81\0\0\x06\x08\0" + ip4(6, tcp4())),
        ("provider vlan alone", NIC_MAC + HOST_MAC + b"\x88\xa8\0\x05\x08\0" + ip4(6, tcp4())),
        ("tcp6", eth(0x86DD, ip6(6, tcp6()))),
        ("udp6", eth(0x86DD, ip6(17, udp6))),
        ("icmp6", eth(0x86DD, ip6(58, icmp6_echo(IP6_A, IP6_B, 128, 1, 2, b"ping")))),
        ("vlan tcp6", vlan(NIC_MAC, HOST_MAC, 5, 0x86DD, ip6(6, tcp6()))),
        ("tcp6 hop by hop", eth(0x86DD, ip6(0, hop(6, 1) + tcp6()))),
        ("tcp6 home address", eth(0x86DD, ip6(60, home(6) + tcp6()))),
        ("tcp6 home address after padding", eth(0x86DD, ip6(60, home(6, b"\0\x01\x02\0\0") + tcp6()))),
        ("udp6 home address", eth(0x86DD, ip6(60, home(17) + udp6))),
        ("tcp6 routing", eth(0x86DD, ip6(43, routing(6) + tcp6()))),
        ("udp6 routing and home", eth(0x86DD, ip6(43, routing(60) + home(17) + udp6))),
        ("icmp6 home and routing", eth(0x86DD, ip6(60, home(43) + routing(58) + icmp6_echo(IP6_A, IP6_B, 128, 1, 2, b"ping")))),
        ("tcp6 routing type 0", eth(0x86DD, ip6(43, routing(6, 0) + tcp6()))),
        ("tcp6 routing done", eth(0x86DD, ip6(43, routing(6, 2, 0) + tcp6()))),
        ("tcp6 routing of two", eth(0x86DD, ip6(43, routing(6, 2, 1, 4) + tcp6()))),
        ("tcp6 destination options", eth(0x86DD, ip6(60, hop(6) + tcp6()))),
        ("tcp6 fragment", eth(0x86DD, ip6(44, b"\x06\0\0\x01" + bytes(4) + tcp6()))),
        ("tcp6 atomic fragment", eth(0x86DD, ip6(44, b"\x06\0\0\0" + bytes(4) + tcp6()))),
        ("udp6 authentication", eth(0x86DD, ip6(51, b"\x11\x01" + bytes(14) + udp6))),
        ("tcp6 esp", eth(0x86DD, ip6(50, bytes(16) + tcp6()))),
        ("tcp6 mobility", eth(0x86DD, ip6(135, b"\x06\0" + bytes(6) + tcp6()))),
        ("tcp6 headers cut", eth(0x86DD, ip6(0, hop(60) + home(6)))[: 14 + 40 + 9]),
        ("tcp6 home address cut", eth(0x86DD, ip6(60, home(6) + tcp6()))[: 14 + 40 + 12]),
        ("ip6 cut", eth(0x86DD, ip6(6, tcp6()))[:50]),
        ("ip6 version 4", eth(0x86DD, b"\x40" + ip6(6, tcp6())[1:])),
        ("ip4 nothing", eth(0x800, b"")),
        ("ip4 one byte", eth(0x800, b"E")),
        ("ip4 fourteen bytes", eth(0x800, ip4(6, tcp4())[:14])),
        ("ip6 nothing", eth(0x86DD, b"")),
        ("ip6 thirty bytes", eth(0x86DD, ip6(6, tcp6())[:30])),
        ("vlan nothing", vlan(NIC_MAC, HOST_MAC, 5, 0x800, b"")),
        ("qinq nothing", NIC_MAC + HOST_MAC + b"\x88\xa8\0\x05\x81\0\0\x06"),
        ("runt", NIC_MAC),
        ("arp", eth(0x806, bytes(28))),
        ("no ethertype", eth(0x1234, bytes(46))),
    ]


# -- RSS and hash report ------------------------------------------------------------------------------------------------
BASE = bits("VERSION_1", "MAC", "STATUS", "CTRL_VQ", "MRG_RXBUF")
RSS_FEATURES = BASE | bits("MQ", "RSS", "HASH_REPORT")


def rss_types(types: int, with_rss: bool) -> Callable[[Rec, random.Random], None]:
    def run(rec: Rec, rng: random.Random) -> None:
        lab = Lab(rec, 2, RSS_FEATURES if with_rss else RSS_FEATURES & ~bits("RSS"))
        for pair in range(2):
            lab.give(pair, 50, 300)
        if with_rss:
            lab.ctrl(4, 1, rss_config(types, [0, 1, 1, 0], 2, unclassified=1))
        else:
            lab.ctrl(4, 0, b"\x02\0")
            lab.ctrl(4, 2, hash_config(types))
        for name, frame in frames():
            lab.arrive(frame, rng.randrange(2), name)

    return run


def rss_malformed(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, 4, RSS_FEATURES)
    for pair in range(4):
        lab.give(pair, 60, 200)
    good = rss_config(0x3F, [3, 2, 1, 0], 4, unclassified=2)
    frame = eth(0x800, ip4(6, tcp4()))

    def attempt(cmd: int, data: bytes, note: str) -> None:
        lab.ctrl(4, cmd, data, note)
        lab.arrive(frame, note="after it")

    attempt(1, good, "good")
    for cut in (0, 1, 7, 8, 9, 15, 16, 17, 18, 19, 20, len(good) - 1):
        attempt(1, good[:cut], f"{cut} bytes")
    attempt(1, good, "good again")
    attempt(1, good + b"tail", "longer than needed")
    for mask in (2, 4, 6, 0xFF, 0x7FFF, 0xFFFF):
        attempt(1, rss_config(0x3F, [3, 2, 1, 0], 4, mask=mask) + bytes(600), f"mask {mask}")
    attempt(1, rss_config(0x3F, [i % 4 for i in range(128)], 4), "largest table")
    attempt(1, rss_config(0x3F, [i % 4 for i in range(256)], 4), "table too large")
    attempt(1, rss_config(0x3F, [1], 4), "table of one")
    for queue in (3, 4, 0xFFFF):
        attempt(1, rss_config(0x3F, [1, 2], 4, unclassified=queue), f"unclassified queue {queue}")
    for queues in (0, 1, 2, 5, 0x8001):
        attempt(1, rss_config(0x3F, [3, 2, 1, 0], queues), f"{queues} queue pairs")
    for length in (0, 1, 39, 40, 41, 255):
        attempt(1, rss_config(0x3F, [3, 2, 1, 0], 4, (KEY * 7)[:length]), f"key of {length} bytes")
    attempt(1, rss_config(0, [3, 2, 1, 0], 3, b""), "nothing to hash and no key")
    attempt(1, rss_config(0, [3, 2, 1, 0], 4), "nothing to hash")
    attempt(1, rss_config(0xFFFFFE00, [3, 2, 1, 0], 4), "types that nobody knows")
    attempt(1, rss_config(0x3F, [3, 900, 901, 902], 4), "table beyond the queues")
    attempt(1, rss_config(0x3F, [3, 3, 3, 3], 2), "table beyond the pairs in use")
    attempt(0, b"\x04\0", "pairs end it")
    attempt(1, good, "good")
    attempt(3, b"", "unknown command ends it")
    attempt(2, hash_config(0x3F), "hash configuration")
    attempt(2, hash_config(0x3F)[:11], "hash configuration cut")
    attempt(2, hash_config(0x3F, b""), "hash configuration without a key")
    attempt(2, hash_config(0, b""), "no hash")
    attempt(1, good, "good")
    rec.cset("device_status", 0)
    rec.check(note="reset")


def rss_missing(*names: str) -> Callable[[Rec, random.Random], None]:
    """Commands for features that the driver did not accept."""

    def run(rec: Rec, rng: random.Random) -> None:
        lab = Lab(rec, 2, BASE | bits(*names))
        lab.give(0, 20, 200)
        if lab.mq:
            lab.give(1, 20, 200)
        for cmd, data in ((1, rss_config(0x3F, [1, 0], 2)), (2, hash_config(0x3F)), (0, b"\x02\0"), (1, rss_config(0x3F, [1, 1], 2)), (0, b"\x01\0")):
            lab.ctrl(4, cmd, data)
            for port in range(3):
                lab.arrive(eth(0x800, ip4(6, tcp4(1000 + port))))

    return run


def rss_waits(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, 2, RSS_FEATURES)
    lab.give(0, 10, 200)
    lab.ctrl(4, 1, rss_config(0x3F, [1], 2))
    lab.arrive(eth(0x800, ip4(6, tcp4(1))), note="the other queue has no buffers")
    lab.arrive(eth(0x806, bytes(28)), note="one for this queue waits behind it")
    lab.give(1, 3, 200)
    rec.check(note="buffers for the other queue")
    lab.give(0, 1, 200)
    rec.check(note="buffers for this queue")
    lab.arrive(eth(0x800, ip4(6, tcp4(2))), 1)


def rss_small_buffers(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, 2, RSS_FEATURES)
    lab.give(0, 20, 40)
    lab.give(1, 4, 20)
    lab.ctrl(4, 1, rss_config(0x3F, [0, 1], 2))
    for port in range(6):
        lab.arrive(eth(0x800, ip4(6, tcp4(1000 + port))))


def rss_without_mergeable(rec: Rec, rng: random.Random) -> None:
    lab = Lab(rec, 2, RSS_FEATURES & ~bits("MRG_RXBUF"))
    for pair in range(2):
        lab.give(pair, 20, 200)
    lab.ctrl(4, 1, rss_config(0x1FF, [0, 1], 2))
    for port in range(6):
        lab.arrive(eth(0x800, ip4(6, tcp4(1000 + port))), header=bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 1, 2, 3, 4, 5, 6, 7, 8]))


def rss_transmit(rec: Rec, rng: random.Random) -> None:
    """Frames out, with the long header."""
    lab = Lab(rec, 2, RSS_FEATURES)
    lab.ctrl(4, 0, b"\x02\0")
    for number, size in enumerate((20, 21, 34, 80, 19, 12)):
        ring = lab.rings[1]
        at = lab.room
        lab.room += 256
        rec.mw(at, rng.randbytes(size))
        ring.push(ring.chain([D(at, size)]))
        ring.kick()
        rec.check(note=f"{number}: {size} bytes")


def rss_again(rec: Rec, rng: random.Random) -> None:
    """A second driver after one that hashed."""
    lab = Lab(rec, 2, RSS_FEATURES)
    lab.give(0, 4, 200)
    lab.ctrl(4, 1, rss_config(0x3F, [0, 0], 2))
    lab.arrive(eth(0x800, ip4(6, tcp4())))
    second = Lab(rec, 2, BASE)
    second.give(0, 8, 200)
    second.arrive(eth(0x800, ip4(6, tcp4())))
    third = Lab(rec, 2, RSS_FEATURES & ~bits("RSS"))
    third.give(0, 8, 200)
    third.arrive(eth(0x800, ip4(6, tcp4())), note="nothing configured")
    third.arrive(eth(0x800, ip4(6, tcp4())), note="what the header holds", header=bytes(range(20)))
    third.ctrl(4, 2, hash_config(0x3F, b"short"))
    third.arrive(eth(0x800, ip4(6, tcp4())), note="the rest of the old key")


def rss_config_space(rec: Rec, rng: random.Random) -> None:
    for size in (1, 2, 4):
        for offset in range(0, 28, size):
            rec.dev(offset, size)
    rec.devset(17, 1, 9)
    rec.devset(20, 4, 9)
    for offset in range(0, 28, 4):
        rec.dev(offset, 4)


def rss_random(rec: Rec, rng: random.Random) -> None:
    pairs = 4
    lab = Lab(rec, pairs, RSS_FEATURES)
    for pair in range(pairs):
        lab.give(pair, 40, 300)
    every = frames()
    for _ in range(6):
        types = rng.choice((0x1FF, 0x3F, rng.randrange(512), rng.randrange(512)))
        table = [rng.randrange(pairs + (rng.random() < 0.1)) for _ in range(rng.choice((1, 2, 4, 8, 16, 128)))]
        key = rng.randbytes(rng.choice((40, 40, 40, rng.randrange(41))))
        lab.ctrl(4, 1, rss_config(types, table, rng.randrange(1, pairs + 1), key, unclassified=rng.randrange(pairs)))
        for _ in range(6):
            name, frame = rng.choice(every)
            lab.arrive(frame, rng.randrange(pairs), name)


def tap(queues: int = 2, vnet_hdr: bool = True) -> dict[str, Any]:
    return {"kind": "tap", "queues": queues, "vnet_hdr": vnet_hdr}


def rss_cases() -> list[Case]:
    def config(queues: int = 2, peer: dict[str, Any] | None = None, **props: Any) -> Config:
        own = {"romfile": "", "ioeventfd": "off", "mq": "on", "rss": "on", "hash": "on", "vectors": 2 * queues + 2} | props
        return Config(props=own, peer=peer or tap(queues), ram=4 << 20)

    out: list[Case] = []

    def case(name: str, title: str, fn: Callable[[Rec, random.Random], None], cfg: Config, seed: int = 0) -> None:
        out.append(Case("rss", name, title, fn, cfg, seed, since="5.1"))

    for types in (0x1FF, 0x03F, 0x001, 0x002, 0x004, 0x008, 0x010, 0x020, 0x040, 0x080, 0x100, 0x1C0, 0x009, 0x000):
        case(f"types-{types:03x}", f"RSS: every kind of frame, hash types {types:#x}", rss_types(types, True), config())
    for types in (0x1FF, 0x03F, 0x009):
        case(f"report-{types:03x}", f"hash report alone, hash types {types:#x}", rss_types(types, False), config())
    case("malformed", "every malformed RSS and hash configuration", rss_malformed, config(4))
    case("no-hash", "RSS without hash report", rss_missing("MQ", "RSS"), config())
    case("no-rss", "hash report without RSS", rss_missing("MQ", "HASH_REPORT"), config())
    case("no-mq", "RSS without MQ", rss_missing("RSS", "HASH_REPORT"), config())
    case("neither", "commands of features that were not accepted", rss_missing("MQ"), config())
    case("one-pair", "commands without multiqueue", rss_missing(), config())
    case("no-hdr", "RSS on a tap without header", rss_missing("MQ", "RSS", "HASH_REPORT"), config(2, tap(2, False)))
    case("stream", "RSS with one pair", rss_missing("MQ", "RSS", "HASH_REPORT"), config(1, {"kind": "stream"}))
    case("waits", "the chosen queue has no buffers", rss_waits, config())
    case("small-buffers", "hashes over several buffers", rss_small_buffers, config())
    case("no-mrg", "hashes without mergeable buffers", rss_without_mergeable, config())
    case("transmit", "frames out with the long header", rss_transmit, config())
    case("again", "a second and a third driver", rss_again, config())
    for name, props in (("both", {}), ("rss", {"hash": "off"}), ("hash", {"rss": "off"}), ("mtu", {"rss": "off", "hash": "off", "host_mtu": 1400})):
        case(f"config-{name}", f"the configuration space: {name}", rss_config_space, config(**props))
    for seed in range(10):
        case(f"random{seed}", "random RSS configurations and frames", rss_random, config(4), seed)
    return out


# -- receive segment coalescing -------------------------------------------------------------------------------------------
RSC_FEATURES = BASE | bits("RSC_EXT", "GUEST_CSUM", "GUEST_TSO4", "GUEST_TSO6", "CTRL_GUEST_OFFLOADS")
ACK, PSH, FIN, SYN, RST, URG, ECE, CWR = 0x10, 8, 1, 2, 4, 0x20, 0x40, 0x80


class Flow:
    """One direction of a TCP connection."""

    def __init__(self, v6: bool = False, port: int = 1000, host: int = 1, seq: int = 1000, ack: int = 500) -> None:
        self.v6, self.port, self.host, self.seq, self.ack, self.window = v6, port, host, seq, ack, 4096

    def segment(
        self,
        size: int = 0,
        flags: int = ACK,
        *,
        skip: int = 0,
        options: bytes = b"",
        pad: int = 0,
        tos: int = 0,
        fragment: int = 0x4000,
        offset: int | None = None,
        length: int | None = None,
        data: bytes | None = None,
    ) -> bytes:
        """A frame with the next `size` bytes, `skip` further on; the sequence number moves behind it."""
        data = bytes((self.seq + skip + i) * 31 & 0xFF for i in range(size)) if data is None else data
        words = (20 + len(options)) // 4 if offset is None else offset
        seq = (self.seq + skip) & 0xFFFFFFFF
        body = struct.pack(">HHIIHHHH", self.port, 80, seq, self.ack & 0xFFFFFFFF, words << 12 | flags, self.window, 0xBEEF, 0) + options + data
        self.seq += skip + len(data)
        if self.v6:
            total = len(body) if length is None else length
            head = struct.pack(">BBHHBB", 0x60 | tos >> 4, (tos & 15) << 4, 0, total, 6, 64) + IP6_A[:15] + bytes([self.host]) + IP6_B
            return eth(0x86DD, head + body) + bytes(pad)
        total = 20 + len(body) if length is None else length
        head = struct.pack(">BBHHHBBH", 0x45, tos, total, 7, fragment, 64, 6, 0xABCD) + IP_A[:3] + bytes([self.host]) + IP_B
        return eth(0x800, head + body) + bytes(pad)


RscRun = Callable[["RscLab", "Flow", random.Random], None]


class RscLab:
    """Frames come one after the other, each looked at."""

    def __init__(self, rec: Rec, features: int = RSC_FEATURES, pairs: int = 1, buffers: int = 40, size: int = 1800) -> None:
        self.lab = Lab(rec, pairs, features)
        self.rec = rec
        self.lab.give(0, buffers, size)

    def arrive(self, frame: bytes, note: str = "", queue: int = 0, header: bytes | None = None) -> None:
        self.lab.arrive(frame, queue, note, header)

    def wait(self) -> None:
        """Until the timer has fired."""
        self.rec.sleep(RSC_WAIT_MS)
        self.rec.check(note="the timer")


RSC_INTERVAL_NS = 1_500_000_000
RSC_WAIT_MS = 1_900


def rsc_in_order(r: RscLab, flow: Flow, rng: random.Random) -> None:
    for size in (100, 200, 1, 300):
        r.arrive(flow.segment(size), f"{size} bytes")
    r.wait()
    r.arrive(flow.segment(50), "first of the next")
    r.wait()
    r.wait()


def rsc_single(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100), header=bytes([1, 1, 54, 0, 100, 0, 34, 0, 16, 0, 7, 7]))
    r.wait()


def rsc_push(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100, ACK | PSH))
    flow.ack, flow.window = 777, 99
    r.arrive(flow.segment(100), "another acknowledgement and window")
    r.wait()


def rsc_out_of_order(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100, skip=50), "a gap")
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100, skip=-250), "again")
    r.arrive(flow.segment(100, skip=1))
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100, skip=70000), "out of the window")
    r.wait()


def rsc_acks(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(0), "pure")
    r.arrive(flow.segment(0), "the same again")
    r.arrive(flow.segment(0))
    flow.ack += 100
    r.arrive(flow.segment(0), "acknowledges more")
    r.arrive(flow.segment(0))
    flow.window = 8000
    r.arrive(flow.segment(0), "window update")
    flow.window = 9000
    r.arrive(flow.segment(0), "another window update")
    r.wait()
    r.arrive(flow.segment(0))
    flow.ack += 70000
    r.arrive(flow.segment(0), "acknowledges too much")
    r.arrive(flow.segment(0))
    flow.ack -= 5
    r.arrive(flow.segment(0), "acknowledges less")
    r.wait()


def rsc_data_after_ack(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(0))
    r.arrive(flow.segment(100), "data after a pure acknowledgement")
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(0), "an acknowledgement behind the data")
    r.arrive(flow.segment(100))
    r.wait()


def rsc_repeat(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100, skip=-100), "the same data")
    r.arrive(flow.segment(100))
    flow.window = 5
    r.arrive(flow.segment(100, skip=-100), "the same data, another window")
    r.arrive(flow.segment(60))
    r.wait()


def rsc_control(r: RscLab, flow: Flow, rng: random.Random) -> None:
    for flags in (SYN, FIN | ACK, RST, URG | ACK, ECE | ACK, CWR | ACK, PSH | FIN, 0, 0x100 | ACK):
        r.arrive(flow.segment(100))
        r.arrive(flow.segment(100))
        r.arrive(flow.segment(40, flags), f"flags {flags:#x}")
    r.wait()


def rsc_options(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100, options=b"\x01\x01\x08\x0a" + bytes(8)), "time stamps")
    r.arrive(flow.segment(100, options=b"\x01\x01\x08\x0a" + bytes(8)), "alone with options")
    r.arrive(flow.segment(100, offset=4), "a header of 16 bytes")
    r.arrive(flow.segment(100, offset=0), "a header of none")
    r.arrive(flow.segment(100, offset=15), "a header beyond the data")
    r.wait()


def rsc_not_candidates(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    seq = flow.seq

    def attempt(note: str, **how: Any) -> None:
        flow.seq = seq
        r.arrive(flow.segment(60, **how), note)

    if not flow.v6:
        attempt("no DF", fragment=0)
        attempt("first fragment", fragment=0x2000)
        attempt("DF and a fragment", fragment=0x4010)
    for tos in (1, 2, 3, 4, 0x40, 0x80, 0xC0, 0xFC):
        attempt(f"class {tos:#x}", tos=tos)
    attempt("longer than the frame", length=2000)
    attempt("shorter than its headers", length=19 if flow.v6 else 39)
    attempt("no data by its length", length=20 if flow.v6 else 40)
    attempt("less data by its length", length=50 if flow.v6 else 70)
    whole = flow.segment(60)
    at = 14 + (6 if flow.v6 else 9)
    r.arrive(whole[:at] + b"\x11" + whole[at + 1 :], "not TCP")
    r.arrive(whole[:14] + bytes([whole[14] ^ 0x10]) + whole[15:], "another version")
    r.arrive(whole[:14] + bytes([whole[14] + 1]) + whole[15:], "another header length")
    for size in (13, 14, 15, 34, 53, 54, 73, 74, 75):
        r.arrive(whole[:size], f"cut to {size}")
    r.arrive(vlan(NIC_MAC, HOST_MAC, 5, 0x86DD if flow.v6 else 0x800, whole[14:]), "VLAN")
    r.arrive(eth(0x806, bytes(28)), "ARP")
    r.wait()


def rsc_padding(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(2, pad=4), "with padding")
    r.arrive(flow.segment(3, pad=3), "both with padding")
    r.arrive(flow.segment(100))
    r.wait()


def rsc_flows(r: RscLab, flow: Flow, rng: random.Random) -> None:
    flows = [flow, Flow(flow.v6, 1001), Flow(flow.v6, 1000, 9), Flow(not flow.v6)]
    for number in (0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 3):
        r.arrive(flows[number].segment(80 + number), f"flow {number}")
    r.arrive(flows[1].segment(10, FIN | ACK), "flow 1 ends")
    r.arrive(flows[2].segment(10, skip=7), "a gap in flow 2")
    r.wait()


def rsc_wrap(r: RscLab, flow: Flow, rng: random.Random) -> None:
    flow.seq, flow.ack = 0xFFFFFFFF - 149, 0xFFFFFFF0
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100))
    flow.ack += 0x20
    r.arrive(flow.segment(100))
    r.wait()


def rsc_over_size(r: RscLab, flow: Flow, rng: random.Random) -> None:
    left = (65535 if flow.v6 else 65515) - (20 if flow.v6 else 40) - 3
    while left > 0:
        size = min(left, 9000)
        r.arrive(flow.segment(size))
        left -= size
    r.arrive(flow.segment(3), "the last that fits")
    r.arrive(flow.segment(1), "one too many")
    r.arrive(flow.segment(1000))
    r.wait()


def rsc_no_buffers(r: RscLab, flow: Flow, rng: random.Random) -> None:
    other = Flow(flow.v6, 1001)
    r.arrive(flow.segment(100))
    r.arrive(other.segment(100))
    r.arrive(other.segment(100))
    r.wait()
    r.arrive(flow.segment(100), "cached without a buffer")
    r.wait()
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(100, skip=5), "the one cached is lost, this one waits")
    r.lab.give(0, 4)
    r.rec.check(note="buffers")
    r.arrive(flow.segment(100))
    r.arrive(flow.segment(10, FIN | ACK))


def rsc_filter(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.lab.ctrl(0, 0, b"\0")
    wrong = flow.segment(100)
    r.arrive(bytes.fromhex("525400000077") + wrong[6:], "not for this guest, cached all the same")
    r.arrive(flow.segment(100))
    r.wait()


def rsc_offloads(r: RscLab, flow: Flow, rng: random.Random) -> None:
    four, six = bits("GUEST_CSUM", "GUEST_TSO4"), bits("GUEST_CSUM", "GUEST_TSO6")
    rsc = bits("RSC_EXT")

    def both() -> None:
        for v6 in (False, True):
            one = Flow(v6, rng.randrange(1, 60000))
            r.arrive(one.segment(50), "IPv6" if v6 else "IPv4")
            r.arrive(one.segment(50))

    for offloads, note in (
        (0, "nothing"),
        (rsc, "RSC alone"),
        (four | rsc, "IPv4"),
        (six | rsc, "IPv6"),
        (four | six, "both kinds without RSC"),
        (four | rsc | bits("GUEST_UFO"), "refused, yet IPv4 is on"),
        (1 << 63, "refused"),
        (four | six | rsc, "all"),
    ):
        r.lab.ctrl(5, 0, struct.pack("<Q", offloads), note)
        both()
        r.wait()
    r.lab.ctrl(5, 0, struct.pack("<Q", four | six | rsc)[:7], "short")
    r.lab.ctrl(5, 1, struct.pack("<Q", 0), "unknown")
    both()
    r.wait()


def rsc_off_while_cached(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    r.lab.ctrl(5, 0, bytes(8), "off")
    r.arrive(flow.segment(100), "overtakes")
    r.wait()


def rsc_reset(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    r.rec.cset("device_status", 0)
    r.rec.check(note="reset")
    r.wait()
    again = Lab(r.rec, 1, RSC_FEATURES)
    again.give(0, 8)
    again.arrive(flow.segment(100))
    r.wait()


def rsc_reset_soon(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    again = Lab(r.rec, 1, RSC_FEATURES)
    again.give(0, 8)
    again.arrive(flow.segment(100), note="the next driver gets both")
    r.wait()


def rsc_link(r: RscLab, flow: Flow, rng: random.Random) -> None:
    r.arrive(flow.segment(100))
    r.rec.link(False)
    r.rec.check()
    r.wait()
    r.rec.link(True)
    r.rec.check()


def rsc_random(r: RscLab, flow: Flow, rng: random.Random) -> None:
    flows = [Flow(v6, port, host) for v6 in (False, True) for port in (1000, 1001) for host in (1, 2)]
    for _round in range(3):
        for _ in range(14):
            one = rng.choice(flows[: rng.choice((2, 8))])
            what = rng.randrange(12)
            if what < 6:
                frame = one.segment(rng.choice((1, 40, 100, 500)), rng.choice((ACK, ACK, ACK | PSH)))
            elif what == 6:
                frame = one.segment(0)
            elif what == 7:
                one.ack += rng.choice((1, 500, 65534, 65535, 65536))
                frame = one.segment(rng.choice((0, 20)))
            elif what == 8:
                one.window = rng.randrange(65536)
                frame = one.segment(rng.choice((0, 20)))
            elif what == 9:
                frame = one.segment(30, rng.randrange(256))
            elif what == 10:
                frame = one.segment(30, skip=rng.choice((-30, -1, 1, 65535, 65536, -200)))
            else:
                frame = one.segment(
                    30, pad=rng.randrange(8), tos=rng.choice((0, 0, 1, 0x40)), fragment=rng.choice((0x4000, 0)), options=rng.choice((b"", bytes(4)))
                )
            r.arrive(frame)
        r.wait()


def rsc_cases() -> list[Case]:
    out: list[Case] = []

    def case(
        name: str, title: str, run: RscRun, *, v6: bool = False, seed: int = 0, features: int = RSC_FEATURES, peer: dict[str, Any] | None = None, **how: Any
    ) -> None:
        props = {"romfile": "", "ioeventfd": "off", "guest_rsc_ext": "on", "rsc_interval": RSC_INTERVAL_NS} | how.pop("props", {})

        def go(rec: Rec, rng: random.Random) -> None:
            run(RscLab(rec, features, **how), Flow(v6), rng)

        out.append(Case("rsc", name, title, go, Config(props=props, peer=peer or tap(1), ram=4 << 20), seed))

    both: list[tuple[str, str, RscRun, dict[str, Any]]] = [
        ("in-order", "segments that follow each other", rsc_in_order, {}),
        ("single", "one segment alone", rsc_single, {}),
        ("push", "PSH, acknowledgement and window of the last", rsc_push, {}),
        ("out-of-order", "gaps, repeats, out of the window", rsc_out_of_order, {}),
        ("acks", "pure, repeated and too large acknowledgements, window updates", rsc_acks, {}),
        ("data-after-ack", "data after a pure acknowledgement", rsc_data_after_ack, {}),
        ("repeat", "the same data again", rsc_repeat, {}),
        ("control", "each TCP flag", rsc_control, {"buffers": 60}),
        ("options", "TCP options and header lengths", rsc_options, {}),
        ("candidates", "what is not coalesced", rsc_not_candidates, {"buffers": 60}),
        ("padding", "padding behind short segments", rsc_padding, {}),
        ("flows", "several flows", rsc_flows, {}),
        ("wrap", "sequence numbers wrap", rsc_wrap, {}),
        ("over-size", "more than fits into a packet", rsc_over_size, {"buffers": 60, "size": 4000}),
        ("no-buffers", "no buffers when segments go", rsc_no_buffers, {"buffers": 2}),
        ("filter", "the filter comes last", rsc_filter, {}),
    ]
    for v6 in (False, True):
        for name, title, run, how in both:
            case(f"{name}-ip{6 if v6 else 4}", title, run, v6=v6, **how)
    case("small-buffers", "a coalesced segment over many buffers", rsc_in_order, buffers=60, size=64)
    case("not-mergeable", "one buffer a frame", rsc_in_order, features=RSC_FEATURES & ~bits("MRG_RXBUF"))
    case("big-frame", "a coalesced segment that does not fit", rsc_in_order, features=RSC_FEATURES & ~bits("MRG_RXBUF"), size=200)
    case("legacy", "without VERSION_1 or mergeable buffers", rsc_in_order, features=bits("MAC", "STATUS", "CTRL_VQ", "GUEST_CSUM", "GUEST_TSO4", "RSC_EXT"))
    case("only4", "IPv4 alone", rsc_flows, features=RSC_FEATURES & ~bits("GUEST_TSO6"))
    case("only6", "IPv6 alone", rsc_flows, features=RSC_FEATURES & ~bits("GUEST_TSO4"))
    case("not-accepted", "RSC not accepted", rsc_in_order, features=RSC_FEATURES & ~bits("RSC_EXT"))
    case("no-header", "a peer without header", rsc_in_order, peer=tap(1, False))
    case("offloads", "switched by command", rsc_offloads, buffers=60)
    case("off-while-cached", "switched off with a segment cached", rsc_off_while_cached)
    case("reset", "reset with a segment cached", rsc_reset)
    case("reset-soon", "another driver before the timer", rsc_reset_soon)
    case("link", "link down with a segment cached", rsc_link)
    case("interval", "the shortest interval", rsc_single, props={"rsc_interval": 1})
    for seed in range(12):
        case(f"random{seed}", "random segments", rsc_random, seed=seed, buffers=60)
    return out


# -- announcing -----------------------------------------------------------------------------------------------------------
def announce_rounds(features: int) -> Callable[[Rec, random.Random], None]:
    def run(rec: Rec, rng: random.Random) -> None:
        lab = Lab(rec, 1, features)

        def announce(*times: int) -> None:
            rec.q.qmp("announce-self", dict(zip(("initial", "max", "rounds", "step"), times, strict=True)))
            rec.ops.append(["announce", *times])

        for times in ((100, 1000, 3, 300), (200, 250, 4, 100), (50, 50, 0, 0), (50, 50, 1, 0)):
            announce(*times)
            rec.check(note="now")
            rec.dev(6, 2)
            if features & bits("CTRL_VQ"):
                lab.ctrl(3, 0, b"", "acknowledged")
                lab.ctrl(3, 0, b"", "acknowledged again")
            rec.sleep(2500)
            rec.check(note="the other rounds")
            rec.dev(6, 2)

    return run


def announce_cases() -> list[Case]:
    out: list[Case] = []
    for name, names, peer in (
        ("both", ("GUEST_ANNOUNCE",), {"kind": "stream"}),
        ("frame", (), {"kind": "stream"}),
        ("dgram", ("GUEST_ANNOUNCE",), {"kind": "dgram"}),
        ("hdr", ("GUEST_ANNOUNCE",), tap(1)),
        ("nobody", ("GUEST_ANNOUNCE",), {"kind": "none"}),
    ):
        props = {"romfile": "", "ioeventfd": "off"}
        out.append(Case("announce", name, f"announce-self: {name}", announce_rounds(BASE | bits(*names)), Config(props=props, peer=peer, ram=2 << 20)))
    return out


# -- frames with the tap's header -----------------------------------------------------------------------------------------
def dhcp_sizes(rec: Rec, rng: random.Random) -> None:
    """DHCP replies of all sizes and kinds that wait for their checksum."""
    lab = Lab(rec, 1, BASE | bits("GUEST_CSUM"))
    lab.give(0, 60)
    needs = bytes([1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 0, 0])
    whole = eth(0x800, ip4(17, udp(IP_A, IP_B, 67, 68, b"d" * 60)))
    whole = whole[:40] + b"\0\0" + whole[42:]
    for size in (27, 28, 35, 36, 41, 42, 43, 60, len(whole)):
        lab.arrive(whole[:size], note=f"{size} bytes", header=needs)
    for payload in (0, 1, 2, 1457, 1458):
        frame = eth(0x800, ip4(17, udp(IP_A, IP_B, 67, 68, bytes(payload))))
        lab.arrive(frame[:40] + b"\0\0" + frame[42:], note=f"{payload} bytes of data", header=needs)
    for fragment in (0x2000, 0x4000, 0x0001, 0x8000):
        frame = eth(0x800, ip4(17, udp(IP_A, IP_B, 67, 68, b"d" * 60), fragment=fragment))
        lab.arrive(frame[:40] + b"\0\0" + frame[42:], note=f"fragment {fragment:#x}", header=needs)
    # shorter than its header it makes QEMU sum up 64 KiB of its own memory
    for length in (20, 27, 28, 88, 89, 100):
        lab.arrive(whole[:16] + struct.pack(">H", length) + whole[18:], note=f"IP length {length}", header=needs)
    lab.arrive(whole[:14] + b"\x46" + whole[15:], note="options", header=needs)
    lab.arrive(whole[:14] + b"\x55" + whole[15:], note="version", header=needs)
    lab.arrive(whole + bytes(7), note="padding", header=needs)
    lab.arrive(whole[:34] + b"\0\x43" + struct.pack(">H", 0) + whole[38:], note="another destination", header=needs)
    lab.arrive(whole, note="other flags", header=bytes([0xFF]) + needs[1:])


def short_frames(rec: Rec, rng: random.Random) -> None:
    """Frames shorter than the header, after longer and shorter ones, into chains of all shapes."""
    lab = Lab(rec, 1, BASE)
    lab.give(0, 30, 100)
    for size in (12 + 60, 1, 12 + 20, 5, 9, 10, 11, 12, 13, 12 + 80, 3):
        lab.rec.inject(rng.randbytes(size), 0)
        rec.check(note=f"{size} bytes")
    lab.ctrl(0, 0, b"\0")
    for size in (12 + 60, 1, 11):
        lab.rec.inject((bytes(12) + NIC_MAC + rng.randbytes(60))[:size], 0)
        rec.check(note=f"{size} bytes, filtered")


def hdr_cases() -> list[Case]:
    props = {"romfile": "", "ioeventfd": "off"}
    return [
        Case("hdr", "dhcp-sizes", "DHCP replies of all sizes", dhcp_sizes, Config(props=props, peer=tap(1), ram=2 << 20)),
        Case("hdr", "short", "frames shorter than the header", short_frames, Config(props=props, peer=tap(1), ram=2 << 20)),
    ]


# -- the configuration space, the link, failover --------------------------------------------------------------------------
STATUS_AT, QUEUE_PAIRS_AT, MTU_AT, SPEED_AT, DUPLEX_AT = 6, 8, 10, 12, 16


def link_and_config(features: int) -> Callable[[Rec, random.Random], None]:
    """Link, address, announcements and frames, each change followed by a look at the whole space."""

    def run(rec: Rec, rng: random.Random) -> None:
        lab = Lab(rec, 1, features)

        def look() -> None:
            for offset in range(0, 20, 4):
                rec.dev(offset, 4)

        def send(note: str) -> None:
            ring = lab.rings[1]
            rec.mw(lab.room, bytes(12) + HOST_MAC + NIC_MAC + rng.randbytes(48))
            ring.push(ring.chain([D(lab.room, 72)]))
            lab.room += 128
            ring.kick()
            rec.check(note=note)

        lab.give(0, 12, 300)
        look()
        send("link up")
        rec.link(False)
        rec.check(note="link down")
        look()
        send("sent with the link down")
        lab.arrive(eth(0x800, ip4(6, tcp4())), note="came with the link down")
        rec.link(False)
        rec.check(note="down again")
        rec.link(True)
        rec.check(note="link up")
        look()
        send("link up again")
        lab.arrive(eth(0x800, ip4(6, tcp4())), note="link up again")
        lab.ctrl(1, 1, bytes.fromhex("525400aabbcc"), "another address")
        look()
        lab.ctrl(0, 0, b"\0", "not promiscuous")
        lab.arrive(eth(0x800, ip4(6, tcp4())), note="to the old address")
        lab.arrive(bytes.fromhex("525400aabbcc") + eth(0x800, ip4(6, tcp4()))[6:], note="to the new one")
        for offset, size, value in ((0, 4, 0x11223344), (4, 2, 0x5566), (STATUS_AT, 2, 0), (MTU_AT, 2, 9), (SPEED_AT, 4, 9), (DUPLEX_AT, 1, 0)):
            rec.devset(offset, size, value)
            look()
        rec.cset("device_status", 0)
        rec.check(note="reset")
        look()
        rec.link(False)
        rec.check(note="down after reset")
        look()
        again = Lab(rec, 1, features)
        again.give(0, 4, 300)
        rec.link(True)
        rec.check(note="up with the next driver")
        again.arrive(eth(0x800, ip4(6, tcp4())), note="link up")

    return run


def config_cases() -> list[Case]:
    out: list[Case] = []

    def case(name: str, features: int, peer: dict[str, Any] | None = None, **props: Any) -> None:
        own = {"romfile": "", "ioeventfd": "off"} | props
        out.append(
            Case(
                "config",
                name,
                f"link and configuration space: {name}",
                link_and_config(features),
                Config(props=own, peer=peer or {"kind": "stream"}, ram=2 << 20),
            )
        )

    case("plain", BASE)
    case("mac", BASE | bits("CTRL_MAC_ADDR"))
    case("no-status", BASE & ~bits("STATUS"))
    case("mtu", BASE | bits("MTU"), host_mtu=1400)
    case("mtu-max", BASE | bits("MTU"), host_mtu=65535)
    case("speed", BASE | bits("SPEED_DUPLEX"), speed=10000, duplex="full")
    case("half", BASE | bits("SPEED_DUPLEX", "MTU"), speed=0, duplex="half", host_mtu=68)
    case("speed-only", BASE | bits("SPEED_DUPLEX"), speed=2147483647)
    case("not-offered", BASE, status="off", ctrl_vq="on")
    case("tap", BASE | bits("GUEST_CSUM", "GUEST_TSO4"), tap(1))
    case("timer", BASE, tx="timer")
    return out


def failover_case(features: int) -> Callable[[Rec, random.Random], None]:
    def run(rec: Rec, rng: random.Random) -> None:
        for _ in range(2):
            lab = Lab(rec, 1, features)
            lab.give(0, 2, 200)
            lab.arrive(eth(0x800, ip4(6, tcp4())))
            rec.cset("device_status", 0)
            rec.check(note="reset")

    return run


def failover_cases() -> list[Case]:
    def config(machine: str) -> Config:
        return Config(machine=machine, props={"romfile": "", "ioeventfd": "off", "failover": "on"}, ram=2 << 20)

    return [
        Case("failover", "taken", "STANDBY taken without a primary", failover_case(BASE | bits("STANDBY")), config("pc-i440fx-4.1"), since="5.0"),
        Case("failover", "not-taken", "STANDBY not taken", failover_case(BASE), config("pc-i440fx-4.1"), since="5.0"),
        Case("failover", "newer", "STANDBY taken on a newer machine", failover_case(BASE | bits("STANDBY")), config("pc-i440fx-7.2"), since="5.0"),
    ]


FAMILIES: dict[str, Callable[[], list[Case]]] = {
    "rss": rss_cases,
    "rsc": rsc_cases,
    "announce": announce_cases,
    "hdr": hdr_cases,
    "config": config_cases,
    "failover": failover_cases,
}


def main() -> None:
    wanted = sys.argv[2:] or list(FAMILIES)
    cases = [case for family in wanted for case in FAMILIES[family]()]
    found = generate(cases, "f-")
    write_jsonl(sys.argv[1], found, "datapath")
    print(f"{len(found)} of {len(cases)} cases")


if __name__ == "__main__":
    main()
