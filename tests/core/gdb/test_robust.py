"""Whatever is typed, and wherever one stands: an answer, or one line of complaint."""

from __future__ import annotations

import random

import pytest

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.words import WORDS
from tests.core.gdb.conftest import Open

WORDS_LEFT_OUT = frozenset(("quit", "source", "directory", "match", "complete"))
"""What would leave, or read files."""
ARGUMENTS = ["", "1", "-1", "0", "n", "*n", "n->vqs[0]", "n->vqs[99]", "dev", "errp", "*errp", "$net0", "*$tx0", "$1", "$"]
ARGUMENTS += ["virtio_init", "virtio_init:5", "virtio-net.c:2660", "/x n", "/16xb n", "/3s name", "/2i 5", "/999999999xb 1"]
ARGUMENTS += ["#5", "#-1", "1s", "end", "packet:1", "mark:x", "kick", "if", "virtio_init if n", "a b c", "(((", '"', "\0", "é"]
ARGUMENTS += ["function main", "once 1", "1-3", "pretty on", "var $x = 1", "(struct Object *)n", "sizeof(n)", "n = 1", "x" * 300]
ARGUMENTS += ["^virtio", "[", "/machine", "99999999999999999999"]


@pytest.mark.parametrize("seed", range(4))
def test_any_line_is_answered(open_console: Open, seed: int) -> None:
    console = open_console("ping")
    rng = random.Random(seed)
    names = sorted(set(WORDS) - WORDS_LEFT_OUT)
    for _ in range(250):
        line = f"{rng.choice(names)} {rng.choice(ARGUMENTS)}"
        try:
            printed = console.execute(line)
        except ConsoleError as error:
            assert str(error), line
        else:
            assert isinstance(printed, str), line
        if console.prompt == ">":
            console.execute("end")
        if len(console.inferior.points()) > 5 or len(console.displays) > 3:
            console.execute("delete")
            console.execute("undisplay")


def test_errors_of_calls(open_console: Open) -> None:
    """What an Error ** points at: null, then the message."""
    console = open_console("bad-option", "catch error_set", "run")
    console.execute("f 0")
    names = [name for name, _ in console.frame.arguments]
    assert "errp" in names
    assert "rx_queue_size" in console.execute("p (*errp)->msg") or "Invalid" in console.execute("p (*errp)->msg")
    first = open_console("realize", "b virtio_net_device_realize", "run")
    assert first.execute("p *errp") == "$1 = (Error *) 0x0"
    with pytest.raises(ConsoleError, match="Cannot access memory at address 0x0"):
        first.execute("p (*errp)->msg")
