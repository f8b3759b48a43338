"""From an option string to a living device, and back."""

from __future__ import annotations

import pytest

from ringscope_core.gdb.backtrace import backtrace
from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from ringscope_core.trace.fields import field_table
from ringscope_core.trace.functions import fn, function_table
from ringscope_core.trace.kinds import EV_FIELD, EV_FRAME_AT, EV_FRAME_ENTER
from ringscope_core.trace.state import MachineState, fold
from tests.core.machines import Bench

CHAIN = [
    ("virtio_net_device_realize", 2658),
    ("virtio_device_realize", 2613),
    ("device_set_realized", 834),
    ("property_set_bool", 2079),
    ("object_property_set", 1271),
    ("object_property_set_qobject", 26),
    ("object_property_set_bool", 1337),
    ("virtio_net_pci_realize", 55),
    ("virtio_pci_realize", 1788),
    ("pci_qdev_realize", 2092),
    ("virtio_pci_dc_realize", 1859),
    ("device_set_realized", 834),
    ("property_set_bool", 2079),
    ("object_property_set", 1271),
    ("object_property_set_qobject", 26),
    ("object_property_set_bool", 1337),
    ("qdev_device_add", 634),
    ("device_init_func", 2191),
    ("qemu_opts_foreach", 1170),
    ("main", 4372),
]
"""Facts, section 1.2."""


def proxy_of(bench: Bench, ident: str = "net0") -> VirtIOPCIProxy:
    found = bench.machine.world.resolve_path(f"/machine/peripheral/{ident}")
    assert isinstance(found, VirtIOPCIProxy)
    return found


def stack_at(bench: Bench, name: str, line: int) -> MachineState:
    """The state at the event that first brings function `name` to `line`."""
    number = int(fn(name))
    rows = bench.rows()
    end = next(i for i, row in enumerate(rows) if row[2] in (EV_FRAME_ENTER, EV_FRAME_AT) and row[5] == number and row[6] == line)
    return fold(MachineState(), rows[: end + 1])


def test_the_whole_chain_to_virtio_net_device_realize() -> None:
    bench = Bench()
    assert bench.machine.device_add("virtio-net-pci,id=net0") is not None
    state = stack_at(bench, "virtio_net_device_realize", 2658)
    names = function_table()
    assert [(names[frame[0]].name, frame[1]) for frame in reversed(state.stack)] == CHAIN


def test_the_seed_s_addresses_stand_in_the_frames() -> None:
    bench = Bench()
    bench.machine.device_add("virtio-net-pci,id=net0")
    state = stack_at(bench, "virtio_net_device_realize", 2658)
    frames = backtrace(state.stack, function_table(), bench.log.strings.texts)
    shown = [f"{frame.function} ({', '.join(f'{name}={value}' for name, value in frame.args)})" for frame in frames if frame.number is not None][:6]
    realized = '0x555555cac945 "realized"'
    assert shown == [
        "virtio_net_device_realize (dev=0x55555729b2b0, errp=0x7fffffffe1f0)",
        "virtio_device_realize (dev=0x55555729b2b0, errp=0x7fffffffe250)",
        "device_set_realized (obj=<optimized out>, value=<optimized out>, errp=0x7fffffffe3d0)",
        "property_set_bool (obj=0x55555729b2b0, v=<optimized out>, name=<optimized out>, opaque=0x55555729e980, errp=0x7fffffffe3d0)",
        f"object_property_set_qobject (obj=0x55555729b2b0, value=<optimized out>, name={realized}, errp=0x7fffffffe3d0)",
        f"object_property_set_bool (obj=0x55555729b2b0, value=<optimized out>, name={realized}, errp=0x7fffffffe3d0)",
    ]
    vdev = next(oid for oid, obj in state.objects.items() if obj.addr == 0x55555729B2B0)
    # the seed: ref = 2, parent = 0x555557293140
    assert state.objects[vdev].ref == 2
    assert state.objects[state.objects[vdev].parent].addr == 0x555557293140


def test_instance_hooks_run_root_first_and_post_init_leaf_first() -> None:
    bench = Bench()
    bench.machine.device_add("virtio-net-pci-transitional,id=net0")
    hooks = bench.texts("instance_init", 1)
    ours = [hook for hook in hooks if hook not in ("qbus_initfn", "memory_region_initfn")]
    # board devices first: the host bridge and the chipset's functions
    assert ours[10:] == [
        "device_initfn",
        "virtio_net_pci_instance_init",
        "device_initfn",
        "virtio_net_instance_init",
        "device_post_init",
        "virtio_pci_transitional_instance_init",
        "device_post_init",
    ]


