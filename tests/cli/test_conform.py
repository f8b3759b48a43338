"""``ringscope conform`` from the outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conform.cases import GOOD, WRONG, case, write


def run(*args: object, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ringscope", "conform", *map(str, args)], capture_output=True, text=True, timeout=120, check=False, **more)


def test_the_five_numbers(tmp_path: Path) -> None:
    write(tmp_path / "a.json", case(GOOD), case(WRONG, "t-1"), case([["died", -6, ["x"]]], "t-2"))
    write(tmp_path / "b.jsonl.gz", case(GOOD, since="8.0"))
    done = run(tmp_path, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert {key: found[key] for key in ("cases", "equal", "different", "deviations", "skipped")} == {
        "cases": 4,
        "equal": 1,
        "different": 1,
        "deviations": 1,
        "skipped": 1,
    }
    assert [Path(one["path"]).name for one in found["files"]] == ["a.json", "b.jsonl.gz"]
    assert found["files"][0]["different_cases"][0]["case"] == "t-1"


def test_what_agrees_exits_0_and_prints_a_table(tmp_path: Path) -> None:
    done = run(write(tmp_path / "a.json", case(GOOD)))
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].split() == ["deviation", "'survives-abort'", "matched", "nothing"]
    assert "in all" in done.stdout


def test_only_some_and_another_list(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", case(GOOD), case(WRONG, "t-1"))
    assert run(path, "--only", "t-0").returncode == 0
    allowed = tmp_path / "d.toml"
    allowed.write_text('[[deviation]]\nname = "all"\nwhere = "."\nwhy = "a test"\n')
    assert run(path, "--deviations", allowed).returncode == 0


def test_show(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", case(GOOD), case(WRONG, "t-1"))
    done = run(path, "--show", "t-1")
    assert done.returncode == 0
    assert ">>>" in done.stdout
    assert "ours: 0x1" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["none.json"],
        [],
        ["a.json", "--profile", "5.0"],
        ["a.json", "--show", "nobody"],
        ["a.json", "--deviations", "none.toml"],
        ["a.json", "--count", "3"],
        ["a.json", "--live"],
        ["--live", "--for", "soon"],
        ["cut.json.gz"],
        ["empty"],
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path / "a.json", case(GOOD))
    whole = write(tmp_path / "b.json.gz", case(GOOD)).read_bytes()
    (tmp_path / "cut.json.gz").write_bytes(whole[:-9])
    (tmp_path / "empty").mkdir()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_without_a_qemu_live_says_what_to_do(tmp_path: Path) -> None:
    done = run("--live", "--count", "1", env={"PATH": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)})
    assert done.returncode == 2
    assert "qemu-system-x86_64" in done.stderr
    assert len(done.stderr.splitlines()) == 1
