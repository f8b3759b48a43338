"""What QEMU 7.2's realize does otherwise than 4.1's."""

from __future__ import annotations

import pytest

from ringscope_core.hw.monitor import qom_get
from ringscope_core.hw.virtio import virtio
from ringscope_core.hw.virtio_net.device import VirtIONet
from ringscope_core.qom.profile import PROFILE_4_1, PROFILE_7_2
from tests.core.machines import Bench

BACKEND = "/machine/peripheral/net0/virtio-backend"


def device(bench: Bench) -> VirtIONet:
    found = bench.machine.world.resolve_path(BACKEND)
    assert isinstance(found, VirtIONet)
    return found


def plugged(option: str = "", profile: str = PROFILE_7_2, machine_type: str = "pc", queues: int = 1) -> Bench:
    bench = Bench(profile=profile, machine_type=machine_type)
    bench.machine.netdev_add(f"responder,id=n0,queues={queues}" if queues > 1 else "responder,id=n0")
    assert bench.machine.device_add(f"virtio-net-pci,id=net0,netdev=n0{option}") is not None, bench.machine.last_error
    return bench


@pytest.mark.parametrize(("profile", "queues"), [(PROFILE_4_1, 9), (PROFILE_7_2, 3)])
def test_7_2_adds_one_pair_of_queues_at_realize(profile: str, queues: int) -> None:
    bench = plugged(",mq=on", profile, queues=4)
    n = device(bench)
    assert virtio.virtio_get_num_queues(n) == queues
    assert n.max_queues == 4
    bench.assert_fold()


@pytest.mark.parametrize(
    ("option", "machine_type", "queues", "vectors"),
    [("", "pc", 1, 4), (",mq=on", "pc", 4, 10), ("", "pc-i440fx-5.2", 4, 3), (",vectors=6", "pc", 4, 6), (",vectors=0", "pc", 1, 0)],
)
def test_vectors_follow_the_queues_unless_they_are_said(option: str, machine_type: str, queues: int, vectors: int) -> None:
    bench = plugged(option, machine_type=machine_type, queues=queues)
    assert qom_get(bench.machine.world, "/machine/peripheral/net0", "vectors") == vectors


@pytest.mark.parametrize(("profile", "suffix"), [(PROFILE_4_1, ""), (PROFILE_7_2, "-virtio-net")])
def test_regions_say_whose_they_are(profile: str, suffix: str) -> None:
    bench = plugged(profile=profile)
    proxy = bench.machine.world.resolve_path("/machine/peripheral/net0")
    assert proxy is not None
    names = {child.path_component() for child in proxy.children()}
    assert {f"virtio-pci-{part}{suffix}[0]" for part in ("common", "isr", "device", "notify")} <= names


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("duplex=both,speed=-7", "'duplex' must be 'half' or 'full'"),
        ("speed=-7", "'speed' must be between 0 and INT_MAX"),
        ("rx_queue_size=7,duplex=both", "'duplex' must be 'half' or 'full'"),
    ],
)
def test_the_first_error_ends_the_realize(option: str, text: str) -> None:
    bench = Bench(profile=PROFILE_7_2)
    assert bench.machine.device_add(f"virtio-net-pci,id=net0,{option}") is None
    assert bench.machine.last_error == text
    assert bench.machine.world.resolve_path("/machine/peripheral/net0") is None
    bench.assert_fold()


@pytest.mark.parametrize(
    "option", ["", ",packed=on", ",rss=on,mq=on", ",hash=on,mq=on", ",failover=on", ",disable-legacy=on,disable-modern=off,iommu_platform=on,ats=on"]
)
@pytest.mark.parametrize("machine_type", ["pc", "q35", "pc-i440fx-4.1", "pc-i440fx-1.4"])
def test_the_events_tell_the_whole_device(option: str, machine_type: str) -> None:
    bench = plugged(option, machine_type=machine_type, queues=2)
    bench.assert_fold()
    bench.machine.system_reset()
    bench.assert_fold()
    # the root bus of a q35 takes and gives nothing while the machine runs
    assert bench.machine.device_del("net0") == ("Bus 'pcie.0' does not support hotplugging" if machine_type == "q35" else "")
    bench.assert_fold()


def test_the_configuration_space_has_room_for_rss() -> None:
    n = device(plugged(",rss=on,mq=on", queues=2))
    assert n.config_size == 24
    # rss_max_key_size, rss_max_indirection_table_length, supported_hash_types
    assert [virtio.virtio_config_modern_read(n, at, size) for at, size in ((17, 1), (18, 2), (20, 4))] == [40, 128, 0x1FF]
