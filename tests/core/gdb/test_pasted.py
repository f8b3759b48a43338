"""Backtraces from elsewhere: read however they were pasted, and compared with the frames here."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.pasted import EQUAL, MISSING, ONLY_HERE, OTHER_ARGUMENTS, OTHER_LINE, compare, parse_backtrace, table
from tests.core.gdb.conftest import Open

ROOT = Path(__file__).resolve().parents[3]
SEED = (ROOT / "tests" / "data" / "gdb" / "realize.txt").read_text().split("(gdb) bt 6\n")[1]
"""A backtrace as gdb printed it on QEMU 4.1.0."""

WITHOUT_HASHES = SEED.replace("#", "")
"""As some documents carry it."""

NARROW = """\
(gdb) bt
#0  virtio_net_device_realize (dev=0x5567d8a3b2b0,
    errp=0x7ffe8de4a1f0) at hw/net/virtio-net.c:2632
#1  0x00005567d5dfa628 in virtio_device_realize (
    dev=<optimized out>, errp=0x7ffe8de4a250)
    at hw/virtio/virtio.c:2613
#2  0x00005567d5f00655 in device_set_realized
    (obj=<optimized out>, value=true, errp=0x7ffe8de4a3d0) at hw/core/qdev.c:834
#3  0x00005567d5f00999 in some_inlined_thing (why=3) at hw/core/qdev.c:900
#4  0x00005567d6038dd7 in property_set_bool (obj=0x5567d8a3b2b0, v=<optimized out>, name=0x5567d621c945 "realized", opaque=0x5567d8a3e980, errp=0x7ffe8de4a3d0)
    at qom/object.c:2079
(More stack frames follow...)
(gdb)
"""
"""Another build of 4.1.0, in a narrow terminal, with other addresses, lines and paths."""


@pytest.mark.parametrize("text", [SEED, WITHOUT_HASHES, f"Thread 1 (Thread 0x7f):\n{SEED}", SEED.replace("\n    at", " at")])
def test_the_same_stack_is_equal(open_console: Open, text: str) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run")
    frames = parse_backtrace(text)
    assert [frame.number for frame in frames] == list(range(6))
    assert frames[0].file.endswith("hw/net/virtio-net.c") and frames[0].line == 2658
    assert frames[1].address == 0x0000555555896628
    assert frames[4].args[2] == ("name", '0x555555cac945 "realized"')
    rows = compare(frames, [frame.shown for frame in console.frames])
    assert [row.verdict for row in rows[:6]] == [EQUAL] * 6
    assert {row.verdict for row in rows[6:]} == {ONLY_HERE}


def test_other_builds_and_versions(open_console: Open) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run")
    frames = parse_backtrace(NARROW)
    assert [frame.function for frame in frames][:2] == ["virtio_net_device_realize", "virtio_device_realize"]
    assert frames[1].args == (("dev", "<optimized out>"), ("errp", "0x7ffe8de4a250"))
    compared = compare(frames, [frame.shown for frame in console.frames][:5])
    rows = {row.pasted.function if row.pasted else row.ours.function if row.ours else "": row for row in compared}
    assert rows["virtio_net_device_realize"].verdict == OTHER_LINE
    assert rows["virtio_net_device_realize"].notes == ("line 2632 there, 2658 here",)
    assert rows["virtio_device_realize"].verdict == EQUAL
    assert rows["some_inlined_thing"].verdict == MISSING
    assert rows["object_property_set_qobject"].verdict == ONLY_HERE
    assert rows["property_set_bool"].verdict == EQUAL


def test_arguments_that_differ(open_console: Open) -> None:
    console = open_console("realize", "b virtio_add_queue", "run")
    text = "#0  virtio_add_queue (vdev=0x1, queue_size=512, handle_output=0x2 <virtio_net_handle_rx>) at /a/hw/virtio/virtio.c:1607"
    row = compare(parse_backtrace(text), [console.frames[0].shown])[0]
    assert row.verdict == OTHER_ARGUMENTS
    assert "queue_size=512 there, 256 here" in row.notes


def test_the_word_takes_a_paste_or_a_file(open_console: Open, tmp_path: Path) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run")
    assert console.execute("match") == "Paste the backtrace; an empty line ends it."
    assert console.prompt == ">"
    for line in SEED.splitlines():
        assert console.execute(line) == ""
    printed = console.execute("")
    assert printed.splitlines()[-1] == "6 equal, 12 only here"
    assert console.prompt == "(gdb) "
    file = tmp_path / "bt.txt"
    file.write_text(SEED)
    assert console.execute(f"match {file}") == printed
    file.write_text("nothing of the kind\n")
    with pytest.raises(ConsoleError, match="No frames were found"):
        console.execute(f"match {file}")


def test_the_table_has_a_row_for_each_frame() -> None:
    rows = compare(parse_backtrace(NARROW), [])
    lines = table(rows).splitlines()
    assert len(lines) == 5 + 3
    assert lines[-1] == "5 missing here"


@given(st.text(alphabet="#0123 ()=<>\"',:atinx_-\n\t\\fromvirtio", max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read(text: str) -> None:
    frames = parse_backtrace(text)
    rows = compare(frames, [])
    assert [row.pasted for row in rows] == frames
    assert len(table(rows).splitlines()) >= len(frames)


def test_long_texts_are_read_in_time() -> None:
    for text in ("#0 f (" + "a" * 200_000, "#0 " + "(" * 100_000 + ")" * 100_000, "#1  0x1 in f (a=1) at x.c:1\n" * 30_000, "#0  f (" + "a=<b, " * 50_000):
        assert len(parse_backtrace(text)) <= 10_000
