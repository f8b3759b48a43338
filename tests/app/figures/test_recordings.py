"""Recordings for figures: made once, named by what they depend on, the same on any clock; and names for figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ringscope.figures import cache_key
from ringscope.figures.cache_key import key
from ringscope.figures.recordings import Recordings, is_session
from ringscope.figures.spec import Callout, FigureSpec, TextSpec
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.errors import SessionError
from tests.app.synthetic import make_session

SCENARIO = 'name = "small"\nseed = 3\nnetdev = ["responder,id=h0"]\ndevice = ["virtio-net-pci,netdev=h0,id=net0"]\n[run]\nduration = "20ms"\n'


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """A scenario of one's own."""
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    return path


def test_a_scenario_is_run_once(scenario: Path, tmp_path: Path) -> None:
    """By one process and by the next, until it is edited; nothing else is left in the folder."""
    folder = tmp_path / "kept"
    with Recordings(folder) as first:
        reader = first.open(str(scenario))
        assert first.open(str(scenario)) is reader
        assert first.recorded == 1
    with Recordings(folder) as second:
        assert second.open(str(scenario)).last_seq == reader.last_seq
        assert second.recorded == 0
        assert second.open(str(scenario), ["seed=4"]).meta["seed"] == 4
    assert len(list(folder.iterdir())) == 2
    scenario.write_text(SCENARIO.replace("20ms", "30ms"))
    with Recordings(folder) as third:
        assert third.open(str(scenario)).last_vt == 30_000_000
        assert third.recorded == 1


def test_a_machine_that_is_not_built_is_named(tmp_path: Path) -> None:
    """QEMU's message, and nothing kept; a failure that the scenario expects is what it is about."""
    folder = tmp_path / "kept"
    with Recordings(folder) as recordings:
        with pytest.raises(InputError, match=r"^scenario: 'default' is not allowed; .*: -device nonsense: 'nonsense' is not a valid device model name"):
            recordings.open("default", ["device=nonsense"])
        assert list(folder.iterdir()) == []
        assert recordings.open("bad-option").last_seq > 0


def test_digests_follow_what_is_recorded(scenario: Path, tmp_path: Path) -> None:
    """Content counts, not where it lies or how it was asked for."""
    other = tmp_path / "elsewhere.toml"
    other.write_text(f"# the same\n{SCENARIO}")
    with Recordings() as recordings:
        mine = recordings.digest(str(scenario))
        assert recordings.digest(str(other)) == mine
        assert recordings.digest(str(other), ["seed=3"]) == mine
        assert recordings.digest(str(other), ["seed=4"]) != mine
        assert recordings.recorded == 0
        capture = recordings.digest("pcap-replay")
    assert capture != mine


def test_a_session_is_taken_as_it_is(tmp_path: Path) -> None:
    """Its content is its digest; settings change scenarios only."""
    path = make_session(tmp_path / "s.ringscope", turns=3)
    with Recordings() as recordings:
        assert recordings.path(str(path)) == path
        before = recordings.digest(str(path))
        with pytest.raises(InputError, match=r"^set: 'seed=1' is not allowed; nothing"):
            recordings.path(str(path), ["seed=1"])
    make_session(path, turns=4)
    with Recordings() as recordings:
        assert recordings.digest(str(path)) != before
        with pytest.raises(SessionError):
            recordings.digest(str(tmp_path / "missing.ringscope"))
        with pytest.raises(InputError, match=r"^scenario: "):
            recordings.digest("nosuch")
    assert is_session(str(path))
    assert not is_session("default")


def test_the_wall_clock_stands_with_virtual_time(scenario: Path) -> None:
    """How quick this machine is, and when it was, shows nowhere."""
    with Recordings() as one, Recordings() as two:
        a, b = one.open(str(scenario)), two.open(str(scenario))
        events = a.events(0, a.last_seq)
        assert len(events) > 1000
        assert np.array_equal(events["wall"], events["vt"])
        assert np.array_equal(events, b.events(0, b.last_seq))
        assert a.keyframes().tolist() == b.keyframes().tolist()
        assert all(frame[1] == frame[2] for frame in a.keyframes().tolist())
        counters = a.counters(0, a.last_vt)
        assert counters.vt.tolist() == counters.wall.tolist()
        assert a.meta["started"] == b.meta["started"]


def test_keys_tell_figures_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any word, the file's type, the recording and the program make another key; where things lie does not."""
    spec = FigureSpec("a/default.toml", "rings")
    mine = key(spec, "source", ".svg")
    assert key(FigureSpec("b/default.toml", "rings"), "source", ".SVG") == mine
    others = [spec.with_(at="1ms"), spec.with_(callouts=(Callout("a", "b"),)), spec.with_(scale=2.0), spec.with_(filter="kind == kick"), spec.with_(lang="zh")]
    keys = {mine, key(spec, "other", ".svg"), key(spec, "source", ".pdf"), key(TextSpec("default.toml", view="rings"), "source", ".svg")}
    keys |= {key(other, "source", ".svg") for other in others}
    assert len(keys) == 9
    layout = tmp_path / "layout.json"
    layout.write_text("one")
    with_layout = key(spec.with_(layout=str(layout)), "source", ".svg")
    layout.write_text("two")
    assert key(spec.with_(layout=str(layout)), "source", ".svg") != with_layout
    monkeypatch.setattr(cache_key, "program_digest", lambda: "another program")
    assert key(spec, "source", ".svg") != mine


def test_the_programs_digest_reads_what_draws(tmp_path: Path) -> None:
    """A changed source changes it; caches of the interpreter and what is left out do not."""
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "a.py").write_text("one")
    before = cache_key._files(tmp_path, frozenset(("cli",)), (".py",))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.py").write_text("cached")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "b.py").write_text("verb")
    (tmp_path / "views" / "notes.txt").write_text("no source")
    assert cache_key._files(tmp_path, frozenset(("cli",)), (".py",)) == before
    (tmp_path / "views" / "a.py").write_text("two")
    assert cache_key._files(tmp_path, frozenset(("cli",)), (".py",)) != before
