"""What machine types keep as it was: the properties of a device in profile 7.2, as QEMU 7.2.22's ``info qtree`` showed them."""

from __future__ import annotations

import pytest

from ringscope_core.hw.monitor import qom_get
from ringscope_core.qom.profile import MACHINES, PROFILE_7_2
from tests.core.machines import Bench

PROXY = "/machine/peripheral/net0"
BACKEND = f"{PROXY}/virtio-backend"

NEW = {"vectors": 4, "x-pcie-flr-init": True, "x-ats-page-aligned": True, "page-per-vq": False, "migrate-extra": True, "romfile": "efi-virtio.rom"}
NEW_BACKEND = {"queue_reset": True, "use-disabled-flag": True, "x-disable-legacy-check": False, "guest_announce": True, "any_layout": True}


def read(machine_type: str) -> tuple[dict[str, object], dict[str, object]]:
    """The properties of one machine type."""
    bench = Bench(profile=PROFILE_7_2, machine_type=machine_type)
    assert bench.machine.device_add("virtio-net-pci,id=net0") is not None
    world = bench.machine.world
    return {name: qom_get(world, PROXY, name) for name in NEW}, {name: qom_get(world, BACKEND, name) for name in NEW_BACKEND}


@pytest.mark.parametrize(
    ("machine_type", "proxy", "backend"),
    [
        ("pc", {}, {}),
        ("pc-i440fx-7.1", {}, {"queue_reset": False}),
        ("pc-q35-5.2", {"vectors": 3}, {"queue_reset": False}),
        ("pc-i440fx-5.0", {"vectors": 3, "x-ats-page-aligned": False}, {"queue_reset": False, "x-disable-legacy-check": True}),
        (
            "pc-i440fx-4.1",
            {"vectors": 3, "x-ats-page-aligned": False, "x-pcie-flr-init": False},
            {"queue_reset": False, "use-disabled-flag": False, "x-disable-legacy-check": True},
        ),
        (
            "pc-i440fx-1.4",
            {
                "vectors": 3,
                "x-ats-page-aligned": False,
                "x-pcie-flr-init": False,
                "page-per-vq": True,
                "migrate-extra": False,
                "romfile": "pxe-virtio.rom",
            },
            {"queue_reset": False, "use-disabled-flag": False, "x-disable-legacy-check": True, "guest_announce": False, "any_layout": False},
        ),
    ],
)
def test_a_machine_type_keeps_what_it_had(machine_type: str, proxy: dict[str, object], backend: dict[str, object]) -> None:
    assert read(machine_type) == (NEW | proxy, NEW_BACKEND | backend)


def test_what_the_user_sets_wins() -> None:
    bench = Bench(profile=PROFILE_7_2, machine_type="pc-i440fx-4.1")
    assert bench.machine.device_add("virtio-net-pci,id=net0,vectors=7,queue_reset=on") is not None
    assert qom_get(bench.machine.world, PROXY, "vectors") == 7
    assert qom_get(bench.machine.world, BACKEND, "queue_reset") is True


@pytest.mark.slow
def test_every_machine_type_takes_the_device() -> None:
    for machine_type in MACHINES[PROFILE_7_2]:
        read(machine_type)
