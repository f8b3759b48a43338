"""`ringscope bt`: the stack of the seed's gdb session, and the frames around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ringscope.cli.main import cli

PREFIX = "/usr/src/debug/qemu/4.1.0-r0/qemu-4.1.0/"

SEED = f"""\
#0  virtio_net_device_realize (dev=0x55555729b2b0, errp=0x7fffffffe1f0) at {PREFIX}hw/net/virtio-net.c:2658
#1  0x0000555555896628 in virtio_device_realize (dev=0x55555729b2b0, errp=0x7fffffffe250) at {PREFIX}hw/virtio/virtio.c:2613
#2  0x000055555599c655 in device_set_realized (obj=<optimized out>, value=<optimized out>, errp=0x7fffffffe3d0)
    at {PREFIX}hw/core/qdev.c:834
#3  0x0000555555ad4dd7 in property_set_bool (obj=0x55555729b2b0, v=<optimized out>, name=<optimized out>, opaque=0x55555729e980, errp=0x7fffffffe3d0)
    at {PREFIX}qom/object.c:2079
#4  0x0000555555ad9270 in object_property_set_qobject (obj=0x55555729b2b0, value=<optimized out>, name=0x555555cac945 "realized", errp=0x7fffffffe3d0)
    at {PREFIX}qom/qom-qobject.c:26
#5  0x0000555555ad6b56 in object_property_set_bool (obj=0x55555729b2b0, value=<optimized out>, name=0x555555cac945 "realized", errp=0x7fffffffe3d0)
    at {PREFIX}qom/object.c:1337"""
"""What gdb printed."""

OUTER = [
    ("virtio_net_pci_realize", "hw/virtio/virtio-net-pci.c", 55),
    ("virtio_pci_realize", "hw/virtio/virtio-pci.c", 1788),
    ("pci_qdev_realize", "hw/pci/pci.c", 2092),
    ("virtio_pci_dc_realize", "hw/virtio/virtio-pci.c", 1859),
    ("device_set_realized", "hw/core/qdev.c", 834),
    ("property_set_bool", "qom/object.c", 2079),
    ("object_property_set", "qom/object.c", 1271),
    ("object_property_set_qobject", "qom/qom-qobject.c", 26),
    ("object_property_set_bool", "qom/object.c", 1337),
    ("qdev_device_add", "qdev-monitor.c", 634),
    ("device_init_func", "vl.c", 2191),
    ("qemu_opts_foreach", "util/qemu-option.c", 1170),
    ("main", "vl.c", 4372),
]


def bt(*args: str) -> str:
    done = CliRunner().invoke(cli, ["bt", *args], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_frames_as_gdb_printed_them() -> None:
    lines = bt("realize", "--at", "virtio_net_device_realize").splitlines()
    numbered = [line for line in lines if not line.startswith("    (tail call)")]
    assert "\n".join(numbered[: SEED.count("\n") + 1]) == SEED


def test_the_whole_chain() -> None:
    frames = json.loads(bt("realize", "--at", "virtio_net_device_realize", "--json"))
    assert [(f["function"], f["file"].removeprefix(PREFIX), f["line"]) for f in frames[7:]] == OUTER
    assert [f["function"] for f in frames if f["number"] is None] == ["object_property_set", "object_property_set"]
    numbers = [f["number"] for f in frames if f["number"] is not None]
    assert numbers == list(range(len(numbers)))
    outer = next(f for f in frames if f["function"] == "qdev_device_add")
    assert outer["address"] is None


def test_a_line_instead_of_the_first_statement() -> None:
    frames = json.loads(bt("realize", "--at", "virtio_device_realize:2620", "--json"))
    assert (frames[0]["function"], frames[0]["line"]) == ("virtio_device_realize", 2620)
    assert frames[0]["address"] is None


@pytest.mark.parametrize("function", ["virtio_init", "virtio_add_queue", "device_set_realized", "virtio_pci_realize", "main", "virtio_net_flush_tx"])
def test_other_places(function: str) -> None:
    scenario = "ping" if function == "virtio_net_flush_tx" else "realize"
    first = bt(scenario, "--at", function).splitlines()[0]
    assert first.startswith(f"#0  {function} (")


def test_a_backtrace_from_elsewhere_is_compared(tmp_path: Path) -> None:
    file = tmp_path / "bt.txt"
    file.write_text(SEED)
    lines = bt("realize", "--at", "virtio_net_device_realize", "--match", str(file)).splitlines()
    assert lines[1].split() == ["equal", "#0", "#0", "virtio_net_device_realize"]
    assert lines[-1] == "6 equal, 12 only here"
    rows = json.loads(bt("realize", "--at", "virtio_net_device_realize:2663", "--match", str(file), "--json"))
    assert (rows[0]["verdict"], rows[0]["notes"]) == ("other line", ["line 2658 there, 2663 here"])
