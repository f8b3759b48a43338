"""Headers and frames of a hostile driver against the backends that finish its offloads in software."""

from __future__ import annotations

import struct
import tracemalloc
from random import Random

import pytest

from ringscope_core.net.net import NET_BUFSIZE
from tests.core.cve.attack import FRAME
from tests.core.rig import MRG, PROFILES, V1, Rig

CTRL = 1 << 17
TCP4 = bytes.fromhex("52540012345602000000000108004500003c00014000400600000a0000020a0000010050005000000001000000015018ffff00000000")
TCP6 = bytes.fromhex("525400123456020000000001 86dd 60000000 0014 06 40".replace(" ", "")) + bytes(32) + TCP4[34:54]
UDP4 = bytes.fromhex("52540012345602000000000108004500001c00014000401100000a0000020a0000010050005000080000")
ARP = bytes.fromhex("ffffffffffff02000000000108060001080006040001020000000001 0a000002 000000000000 0a000001".replace(" ", ""))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("netdev", ["responder,id=n0,vnet_hdr=on", "responder,id=n0"])
def test_segmentation_and_checksums_of_any_kind_in_software(netdev: str, profile: str) -> None:
    rig = Rig(profile=profile, peers=0, plug=False)
    rig.machine.netdev_add(netdev)
    rig.option += ",netdev=n0"
    rig.plug()
    rig.place_bars()
    offered = int(rig.n.host_features) & 2**64 - 1
    rig.start((V1 | MRG | CTRL | 0x7F83) & offered)
    rig.settle()
    choose = Random(3)
    tracemalloc.start()
    header_length = int(rig.n.guest_hdr_len)
    for turn in range(120):
        frame = bytearray(choose.choice([TCP4, TCP6, UDP4, ARP, FRAME]) + bytes(choose.choice([0, 1, 20, 1400, 9000, 60000])))
        for _ in range(choose.randrange(4)):
            frame[choose.randrange(min(len(frame), 80))] = choose.choice([0, 1, 5, 6, 0x0F, 0x45, 0x4F, 0x60, 0xFF])
        if choose.random() < 0.2:
            frame = frame[: choose.randrange(60)]
        kind = choose.choice([0, 1, 3, 4, 5, 0x81, 0x84, 0xFF])
        size, start = choose.choice([0, 1, 8, 1448, 0xFFFF]), choose.choice([0, 14, 34, 54, 0xFFFF])
        header = struct.pack(
            "<BBHHHHH", choose.choice([0, 1, 2, 3, 0xFF]), kind, choose.choice([0, 10, 54, 0xFFFF]), size, start, choose.choice([0, 6, 16, 0xFFFF]), 0
        )
        at = rig.buffer(turn % 8)
        data = header[:header_length].ljust(header_length, b"\0") + bytes(frame)
        # a buffer of the rig is two pages; long frames take what lies behind as well, nobody else uses it
        rig.write(0x280000, data)
        rig.desc(1, turn % 8, 0x280000, len(data))
        rig.publish(1, turn % 8)
        rig.kick(1)
        rig.give(turn % 8, 1900)
        rig.kick(0)
        rig.churn(3)
        for client in list(rig.machine.net.clients):
            client.poll()
        assert at and not rig.n.broken, rig.messages()
        rig.log.flush()
        rig.sink.rows.clear()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert int(rig.vq(1).inuse) == 0 and int(rig.vq(1).used_idx) == 120
    assert int(NET_BUFSIZE) > 65550
