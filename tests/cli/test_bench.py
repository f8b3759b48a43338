"""``ringscope bench``: what can be asked for, and what cannot."""

from __future__ import annotations

import pytest

from ringscope.cli.main import main


def ask(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        main(["bench", *args])
    out, err = capsys.readouterr()
    return int(done.value.code or 0), out, err


@pytest.mark.parametrize("option", [["--markdown"], ["--only", "tx"], ["--update", __file__]])
def test_options_of_the_comparison_need_it(capsys: pytest.CaptureFixture[str], option: list[str]) -> None:
    code, out, err = ask(capsys, *option)
    assert (code, out) == (2, "")
    assert f"{option[0]}: it needs --against-qemu" in err


def test_without_qemu_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGSCOPE_QEMU", "/no/such/qemu")
    code, out, err = ask(capsys, "--against-qemu")
    assert (code, out) == (2, "")
    assert "qemu-system-x86_64 is not installed" in err
    assert err.count("\n") == 1


def test_a_name_that_no_case_has_is_refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringscope_core.conform.live.qemu_process.qemu_version", lambda: "7.2.22")
    code, out, err = ask(capsys, "--against-qemu", "--only", "carrier pigeon")
    assert (code, out) == (2, "")
    assert "no case's name holds 'carrier pigeon'" in err
