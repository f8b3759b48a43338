"""Attacks on virtio-net: buffers, headers, filters, control commands, and what comes from the network."""

from __future__ import annotations

import struct

import pytest

from ringscope_core.net.net import NET_BUFSIZE, qemu_del_net_client, qemu_send_packet_async
from tests.core.cve.attack import CTRL, FRAME, attacked, broke, expert, victim
from tests.core.rig import BUFFERS_AT, INDIRECT, MQ, MRG, NEXT, PROFILES, RAM, V1, WRITE, Rig

both = pytest.mark.parametrize("profile", PROFILES)
CSUM, GUEST_CSUM, TSO4, HOST_TSO4, HOST_ECN, HOST_UFO = 0, 1, 7, 11, 13, 14


@both
def test_cve_2010_0741_a_driver_that_acknowledges_everything(profile: str) -> None:
    """Bit 30 is offered as a trap: who takes it gets the bits that the oldest drivers know, and no offload from device to driver."""
    rig = Rig(profile=profile, vnet_hdr=True)
    rig.bar_write(0, 18, 1, 3)
    assert rig.bar_read(0, 0, 4) >> 30 & 1
    rig.bar_write(0, 4, 4, 0xFFFFFFFF)
    allowed = 1 << 5 | 1 << CSUM | 1 << HOST_TSO4 | 1 << 12 | 1 << HOST_ECN
    assert int(rig.n.guest_features) & ~allowed == 0
    assert int(rig.n.curr_guest_offloads) == 0
    assert int(rig.n.guest_hdr_len) == 10


