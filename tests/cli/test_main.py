"""The loader: verbs are found without loading them, and wrong input is one line and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ringscope.cli.main import VERBS, is_input_error, main
from ringscope_core import __version__
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError

QT_FREE = """
import json, sys
from ringscope.cli.main import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as done:
    code = done.code
heavy = sorted({name.split(".")[0] for name in sys.modules} & {"PySide6", "shiboken6", "PySide6QtAds", "pyqtgraph", "numpy", "networkx"})
print("\\n" + json.dumps([code, heavy]))
"""


def run(*args: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "ringscope", *args], check=False, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def loaded(*args: str) -> tuple[int, list[str]]:
    """The exit code, and which heavy packages a verb imported."""
    done = subprocess.run([sys.executable, "-c", QT_FREE, json.dumps(args)], check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout, done.stderr
    code, heavy = json.loads(done.stdout.splitlines()[-1])
    return code, heavy


def test_version_and_help_load_nothing() -> None:
    assert run("--version") == (0, f"ringscope, version {__version__}\n", "")
    assert loaded("--version") == (0, [])
    assert loaded("--help") == (0, [])


@pytest.mark.parametrize(
    "args",
    [
        ["types"],
        ["qtree"],
        ["scenarios"],
        ["bt", "realize", "--at", "virtio_net_device_realize"],
        ["run", "ping", "--headless", "--packets", "3", "--json"],
        ["run", "realize", "--json"],
    ],
)
def test_headless_verbs_never_import_qt(args: list[str]) -> None:
    code, heavy = loaded(*args)
    assert code == 0
    assert set(heavy) <= {"numpy"}


def test_every_verb_has_a_module_with_a_command() -> None:
    for verb in VERBS:
        module = __import__(f"ringscope.cli.{verb}", fromlist=["command"])
        assert isinstance(module.command, click.Command), verb


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["dance"], "ringscope: 'dance' is no verb; one of window, open, run, "),
        (["run"], "ringscope: run: Missing argument 'SCENARIO'."),
        (["run", "no-such", "--json"], "ringscope: scenario: 'no-such' is not allowed; one of default, realize, ping"),
        (["run", "ping", "--json", "--for", "soon"], "ringscope: run: Invalid value for '--for'"),
        (["run", "ping", "--json", "--for", "-3s"], "ringscope: run: Invalid value for '--for'"),
        (["run", "ping", "--json", "--packets", "0"], "ringscope: run: Invalid value for '--packets'"),
        (["run", "ping", "--json", "--speed", "-1"], "ringscope: run: Invalid value for '--speed'"),
        (["run", "ping", "--json", "--trace", "all"], "ringscope: run: Invalid value for '--trace'"),
        (["run", "ping", "--json", "--set", "nonsense"], "ringscope: --set: 'nonsense' is not allowed"),
        (["run", "ping", "--json", "--set", "driver.event_idx=maybe"], "ringscope: driver.event_idx: 'maybe' is not allowed"),
        (["run", "pcap-replay", "--json", "--set", "pcap=/no/such.pcap"], "-netdev pcap,id=hostnet0"),
        (["run", "ping", "--json", "--record", "/no/such/folder/a.ringscope"], "ringscope: session /no/such/folder/a.ringscope: cannot be created"),
        (["bt", "realize", "--at", "no_such_function"], "ringscope: function: 'no_such_function' is not allowed"),
        (["bt", "realize", "--at", "virtio_net_handle_mq"], "ringscope: --at: 'virtio_net_handle_mq' is not allowed"),
        (["open", "/no/such.ringscope"], "ringscope: "),
    ],
)
def test_wrong_input_is_one_line(args: list[str], line: str) -> None:
    code, out, err = run(*args)
    assert code == 2, (out, err)
    assert err.startswith(line), err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_which_errors_are_the_users() -> None:
    assert is_input_error(InputError("a", "b", "c"))
    assert is_input_error(SessionError("a", "b"))
    assert not is_input_error(ValueError("x"))


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import ringscope.cli.scenarios as verb

    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(verb, "command", click.Command("scenarios", callback=broken))
    with pytest.raises(RuntimeError, match="a defect"):
        main(["scenarios"])


@pytest.mark.parametrize("record", ["", "/dev/null"])
def test_a_recording_replaces_files_only(record: str) -> None:
    code, _, told = run("run", "ping", "--headless", "--for", "10ms", "--record", record)
    assert code == 2
    assert "cannot be created (not the name of a file)" in told and "Traceback" not in told


def test_an_expected_error_that_does_not_come_is_a_failure(tmp_path: Path) -> None:
    scenario = tmp_path / "expects.toml"
    scenario.write_text('name = "expects"\ntitle = "t"\nexpect_error = "no such text"\nnetdev = ["responder,id=n"]\ndevice = ["virtio-net-pci,netdev=n"]\n')
    code, _, told = run("run", str(scenario), "--headless", "--for", "1ms")
    assert code == 2
    assert "the error that expects expects did not come: no such text" in told


def test_what_the_guest_and_the_backend_complain_of_is_in_the_report(tmp_path: Path) -> None:
    """A driver that does not bind, and a capture that is cut, are told; neither is passed over."""
    whole = Path(__file__).parents[2] / "resources" / "captures" / "mixed.pcap"
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(whole.read_bytes()[:100_000])
    code, out, _ = run("run", "pcap-replay", "--set", f"pcap={cut}", "--headless", "--json")
    assert code == 0
    assert any("is cut at byte 100000" in line for line in json.loads(out)["messages"])
    legacy_only = ("--device", "virtio-net-pci,netdev=hostnet0,disable-modern=on", "--set", "driver.transport=modern")
    _, out, _ = run("run", "udp-echo", "--headless", "--for", "20ms", "--json", *legacy_only)
    report = json.loads(out)
    assert report["complete"] is False
    assert any("no capability of type 1" in line for line in report["messages"])
