"""The transport's own behaviour: ioeventfds, bus master, the access window, reset."""

from __future__ import annotations

from typing import Any

from ringscope_core.hw.virtio_pci.proxy import VirtIOPCIProxy
from tests.oracle.target import BDF, RingscopeTarget

STATUS, Q_SELECT, Q_ENABLE, NOTIFY = 20, 22, 28, 0x3000
WINDOW = 0x84


def make(**props: Any) -> RingscopeTarget:
    names = {name.replace("_", "-") if name != "rx_queue_size" else name: value for name, value in props.items()}
    return RingscopeTarget({"device": "virtio-net-pci", "props": names, "peer": {"kind": "none"}, "ram": 1 << 20})


def proxy_of(target: RingscopeTarget) -> VirtIOPCIProxy:
    dev = target.machine.pci_bus.functions[BDF]
    assert isinstance(dev, VirtIOPCIProxy)
    return dev


def start(target: RingscopeTarget) -> None:
    """A driver that has set up its queues at 0x1000 * number and is ready."""
    for status in (0, 1, 3):
        target.bar_write(4, STATUS, 1, status)
    target.bar_write(4, 8, 4, 1)
    target.bar_write(4, 12, 4, 1)
    target.bar_write(4, STATUS, 1, 11)
    for queue in range(3):
        target.bar_write(4, Q_SELECT, 2, queue)
        for at, address in ((32, 0x10000), (40, 0x14000), (48, 0x18000)):
            target.bar_write(4, at, 4, address + 0x10000 * queue)
        target.bar_write(4, Q_ENABLE, 2, 1)
    target.bar_write(4, STATUS, 1, 15)


def kicks(target: RingscopeTarget) -> list[int]:
    return [int(vq.counters.kicks) for vq in proxy_of(target).vdev().vq[:3] if vq.counters is not None]


def test_with_ioeventfd_handlers_run_from_the_main_loop() -> None:
    target = make()
    start(target)
    assert kicks(target) == [0, 0, 0]
    # every queue is kicked once when the ioeventfds start
    target.settle()
    assert kicks(target) == [1, 1, 1]
    target.bar_write(4, NOTIFY + 4, 2, 1)
    assert kicks(target) == [1, 1, 1]
    target.settle()
    assert kicks(target) == [1, 2, 1]
    # other sizes and places miss the ioeventfd and are handled at once
    target.bar_write(4, NOTIFY + 4, 4, 1)
    target.bar_write(4, NOTIFY + 6, 2, 1)
    assert kicks(target) == [1, 4, 1]


def test_without_ioeventfd_handlers_run_at_once() -> None:
    target = make(ioeventfd="off")
    start(target)
    target.bar_write(4, NOTIFY + 8, 2, 2)
    assert kicks(target) == [0, 0, 1]
    assert not proxy_of(target).virtio_bus().ioeventfd_started


def test_a_kick_that_waits_is_handled_when_the_ioeventfds_stop() -> None:
    target = make()
    start(target)
    target.settle()
    target.bar_write(4, NOTIFY, 2, 0)
    target.machine.stop()
    assert kicks(target)[0] == 2
    target.machine.cont()
    assert proxy_of(target).virtio_bus().ioeventfd_started


def test_losing_bus_master_stops_the_driver() -> None:
    target = make()
    start(target)
    target.cfg_write(4, 2, 3)
    assert target.bar_read(4, STATUS, 1) == 11
    assert not proxy_of(target).virtio_bus().ioeventfd_started


def test_page_per_vq_and_pio_notify() -> None:
    target = make(page_per_vq="on", modern_pio_notify="on", ioeventfd="off")
    start(target)
    target.bar_write(4, NOTIFY + 0x1000, 2, 9)
    target.bar_write(2, 0, 2, 2)
    assert kicks(target) == [0, 1, 1]
    assert target.bar_read(2, 0, 2) == 0


def test_the_access_window_reads_and_writes_registers() -> None:
    target = make()
    target.cfg_write(WINDOW + 8, 4, STATUS)
    target.cfg_write(WINDOW + 12, 4, 1)
    target.cfg_write(WINDOW + 16, 4, 3)
    assert target.bar_read(4, STATUS, 1) == 3
    target.bar_write(4, STATUS, 1, 1)
    assert target.cfg_read(WINDOW + 16, 4) & 0xFF == 1
    # a length that is none does nothing
    target.cfg_write(WINDOW + 12, 4, 3)
    target.cfg_write(WINDOW + 16, 4, 0)
    assert target.bar_read(4, STATUS, 1) == 1


def test_reset_keeps_the_selectors_and_drops_the_queues() -> None:
    target = make()
    start(target)
    target.bar_write(4, 0, 4, 7)
    target.bar_write(4, STATUS, 1, 0)
    assert target.bar_read(4, 0, 4) == 7
    assert target.bar_read(4, 8, 4) == 1
    assert target.bar_read(4, 12, 4) == 1
    target.bar_write(4, Q_SELECT, 2, 1)
    assert (target.bar_read(4, Q_ENABLE, 2), target.bar_read(4, 32, 4), target.bar_read(4, 24, 2)) == (0, 0, 256)


def test_the_size_counts_when_the_queue_is_enabled() -> None:
    target = make()
    target.bar_write(4, 24, 2, 512)
    assert target.bar_read(4, 24, 2) == 256
    target.bar_write(4, Q_ENABLE, 2, 0)
    assert (target.bar_read(4, 24, 2), target.bar_read(4, Q_ENABLE, 2)) == (512, 1)


def test_too_many_vectors_are_none_at_all() -> None:
    target = make(vectors=3000)
    proxy = proxy_of(target)
    assert (int(proxy.nvectors), proxy.msix) == (0, None)
    assert target.machine.world.messages == ["-device virtio-net-pci,id=net0,addr=04.0,vectors=3000: warning: unable to init msix vectors to 3000"]
    # without MSI-X the legacy configuration begins at 20
    assert bytes(target.bar_read(0, 20 + at, 1) for at in range(6)).hex(":") == "52:54:00:12:34:56"
