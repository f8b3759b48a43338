"""The thread beside the window, and searches in it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from ringscope.back_thread import BackThread
from ringscope.searches import Searches
from ringscope.store import Store
from ringscope_core.session.reader import SessionReader
from ringscope_core.trace.kinds import EV_KICK


@pytest.fixture
def thread(qtbot: QtBot) -> Iterator[BackThread]:
    made = BackThread("test")
    yield made
    made.close()


def test_answers_come_in_order_on_the_windows_thread(thread: BackThread, qtbot: QtBot) -> None:
    answers: list[object] = []
    threads: set[int] = set()

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        if number == 2:
            raise ValueError("two")
        return number

    for number in range(4):
        thread.submit(lambda number=number: work(number), lambda answer: answers.append((answer, threading.get_ident())))
    assert thread.busy and not answers
    qtbot.waitUntil(lambda: len(answers) == 4, timeout=20_000)
    mine = threading.get_ident()
    assert [answers[place] for place in (0, 1, 3)] == [(0, mine), (1, mine), (3, mine)] and mine not in threads and len(threads) == 1
    problem = answers[2]
    assert isinstance(problem, tuple) and str(problem[0]) == "two" and not thread.busy


def test_what_is_forgotten_is_not_done_and_not_told(thread: BackThread, qtbot: QtBot) -> None:
    gate, done = threading.Event(), []
    told: list[object] = []
    thread.submit(lambda: gate.wait(20), told.append)
    thread.submit(lambda: done.append("second"), told.append)
    assert thread.forget() and not thread.busy and not thread.forget()
    gate.set()
    thread.submit(lambda: "third", told.append)
    qtbot.waitUntil(lambda: told == ["third"], timeout=20_000)
    assert not done


def test_what_jobs_opened_is_closed_by_their_thread(thread: BackThread, qtbot: QtBot) -> None:
    seen: list[int] = []
    thread.submit(lambda: seen.append(threading.get_ident()), lambda _: None)
    qtbot.waitUntil(lambda: not thread.busy, timeout=20_000)
    thread.close(lambda: seen.append(threading.get_ident()))
    assert len(seen) == 2 and seen[0] == seen[1] != threading.get_ident()


def test_breakpoints_are_found_both_ways(session_file: Path, tmp_path: Path, qtbot: QtBot) -> None:
    reader = SessionReader(shutil.copy(session_file, tmp_path / "own.ringscope"))
    store = Store(reader)
    said: list[str] = []
    searches = Searches(said.append)
    kicks = [int(row["seq"]) for row in reader.find_events([int(EV_KICK)], 0, reader.last_seq, 100)]
    points = [{"id": 7, "what": "event", "where": "kick"}, {"id": 8, "what": "event", "where": "kick", "enabled": False}]
    found: list[object] = []
    for seq, direction in ((kicks[3], 1), (kicks[3], -1), (reader.last_seq, 1)):
        searches.find_hit(store, points, seq, direction, found.append)
        qtbot.waitUntil(lambda: not searches.busy, timeout=20_000)
    assert found == [(kicks[4], 7), (kicks[2], 7), None]
    searches.find_hit(store, [{"what": "function", "where": "nonsense"}], 0, 1, found.append)
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "nonsense" in said[0] and len(found) == 3
    searches.close()
    reader.close()
