"""The process that draws: its answers, what becomes of defects, of its end, and of a fork."""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from pathlib import Path

import pytest

from ringscope.figures.recordings import Recordings
from ringscope.figures.spec import FigureSpec
from ringscope.sphinx.worker import Jobs, answer, figure_spec
from ringscope.sphinx.worker_link import Defect, WorkerLink, WrongInput
from ringscope.sphinx.workshop import Workshop

pytest.importorskip("sphinx", reason="Sphinx is not installed (extra sphinx)")


@pytest.fixture
def link(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A process of one test."""
    found = WorkerLink(tmp_path)
    yield found
    found.close()


def test_a_specification_survives_the_way() -> None:
    """What is made plain for JSON is the same value again."""
    from ringscope.figures.spec import parse_callout

    spec = FigureSpec("realize", "rings", size=(400, 300), scale=2.0, callouts=(parse_callout("desc:5:a: b"), parse_callout("part:x:y")))
    plain = asdict(spec)
    plain["size"] = list(plain["size"])
    plain["callouts"] = [list(callout) for callout in plain["callouts"]]
    assert figure_spec(plain) == spec


def test_wrong_input_and_defects_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person's mistake is a sentence; a defect of ours has its traceback in the log."""
    with Recordings(tmp_path) as recordings:
        jobs = Jobs(recordings)
        said = answer(jobs, '{"do": "facts", "source": "gone"}')
        assert list(said) == ["wrong"] and said["wrong"].startswith("scenario: 'gone' is not allowed; one of")
        assert capsys.readouterr().err == ""
        assert answer(jobs, '{"do": "no_such_job"}')["defect"].startswith("AttributeError")
        assert "Traceback" in capsys.readouterr().err


def test_answers_and_mistakes(link: WorkerLink) -> None:
    """One process answers all; a mistake does not end it."""
    types = link.ask("types", source="", profile="4.1")
    assert any(row["name"] == "virtio-net-device" for row in types)
    with pytest.raises(WrongInput, match="scenario: 'gone' is not allowed"):
        link.ask("facts", source="gone")
    assert link.ask("types", source="", profile="7.2") != types


def test_a_process_that_dies_is_told_and_replaced(link: WorkerLink) -> None:
    """As when a library crashes."""
    link.ask("types", source="", profile="4.1")
    assert link._process is not None
    os.kill(link._process.pid, signal.SIGKILL)
    link._process.wait()
    with pytest.raises(Defect, match="drawing process ended with code -9"):
        link.ask("types", source="", profile="4.1")
    assert link.ask("types", source="", profile="4.1")


def test_it_ends_with_its_input(link: WorkerLink) -> None:
    """Nothing is left running when a build goes, however it goes."""
    link.ask("types", source="", profile="4.1")
    process = link._process
    assert process is not None
    link.close()
    assert process.returncode == 0


def test_the_cache_keeps_no_unused_files(tmp_path: Path) -> None:
    """What no build used for long goes; the rest stays."""
    from ringscope.sphinx import workshop
    from ringscope.sphinx.settings import Settings

    settings = Settings("svg", "light", (400, 300), 1.0, "en", "", "", "", "4.1")
    made = Workshop(settings, tmp_path / "cache")
    place = made._place("figures", "new.svg")
    place.write_text("new")
    old = place.with_name("old.svg")
    old.write_text("old")
    long_ago = old.stat().st_mtime - 2 * workshop.KEPT_DAYS * 86400
    os.utime(old, (long_ago, long_ago))
    made.close()
    assert place.is_file() and not old.exists()
    assert (tmp_path / "cache" / ".gitignore").read_text() == "*\n"


def test_the_page_lists_every_system_package() -> None:
    """`docs/sphinx.md` names what Qt needs, as the set-up knows it."""
    from tools.system_packages import QT_LIBRARIES

    page = (Path(__file__).resolve().parents[3] / "docs" / "sphinx.md").read_text()
    command = page[page.index("apt-get install") :].partition("```")[0]
    assert set(command.replace("\\", " ").split()[2:]) == set(QT_LIBRARIES.values())


def test_style_sheets_ask_for_one_thing() -> None:
    """``not`` in a media query is of the whole query, so that the dark picture would show on light pages too."""
    from ringscope_resources import path

    sheets = list(path("sphinx").glob("*.css"))
    assert len(sheets) > 1
    for text in (sheet.read_text() for sheet in sheets):
        assert "@media screen" in text and "@media not" not in text
