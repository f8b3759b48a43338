"""``ringscope branch`` and what ``ringscope info`` says of a branch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ringscope.cli.main import cli


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, list(args), standalone_mode=False)
    if result.exception is not None:
        return 2, str(result.exception)
    return 0, result.output


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "run.ringscope"
    assert run("run", "ping", "--headless", "--for", "300ms", "--record", str(path))[0] == 0
    return path


def test_a_branch_lies_beside_its_parent(recording: Path) -> None:
    code, text = run("branch", str(recording), "--at", "150ms", "--change", "link net0 off")
    assert code == 0
    out = recording.with_name("run-branch-1.ringscope")
    assert text.startswith(f"{out}: link net0 off\n")
    assert "events as recorded, changed before event" in text
    assert f"ringscope diff {recording} {out}" in text
    code, text = run("info", str(out))
    assert "branch     of run (" in text
    assert ": link net0 off" in text


def test_what_came_of_it_as_json(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.ringscope"
    code, text = run(
        "branch", str(recording), "--at", "end", "--change", '{"kind": "action", "arguments": {"do": "reset"}}', "-o", str(out), "--for", "50ms", "--json"
    )
    assert code == 0
    found = json.loads(text)
    assert found["session"] == str(out)
    assert found["change"]["arguments"] == {"do": "reset"}
    assert found["compared"] == found["took_effect"] < found["events"]
    assert found["vt"] >= 350_000_000


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("--change", "bogus"), "change: 'bogus' is not allowed; one of none, inject"),
        (("--at", "9s"), "--at: '9000000000 ns' is not allowed; a time up to"),
        (("--at", "mark:x"), "one of the marks"),
        (("--for", "never"), "never"),
        (("--trace", "loud"), "loud"),
        (("--change", "link nobody off"), "Device 'nobody' not found"),
        (("--change", "{"), "--change"),
    ],
)
def test_mistakes_are_one_line(recording: Path, tmp_path: Path, args: tuple[str, ...], error: str) -> None:
    code, text = run("branch", str(recording), "-o", str(tmp_path / "x.ringscope"), *args)
    assert code == 2
    assert error in text
    assert not list(tmp_path.iterdir())
