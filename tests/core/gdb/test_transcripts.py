"""Transcripts: the same lines give the same entries, and a line that is wrong is no part of a document."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringscope_core.engine import replay
from ringscope_core.engine.monitor_at import MonitorAt
from ringscope_core.engine.replay import Rerun
from ringscope_core.gdb.transcript import CommandError, Entry, run_lines, transcript_text
from ringscope_core.query.recording import Recording
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError
from ringscope_core.session.reader import SessionReader
from tests.core.gdb.conftest import Open, Recorded

WALK = ("tb virtio_net_device_realize", "run", "bt", "finish", "up", "p *(VirtIODevice *)0x55555729b2b0", "info b")


@pytest.fixture
def realize(recorded: Recorded) -> Iterator[Recording]:
    """The walk's recording."""
    with SessionReader(recorded("realize")) as reader:
        yield Recording(reader)


@pytest.fixture
def ping(recorded: Recorded) -> Iterator[Recording]:
    """A recording with traffic."""
    with SessionReader(recorded("ping")) as reader:
        yield Recording(reader)


def outputs(recording: Recording, *lines: str) -> list[str]:
    return [entry.output for entry in run_lines(recording, lines)]


def test_the_walk_is_what_the_debugger_prints(recorded: Recorded, realize: Recording, tmp_path: Path) -> None:
    """The same lines given to `ringscope debug` print the same."""
    # the debugger keeps its breakpoints in the session
    session = shutil.copy(recorded("realize"), tmp_path / "own.ringscope")
    lines = ["set width 100", "b object_property_set_bool", "run", "c", "c", "bt", "p *obj", "p *obj->class"]
    arguments = [part for line in lines for part in ("-ex", line)]
    command = [sys.executable, "-m", "ringscope", "debug", str(session), "--batch", "--echo", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert transcript_text(run_lines(realize, lines)) == done.stdout.rstrip("\n")
    assert "realized" in done.stdout and "$1 = {class = 0x" in done.stdout


def test_twice_is_the_same(recorded: Recorded, realize: Recording) -> None:
    """Another reader of the same file, the same entries; the first leaves nothing in the session."""
    first = run_lines(realize, WALK)
    with SessionReader(recorded("realize")) as reader:
        assert run_lines(Recording(reader), WALK) == first
    assert [entry.command for entry in first] == list(WALK)
    assert "#0  virtio_net_device_realize (dev=0x55555729b2b0" in first[2].output
    assert first[3].output.startswith("Run till exit from #0") and "\n0x0000555555896628 in virtio_device_realize (dev=0x55555729b2b0, " in first[3].output
    assert first[6].output == "No breakpoints or watchpoints."


def test_breakpoints_that_people_left_do_not_stop_it(open_console: Open, recorded: Recorded) -> None:
    """A session keeps breakpoints; a document does not depend on them."""
    console = open_console("realize", "b virtio_init")
    entries = run_lines(console.inferior.recording, ["b virtio_net_device_realize", "run"])
    assert entries[0].output.startswith("Breakpoint 1 at")
    assert "hit Breakpoint 1, virtio_net_device_realize" in entries[1].output


def test_a_moment_to_begin_at(ping: Recording) -> None:
    """`seq` is where the first line finds the machine."""
    kick = next(entry for entry in run_lines(ping, ["catch kick", "run", "p $seq"]) if entry.command == "p $seq")
    seq = int(kick.output.split("= ")[1])
    assert [entry.output for entry in run_lines(ping, ["p $seq"], seq)] == [f"$1 = {seq}"]


def test_marks_in_front_of_a_line(realize: Recording) -> None:
    """@ hides, ! shows a complaint, | gives tables, # says nothing."""
    entries = run_lines(realize, ["# a remark", "", "@tb virtio_net_device_realize", "@run", "!p *nothing", "| stack", "stack"])
    assert [entry.command for entry in entries] == ["p *nothing", "", "stack"]
    assert entries[0].output == 'No symbol "nothing" in current context.'
    table = entries[1].tables[0]
    assert table.headings == ("frame", "function", "at", "arguments") and table.rows[0][1:3] == ("virtio_net_device_realize", "hw/net/virtio-net.c:2658")
    assert entries[2].output == table.text()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["info b", "p *nothing"], 'command 2 (p *nothing): No symbol "nothing" in current context.'),
        (["dance"], 'command 1 (dance): Undefined command: "dance".  Try "help".'),
        (["!info b"], "command 1 (info b): it is not wrong, and ! is for a command whose complaint is to be shown"),
        (["| info b"], "command 1 (info b): it prints no table (| is for ring, rings, events, packets, fields, types, stack): No breakpoints"),
        (["{x} info b"], 'command 1 (info b): No line of the answer has "x".'),
        (["{2..9} info b"], "command 1 (info b): The answer has lines 1 to 1."),
        (["{info b"], "command 1 ({info b): a part of the answer is {FIRST..LAST} or {TEXT} in front of the command"),
        (["quit", "bt"], "command 2 (bt): no command can follow quit"),
        (["events kind == nonsense"], "command 1 (events kind == nonsense): there is no kind 'nonsense'"),
    ],
)
def test_a_wrong_line_is_an_error_with_its_place(realize: Recording, lines: list[str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        run_lines(realize, lines)
    assert isinstance(caught.value, CommandError) and str(caught.value).startswith(message)


def test_each_prompt_says_who_is_spoken_to(ping: Recording) -> None:
    """gdb, QEMU's monitor, Ringscope; and gdb's > inside of commands."""
    entries = run_lines(ping, ["info b", "info qtree", "rings", "b virtio_init", "commands 1", "bt", "end", "why"])
    assert [entry.prompt for entry in entries] == ["(gdb) ", "(qemu) ", "(ringscope) ", "(gdb) ", "(gdb) ", ">", ">", "(ringscope) "]


def test_width_and_pretty(realize: Recording) -> None:
    """Lines as long as the author says, structures one member a line."""
    lines = ["@set width 60", "@tb virtio_net_device_realize", "@run", "bt 3", "@set print pretty on", "p *dev"]
    stack, value = outputs(realize, *lines)
    assert stack.splitlines()[:3] == [
        "#0  virtio_net_device_realize (dev=0x55555729b2b0, ",
        "    errp=0x7fffffffe1f0)",
        "    at /usr/src/debug/qemu/4.1.0-r0/qemu-4.1.0/hw/net/virtio-net.c:2658",
    ]
    assert value.splitlines()[:3] == ["$1 = {", "  parent_obj = {", "    class = 0x5555563d1790,"]


# -- the monitor ------------------------------------------------------------------------------------------------------
def asked(recording: Recording, seq: int, *lines: str) -> list[Entry]:
    return run_lines(recording, lines, seq, monitor=MonitorAt(recording.reader))


def test_the_monitor_at_a_moment(ping: Recording) -> None:
    """Properties of the device tree, the NIC only once it is there, and the tree as large as it was."""
    before = next(entry for entry in run_lines(ping, ["tb virtio_net_device_realize", "run", "p $seq"]) if entry.command == "p $seq")
    seq = int(before.output.split("= ")[1])
    early = asked(ping, seq, "info qtree", "info network", "info qom-tree /machine/peripheral/net0")
    late = asked(ping, ping.reader.last_seq, "info qtree", "info network", "info pci")
    assert 'dev: virtio-net-pci, id "net0"' in early[0].output and "rx_queue_size = 256 (0x100)" in early[0].output
    assert "type=nic" not in early[1].output and "net0: index=0,type=nic,model=virtio-net-pci,macaddr=52:54:00:12:34:56" in late[1].output
    assert early[2].output.startswith("/net0 (virtio-net-pci)\n  /bus master container[0] (memory-region)")
    assert "bar 0: i/o at 0xc020 [0xc03f]" in late[0].output and "0xc020" not in early[0].output
    assert 'id "net0"' in late[2].output


def test_what_cannot_be_asked_is_unknown(ping: Recording) -> None:
    """Without a monitor, and before there is a machine, nothing is made up."""
    with pytest.raises(CommandError, match="<unknown>: events do not tell, and the machine cannot be asked at this moment"):
        run_lines(ping, ["info network"], ping.reader.last_seq)
    with pytest.raises(CommandError, match="<unknown>"):
        asked(ping, 0, "info network")
    tree = run_lines(ping, ["info qtree"], ping.reader.last_seq)[0].output
    assert 'dev: virtio-net-pci, id "net0"' in tree and "rx_queue_size" not in tree


def test_the_monitors_complaints_are_errors(ping: Recording) -> None:
    for line, message in (("info qtree x", "qtree: extraneous characters at the end of line"), ("info qom-tree /foo", "Path '/foo' could not be resolved.")):
        with pytest.raises(CommandError) as caught:
            asked(ping, ping.reader.last_seq, line)
        assert message in str(caught.value)


def test_a_part_of_an_answer(ping: Recording) -> None:
    """A line of a tree with everything below it; lines by number; dots where something is missing."""
    part, lines, whole = (one.output for one in asked(ping, ping.reader.last_seq, "{bus: virtio-bus} info qtree", "{1..2}info qtree", "info qtree"))
    assert part.splitlines()[:4] == [f"{8 * ' '}{text}" for text in ("...", "bus: virtio-bus", "  type virtio-pci-bus", '  dev: virtio-net-device, id ""')]
    assert part.splitlines()[-1] == f"{8 * ' '}..." and part.splitlines()[-2].startswith(12 * " ")
    assert lines == "\n".join([*whole.splitlines()[:2], "..."])
    assert asked(ping, ping.reader.last_seq, "{bus: main-system-bus} info qtree")[0].output == whole


def test_a_run_against_the_wall_clock_cannot_be_asked(recorded: Recorded) -> None:
    """The names of its tree are recorded; for the rest the reason is given."""
    with SessionReader(recorded("realize", 1_000_000, "time.mode=realtime")) as reader:
        recording = Recording(reader)
        assert 'dev: virtio-net-device, id ""' in asked(recording, reader.last_seq, "info qtree")[0].output
        with pytest.raises(CommandError, match=r"<unknown>: .*: its time went with the wall clock"):
            asked(recording, reader.last_seq, "info network")
        with pytest.raises(SessionError, match="wall clock"):
            MonitorAt(reader).answer(reader.last_seq, "info network")


def test_an_answer_that_takes_long_ends_when_told(ping: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who interrupts the console interrupts the run that is made again."""
    monitor = MonitorAt(ping.reader)
    began = Rerun.turn

    def turn(run: Rerun) -> bool:
        monitor.interrupt()
        return began(run)

    monkeypatch.setattr(Rerun, "turn", turn)
    monkeypatch.setattr(replay, "_LOOK_TURNS", 1)
    with pytest.raises(SessionError, match="interrupted on the way"):
        monitor.answer(ping.reader.last_seq, "info qtree")
    monkeypatch.undo()
    assert "net0" in (monitor.answer(ping.reader.last_seq, "info network") or "")
