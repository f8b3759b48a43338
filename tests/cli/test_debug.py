"""`ringscope debug`: a run and a recording, from scripts, from a pipe, and at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def debug(*args: str, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "ringscope", "debug", *args], check=False, capture_output=True, text=True, timeout=120, input=stdin)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that the console itself made."""
    file = tmp_path_factory.mktemp("debug") / "realize.ringscope"
    code, _, err = debug("realize", "--batch", "-o", str(file), "-ex", "delete", "-ex", "c")
    assert (code, err) == (0, "")
    return file


@pytest.mark.slow
def test_the_shipped_walk() -> None:
    code, out, err = debug("realize", "--batch", "--echo", "-x", "realize-walk", "-x", "realize-walk-back")
    assert (code, err) == (0, "")
    assert "(gdb) print *obj\n$1 = {class = 0x5555563d1790, free = 0x0, properties = 0x555557267c60, ref = 2, parent = 0x555557293140}\n" in out
    assert "hit Breakpoint 1, virtio_net_device_realize (dev=0x55555729b2b0, errp=0x7fffffffe1f0)" in out
    assert "No more reverse-execution history." in out.splitlines()[-2]


def test_batch_says_in_its_exit_code_that_something_was_wrong() -> None:
    code, out, err = debug("realize", "--batch", "-ex", "p 1", "-ex", "bogus", "-ex", "p 2")
    assert (code, out, err) == (1, "$1 = 1\n$2 = 2\n", 'Undefined command: "bogus".  Try "help".\n')


def test_a_script_ends_at_its_first_error(tmp_path: Path, session: Path) -> None:
    script = tmp_path / "walk.gdb"
    script.write_text("p 1\nbogus\np 2\n")
    code, out, err = debug(str(session), "--batch", "-x", str(script))
    assert (code, out) == (1, "$1 = 1\n")
    assert err == f'{script}:2: Undefined command: "bogus".  Try "help".\n'


def test_a_recording_from_a_pipe(session: Path) -> None:
    code, out, err = debug(str(session), stdin="b virtio_init\nrun\nbogus\nbt 1\ndelete\nquit\np 5\n")
    assert code == 0
    assert "hit Breakpoint 1, virtio_init (" in out
    assert out.splitlines()[-2].startswith("#0  virtio_init (vdev=0x55555729b2b0, ")
    assert out.splitlines()[-1] == "(More stack frames follow...)"
    code, out, _ = debug(str(session), "--batch", "-ex", "tb virtio_init", "-ex", "run", "-ex", "bt 1")
    assert code == 0 and out.splitlines()[-1].startswith("#0  virtio_init ("), "nobody reads along, and gdb does not say it"
    assert err == 'Undefined command: "bogus".  Try "help".\n'


def test_a_recording_keeps_its_breakpoints(session: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGSCOPE_DATA", str(tmp_path))
    assert debug(str(session), "--batch", "-ex", "delete", "-ex", "b virtio_add_queue", "-ex", "ignore 1 2")[0] == 0
    code, out, _ = debug(str(session), "--batch", "-ex", "info b", "-ex", "run")
    assert code == 0 and "ignore next 2 hits" in out and "queue_size=64" in out
    assert debug(str(session), "--batch", "-ex", "delete")[0] == 0
    assert debug(str(session), "--batch", "-ex", "info b")[1] == "No breakpoints or watchpoints.\n"


@pytest.mark.parametrize(
    "args, expected",
    [
        (["nothing"], "nothing"),
        (["no.ringscope"], "no.ringscope"),
        (["realize", "-x", "no-such-script"], "no-such-script"),
        (["realize", "--set", "nothing=1"], "nothing"),
    ],
)
def test_wrong_input_is_one_line(args: list[str], expected: str) -> None:
    code, out, err = debug(*args, "--batch")
    assert (code, out) == (2, "")
    assert expected in err and err.count("\n") == 1


def test_a_device_that_cannot_be_made() -> None:
    code, out, _ = debug("realize", "--device", "virtio-net-pci,netdev=nobody", "--batch", "-ex", "run")
    assert code == 0
    assert out.startswith("[The run ended: ") and "nobody" in out


@pytest.mark.slow
def test_a_live_run_in_the_past_and_back(tmp_path: Path) -> None:
    script = tmp_path / "ping.gdb"
    lines = [
        "b virtio_net_set_status if status & 4",
        "c",
        "p n->parent_obj.status",
        "delete",
        "packet",
        "set var $here = $seq",
        "rc",
        "goto end",
        "p $seq == $here",
    ]
    lines += ["x/1xw 0x0", "packet", "reverse-packet", "p $seq == $here", "set var $net0->vdev.status = 0", "stepi 200", "p $net0->vdev.status"]
    script.write_text("\n".join(lines) + "\n")
    code, out, err = debug("ping", "--batch", "-x", str(script))
    assert "$2 = 1\n" in out and "$3 = 1\n" in out
    # the cursor was in the past: a change is refused there
    assert "the cursor is in the past" in err and code == 1


@pytest.mark.slow
def test_setting_what_may_be_set(tmp_path: Path) -> None:
    script = tmp_path / "link.gdb"
    script.write_text("packet\nset var $net0->vdev.status = 0\nstepi 500\np $net0->vdev.status\nset var $net0->vdev.parent_obj.status = 0\n")
    code, out, err = debug("ping", "--batch", "-x", str(script))
    assert "$1 = 0\n" in out
    assert "device's fields follow from what its driver does" in err and code == 1


@pytest.mark.slow
def test_a_terminal_and_control_c(tmp_path: Path) -> None:
    """Ctrl-C stops the run, not the console; quit ends both."""
    master, slave = pty.openpty()
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ringscope", "debug", "default"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        close_fds=True,
    )
    os.close(slave)
    said = ""

    def until(text: str) -> None:
        nonlocal said
        deadline = time.monotonic() + 60
        while text not in said:
            assert time.monotonic() < deadline, said
            if select.select([master], [], [], 0.2)[0]:
                said += os.read(master, 65536).decode(errors="replace")

    try:
        until("(gdb) ")
        said = ""
        os.write(master, b"continue\n")
        # the line that is typed is echoed before the run goes on
        time.sleep(1.5)
        os.killpg(process.pid, signal.SIGINT)
        until("received signal SIGINT, Interrupt.")
        said = ""
        os.write(master, b"p 6 * 7\n")
        until("$1 = 42")
        os.write(master, b"quit\n")
        assert process.wait(30) == 0
        assert "p 6 * 7" in (tmp_path / "ringscope" / "debug_history").read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
