"""Attacks on whoever loads a saved state."""

from __future__ import annotations

import pytest

from ringscope_core.hw.savevm.device import load
from tests.core.cve.attack import FRAME, victim
from tests.core.life.inventory import inventory
from tests.core.rig import PROFILES, Rig
from tests.core.savevm import editing as e
from tests.core.savevm.saving import device_state, fresh
from tests.core.virtio.hostile import check

both = pytest.mark.parametrize("profile", PROFILES)


class Loader:
    """A device's state, and a machine with the same memory that loads what is made of it."""

    def __init__(self, profile: str) -> None:
        self.rig = victim(profile)
        for head in range(3):
            self.rig.send(FRAME, head)
        self.rig.peer.frames.clear()
        self.state = device_state(self.rig)
        self.other: Rig = fresh(self.rig)
        self.other.machine.stop()
        self.other.machine.memory.view[:] = self.rig.image()
        self.other.sizes = dict(self.rig.sizes)
        self.held = inventory(self.other.machine)

    def load(self, data: bytes) -> str:
        """Load; whatever comes of it, memory is untouched and the device's books are right."""
        image = self.other.image()
        error = load(self.other.proxy, data)
        assert self.other.image() == image
        check(self.other)
        return error

    def refused(self, data: bytes, error: str) -> None:
        """The stream is rejected with `error`, and the device is as after a reset and of use."""
        assert self.load(data) == error
        n = self.other.n
        assert (int(n.status), bool(n.broken), int(n.guest_features)) == (0, False, 0)
        assert self.load(self.state) == ""
        image = self.other.image()
        self.goes_on()
        self.other.machine.memory.view[:] = image
        self.other.peer.frames.clear()

    def goes_on(self) -> None:
        """The loaded device serves the driver that was there before."""
        self.other.machine.cont()
        self.other.send(FRAME, 7)
        assert self.other.peer.frames == [FRAME]
        self.other.machine.stop()
        self.other.assert_fold()


@both
@pytest.mark.parametrize("count", [1025, 0x7FFFFFFF, 0xFFFFFFFF])
def test_cve_2013_4151_more_queues_than_there_can_be(count: int, profile: str) -> None:
    loader = Loader(profile)
    loader.refused(e.put(loader.state, e.NUM_QUEUES, count), f"Invalid number of virtqueues: 0x{count:x}")


@both
@pytest.mark.parametrize("count", [0, 1, 2, 4, 1024])
def test_cve_2013_4151_queues_that_the_device_has_not(count: int, profile: str) -> None:
    loader = Loader(profile)
    loader.refused(e.put(loader.state, e.NUM_QUEUES, count), f"Invalid number of virtqueues: 0x{count:x}")


@both
@pytest.mark.parametrize("selected", [1024, 0x8000, 0xFFFF])
def test_cve_2013_6399_selected_queue_out_of_range(selected: int, profile: str) -> None:
    loader = Loader(profile)
    loader.refused(e.put(loader.state, e.QUEUE_SEL, selected), f"net0/virtio: queue_sel 0x{selected:x} is not below 0x400")


@both
@pytest.mark.parametrize("extra", [1, 8, 4096])
def test_cve_2014_0182_longer_configuration_than_the_device_has(extra: int, profile: str) -> None:
    """What is too much is skipped: the device's own bytes are all that is written."""
    loader = Loader(profile)
    length = e.get(loader.state, e.CONFIG_LEN)
    data = e.splice(loader.state, e.CORE, 23, 4, (length + extra).to_bytes(4, "little"))
    data = e.splice(data, e.CORE, 27 + length, 0, b"\xee" * extra)
    assert loader.load(data) == ""
    assert len(loader.other.n.config) == length
    loader.goes_on()


@both
@pytest.mark.parametrize("claimed", [9, 0xFFFF, 0xFFFFFFFF])
def test_cve_2014_0182_configuration_that_is_not_there(claimed: int, profile: str) -> None:
    loader = Loader(profile)
    error = loader.load(e.put(loader.state, e.CONFIG_LEN, claimed))
    assert error.startswith("net0/virtio: truncated, ")
    loader.refused(b"", "net0: truncated, 4 bytes are needed and 0 are left")


