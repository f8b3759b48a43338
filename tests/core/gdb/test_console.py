"""The console as people use it: frames, steps, breakpoints, watchpoints, displays, suggestions, completion."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ringscope_core.gdb.console import Console
from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.script import Driver
from ringscope_core.gdb.words import WORDS, find_word
from ringscope_core.scenario.shipped import SHIPPED
from tests.core.gdb.conftest import Open

PATH = "/usr/src/debug/qemu/4.1.0-r0/qemu-4.1.0/"


def error(console: Console, line: str) -> str:
    with pytest.raises(ConsoleError) as raised:
        console.execute(line)
    return str(raised.value)


# -- stops ------------------------------------------------------------------------------------------------------------
def test_breakpoints_stop_both_ways(open_console: Open) -> None:
    console = open_console("realize")
    assert console.execute("b virtio_add_queue") == f"Breakpoint 1 at <unknown>: file {PATH}hw/virtio/virtio.c, line 1607."
    seqs = []
    for _ in range(3):
        assert "hit Breakpoint 1, virtio_add_queue (vdev=0x55555729b2b0, queue_size=" in console.execute("c")
        seqs.append(console.inferior.seq)
    assert console.execute("c").splitlines()[2] == "The recording ends here."
    for seq in reversed(seqs):
        console.execute("rc")
        assert console.inferior.seq == seq
    assert "No more reverse-execution history." in console.execute("rc")
    assert "already hit 6 times" in console.execute("info b")


def test_conditions_are_c(open_console: Open) -> None:
    console = open_console("realize", "b virtio_add_queue if queue_size == 64")
    assert "queue_size=64" in console.execute("run")
    assert "\tstop only if queue_size == 64" in console.execute("info b")
    console.execute("condition 1 queue_size > 64 && vdev->parent_obj.realized == 0")
    console.execute("rc")
    assert console.frame.shown.args[1] == ("queue_size", "256")
    assert console.execute("condition 1") == "Breakpoint 1 now unconditional."
    console.execute("condition 1 nothing == 1")
    assert 'Error in testing condition for breakpoint 1:\nNo symbol "nothing"' in console.execute("c")


def test_ignore_temporary_and_disabled(open_console: Open) -> None:
    console = open_console("realize", "b virtio_add_queue")
    assert console.execute("ignore 1 2") == "Will ignore next 2 crossings of breakpoint 1."
    assert "queue_size=64" in console.execute("run")
    console.execute("tb virtio_init")
    console.execute("disable 1")
    assert "hit Temporary breakpoint 2, virtio_init (" in console.execute("run")
    assert console.execute("info b").count("\n") < 4
    assert [point.id for point in console.inferior.points()] == [1]
    console.execute("delete 1")
    assert console.execute("info b") == "No breakpoints or watchpoints."


def test_watchpoints_show_old_and_new(open_console: Open) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run", "delete", "watch n->status")
    lines = console.execute("c").splitlines()
    head = ["Continuing.", "", 'Thread 1 "qemu-system-x86" hit Hardware watchpoint 2: n->status', "", "Old value = 0", "New value = 1", ""]
    assert lines[:7] == head
    assert lines[7].startswith("virtio_net_device_realize (dev=0x55555729b2b0, ")
    assert console.execute("p n->status").endswith("= 1")
    assert error(console, "watch 5") == "Cannot watch constant value `5'."
    assert error(console, "watch n->nic") == "Cannot watch n->nic: changes of it are not recorded."
    assert "Reads are not recorded" in error(console, "rwatch n->status")


def test_catchpoints(open_console: Open) -> None:
    console = open_console("ping")
    assert console.execute("catch kick if queue == 1") == "Catchpoint 1 (event kick)"
    text = console.execute("c")
    assert "hit Catchpoint 1 (event kick)," in text and "kick  tx0  queue=1" in text
    assert error(console, "bt") == "No stack."
    assert error(console, "catch kik") == 'Undefined catch command: "kik".  Try "info events".  Did you mean kick?'
    console.execute("catch time 1ms")
    assert "hit Catchpoint 2 (time 1ms)" in console.execute("disable 1") + console.execute("c")


def test_packets_and_kicks(open_console: Open) -> None:
    console = open_console("ping")
    console.execute("packet")
    first = console.inferior.seq
    assert console.execute("packets").splitlines()[-1].endswith(f"#{first}")
    console.execute("packet")
    console.execute("reverse-packet")
    assert console.inferior.seq == first
    console.execute("kick")
    kick = console.inferior.seq
    assert "  kick  " in console.execute("stepi") + console.execute("reverse-stepi")
    assert console.inferior.seq == kick


def test_finish_until_advance(open_console: Open) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run")
    assert console.execute("advance virtio_init").startswith('virtio_init (vdev=0x55555729b2b0, name="virtio-net"')
    text = console.execute("finish").splitlines()
    assert text[0].startswith("Run till exit from #0  virtio_init (")
    assert any(line.startswith("virtio_net_device_realize (dev=") for line in text)
    assert console.execute("until 2743").startswith("2743\t")
    console.execute("delete")
    assert console.execute("reverse-finish").splitlines()[0].startswith("Run back to call of #0  virtio_net_device_realize (")
    assert console.frame.shown.function == "virtio_device_realize"
    console.execute("tb pci_add_capability")
    console.execute("c")
    assert "Value returned is $1 = " in console.execute("finish")
    assert error(console, "until nowhere") == 'Function "nowhere" not defined.'


def test_frames(open_console: Open) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run")
    assert error(console, "down") == "Bottom (innermost) frame selected; you can't go down."
    assert console.execute("up").startswith("#1  0x0000555555896628 in virtio_device_realize (")
    assert console.execute("p vdc").endswith("(VirtioDeviceClass *) 0x5555563d1790")
    assert console.execute("frame function main").startswith("#17 main (")
    assert error(console, "up") == "Initial frame selected; you can't go up."
    assert error(console, "f 99") == "No frame at level 99."
    assert console.execute("bt 2").splitlines()[2:] == ["(More stack frames follow...)"]
    assert console.execute("bt -1").startswith("#17 main (argc=<unknown>")
    assert "        n = 0x55555729b2b0" in console.execute("bt full 1")
    assert console.execute("f 0").splitlines()[0].startswith("#0  virtio_net_device_realize (")
    assert console.execute("info args").splitlines() == ["dev = (DeviceState *) 0x55555729b2b0", "errp = (Error **) 0x7fffffffe1f0"]
    assert "called by virtio_device_realize" in console.execute("info frame")
    assert console.execute("info threads").splitlines()[1].startswith('* 1    Thread "qemu-system-x86"    virtio_net_device_realize (')


def test_displays_and_commands(open_console: Open) -> None:
    console = open_console("realize", "b virtio_net_add_queue", "run", "finish")
    assert console.execute("display/x n->curr_queues") == "1: /x n->curr_queues = 0x1"
    assert console.execute("next").splitlines()[-1] == "1: /x n->curr_queues = 0x1"
    console.execute("undisplay 1")
    console.execute("b virtio_bus_device_plugged")
    assert console.execute("commands") == ""
    assert console.prompt == ">"
    for line in ("silent", "p 40 + 2", "end"):
        console.execute(line)
    assert console.execute("c") == "Continuing.\n$1 = 42"


def test_a_temporary_breakpoint_waits_for_its_condition(open_console: Open) -> None:
    """It goes when it stopped, not where the condition did not hold, and hits count only where it held."""
    console = open_console("realize", "tb virtio_add_queue if queue_size == 64", "b virtio_add_queue if queue_size == 64")
    assert " del " in console.execute("info b").splitlines()[1]
    assert "hit Temporary breakpoint 1" in console.execute("run")
    assert console.execute("p queue_size") == "$1 = 64"
    listed = console.execute("info b")
    assert " del " not in listed and "already hit" not in listed
    console.execute("goto start")
    assert "hit Breakpoint 2" in console.execute("c")
    assert "already hit 1 time" in console.execute("info b")


def test_dprintf_says_and_goes_on(open_console: Open) -> None:
    console = open_console("realize", 'dprintf virtio_add_queue,"size {queue_size}"')
    lines = console.execute("run").splitlines()
    assert lines[:3] == ["size 256", "size 256", "size 64"] and "The recording ends here." in lines
    assert [line.split("s  ", 1)[1] for line in console.execute("info log").splitlines()] == ["size 256", "size 256", "size 64"]
    assert "Write {name}" in error(console, 'dprintf virtio_init,"%d",n')


def test_travel(open_console: Open) -> None:
    console = open_console("ping", "goto end")
    text = console.execute("last-write $net0->vdev.parent_obj.status")
    assert "VirtIODevice.status = 0xf" in text
    assert console.execute("p $net0->vdev.parent_obj.status").endswith(r"15 '\017'")
    there = console.inferior.seq
    console.execute("reverse-stepi")
    assert not console.execute("p $net0->vdev.parent_obj.status").endswith(r"15 '\017'")
    console.execute("next-change $net0->vdev.parent_obj.status")
    assert console.inferior.seq == there
    assert "#99999999" in error(console, "goto #99999999")
    assert console.execute("goto end").startswith(f"#{console.inferior.last}  ")
    assert console.execute("rings").splitlines()[2].startswith("tx0    256  ")


def test_causes(open_console: Open) -> None:
    console = open_console("ping", "packet")
    lines = console.execute("why").splitlines()
    assert lines and all(line.startswith("#") for line in lines)


# -- help with words --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line, expected",
    [
        ("brake x", 'Undefined command: "brake".  Try "help".  Did you mean break?'),
        ("info brakpoints", 'Undefined info command: "brakpoints".  Try "help info".  Did you mean info breakpoints?'),
        ("b virtio_net_relize", 'Function "virtio_net_relize" not defined.  Did you mean virtio_net_pci_realize?'),
        ("b virtio-ne.c:5", "No source file named virtio-ne.c.  Did you mean virtio-net.c?"),
        ("b", "No default breakpoint address now."),
        ("delete 7", "No breakpoint number 7."),
        ("delete x", "Bad breakpoint number 'x'"),
        ("x/3i 5", "No machine code is modelled, so there is nothing to disassemble."),
        ("p/q 1", 'Undefined output format "q".'),
        ("p/2x 1", 'Item count other than 1 is meaningless in "print" command.'),
        ("info", '"info" must be followed by one of: '),
        ("bt x", "No stack."),
        ("match /no/such/file", "/no/such/file: No such file or directory."),
        ("info functions [", "Invalid regexp: unterminated character set at position 0"),
        ("n 1.5", "Floating point is not supported."),
        ("goto nowhere", "seek:"),
        ("set width wide", "Argument required (a number of columns; 0 for unlimited)."),
    ],
)
def test_wrong_input_is_one_line(open_console: Open, line: str, expected: str) -> None:
    text = error(open_console("realize"), line)
    assert text.startswith(expected) and "\n" not in text


def test_every_word_has_help_and_is_found(open_console: Open) -> None:
    console = open_console("realize")
    for name, word in WORDS.items():
        assert word.help, name
        assert console.execute(f"help {name}")
        for alias in word.aliases:
            assert find_word(alias)[0] is word, alias
    assert "Breakpoints" in console.execute("help")
    assert "tbreak" in console.execute("help breakpoints")


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("br", "break"),
        ("inf", "info"),
        ("info br", "info breakpoints"),
        ("b virtio_net_dev", "b virtio_net_device_realize"),
        ("catch ki", "catch kick"),
        ("p n->net_conf.tx_q", "p n->net_conf.tx_queue_size"),
        ("p n->vqs[0].rx_vq->vr", "p n->vqs[0].rx_vq->vring"),
        ("p 1 + vdev->sta", "p 1 + vdev->status"),
        ("p $tx", "p $tx0"),
        ("p *(struct VirtQ", "p *(struct VirtQueue"),
        ("p/x err", "p/x errp"),
        ("goto mar", "goto mark:"),
        ("watch n->sta", "watch n->status"),
    ],
)
def test_completion(open_console: Open, text: str, wanted: str) -> None:
    console = open_console("realize", "b virtio_net_add_queue", "run", "finish")
    assert wanted in console.complete(text)


def test_completion_never_breaks(open_console: Open) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run")
    rng = random.Random(5)
    for _ in range(300):
        text = "".join(rng.choice(["p ", "n", "->", ".", "x", "(", "[0]", "$", "b ", "info ", '"', " ", "*"]) for _ in range(6))
        assert isinstance(console.complete(text), list)


# -- scripts ----------------------------------------------------------------------------------------------------------
def test_a_script_stops_at_its_first_error(open_console: Open) -> None:
    out: list[str] = []
    err: list[str] = []
    driver = Driver(open_console("realize"), out.append, err.append)
    assert not driver.script(["# a comment", "", "p 1", "bogus", "p 2"], "walk.gdb")
    assert out == ["$1 = 1"]
    assert err == ['walk.gdb:4: Undefined command: "bogus".  Try "help".']
    assert driver.failed


def test_source_lines_from_a_tree(open_console: Open, tmp_path: Path) -> None:
    file = tmp_path / "hw" / "net" / "virtio-net.c"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"line {number}\n" for number in range(1, 3001)))
    console = open_console("realize", "b virtio_net_device_realize", f"directory {tmp_path}")
    assert console.execute("run").splitlines()[-1] == "2658\tline 2658"
    assert console.execute("list").splitlines()[0] == "2653\tline 2653"
    assert console.execute("").splitlines()[0] == "2663\tline 2663"
    assert console.execute("info source").splitlines()[2] == f"Read from {tmp_path}."
    assert "No such directory" in error(console, "directory /no/such")


# -- everything, everywhere -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scenario", SHIPPED)
def test_anything_can_be_printed_at_any_moment(open_console: Open, scenario: str) -> None:
    console = open_console(scenario, ns=8_000_000)
    rng = random.Random(scenario)
    last = console.inferior.last
    for seq in sorted({0, last, *(rng.randrange(last + 1) for _ in range(6))}):
        console.execute(f"goto #{seq}")
        for name in console.execute("show convenience").splitlines():
            variable = name.partition(" = ")[0]
            if variable.startswith("$") and "(" in name:
                text = console.execute(f"p *{variable}")
                assert " = " in text
        for line in ("rings", "packets", "info qom-tree", "info qtree", "info b", "why", "info threads", "info program", "show values"):
            try:
                assert isinstance(console.execute(line), str)
            except ConsoleError as problem:
                assert str(problem)
        if console.frames:
            assert console.execute("bt full")
            assert console.execute("info args")
