"""The type table: what is registered, how classes are made."""

from __future__ import annotations

import pytest

from ringscope_core.qom.klass import object_class_dynamic_cast, object_class_dynamic_cast_assert
from ringscope_core.qom.types import TypeInfo, object_class_get_list
from ringscope_core.qom.types_json import types_json
from tests.core.machines import Bench

# name, parent, abstract, interfaces, instance struct and size, class struct and size: facts, section 2
FACTS = [
    ("object", None, True, [], "Object", 40, "ObjectClass", 96),
    ("interface", None, True, [], None, 0, "InterfaceClass", 112),
    ("device", "object", True, [], "DeviceState", 120, "DeviceClass", 176),
    ("bus", "object", True, [], "BusState", 112, "BusClass", 152),
    ("PCI", "bus", False, [], "PCIBus", None, "PCIBusClass", 168),
    ("PCIE", "PCI", False, [], "PCIBus", None, "PCIBusClass", 168),
    ("pci-express-device", "interface", True, [], None, 0, "InterfaceClass", 112),
    ("conventional-pci-device", "interface", True, [], None, 0, "InterfaceClass", 112),
    ("hotplug-handler", "interface", True, [], None, 0, "HotplugHandlerClass", None),
    ("pci-device", "device", True, [], "PCIDevice", 2272, "PCIDeviceClass", 232),
    ("virtio-pci", "pci-device", True, [], "VirtIOPCIProxy", 33136, "VirtioPCIClass", 248),
    ("virtio-net-pci-base", "virtio-pci", True, [], "VirtIONetPCI", 42096, "VirtioPCIClass", 248),
    ("virtio-net-pci", "virtio-net-pci-base", False, ["pci-express-device", "conventional-pci-device"], "VirtIONetPCI", 42096, "VirtioPCIClass", 248),
    (
        "virtio-net-pci-non-transitional",
        "virtio-net-pci-base",
        False,
        ["pci-express-device", "conventional-pci-device"],
        "VirtIONetPCI",
        42096,
        "VirtioPCIClass",
        248,
    ),
    ("virtio-net-pci-transitional", "virtio-net-pci-base", False, ["conventional-pci-device"], "VirtIONetPCI", 42096, "VirtioPCIClass", 248),
    ("virtio-device", "device", True, [], "VirtIODevice", 416, "VirtioDeviceClass", 320),
    ("virtio-net-device", "virtio-device", False, [], "VirtIONet", 8960, "VirtioDeviceClass", 320),
    ("virtio-bus", "bus", True, [], "VirtioBusState", 120, "VirtioBusClass", 320),
    ("virtio-pci-bus", "virtio-bus", False, [], "VirtioBusState", 120, "VirtioBusClass", 320),
    ("memory-region", "object", False, [], "MemoryRegion", 240, "ObjectClass", 96),
]

# instance_init, post_init, finalize, class_init, class_base_init
HOOKS = {
    "object": (None, None, None, "object_class_init", None),
    "device": ("device_initfn", "device_post_init", "device_finalize", "device_class_init", "device_class_base_init"),
    "bus": ("qbus_initfn", None, "qbus_finalize", "bus_class_init", None),
    "pci-device": (None, None, None, "pci_device_class_init", "pci_device_class_base_init"),
    "virtio-pci": (None, None, None, "virtio_pci_class_init", None),
    "virtio-net-pci-base": ("virtio_net_pci_instance_init", None, None, "virtio_pci_base_class_init", None),
    "virtio-net-pci": (None, None, None, "virtio_pci_generic_class_init", None),
    "virtio-net-pci-non-transitional": ("virtio_pci_non_transitional_instance_init", None, None, None, None),
    "virtio-net-pci-transitional": ("virtio_pci_transitional_instance_init", None, None, None, None),
    "virtio-device": (None, None, "virtio_device_instance_finalize", "virtio_device_class_init", None),
    "virtio-net-device": ("virtio_net_instance_init", None, None, "virtio_net_class_init", None),
    "virtio-bus": (None, None, None, "virtio_bus_class_init", None),
    "virtio-pci-bus": (None, None, None, "virtio_pci_bus_class_init", None),
    "memory-region": ("memory_region_initfn", None, "memory_region_finalize", None, None),
}


def test_the_table_is_the_facts() -> None:
    rows = {row["name"]: row for row in types_json(Bench().machine.world)}
    keys = ("name", "parent", "abstract", "interfaces", "instance_struct", "instance_size", "class_struct", "class_size")
    assert [tuple(rows[fact[0]][key] for key in keys) for fact in FACTS] == FACTS
    hooks = ("instance_init", "instance_post_init", "instance_finalize", "class_init", "class_base_init")
    assert {name: tuple(rows[name][hook] for hook in hooks) for name in HOOKS} == HOOKS


def test_what_is_known_of_4_1_s_structures_is_not_said_of_7_2_s() -> None:
    for row in types_json(Bench(profile="7.2").machine.world):
        assert (row["instance_size"], row["class_size"], row["file"]) == (None, None, None)


def test_class_hooks_run_in_qemu_s_order() -> None:
    bench = Bench()
    texts = bench.log.strings.texts
    order = [(texts[row[5]], texts[row[6]]) for row in bench.named("class_init")]
    ours = [hook for name, hook in order if name == "virtio-net-pci"]
    # the nearest ancestor's base hook first, the type's own hook last
    assert ours == ["pci_device_class_base_init", "device_class_base_init", "virtio_pci_generic_class_init"]
    base = [hook for name, hook in order if name == "virtio-net-pci-base"]
    assert base == ["pci_device_class_base_init", "device_class_base_init", "virtio_pci_base_class_init", "virtio_net_pci_class_init"]
    names = [name for name, _ in order]
    assert names.index("device") < names.index("pci-device") < names.index("virtio-pci") < names.index("virtio-net-pci-base") < names.index("virtio-net-pci")


def test_interfaces_get_classes_of_their_own() -> None:
    table = Bench().machine.world.types
    klass = table.get("virtio-net-pci").initialize()
    assert [iface.name for iface in klass.interfaces] == ["virtio-net-pci::pci-express-device", "virtio-net-pci::conventional-pci-device"]
    express = object_class_dynamic_cast(klass, "pci-express-device")
    assert express is klass.interfaces[0]
    transitional = table.get("virtio-net-pci-transitional").initialize()
    assert object_class_dynamic_cast(transitional, "pci-express-device") is None
    with pytest.raises(AssertionError, match=r"is not an instance of type bus"):
        object_class_dynamic_cast_assert(klass, "bus", "a.c", 1, "f")


def test_listing_types() -> None:
    table = Bench().machine.world.types
    names = [klass.name for klass in object_class_get_list(table, "virtio-net-pci-base", False)]
    assert names == ["virtio-net-pci", "virtio-net-pci-non-transitional", "virtio-net-pci-transitional"]
    assert "virtio-net-pci" in [klass.name for klass in object_class_get_list(table, "conventional-pci-device", False)]


def test_a_name_is_registered_once() -> None:
    table = Bench().machine.world.types
    with pytest.raises(AssertionError, match=r"^Registering `bus' which already exists$"):
        table.register(TypeInfo("bus", "object"))
    with pytest.raises(AssertionError, match=r"^missing object type 'nosuch'$"):
        table.get("nosuch")