@both
@pytest.mark.parametrize("in_use", [1, 64, 65, 1000, 0x2AAAAAAB, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_cve_2013_4148_addresses_that_are_not_there(in_use: int, profile: str) -> None:
    """A signed count, or one whose six-fold wraps: the stream ends before they do."""
    loader = Loader(profile)
    error = loader.load(e.put(loader.state, e.IN_USE, in_use))
    assert error, "what is read instead of addresses is missing behind them"
    assert "truncated" in error or in_use <= 64 or "too many" in error
    loader.refused(e.put(loader.state, e.IN_USE, 0x7FFFFFFF), loader.load(e.put(loader.state, e.IN_USE, 0x7FFFFFFF)))


@both
@pytest.mark.parametrize("in_use", [65, 1000])
def test_cve_2013_4149_more_addresses_than_the_table_has(in_use: int, profile: str) -> None:
    """They are skipped and the filter overflows, which lets everything through."""
    loader = Loader(profile)
    data = e.put(loader.state, e.IN_USE, in_use)
    data = e.splice(data, e.NET, 24, 0, b"\x02\0\0\0\0\x07" * in_use)
    assert loader.load(data) == ""
    table = loader.other.n.mac_table
    assert (int(table.in_use), len(table.macs), table.multi_overflow, table.uni_overflow) == (0, 0, True, True)
    loader.goes_on()


@both
@pytest.mark.parametrize("curr", [2, 3, 0x8000, 0xFFFF])
def test_cve_2013_4150_more_pairs_in_use_than_there_are(curr: int, profile: str) -> None:
    loader = Loader(profile)
    loader.refused(e.put(loader.state, e.CURR_QUEUES, curr), f"virtio-net: curr_queues {curr:x} > max_queues 1")


@both
def test_cve_2013_4150_no_pair_in_use_and_other_pairs(profile: str) -> None:
    loader = Loader(profile)
    loader.refused(e.put(loader.state, e.CURR_QUEUES, 0), "virtio-net: curr_queues 0")
    assert loader.load(e.put(loader.state, e.MAX_QUEUES, 7)) == "virtio-net: max_queues 7, the device has 1"


@both
def test_cve_2013_4535_and_cve_2013_4536_elements_in_flight(profile: str) -> None:
    """The form has no elements: what a peer holds back is saved as not taken, and how many are in use follows from the rings."""
    loader = Loader(profile)
    for value in (1, 1025, 0xFFFFFFFF):
        assert loader.load(e.put(loader.state, e.queue(1, "inuse"), value)) == ""
        assert int(loader.other.vq(1).inuse) == 0
    loader.goes_on()


@both
@pytest.mark.parametrize("num", [0, 1025, 0x10000, 0xFFFFFFFF])
def test_queue_size_out_of_range(num: int, profile: str) -> None:
    loader = Loader(profile)
    loader.refused(e.put(loader.state, e.queue(1, "num"), num), f"VQ 1 size 0x{num:x} is not between 0x1 and 0x400")


@both
def test_indices_that_contradict_memory(profile: str) -> None:
    loader = Loader(profile)
    inconsistent = e.put(loader.state, e.queue(1, "last"), 500)
    text = "VQ 1 size 0x100 Guest index 0x3 inconsistent with Host index 0x1f4: delta 0xfe0f"
    if profile == "4.1":
        loader.refused(inconsistent, text)
    else:
        # 7.2 loads it and asks the driver for a reset
        assert loader.load(inconsistent) == ""
        assert loader.other.messages()[-1] == text
        assert loader.other.n.broken and int(loader.other.n.status) & 0x40
        assert loader.load(loader.state) == ""
    nowhere = e.put(loader.state, e.queue(1, "desc"), 0)
    loader.refused(nowhere, "VQ 1 address 0x0 inconsistent with Host index 0x3")


@both
def test_more_taken_than_the_ring_has(profile: str) -> None:
    loader = Loader(profile)
    rig = loader.other
    rig.write(rig.ring_at(1) + 0x8002, (0x8000).to_bytes(2, "little"))
    error = loader.load(loader.state)
    assert error == "VQ 1 size 0x100 < last_avail_idx 0x3 - used_idx 0x8000"
    rig.write(rig.ring_at(1) + 0x8002, (3).to_bytes(2, "little"))
    loader.refused(b"x" + loader.state, "net0: not the state of a device")


@both
def test_features_that_were_not_offered(profile: str) -> None:
    loader = Loader(profile)
    features = e.get(loader.state, e.FEATURES)
    host = int(loader.other.n.host_features) & 2**64 - 1
    for bit in (34, 40, 50, 62):
        if host >> bit & 1:
            continue
        bad = features | 1 << bit
        loader.refused(e.put(loader.state, e.FEATURES, bad), f"Features 0x{bad:x} unsupported. Allowed features: 0x{host:x}")


@both
def test_offloads_and_peers(profile: str) -> None:
    loader = Loader(profile)
    _start, length = e.sections(loader.state)[e.NET]
    offloads = (e.NET, length - 2 - len(loader.other.n.vqs) - 8, 8)
    assert e.get(loader.state, offloads) == 0
    assert loader.load(e.put(loader.state, offloads, 1 << 7)) == "virtio-net: curr_guest_offloads 0x80 unsupported. Accepted: 0x0"
    assert loader.load(e.put(loader.state, e.HAS_VNET_HDR, 1)) == "virtio-net: saved image requires vnet_hdr=on"
    assert loader.load(e.put(loader.state, e.HAS_UFO, 1)) == "virtio-net: saved image requires TUN_F_UFO support"
    loader.refused(e.put(loader.state, e.HAS_UFO, 2), "net0/virtio-net-queues: has_ufo is 2, neither 0 nor 1")


@both
def test_vectors_pins_and_identity(profile: str) -> None:
    loader = Loader(profile)
    vectors = e.get(loader.state, e.MSIX_ENTRIES)
    assert loader.load(e.put(loader.state, e.MSIX_ENTRIES, vectors + 1)) == f"net0/msix: {vectors + 1} MSI-X vectors, the device has {vectors}"
    assert loader.load(e.put(loader.state, e.CONFIG_VECTOR, 2048)) == "net0/virtio: config_vector 0x800 is no vector of the device"
    assert loader.load(e.put(loader.state, e.queue(0, "vector"), 77)) == "net0/virtqueues: vector 0x4d of VQ 0 is no vector of the device"
    assert loader.load(e.put(loader.state, e.IRQ_STATE, 2)) == "irq state 2: must be 0 or 1."
    bad = loader.load(e.put(loader.state, e.config(2), 0x55))
    assert bad == "get_pci_config_device: Bad config data: i=0x2 read: 55 device: 0 cmask: ff wmask: 0 w1cmask:0"
    assert loader.load(e.put(loader.state, e.ENDIAN, 2)) == "net0/virtio: device_endian 2, the device has 1"
    loader.refused(e.put(loader.state, e.LINK_STATUS, 0x8001), "net0/virtio-net: status 0x8001")
