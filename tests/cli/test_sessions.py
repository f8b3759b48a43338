"""`info`, `verify` and `diff`: output, exit codes, damaged and wrong files."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_main import loaded, run
from tests.core.query.sessions import record


@pytest.fixture(scope="module")
def ping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("sessions") / "ping.ringscope")


def test_info(ping: Path) -> None:
    code, out, err = run("info", str(ping))
    assert (code, err) == (0, "")
    assert "ping: " in out
    assert "losses     none" in out
    assert "frame_tx" in out
    code, out, _ = run("info", str(ping), "--json")
    found = json.loads(out)
    assert (code, found["file"], found["damage"], found["losses"]) == (0, str(ping), None, [])
    assert found["events"] == sum(sum(kinds.values()) for kinds in found["kinds"].values())
    assert 0 < found["bytes_per_event"] < 80
    assert found["size"] == ping.stat().st_size


def test_info_of_a_capture(ping: Path, tmp_path: Path) -> None:
    """What a capture does not tell is not printed as if it were known."""
    assert run("export", str(ping), "-o", str(tmp_path / "a.pcapng"))[0] == 0
    assert run("import", str(tmp_path / "a.pcapng"), "-o", str(tmp_path / "a.ringscope"))[0] == 0
    code, out, _ = run("info", str(tmp_path / "a.ringscope"))
    assert code == 0 and "capture    a.pcapng; frames only" in out and "None" not in out


def test_info_of_a_damaged_file(ping: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    data = bytearray(ping.read_bytes())
    data[4096 * 2 + 50] ^= 1
    path.write_bytes(data)
    code, out, _ = run("info", str(path))
    assert code == 0
    assert "DAMAGED: part of the file is damaged; left out: " in out
    code, out, _ = run("verify", str(path))
    assert code == 1
    assert "is damaged (page 3 is not as written)" in out
    assert json.loads(run("verify", str(path), "--json")[1])["equal"] is False
    code, out, _ = run("diff", str(ping), str(path))
    assert f"{path} is damaged: part of the file" in out


def test_verify(ping: Path, tmp_path: Path) -> None:
    code, out, err = run("verify", str(ping))
    assert (code, err) == (0, "")
    assert out.endswith("\nequal\n")
    found = json.loads(run("verify", str(ping), "--json")[1])
    assert found["equal"] is True
    assert found["compared"] == found["keyframes"] > 1
    changed = tmp_path / "a.ringscope"
    changed.write_bytes(ping.read_bytes())
    database = sqlite3.connect(changed)
    database.execute("DELETE FROM kind WHERE name = 'field'")
    database.commit()
    database.close()
    code, out, _ = run("verify", str(changed))
    assert code == 1
    assert "is not declared" in out
    assert "DIFFERENT: " in out


def test_diff(ping: Path, tmp_path: Path) -> None:
    other = record(tmp_path / "b.ringscope", settings=("driver.mtu=1400",))
    code, out, err = run("diff", str(ping), str(record(tmp_path / "same.ringscope")))
    assert (code, err) == (0, "")
    assert out.startswith("equal: ")
    code, out, err = run("diff", str(ping), str(other))
    assert (code, err) == (1, "")
    assert "events are the same, then: the same event with another value" in out
    assert "driver.mtu: 1500 B | 1400 B" in out
    found = json.loads(run("diff", str(ping), str(other), "--json")[1])
    assert found["a"]["event"]["seq"] == found["common"]
    assert found["after"] == [{"where": found["after"][0]["where"], "old": "1500 B", "new": "1400 B"}]
    assert run("diff", str(ping), str(other), "--ignore", "field")[0] == 1


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["info", "/no/such"], "ringscope: session /no/such: no such file\n"),
        (["verify", __file__], f"ringscope: session {__file__}: is not a Ringscope session\n"),
        (["diff", "{ping}", "/no/such"], "ringscope: session /no/such: no such file\n"),
        (["diff", "{ping}", "{ping}", "--ignore", "nope"], "ringscope: --ignore: 'nope' is not allowed; a kind of event: "),
    ],
)
def test_wrong_input_is_one_line(ping: Path, args: list[str], line: str) -> None:
    code, out, err = run(*[arg.replace("{ping}", str(ping)) for arg in args])
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_no_qt(ping: Path) -> None:
    for args in (["info", str(ping)], ["verify", str(ping)], ["diff", str(ping), str(ping)]):
        code, heavy = loaded(*args)
        assert code in (0, None)
        assert heavy == ["numpy"]