def test_composition_tree_and_references() -> None:
    bench = Bench()
    bench.machine.device_add("virtio-net-pci,id=net0")
    bench.machine.system_reset()
    proxy = proxy_of(bench)
    vdev = proxy.vdev()
    assert vdev.canonical_path() == "/machine/peripheral/net0/virtio-backend"
    assert (proxy.ref_count, vdev.ref_count) == (2, 2)
    assert vdev.addr - proxy.addr == 0x8170
    children = [child.path_component() for child in proxy.children()]
    assert children == [
        "virtio-backend",
        "bus master container[0]",
        "virtio-pci[0]",
        "virtio-bus",
        "virtio-pci-common[0]",
        "virtio-pci-isr[0]",
        "virtio-pci-device[0]",
        "virtio-pci-notify[0]",
        "virtio-pci-notify-pio[0]",
        "virtio-net-pci-msix[0]",
        "msix-table[0]",
        "msix-pba[0]",
        "virtio-pci[1]",
        "virtio-net-pci.rom[0]",
        "bus master[0]",
    ]
    assert bench.machine.world.resolve_path("/machine/peripheral/net0/virtio-bus/child[0]") is vdev
    anonymous = bench.machine.device_add("virtio-net-pci")
    assert anonymous is not None and anonymous.canonical_path() == "/machine/peripheral-anon/device[0]"


def test_flags_have_their_default() -> None:
    bench = Bench()
    bench.machine.device_add("virtio-net-pci,id=net0")
    assert proxy_of(bench).flags == 0x386


def test_events_tell_everything_the_machine_tells() -> None:
    bench = Bench()
    bench.machine.netdev_add("hubport,id=n0,hubid=0")
    bench.machine.device_add("virtio-net-pci,id=net0,netdev=n0,mq=on,vectors=4,host_mtu=1500")
    bench.assert_fold()
    bench.machine.system_reset()
    bench.machine.cont()
    bench.machine.device_add("virtio-net-pci-non-transitional,id=net1")
    bench.assert_fold()
    assert bench.machine.device_del("net0") == ""
    bench.assert_fold()


@pytest.mark.parametrize(
    "option",
    [
        "virtio-net-pci,rx_queue_size=100",
        "virtio-net-pci,netdev=n0,tx_queue_size=7",
        "virtio-net-pci,netdev=n0,duplex=maybe",
        "virtio-net-pci,netdev=n0,speed=-2",
        "virtio-net-pci,bogus=1",
        "virtio-net-pci,netdev=n0,mac=zz",
        "virtio-net-pci,netdev=nosuch",
        "virtio-net-pci,disable-modern=on,disable-legacy=on",
        "virtio-net-pci,netdev=n0,iommu_platform=on,disable-modern=on",
        "virtio-net-pci,netdev=n0,romfile=nope.rom",
        "virtio-net-pci,addr=01.0",
        "virtio-net-pci,bus=pci.7",
        "nosuch",
        "virtio-net-device",
        "virtio-net-pci,id=1a",
    ],
)
def test_a_device_that_fails_leaves_nothing(option: str) -> None:
    bench = Bench()
    machine = bench.machine
    machine.netdev_add("hubport,id=n0,hubid=0")
    objects = {oid: (obj.typename, obj.ref_count, sorted(obj.properties)) for oid, obj in machine.world.objects.items()}
    instances = {impl.name: impl.instances for impl in machine.world.types.all()}
    functions, kids = list(machine.pci_bus.functions), list(machine.pci_bus.kids)
    clients, handlers, parts = list(machine.net.clients), len(machine.vm_state_handlers), len(machine.instruments)
    assert machine.device_add(option) is None
    assert len(machine.world.messages) >= 1 and machine.world.messages[0].startswith(f"-device {option}: ")
    assert {oid: (obj.typename, obj.ref_count, sorted(obj.properties)) for oid, obj in machine.world.objects.items()} == objects
    assert {impl.name: impl.instances for impl in machine.world.types.all()} == instances
    assert machine.net.clients == clients and all(nc.peer is None or nc.kind == "hubport" for nc in clients)
    assert (len(machine.vm_state_handlers), len(machine.instruments)) == (handlers, parts)
    assert machine.pci_bus.functions == functions and machine.pci_bus.kids == kids
    assert not bench.folded().stack
    bench.assert_fold()
    # and the place, the name and the backend are free again
    assert machine.device_add("virtio-net-pci,id=net0,netdev=n0,addr=04.0") is not None


