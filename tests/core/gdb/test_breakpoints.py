"""Breakpoints as gdb keeps them: their numbers, what they announce, what they ignore; and what is said of a stack that goes on."""

from __future__ import annotations

import pytest

from ringscope_core.gdb import places
from ringscope_core.gdb.backtrace import ENTRY_LINES
from ringscope_core.query.matching import FIRST_CHECKPOINTS
from tests.core.gdb.conftest import Open

MORE = "(More stack frames follow...)"


def test_no_number_is_given_twice(open_console: Open) -> None:
    """Not after a temporary one has gone, nor after a deletion, nor when somebody else keeps the list."""
    console = open_console("realize", "b virtio_add_queue", "tb virtio_init", "run")
    assert [point.id for point in console.inferior.points()] == [1]
    assert console.execute("b virtio_init").startswith("Breakpoint 3 at ")
    console.execute("delete")
    console.inferior.set_points(())
    assert console.execute("tb main").startswith("Temporary breakpoint 4 at ")
    assert open_console("realize").execute("b main").startswith("Breakpoint 1 at "), "another console counts for itself"


@pytest.mark.parametrize("known", [True, False], ids=["recorded", "nothing has run"])
@pytest.mark.parametrize("name", [*FIRST_CHECKPOINTS, *ENTRY_LINES])
def test_it_announces_where_it_stops(open_console: Open, monkeypatch: pytest.MonkeyPatch, name: str, known: bool) -> None:
    if not known:
        monkeypatch.setattr(places, "_entries", lambda console, spec: ())
    console = open_console("realize")
    said = console.execute(f"b {name}")
    path, line = said.removesuffix(".").split(": file ")[1].split(", line ")
    assert console.execute("info b").endswith(f" in {name} at {path}:{line}")
    assert f" at {path}:{line}\n" in console.execute("run")


def test_a_part_of_the_stack_says_that_there_is_more(open_console: Open) -> None:
    console = open_console("realize", "b virtio_net_device_realize", "run")
    depth = len(console.frames)
    assert console.execute("bt 3 full").splitlines()[-1] == MORE
    assert console.execute(f"bt {depth - 1}").splitlines()[-1] == MORE
    for line in ("bt", f"bt {depth}", f"bt {depth + 1}", "bt -3"):
        assert MORE not in console.execute(line)
    for line in ("commands 1", "bt 3", "end"):
        console.execute(line)
    text = console.execute("run")
    assert "\n#2 " in text and MORE not in text, "commands are a script, and gdb does not say it to one"


def test_what_is_ignored_is_counted_from_where_a_recording_is_run_again(open_console: Open) -> None:
    console = open_console("realize", "b virtio_add_queue", "run")
    inferior = console.inferior
    places_hit = [inferior.seq]
    for _ in range(2):
        console.execute("c")
        places_hit.append(inferior.seq)
    first, second, third = places_hit
    console.execute("ignore 1 1")
    console.execute("run")
    assert inferior.seq == second
    assert "ignore next" not in console.execute("info b"), "it has passed what it had to"
    console.execute("run")
    assert inferior.seq == first
    console.execute("ignore 1 3")
    assert "\tignore next 3 hits" in console.execute("info b")
    inferior.goto(second)
    assert "\tignore next 2 hits" in console.execute("info b")
    console.execute("run")
    assert inferior.seq == third
