"""Control commands: what goes over the ring, and what becomes of a command that fails."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from ringscope_core.guest.alloc import PageAllocator
from ringscope_core.guest.control import BROKEN, DONE, MAX_DATA, NO_ANSWER, NO_ROOM, REFUSED, ControlQueue
from ringscope_core.guest.pci import PciBus, PciFunction
from ringscope_core.guest.rss import RSS_KEY, indirection_table
from ringscope_core.guest.transport import VirtioTransport
from ringscope_core.guest.virtqueue import Virtqueue
from tests.core.guest.box import Box, driver
from tests.core.guest.test_driver import assert_fold_is_guest
from tests.core.guest.test_pci import ConfigSpaces
from tests.core.guest.test_ring import Bench


class Wire(VirtioTransport):
    """A transport whose device is a function of the test, called at each kick."""

    def __init__(self, bench: Bench) -> None:
        ports = ConfigSpaces()
        super().__init__(ports, PciFunction(ports, 0, PciBus(ports).windows), PageAllocator(bench.memory))
        self.bench = bench
        self.answer: Callable[[Wire], None] = lambda wire: wire.acknowledge(0)
        self.commands: list[bytes] = []

    def kick(self, ring: Virtqueue) -> None:
        self.answer(self)

    def acknowledge(self, ack: int) -> None:
        """Take every command that waits, answer it, give it back."""
        device, memory = self.bench.device, self.bench.memory
        while (head := device.pop()) >= 0:
            *readable, (status, length, flags) = device.chain(head)
            assert (length, flags & 2) == (1, 2), "the answer is one byte, in a descriptor of its own"
            assert readable[0][1] == 2, "so is the command's header"
            self.commands.append(b"".join(memory.read(addr, size) for addr, size, _ in readable))
            memory.write(status, bytes([ack]))
            device.push(head, 1)


class Desk:
    """A control queue and its wire."""

    def __init__(self) -> None:
        # RAM from 1 MiB on is what the allocator hands out, so the bench's must reach beyond
        self.bench = Bench(num=16, event=False, ram=4 << 20)
        self.wire = Wire(self.bench)
        self.control = ControlQueue(self.wire, self.bench.ring, self.wire.pages, self.wire.ports.loop)


def test_commands_are_what_the_specification_says() -> None:
    desk = Desk()
    control = desk.control
    mac, other = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
    assert control.set_pairs(3)
    assert control.set_rx_mode(True, False)
    assert control.set_mac_table([mac], [other, mac])
    assert control.set_mac(mac)
    assert control.add_vlan(0x123) and control.del_vlan(0x123)
    assert control.acknowledge_announce()
    assert control.set_offloads(1 << 7 | 1 << 1)
    assert desk.wire.commands == [
        b"\x04\x00\x03\x00",
        b"\x00\x00\x01",
        b"\x00\x01\x00",
        b"\x01\x00\x01\x00\x00\x00" + mac + b"\x02\x00\x00\x00" + other + mac,
        b"\x01\x01" + mac,
        b"\x02\x00\x23\x01",
        b"\x02\x01\x23\x01",
        b"\x03\x00",
        b"\x05\x00\x82" + bytes(7),
    ]
    assert control.outcomes[DONE] == 9


def test_the_rss_command() -> None:
    desk = Desk()
    table = indirection_table(3, 128)
    assert len(table) == 128 and table[:7] == [0, 1, 2, 0, 1, 2, 0]
    assert desk.control.set_rss(0x3F, table, 0, 3, RSS_KEY)
    (command,) = desk.wire.commands
    assert command[:2] == b"\x04\x01"
    types, mask, unclassified = struct.unpack_from("<IHH", command, 2)
    assert (types, mask, unclassified) == (0x3F, 127, 0)
    assert list(struct.unpack_from("<128H", command, 10)) == table
    assert struct.unpack_from("<HB", command, 266) == (3, 40)
    assert command[269:] == RSS_KEY and len(RSS_KEY) == 40
    assert desk.control.set_hash(5, RSS_KEY)
    assert desk.wire.commands[1] == b"\x04\x02" + b"\x05\0\0\0" + bytes(8) + b"\x28" + RSS_KEY


@pytest.mark.parametrize(("longest", "entries"), [(1, 1), (128, 128), (100, 64), (512, 128)])
def test_the_table_is_a_power_of_two_that_both_hold(longest: int, entries: int) -> None:
    assert len(indirection_table(2, longest)) == entries


@pytest.mark.parametrize("ack", [1, 2, 0xFF])
def test_an_answer_that_is_not_ok_is_a_refusal(ack: int) -> None:
    desk = Desk()
    desk.wire.answer = lambda wire: wire.acknowledge(ack)
    assert not desk.control.set_pairs(2)
    assert desk.control.outcome == REFUSED
    assert not desk.control.owed


def test_no_answer_times_out_and_the_next_command_waits_for_it() -> None:
    desk = Desk()
    control = desk.control
    desk.wire.answer = lambda wire: None
    assert not control.set_pairs(2)
    assert (control.outcome, control.owed) == (NO_ANSWER, True)
    assert any("control command 4:0: no answer" in text for text in desk.bench.log.strings.texts)
    posted = desk.bench.ring.avail_idx
    assert not control.set_mac(bytes(6))
    assert control.outcome == NO_ANSWER
    assert desk.bench.ring.avail_idx == posted, "the buffers are the device's: nothing more is posted"
    # the answer comes late
    desk.wire.acknowledge(0)
    desk.wire.answer = lambda wire: wire.acknowledge(0)
    assert control.set_mac(bytes(6))
    assert not control.owed
    assert [command[:2] for command in desk.wire.commands] == [b"\x04\x00", b"\x01\x01"]
    assert control.outcomes == [1, 0, 2, 0, 0]
    assert desk.bench.ring.num_free == 16


def test_a_device_that_gives_back_nonsense_breaks_the_queue() -> None:
    desk = Desk()

    def nonsense(wire: Wire) -> None:
        device = wire.bench.device
        device.pop()
        device.taken.append(9)
        device.push(9)

    desk.wire.answer = nonsense
    assert not desk.control.set_pairs(2)
    assert desk.control.outcome in (BROKEN, NO_ANSWER)
    assert desk.bench.ring.broken
    assert not desk.control.set_pairs(2)
    assert desk.control.outcome == BROKEN


def test_a_command_that_is_too_long_is_not_sent() -> None:
    desk = Desk()
    assert not desk.control.command(1, 0, bytes(MAX_DATA + 1))
    assert desk.control.outcome == NO_ROOM
    assert desk.control.command(1, 0, bytes(MAX_DATA))
    assert not desk.wire.commands[1:]


# -- on the machine ---------------------------------------------------------------------------------------------------
def test_a_filter_table_that_is_too_long_overflows_in_the_device() -> None:
    many = [f"02:00:00:00:{i >> 8:02x}:{i & 255:02x}" for i in range(300)]
    box = Box(config=driver(promisc=False, unicast=many, multicast=["01:00:5e:00:00:01"]))
    assert box.guest.boot() == 1
    control = box.guest.interfaces[0].control
    assert control is not None and control.outcomes[REFUSED] == 0
    net = box.machine.world.resolve_path("/machine/peripheral/net0/virtio-backend")
    assert net is not None
    table = net.mac_table  # type: ignore[attr-defined]
    assert (table.uni_overflow, table.multi_overflow, table.in_use) == (True, False, 1)
    assert_fold_is_guest(box)


def test_the_extra_filter_switches() -> None:
    box = Box(config=driver(promisc=False, alluni=True, nomulti=True, nouni=False, nobcast=True))
    assert box.guest.boot() == 1
    net = box.machine.world.resolve_path("/machine/peripheral/net0/virtio-backend")
    assert net is not None
    assert [getattr(net, name) for name in ("alluni", "nomulti", "nouni", "nobcast")] == [1, 1, 0, 1]
    box = Box(device="virtio-net-pci,netdev=n0,id=net0,ctrl_rx_extra=off", config=driver(nobcast=True))
    assert box.guest.boot() == 1
    assert any("receive mode 5: the device has no such filter" in text for text in box.log.strings.texts)


def test_a_refused_command_is_said() -> None:
    box = Box()
    box.guest.boot()
    info = box.guest.interfaces[0]
    assert not info.set_pairs(2), "the device has one"
    assert info.control is not None
    assert not info.control.add_vlan(5000), "no such VLAN"
    assert not info.control.acknowledge_announce(), "nobody asked"
    assert info.stats()["commands: refused"] == 2
    assert not info.set_offloads(1 << 1), "not negotiated"


def test_pairs_change_while_traffic_flows() -> None:
    from tests.core.guest.box import action, traffic

    box = Box(
        netdev="responder,id=n0,queues=4",
        device="virtio-net-pci,netdev=n0,id=net0,mq=on,vectors=10",
        traffic=[traffic("udp-echo", rate_pps=20000, count=400, size=64, flows=8), traffic("bulk-tx", rate_pps=50000, count=900, flows=8)],
        actions=[action("pairs", 4_000_000, number=1), action("pairs", 9_000_000, number=3)],
    )
    assert box.guest.boot() == 1
    box.run()
    info = box.guest.interfaces[0]
    assert info.pairs == 3
    assert box.guest.program.failed == 0
    assert box.guest.stats()[0]["wrong"] == 0
    assert int(str(box.guest.stats()[0]["received"])) > 380, "only what was under way on a queue that closed is lost"
    assert_fold_is_guest(box)
