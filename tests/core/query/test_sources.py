"""Our own source of QEMU's functions, found in the tree as it lies."""

from __future__ import annotations

import pytest

import ringscope_core.hw.machine  # noqa: F401 - declares every function
from ringscope_core.engine.inspect import stack_at
from ringscope_core.query.sources import checkpoints_of, our_source
from ringscope_core.scenario.load import load
from ringscope_core.trace.function_lines import FUNCTION_LINES
from ringscope_core.trace.functions import function_table


def test_every_function_that_opens_frames_has_a_source_of_ours() -> None:
    declared = [spec.name for spec in function_table().values() if spec.args]
    assert len(declared) > 130
    assert [name for name in declared if our_source(name) is None] == []


def test_the_text_at_the_places_is_what_they_say() -> None:
    found = our_source("virtio_net_device_realize")
    assert found is not None and found.module == "hw/virtio_net/realize.py" and found.name == "virtio_net_device_realize"
    lines = found.text.splitlines()
    assert lines[found.first - 1].startswith("def virtio_net_device_realize(")
    assert found.entry.line == 2658 and ".enter_at(" in lines[found.entry.at - 1]
    assert len(found.checkpoints) > 20
    for point in found.checkpoints:
        assert f".at({point.line})" in lines[point.at - 1]
    assert found.place_of(2705) == next(point.at for point in found.checkpoints if point.line == 2705)
    assert found.place_of(99) == found.entry.at


@pytest.mark.parametrize("name", ["qdev_device_add", "virtio_init", "device_set_realized", "virtio_net_tx_bh", "pci_qdev_realize"])
def test_checkpoints_lie_inside_the_function(name: str) -> None:
    first = FUNCTION_LINES[name][1]
    assert all(first <= line < first + 400 for line in checkpoints_of(name))


def test_a_recorded_stack_stands_on_checkpoints_that_the_sources_have() -> None:
    frames = stack_at(load("realize"), "virtio_init")
    seen = 0
    for frame in frames:
        found = our_source(frame.function)
        assert found is not None
        if frame.line not in (found.entry.line, FUNCTION_LINES[frame.function][1]):
            assert frame.line in checkpoints_of(frame.function)
            seen += 1
    assert seen >= 3


def test_a_function_without_frames_has_none() -> None:
    assert our_source("tap_send") is None and our_source("") is None and checkpoints_of("tap_send") == ()
