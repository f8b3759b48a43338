"""The set-up does nothing twice, and says which step failed and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import setup_env, system_packages
from tools.setup_env import Setup, StepFailed


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A set-up whose stamps lie in a folder of the test."""
    monkeypatch.setattr(setup_env, "STAMP", tmp_path / "stamp.json")
    return Setup([])


def test_a_step_runs_once_for_a_digest(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[str] = []
    setup._step(3, "things", "things", ["digest-a"], lambda: calls.append("a"))
    setup._step(3, "things", "things", ["digest-a"], lambda: calls.append("again"))
    Setup([])._step(3, "things", "things", ["digest-a"], lambda: calls.append("new process"))
    setup._step(3, "things", "things", ["digest-b"], lambda: calls.append("b"))
    assert calls == ["a", "b"]
    assert capsys.readouterr().out.count("[3/5] things\n") == 2


def test_a_part_of_what_was_done_is_done(setup: Setup) -> None:
    calls: list[str] = []
    setup._step(3, "things", "things", ["a", "b"], lambda: calls.append("a b"), keep=True)
    setup._step(3, "things", "things", ["b"], lambda: calls.append("b"), keep=True)
    setup._step(3, "things", "things", ["c"], lambda: calls.append("c"), keep=True)
    setup._step(3, "things", "things", ["a", "c"], lambda: calls.append("a c"), keep=True)
    assert calls == ["a b", "c"]


def test_a_failed_step_is_named_with_advice_and_not_stamped(setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise StepFailed("it broke", "mend it")

    with pytest.raises(SystemExit) as ended:
        setup._step(4, "the thing", "thing", ["digest"], fail)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "\nFAILED: step 4 of 5, the thing: it broke\nWhat to do: mend it\n"
    assert not setup_env.STAMP.exists()


def test_stamps_of_a_moved_checkout_do_not_count(setup: Setup) -> None:
    setup._step(3, "things", "things", ["digest"], lambda: None)
    stamps = json.loads(setup_env.STAMP.read_text())
    setup_env.STAMP.write_text(json.dumps({**stamps, "root": ["/elsewhere"]}))
    assert Setup([]).stamps == {}


def test_damaged_stamps_do_not_count(setup: Setup) -> None:
    setup_env.STAMP.write_text("{")
    assert Setup([]).stamps == {}


def test_missing_packages_are_named_to_who_is_not_root(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "QT_LIBRARIES", {"libc.so.6": "libc6", "libnosuch.so.9": "libnosuch9"})
    monkeypatch.setattr(setup_env, "can_install_debian", lambda: False)
    with pytest.raises(StepFailed) as failed:
        setup.install_system_packages()
    assert failed.value.what == "missing libnosuch9"
    assert failed.value.advice.endswith("sudo apt-get install libnosuch9")


def test_a_library_that_loads_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "QT_LIBRARIES", {"libc.so.6": "libc6"})
    assert system_packages.missing_libraries() == []


def test_extras_are_among_the_requirements() -> None:
    plain, tested = Setup([]).requirements(), Setup(["test"]).requirements()
    assert set(plain) < set(tested)
    assert any(requirement.startswith("pytest-qt") for requirement in set(tested) - set(plain))


def test_without_latex_its_packages_are_named_and_nothing_is_installed(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages.shutil, "which", lambda program: None)
    packages = system_packages.missing_latex()
    assert {"texlive-xetex", "latexmk", "texlive-latex-extra", "texlive-lang-chinese"} <= set(packages)
    monkeypatch.setattr(setup_env, "missing_libraries", list)
    monkeypatch.setattr(setup_env, "missing_build_tools", list)
    monkeypatch.setattr(setup_env, "can_install_debian", lambda: False)
    assert setup.missing() == []
    wanting = Setup([], ["latex"])
    assert wanting.missing() == packages
    with pytest.raises(StepFailed) as failed:
        wanting.install_system_packages()
    assert failed.value.what == f"missing {' '.join(packages)}"
    assert "sudo apt-get install texlive-xetex latexmk" in failed.value.advice