def test_unplug_takes_everything_along() -> None:
    bench = Bench()
    machine = bench.machine
    machine.system_reset()
    before = {oid: obj.ref_count for oid, obj in machine.world.objects.items()}
    assert machine.device_add("virtio-net-pci,id=net0") is not None
    assert machine.device_del("net0") == ""
    assert {oid: obj.ref_count for oid, obj in machine.world.objects.items()} == before
    assert machine.world.deleted_devices[-1] == ("net0", "/machine/peripheral/net0")
    assert machine.device_del("net0") == "Device 'net0' not found"
    assert "qmp_device_add" in bench.calls() and "virtio_net_device_unrealize" in bench.calls()


def test_reset_goes_from_the_inside_out() -> None:
    bench = Bench()
    bench.machine.device_add("virtio-net-pci,id=net0")
    bench.machine.system_reset()
    start = len(bench.rows())
    bench.machine.system_reset()
    names = function_table()
    calls = [names[row[5]].name for row in bench.rows()[start:] if row[2] == EV_FRAME_ENTER]
    wanted = ["virtio_pci_reset", "virtio_bus_reset", "virtio_reset", "pcibus_reset", "pci_do_device_reset"]
    # the bus resets the chipset's functions and ours
    assert [name for name in calls if name in wanted] == wanted + ["pci_do_device_reset"] * 4


def test_properties_are_frozen_once_realized() -> None:
    bench = Bench()
    proxy = bench.machine.device_add("virtio-net-pci,id=net0")
    assert proxy is not None
    from ringscope_core.qom.errp import Errp

    errp = Errp()
    proxy.property_parse("5", "vectors", errp)
    assert errp.error is not None
    assert errp.error.text == "Attempt to set property 'vectors' on device 'net0' (type 'virtio-net-pci') after it was realized"
    errp = Errp()
    proxy.property_parse("off", "csum", errp)
    assert errp.error is not None
    assert errp.error.text == "Attempt to set property 'csum' on anonymous device (type 'virtio-net-device') after it was realized"


def test_globals_reach_devices_and_their_errors_stop_them() -> None:
    from ringscope_core.qom.world import GlobalProperty

    bench = Bench()
    bench.machine.world.globals.append(GlobalProperty("virtio-net-pci", "vectors", "5"))
    assert bench.machine.device_add("virtio-net-pci,id=net0") is not None
    assert proxy_of(bench).nvectors == 5
    bench.machine.world.globals.append(GlobalProperty("virtio-net-pci", "vectors", "x"))
    assert bench.machine.device_add("virtio-net-pci,id=net1") is None
    assert bench.machine.world.messages == ["-device virtio-net-pci,id=net1: can't apply global virtio-net-pci.vectors=x: Parameter 'vectors' expects uint64"]


@pytest.mark.parametrize(
    ("option", "features"), [("duplex=full", [2663, 2667]), ("speed=10000", [2663, 2680]), ("duplex=full,speed=10", [2663, 2667]), ("mq=on", [2663])]
)
def test_fields_change_where_qemu_changes_them(option: str, features: list[int]) -> None:
    bench = Bench()
    assert bench.machine.device_add(f"virtio-net-pci,id=net0,host_mtu=1400,{option}") is not None
    lines: dict[str, list[int]] = {}
    realize, state = int(fn("virtio_net_device_realize")), MachineState()
    for row in bench.rows():
        state = fold(state, [row])
        if row[2] == EV_FIELD and state.stack and state.stack[-1][0] == realize:
            lines.setdefault(field_table()[row[5]].name, []).append(state.stack[-1][1])
    assert lines["host_features"] == features
    assert lines["duplex"] == [2667]
    assert lines["max_queues"] == [2716]
    assert lines["curr_queues"] == [2724]
    assert lines["mac"] == [2744]
    assert lines["status"] == [2746]
    assert lines["tx_burst"] == [2775]
    assert lines["guest_hdr_len"] == [2777]
    assert lines["promisc"] == [2778]
