"""Control queue: each command, its acknowledgement, and what it changes."""

from __future__ import annotations

import struct

import pytest

from tests.core.virtio.bare import BUFFERS_AT, MRG, V1, WRITE, Bare

MQ = 1 << 22
CTRL_QUEUE = 2
ACK_AT = 0x300000


def command(bare: Bare, klass: int, cmd: int, data: bytes = b"", queue: int = CTRL_QUEUE) -> int:
    """Send one command; its ack, 0xee when the device did not answer."""
    request = bytes([klass, cmd]) + data
    bare.write(BUFFERS_AT, request)
    bare.write(ACK_AT, b"\xee")
    bare.desc(queue, 0, BUFFERS_AT, len(request), 1, 1)
    bare.desc(queue, 1, ACK_AT, 1, WRITE)
    bare.publish(queue, 0)
    bare.kick(queue)
    return bare.read(ACK_AT, 1)[0]


@pytest.mark.parametrize(("cmd", "name"), [(0, "promisc"), (1, "allmulti"), (2, "alluni"), (3, "nomulti"), (4, "nouni"), (5, "nobcast")])
def test_receive_modes(cmd: int, name: str) -> None:
    bare = Bare()
    for value in (1, 0, 7):
        assert command(bare, 0, cmd, bytes([value])) == 0
        assert getattr(bare.n, name) == value


@pytest.mark.parametrize(
    ("klass", "cmd", "data"),
    [
        (0, 6, b"\x01"),
        (0, 0, b""),
        (1, 1, bytes(5)),
        (1, 1, bytes(7)),
        (1, 2, bytes(6)),
        (1, 0, struct.pack("<I", 1)),
        (1, 0, struct.pack("<I", 0) + struct.pack("<I", 1) + bytes(5)),
        (2, 0, b"\x01"),
        (2, 0, struct.pack("<H", 4096)),
        (2, 2, struct.pack("<H", 1)),
        (3, 0, b""),
        (4, 0, struct.pack("<H", 1)),
        (5, 0, bytes(8)),
        (9, 0, b""),
    ],
)
def test_refused(klass: int, cmd: int, data: bytes) -> None:
    bare = Bare()
    assert command(bare, klass, cmd, data) == 1
    assert not bare.n.broken


def test_an_unknown_class_repeats_the_answer_before_within_one_kick() -> None:
    bare = Bare()
    for i, (klass, cmd) in enumerate([(0, 0), (9, 9)]):
        bare.write(BUFFERS_AT + 64 * i, bytes([klass, cmd, 1]))
        bare.desc(CTRL_QUEUE, 2 * i, BUFFERS_AT + 64 * i, 3, 1, 2 * i + 1)
        bare.desc(CTRL_QUEUE, 2 * i + 1, ACK_AT + i, 1, WRITE)
    bare.publish(CTRL_QUEUE, 0, 2)
    bare.kick(CTRL_QUEUE)
    assert bare.read(ACK_AT, 2) == b"\x00\x00"
    assert bare.used(CTRL_QUEUE) == [(0, 1), (2, 1)]


def test_the_address_table_and_its_overflow() -> None:
    bare = Bare()
    unicast = [bytes([2, 0, 0, 0, 0, i]) for i in range(3)]
    multicast = [bytes([1, 0, 0, 0, 0, i]) for i in range(2)]
    assert command(bare, 1, 0, struct.pack("<I", 3) + b"".join(unicast) + struct.pack("<I", 2) + b"".join(multicast)) == 0
    table = bare.n.mac_table
    assert (table.in_use, table.first_multi, table.macs) == (5, 3, unicast + multicast)
    many = b"".join(bytes([2, 0, 0, 0, 1, i]) for i in range(65))
    assert command(bare, 1, 0, struct.pack("<I", 65) + many + struct.pack("<I", 0)) == 0
    assert (table.in_use, table.uni_overflow, table.multi_overflow) == (0, True, False)


def test_address_and_vlans() -> None:
    bare = Bare(V1 | MRG | 1 << 19)
    assert command(bare, 1, 1, b"\x02\x00\x00\x00\x00\x07") == 0
    assert bare.n.mac == b"\x02\x00\x00\x00\x00\x07"
    assert bare.n.nc().info_str.endswith("macaddr=02:00:00:00:00:07")
    for vid in (0, 5, 6, 4095):
        assert command(bare, 2, 0, struct.pack("<H", vid)) == 0
    assert command(bare, 2, 1, struct.pack("<H", 5)) == 0
    assert bare.n.vlans_text() == "0,6,4095"


def test_missing_headers_break_the_device() -> None:
    bare = Bare()
    bare.desc(CTRL_QUEUE, 0, BUFFERS_AT, 1, 1, 1)
    bare.desc(CTRL_QUEUE, 1, ACK_AT, 1, WRITE)
    bare.publish(CTRL_QUEUE, 0)
    bare.kick(CTRL_QUEUE)
    assert bare.world.messages == ["virtio-net ctrl missing headers"]
    assert bare.n.status == 0x4F


@pytest.mark.parametrize("count", [0x80000001, 0xAAAAAAAB + 0x55555556])
def test_a_count_that_wraps_when_multiplied_overflows_the_table(count: int) -> None:
    """6 times 0x80000001 is 6 in 32 bits, as a real QEMU 7.2.22 has it: the command is good and the table overflows."""
    bare = Bare()
    count &= 0xFFFFFFFF
    one = struct.pack("<I", 1) + b"\1" * 6
    wrapped = struct.pack("<I", count) + b"\2" * (count * 6 & 0xFFFFFFFF)
    assert command(bare, 1, 0, one + wrapped) == 0
    assert (bare.n.mac_table.in_use, bare.n.mac_table.multi_overflow) == (1 + (count == 1), count > 64)
    assert command(bare, 1, 0, wrapped + struct.pack("<I", 0)) == 0
    assert bare.n.mac_table.uni_overflow == (count > 64)