@both
@pytest.mark.parametrize("count", [64, 65, 1000, 0x2AAAAAAB, 0x7FFFFFFF, 0xFFFFFFC0, 0xFFFFFFFF])
def test_cve_2014_0150_mac_table_with_too_many_addresses(count: int, profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        macs = b"\2\0\0\0\0\1" * min(count, 1000)
        ack = rig.command(1, 0, struct.pack("<I", count) + macs + struct.pack("<I", 0))
        table = rig.n.mac_table
        assert int(table.in_use) <= 64 and len(table.macs) == int(table.in_use)
        assert ack == (0 if count <= 1000 else 1)
        assert table.uni_overflow == (64 < count <= 1000)


@both
@pytest.mark.parametrize("count", [1, 64, 65, 0x2AAAAAAB, 0xFFFFFFC1, 0xFFFFFFFF])
def test_cve_2014_0150_second_table_with_too_many_addresses(count: int, profile: str) -> None:
    rig = victim(profile)
    with attacked(rig):
        macs = b"\3\0\0\0\0\1" * min(count, 1000)
        ack = rig.command(1, 0, struct.pack("<I", 64) + b"\2\0\0\0\0\1" * 64 + struct.pack("<I", count) + macs)
        assert ack == (0 if count <= 1000 else 1)
        table = rig.n.mac_table
        assert len(table.macs) == int(table.in_use) == (64 if ack == 0 else 0)
        assert table.multi_overflow == (ack == 0)


@both
@pytest.mark.parametrize("count", [1, 64, 65, 10000, 2**31, 2**32 - 1])
@pytest.mark.parametrize("exact", [True, False])
def test_cve_2014_0150_tables_of_gigabytes(exact: bool, count: int, profile: str) -> None:
    """A request of all memory many times over: only what the filter can hold is read."""
    rig = victim(profile)
    with attacked(rig):
        table = 0x300000
        entries: list[tuple[int, int, int]] = [(BUFFERS_AT, 6, 0)]
        rig.write(BUFFERS_AT, b"\1\0" + struct.pack("<I", count))
        left = count * 6
        while left > 0 and len(entries) < 1000:
            part = min(left, RAM - 0x100000)
            entries.append((0x100000, part, 0))
            left -= part
        rig.write(BUFFERS_AT + 64, struct.pack("<I", 0))
        entries.append((BUFFERS_AT + 64, 4 if exact else 5, 0))
        entries.append((BUFFERS_AT + 128, 1, WRITE))
        for i, (addr, length, flags) in enumerate(entries):
            rig.write(table + 16 * i, struct.pack("<QIHH", addr, length, flags | (NEXT if i < len(entries) - 1 else 0), i + 1))
        rig.desc(2, 0, table, 16 * len(entries), INDIRECT)
        rig.publish(2, 0)
        rig.kick(2)
        rig.settle()
        fits = left <= 0
        if fits or not rig.n.broken:
            assert rig.read(BUFFERS_AT + 128, 1) == (b"\0" if fits and exact else b"\1")
            assert rig.n.mac_table.uni_overflow == (fits and exact and count > 64)


@both
@pytest.mark.parametrize("features", [V1 | CTRL, V1 | MRG | CTRL, CTRL])
def test_cve_2015_7295_frame_longer_than_the_buffer(features: int, profile: str) -> None:
    """The element is given back or the frame waits; the ring never loses one, and the next frame that fits arrives."""
    rig = victim(profile, features=features)
    with attacked(rig):
        for head in range(4):
            rig.give(head, 100)
        for _ in range(50):
            rig.arrive(bytes(1000))
        if features & MRG:
            # mergeable: the frame waits for more buffers
            assert int(rig.vq(0).inuse) == 0 and rig.used(0) == []
        else:
            assert (int(rig.vq(0).inuse), rig.used(0)) == (0, [])
            rig.arrive(FRAME)
            assert rig.used(0) == [(0, 60 + int(rig.n.guest_hdr_len))]


@both
def test_cve_2021_3748_header_in_memory_that_is_none(profile: str) -> None:
    """num_buffers lies in the bounce buffer while more elements are taken; it is written before the first is given back."""
    rig = victim(profile)
    with attacked(rig):
        rig.desc(0, 0, 1 << 40, 100, WRITE)
        at = rig.buffer(1, 0)
        rig.desc(0, 1, at, 2000, WRITE)
        rig.publish(0, 0, 1)
        rig.arrive(bytes(500))
        assert rig.used(0) == [(0, 100), (1, 412)]
        assert not rig.machine.memory.bounce_busy
        # twice at a time there is no bounce buffer: the element that wants it breaks the device, and what was taken is released
        rig.desc(0, 2, 1 << 40, 100, WRITE)
        rig.desc(0, 3, 1 << 41, 2000, WRITE)
        rig.publish(0, 2, 3)
        rig.arrive(bytes(500))
        assert "virtio: bogus descriptor or out of resources" in rig.messages()
        assert not rig.machine.memory.bounce_busy and int(rig.vq(0).inuse) == 0


@both
@pytest.mark.parametrize("bad", ["index", "loop", "order", "length", "mapping", "readable"])
def test_cve_2022_26353_error_in_the_middle_of_a_frame(bad: str, profile: str) -> None:
    """Every element that was taken for the frame is detached; nothing stays in use."""
    rig = victim(profile)
    with attacked(rig):
        for head in range(3):
            rig.give(head, 100)
        heads = [0, 1, 2, 3]
        if bad == "index":
            heads[3] = 999
            rig.give(3, 5000)
            rig.write(rig.ring_at(0) + 0x4002, struct.pack("<H", 3))
        elif bad == "loop":
            rig.desc(0, 3, BUFFERS_AT, 100, WRITE | NEXT, 3)
        elif bad == "order":
            rig.desc(0, 3, BUFFERS_AT, 900, WRITE | NEXT, 4)
            rig.desc(0, 4, BUFFERS_AT, 100)
        elif bad == "length":
            rig.desc(0, 3, BUFFERS_AT, 0, WRITE | NEXT, 4)
            rig.desc(0, 4, BUFFERS_AT, 900, WRITE)
        elif bad == "mapping":
            rig.desc(0, 3, 1 << 40, 9000, WRITE)
        elif bad == "readable":
            rig.desc(0, 3, BUFFERS_AT, 100, NEXT, 4)
            rig.desc(0, 4, BUFFERS_AT + 4096, 900, WRITE)
        rig.publish(0, heads[3])
        rig.arrive(bytes(1000))
        rig.arrive(FRAME)
        assert int(rig.vq(0).inuse) == 0
        assert not rig.machine.memory.bounce_busy
        if bad != "readable":
            assert rig.n.broken and rig.used(0) == []


@both
def test_cve_2022_26353_more_elements_than_a_frame_may_have(profile: str) -> None:
    """1024 buffers of one byte each, then a frame that wants more: the device does not lose them."""
    rig = victim(profile, "rx_queue_size=1024", size=1024)
    with attacked(rig):
        rig.desc(0, 0, BUFFERS_AT, 12, WRITE)
        for head in range(1, 1024):
            rig.desc(0, head, BUFFERS_AT + head * 16, 1, WRITE)
        rig.publish(0, *range(1024))
        assert rig.arrive(bytes(1023)) == 1023
        assert rig.u16(BUFFERS_AT + 10) == 1024
        rig.publish(0, *range(1024))
        assert rig.arrive(bytes(1500)) == 0
        assert int(rig.vq(0).inuse) == 0 and not rig.n.broken


@both
def test_cve_2022_26354_popped_element_is_detached_on_every_error(profile: str) -> None:
    """The vsock device freed elements without detaching them; virtio-net's error paths all give theirs back."""
    for queue, descriptors in (
        (1, [(BUFFERS_AT, 100, WRITE, 0)]),
        (1, [(BUFFERS_AT, 4, 0, 0)]),
        (2, [(BUFFERS_AT, 1, NEXT, 1), (BUFFERS_AT + 64, 1, WRITE, 0)]),
        (2, [(BUFFERS_AT, 20, 0, 0)]),
        (1, [(1 << 40, 4, 0, 0)]),
    ):
        rig = victim(profile)
        with attacked(rig):
            for slot, (addr, length, flags, following) in enumerate(descriptors):
                rig.desc(queue, slot, addr, length, flags, following)
            rig.publish(queue, 0)
            rig.kick(queue)
            rig.settle()
            assert rig.n.broken and int(rig.vq(queue).inuse) == 0
            assert not rig.machine.memory.bounce_busy


@both
@pytest.mark.parametrize("vnet_hdr", [False, True])
@pytest.mark.parametrize("length", [1, 9, 10, 11])
def test_transmit_chain_shorter_than_the_header(length: int, vnet_hdr: bool, profile: str) -> None:
    """QEMU without vnet_hdr peer ends with an assertion; here the driver loses its device, and the expert list tells."""
    rig = victim(profile, vnet_hdr=vnet_hdr)
    with attacked(rig, again=not vnet_hdr):
        rig.desc(1, 0, BUFFERS_AT, length)
        rig.publish(1, 0)
        rig.kick(1)
        rig.settle()
        broke(rig, "virtio-net header incorrect")
        assert [text.startswith("QEMU aborts: a chain to send is shorter") for text in expert(rig)] == ([] if vnet_hdr else [True])


@both
@pytest.mark.parametrize("features", [V1 | MRG | CTRL, V1 | CTRL, CTRL])
@pytest.mark.parametrize("length", [1, 9])
def test_receive_buffer_shorter_than_the_header(length: int, features: int, profile: str) -> None:
    rig = victim(profile, features=features)
    with attacked(rig):
        rig.desc(0, 0, BUFFERS_AT, length, WRITE)
        rig.desc(0, 1, BUFFERS_AT + 4096, 2000, WRITE)
        rig.publish(0, 0, 1)
        rig.arrive(FRAME)
        assert rig.messages()[-1] == "virtio-net receive buffer shorter than the header" and rig.n.broken
        assert [text.startswith("QEMU aborts: the first receive buffer is shorter") for text in expert(rig)] == [True]
        assert int(rig.vq(0).inuse) == 0


@both
@pytest.mark.parametrize("size", [int(NET_BUFSIZE) + 1, 2**31 - 1, 2**32 + 5])
def test_cve_2018_17963_frame_longer_than_an_int(size: int, profile: str) -> None:
    """The network takes it for sent and never sees it."""
    rig = victim(profile)
    with attacked(rig):
        table, entries = 0x300000, []
        left = size + 12
        while left > 0:
            part = min(left, RAM - 0x100000)
            entries.append(part)
            left -= part
        entries = entries[:1024]
        for i, part in enumerate(entries):
            rig.write(table + 16 * i, struct.pack("<QIHH", 0x100000, part, NEXT if i < len(entries) - 1 else 0, i + 1))
        rig.desc(1, 0, table, 16 * len(entries), INDIRECT)
        rig.publish(1, 0)
        rig.kick(1)
        rig.settle()
        assert (rig.used(1), rig.peer.frames) == ([(0, 0)], [])
        assert int(rig.n.nic_queue(0).oversize_drops) == 1
    other = victim(profile)
    other.give(0)
    # and the same from the other side
    assert int(qemu_send_packet_async(other.peer, bytes(int(NET_BUFSIZE) + 1))) == int(NET_BUFSIZE) + 1
    assert other.used(0) == []


@both
def test_cve_2021_3416_a_frame_that_comes_back_at_once(profile: str) -> None:
    """A peer that answers every frame within its delivery, into the NIC that is still sending: it waits its turn, the stack does not grow."""
    rig = victim(profile)

    def reflect(frame: bytes) -> int:
        rig.peer.frames.append(frame)
        qemu_send_packet_async(rig.peer, frame)
        return len(frame)

    with attacked(rig):
        rig.peer.receive = reflect  # type: ignore[method-assign]
        for head in range(100):
            rig.give(head)
            rig.put(FRAME, head)
        rig.kick(1)
        rig.settle()
        assert len(rig.peer.frames) == 100
        assert len(rig.used(0)) == 100
        del rig.peer.receive


@both
@pytest.mark.parametrize("length", list(range(20)))
def test_cve_2025_12464_short_frames(length: int, profile: str) -> None:
    """Frames shorter than an Ethernet header, from both sides and through the filter: nothing beyond them is read."""
    rig = victim(profile)
    with attacked(rig):
        rig.command(0, 0, b"\0")
        rig.give(5)
        rig.arrive(b"\xff" * length)
        rig.put(b"\xff" * length, 9)
        rig.kick(1)
        rig.settle()
        used = rig.used(0)
        assert used == [] or used == [(5, length + 12)]
        assert all(len(frame) == length for frame in rig.peer.frames)


@both
def test_cve_2023_3301_the_backend_goes_while_the_nic_uses_it(profile: str) -> None:
    """Deleted with frames on the way in both directions: it stays until the NIC goes, and nothing is delivered to it."""
    rig = victim(profile)
    with attacked(rig, again=False):
        rig.peer.busy = True
        rig.put(FRAME)
        rig.kick(1)
        rig.settle()
        rig.arrive(FRAME)
        qemu_del_net_client(rig.peer)
        rig.peer.busy = False
        for head in range(1, 4):
            rig.put(FRAME, head)
        rig.kick(1)
        rig.give(3)
        rig.kick(0)
        rig.settle()
        assert rig.peer.frames == []
        assert int(rig.n.link_status) == 0
        rig.common(20, 1, 0)
        rig.settle()
    rig.unplug()
    assert rig.peer.peer is None
    assert not rig.machine.net.clients
    rig.settle()


@both
def test_cve_2024_6505_queue_number_out_of_range(profile: str) -> None:
    """Whatever a driver says of queues, frames go to queues that exist and take part."""
    rig = victim(profile, "mq=on,vectors=10", V1 | MRG | CTRL | MQ, peers=3)
    with attacked(rig, again=False):
        for pairs in (0, 4, 0x8000, 0x8001, 0xFFFF):
            assert rig.command(4, 0, struct.pack("<H", pairs), queue=6) == 1
        assert rig.command(4, 0, struct.pack("<H", 2), head=4, queue=6) == 0
        for queue in range(3):
            rig.give(3, queue=2 * queue)
            rig.arrive(FRAME, queue)
        assert [len(rig.used(2 * queue)) for queue in range(3)] == [1, 1, 0]


def offloading(profile: str, features: int, option: str = "", peers: int = 1) -> Rig:
    """A driver that has agreed to everything a peer with a virtio_net_hdr allows."""
    rig = Rig(option, profile=profile, vnet_hdr=True, peers=peers)
    offered = int(rig.n.host_features) & 2**64 - 1
    rig.start((V1 | MRG | CTRL | features) & offered, pairs=peers)
    rig.settle()
    return rig


@both
@pytest.mark.parametrize("mergeable", [MRG, 0])
def test_cve_2023_6693_header_of_the_hash_report(mergeable: int, profile: str) -> None:
    """20 bytes of header, in one buffer, in many, in too few, and in frames shorter than it: the copy ends where the header does."""
    rig = Rig("rss=on,hash=on,mq=on,vectors=6" if profile == "7.2" else "", profile=profile, vnet_hdr=True)
    offered = int(rig.n.host_features) & 2**64 - 1
    rig.start((V1 | CTRL | mergeable | 1 << 57 | 1 << 7 | 1 << 8 | 2) & offered)
    rig.settle()
    header = int(rig.n.guest_hdr_len)
    assert header == (20 if profile == "7.2" else 12)
    with attacked(rig, again=False):
        if profile == "7.2":
            key = bytes(40)
            assert rig.command(4, 2, struct.pack("<I", 0x3F) + bytes(8) + bytes([40]) + key) == 0
        for length in (0, 1, 9, 10, 12, 19, 20, 21, 33, 34, 53, 54, 74, 100, 2000):
            for first in (1, 10, 11, 12, 13, 19, 20, 21, 2100):
                rig.desc(0, 0, BUFFERS_AT, first, WRITE | NEXT, 1)
                rig.desc(0, 1, BUFFERS_AT + 0x1000, 3000, WRITE)
                rig.publish(0, 0)
                rig.arrive(bytes(length))
        assert not rig.n.broken and int(rig.vq(0).inuse) == 0


@both
@pytest.mark.parametrize("kind", [0, 1, 3, 4, 5, 0x80, 0x81, 0xFF])
def test_cve_2020_27617_segmentation_that_does_not_fit_the_frame(kind: int, profile: str) -> None:
    """gso_type against the frame, header lengths beyond it, checksums at any place: from the guest, and from the network."""
    rig = offloading(profile, 0x7F83)
    with attacked(rig, again=False):
        head = 0
        for protocol in (b"\x08\x00", b"\x86\xdd", b"\x88\xcc", b"\x81\x00", b""):
            for flags, hdr_len, gso_size, start, offset in ((0, 0, 0, 0, 0), (1, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF), (3, 54, 1, 34, 16), (1, 0, 0, 13, 0xFFFE)):
                header = struct.pack("<BBHHHHH", flags, kind, hdr_len, gso_size, start, offset, 0)
                frame = bytes(12) + protocol + b"\x45" + bytes(60)
                rig.write(rig.buffer(head), header + frame)
                rig.desc(1, head, rig.buffer(head), len(header) + len(frame))
                rig.publish(1, head)
                rig.give(head % 64)
                rig.arrive(header + frame)
                head = (head + 1) % 64
        rig.kick(1)
        rig.settle()


@both
def test_cve_2024_3567_and_cve_2020_16092_packets_taken_apart(profile: str) -> None:
    """Frames cut and garbled at every byte through everything that looks into them: filter, hash, coalescing, DHCP checksum."""
    from random import Random

    from ringscope_core.net.packet import ETH_P_IP

    assert int(ETH_P_IP) == 0x0800
    option = "guest_rsc_ext=on,mq=on,vectors=6" + (",rss=on,hash=on" if profile == "7.2" else "")
    rig = offloading(profile, 1 << 61 | 1 << 7 | 1 << 8 | 2 | 1 << 57 | 1 << 60 | 1 << 19, option)
    tcp = bytes.fromhex("02000000000252540012345608004500003c000140004006000001020304050607080050005000000001000000015018ffff00000000") + bytes(20)
    dhcp = bytes.fromhex("020000000002525400123456080045000148000040004011000000000000ffffffff0043004401340000") + bytes(300)
    tcp6 = bytes.fromhex("02000000000252540012345686dd60000000002806400000000000000000000000000000000100000000000000000000000000000002") + tcp[34:] + bytes(20)
    assert rig.n.rsc4_enabled and rig.n.rsc6_enabled
    with attacked(rig, again=False):
        choose = Random(4)
        if profile == "7.2":
            assert rig.command(4, 1, struct.pack("<IHHHHB", 0x1FF, 0, 0, 0, 1, 40) + bytes(range(40))) == 0
        for turn in range(400):
            frame = bytearray(choose.choice([tcp, dhcp, tcp6]))
            for _ in range(choose.randrange(3)):
                frame[choose.randrange(len(frame))] = choose.choice([0, 1, 5, 6, 0x0F, 0x45, 0x4F, 0xFF])
            frame = frame[: choose.randrange(len(frame) + 1)] if choose.random() < 0.4 else frame
            header = struct.pack("<BBHHHHH", choose.choice([0, 1, 2]), 0, 0, 0, choose.choice([0, 34, 200]), choose.choice([0, 16, 6]), 0)
            rig.give(turn % 64)
            rig.kick(0)
            rig.arrive(header[: int(rig.n.host_hdr_len)].ljust(int(rig.n.host_hdr_len), b"\0") + bytes(frame))


@both
@pytest.mark.parametrize("payload", [b"", b"\0", bytes(5), bytes(7), bytes(9), bytes(300)])
def test_control_commands_of_any_class_and_length(payload: bytes, profile: str) -> None:
    rig = victim(profile, "mq=on,vectors=6", V1 | MRG | CTRL | 1 << 19 | 1 << 21 | 1 << 23)
    with attacked(rig, again=False):
        for klass in (*range(8), 77, 255):
            for cmd in (0, 1, 2, 5, 6, 255):
                assert rig.command(klass, cmd, payload) in (0, 1)
        assert not rig.n.broken
        assert rig.command(2, 0, b"\xff\xff") == 1
        assert rig.command(2, 0, b"\x00\x10") == 1


@both
def test_answers_that_feed_the_ring_come_to_an_end(profile: str) -> None:
    """Each command's answer is a byte of avail.idx: the device works on it in turns, between which others get theirs."""
    rig = victim(profile, level=0)
    with attacked(rig):
        avail = rig.ring_at(2) + 0x4000
        rig.write(BUFFERS_AT, b"\x4d\0")
        for head in range(0, 64, 2):
            rig.desc(2, head, BUFFERS_AT, 2, NEXT, head + 1)
            rig.desc(2, head + 1, avail + 2 + head // 2 % 2, 1, WRITE)
        rig.write(avail, struct.pack("<HH64H", 0, 0xFFF0, *[2 * (i % 32) for i in range(64)]))
        rig.kick(2)
        rig.churn(2)
        # it may be fed for ever; the guest's reset ends it
        rig.common(20, 1, 0)
