"""A breakpoint whose C condition does not hold is no place to stop, whatever moves over it, and no hit."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope_core.engine.start import StartedEngine
from ringscope_core.gdb.console import Console
from ringscope_core.gdb.inferior import LiveInferior
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from tests.core.gdb.conftest import Open

NEVER = "b virtio_add_queue if queue_size == 63"
ONCE = "b virtio_add_queue if queue_size == 64"


def test_finish_goes_over_it(open_console: Open) -> None:
    console = open_console("realize", "tb virtio_net_device_realize", "run", NEVER)
    text = console.execute("finish")
    assert "hit Breakpoint" not in text and console.frame.shown.function == "virtio_device_realize"
    assert "already hit" not in console.execute("info b")


def test_finish_stops_where_it_holds(open_console: Open) -> None:
    console = open_console("realize", "tb virtio_net_device_realize", "run", ONCE)
    assert "hit Breakpoint 2, virtio_add_queue (vdev=0x55555729b2b0, queue_size=64" in console.execute("finish")
    assert "already hit 1 time" in console.execute("info b")


@pytest.mark.parametrize("word", ["advance", "until"])
def test_advance_goes_over_it(open_console: Open, word: str) -> None:
    console = open_console("realize", "tb virtio_net_device_realize", "run", NEVER)
    console.execute(f"{word} virtio_bus_device_plugged")
    assert console.frame.shown.function == "virtio_bus_device_plugged"
    there = open_console("realize", "tb virtio_net_device_realize", "run", ONCE)
    assert "hit Breakpoint 2" in there.execute(f"{word} virtio_bus_device_plugged")


def test_reverse_finish_goes_over_it(open_console: Open) -> None:
    lines = ("tb virtio_net_device_realize", "run", "advance virtio-net.c:2780")
    plain, watched = open_console("realize", *lines), open_console("realize", *lines, NEVER)
    assert watched.frame.shown.function == plain.frame.shown.function == "virtio_net_device_realize"
    plain.execute("reverse-finish")
    assert "hit Breakpoint" not in watched.execute("reverse-finish") and watched.inferior.seq == plain.inferior.seq
    assert "already hit" not in watched.execute("info b")


def test_two_at_one_place(open_console: Open) -> None:
    """Each has its own condition: where one does not hold, the other may."""
    console = open_console("realize", NEVER, ONCE)
    assert "hit Breakpoint 2, virtio_add_queue (vdev=0x55555729b2b0, queue_size=64" in console.execute("run")
    assert console.execute("info b").count("already hit") == 1 and "already hit 1 time" in console.execute("info b")
    assert "The recording ends here." in console.execute("c")


def test_what_another_one_there_ignores(open_console: Open) -> None:
    """It is counted from where it was said, also where a condition beside it does not hold."""
    console = open_console("realize", "b virtio_add_queue", "run")
    stops = [console.inferior.seq]
    for _ in range(2):
        console.execute("c")
        stops.append(console.inferior.seq)
    console.inferior.goto(stops[0])
    for line in ("delete 1", NEVER, "b virtio_add_queue", "ignore 3 1"):
        console.execute(line)
    assert "hit Breakpoint 3, " in console.execute("c")
    assert console.inferior.seq == stops[2]


@pytest.mark.slow
def test_a_run_counts_only_where_it_held(tmp_path: Path) -> None:
    """The run stops at each call and counts it; the console says how often the condition held."""
    options = ["--paused", "--speed", "max", "--trace", "full"]
    with StartedEngine("realize", [], session=tmp_path / "run.ringscope", options=options) as engine, SessionReader(engine.session) as reader:
        console = Console(LiveInferior(Recording(reader), engine.client))
        console.execute(NEVER)
        console.execute(ONCE)
        assert "virtio_add_queue (vdev=0x55555729b2b0, queue_size=64" in console.execute("run")
        assert console.execute("info b").count("already hit") == 1 and "already hit 1 time" in console.execute("info b")
