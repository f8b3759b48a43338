"""The walk through realize that people do with gdb on a real QEMU: the same commands give the same answers, and back again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringscope_core.engine.start import StartedEngine
from ringscope_core.gdb.console import Console
from ringscope_core.gdb.inferior import LiveInferior
from ringscope_core.query.recording import Recording
from ringscope_core.session.reader import SessionReader
from tests.core.gdb.conftest import Open

ROOT = Path(__file__).resolve().parents[3]
TRANSCRIPT = ROOT / "tests" / "data" / "gdb" / "realize.txt"
"""What gdb printed.  Where the value of `properties` begins, the session's author cut it."""
SCRIPTS = ROOT / "resources" / "scripts"
LONG = {"s": "step", "c": "continue", "bt": "backtrace", "p": "print"}


def script(name: str) -> list[str]:
    return [line for line in (SCRIPTS / name).read_text().splitlines() if line and not line.startswith("#")]


def sections() -> list[tuple[str, str]]:
    """(command, what gdb printed) in order."""
    parts = re.split(r"^\(gdb\) (.*)\n", TRANSCRIPT.read_text(), flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def spelled(command: str) -> str:
    word, _, rest = command.partition(" ")
    return f"{LONG[word]} {rest}".strip()


def numbered(text: str) -> str:
    """Without the places of values in the history."""
    return re.sub(r"^\$\d+ = ", "$N = ", text.strip("\n"), flags=re.MULTILINE)


def answers(console: Console, commands: list[str]) -> dict[str, str]:
    # a script's lines: gdb says to a person alone that there are more frames
    with console.nested():
        return {command: console.execute(command) for command in commands}


def check(given: dict[str, str]) -> None:
    for command, expected in sections():
        got = numbered(given[spelled(command)]).removeprefix("Continuing.\n\n")
        wanted = numbered(expected)
        if wanted.endswith("properties ="):
            assert got.startswith(wanted), command
            got = wanted
        assert got == wanted, command


BACK = ["object_property_set_bool:1336", *(f"virtio_net_pci_realize:{line}" for line in (55, 54, 52))]


def walk_back(console: Console) -> list[str]:
    """Where the walk back stops in functions."""
    stops: list[str] = []
    for line in script("realize-walk-back.gdb"):
        before = console.inferior.seq
        console.execute(line)
        if console.frames and console.inferior.seq != before:
            stops.append(f"{console.frame.shown.function}:{console.frame.shown.line}")
    return stops


def test_the_walk_on_a_run(tmp_path: Path) -> None:
    with StartedEngine("realize", options=["--paused", "--speed", "max", "--trace", "full"]) as engine, SessionReader(engine.session) as reader:
        console = Console(LiveInferior(Recording(reader), engine.client))
        console.execute("goto start")
        first = console.moment.state.comparable()
        console.execute("goto end")
        check(answers(console, script("realize-walk.gdb")))
        assert console.inferior.seq > 1000
        assert walk_back(console) == BACK
        assert console.inferior.seq == console.inferior.first
        assert console.moment.state.comparable() == first
        # the run itself has not moved: forward again over the recording, and on
        console.execute("enable")
        assert "hit Breakpoint 1, virtio_net_device_realize (" in console.execute("continue")


def test_the_walk_on_a_recording(open_console: Open) -> None:
    console = open_console("realize", "break virtio_net_device_realize")
    first = console.moment.state.comparable()
    check(answers(console, script("realize-walk.gdb")))
    assert walk_back(console) == BACK
    assert console.inferior.seq == console.inferior.first
    assert console.moment.state.comparable() == first


@pytest.mark.parametrize("there, back", [("next", "reverse-next"), ("step", "reverse-step"), ("stepi", "reverse-stepi")])
def test_steps_and_steps_back(open_console: Open, there: str, back: str) -> None:
    console = open_console("realize", "break virtio_net_device_realize", "run", "delete")
    seqs = [console.inferior.seq]
    for _ in range(12):
        console.execute(there)
        seqs.append(console.inferior.seq)
    assert seqs == sorted(set(seqs))
    for seq in reversed(seqs[:-1]):
        console.execute(back)
        assert console.inferior.seq == seq
