"""What builds the documentation: LaTeX's log read, search in Chinese, tables on paper, the examples of the session format, the picture of README.md."""

from __future__ import annotations

import re
import runpy
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from ringscope_reference.fidelity import CASES, WHAT, subject
from ringscope_reference.packages import edges_of, layers_of, paths_of, svg, tikz
from ringscope_reference.paper import QuestionsWithAnswers, shares
from ringscope_reference.search_zh import SearchChinesePairs
from ringscope_reference.shell import EXAMPLES, run_line

from ringscope.figures.recordings import Recordings
from ringscope_core.conform.report import case_files
from ringscope_core.session.reader import SessionReader
from tools.docs import faults_of, unwrapped

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionReader]:
    with Recordings(tmp_path_factory.mktemp("sessions")) as recordings:
        yield recordings.open("ping")


# -- the session format --------------------------------------------------------------------------------------------------
def test_the_independent_reader_reads_every_event(session: SessionReader) -> None:
    example = runpy.run_path(str(EXAMPLES / "read_session.py"))
    database = sqlite3.connect(session.path)
    read = 0
    for first_seq, data in database.execute("SELECT first_seq, data FROM block_data ORDER BY first_seq"):
        events = list(example["events_of"](first_seq, data))
        rows = session.events(first_seq, first_seq + len(events) - 1)
        for event, row in zip(events, rows, strict=True):
            names = ("seq", "vt", "wall", "kind", "cause", "a0", "a1", "a2", "a3", "a4", "a5")
            assert [event[name] for name in names] == [int(row[name]) for name in names]
            assert event["object"] == int(row["obj"])
            read += 1
    database.close()
    assert read == session.last_seq - session.first_seq + 1 > 3000


def test_lines_of_a_shell_print_what_they_would(session: SessionReader) -> None:
    path = Path(session.path)
    assert run_line("sqlite3 run.ringscope 'SELECT kind, count FROM event_counts WHERE kind = \"mark\"'", path) == ""
    assert run_line("sqlite3 run.ringscope 'SELECT id, direction, seconds > 0, note FROM packets, (SELECT NULL AS note) LIMIT 1'", path) == "1|tx|1|"
    assert run_line("python read_session.py run.ringscope 2", path).splitlines()[1].startswith("1 0 class_init")
    with pytest.raises(ValueError, match="neither"):
        run_line("rm -r run.ringscope", path)
    with pytest.raises(sqlite3.Error):
        run_line("sqlite3 run.ringscope 'DELETE FROM meta'", path)


# -- search ---------------------------------------------------------------------------------------------------------------
def test_chinese_words_are_pairs_of_characters() -> None:
    search = SearchChinesePairs({})
    assert search.split("虚拟队列 tx0 的") == ["虚拟", "拟队", "队列", "的", "tx0"]
    assert search.word_filter("的") and search.word_filter("队列") and not search.word_filter("x")
    assert [chr(int(code, 16)) for code in re.findall(r"\\u([0-9a-f]{4})", search.js_splitter_code)[:2]] == ["\u3400", "\u9fff"]


# -- paper ----------------------------------------------------------------------------------------------------------------
def test_a_column_has_room_for_its_longest_word() -> None:
    text = "========================== ===== ======================================================\n"
    table = f"{text}VirtIODevice                0x39   {'many words ' * 4}\nVirtIODeviceWithALongName  1     x\n{text}"
    found = next(publish_doctree(table).findall(nodes.table))
    first, second, third = shares(found)
    assert 25 <= first <= 40 and 7 <= second <= 20 and third > first
    assert 98 <= first + second + third <= 102


def test_a_question_stays_with_its_answer() -> None:
    document = publish_doctree(".. admonition:: First\n\n   Alone.\n\nBefore.\n\nWhy?\n\n.. admonition:: Answer\n\n   So.\n")
    QuestionsWithAnswers(document).run()
    assert [type(node).__name__ for node in document.children] == ["admonition", "paragraph", "raw", "paragraph", "admonition"]
    assert document.children[2].astext().startswith(r"\needspace")


# -- LaTeX's log ------------------------------------------------------------------------------------------------------------
def test_the_log_of_latex_is_read() -> None:
    wrapped = "LaTeX Warning: Reference `" + "x" * 53  # TeX breaks its lines at 79 characters
    log = (
        f"{wrapped}\n' on page 1 undefined on input line 5.\nMissing character: There is no 队 (U+961F) in font Inter!\nOverfull \\hbox (3.5pt too wide) in x\n"
    )
    assert len(wrapped) == 79
    assert len(unwrapped(log)) == 3
    assert faults_of("Overfull \\vbox (306.3pt too high) has occurred while \\output is active []\n")
    faults = faults_of(log + "Overfull \\hbox (33.2pt too wide) in paragraph at lines 7--9\n" * 2)
    assert len(faults) == 3
    assert "undefined on input line 5" in faults[0] and "队" in faults[1] and faults[2].startswith("text reaches 33 pt")
    # xeCJK asks for a space and sets its own
    assert faults_of("Missing character: There is no   (U+0020) in font [./RingscopeSansSC-Regular.otf]/OT!\n") == []


# -- pictures -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("package", ["ringscope_core", "ringscope"])
def test_the_packages_are_drawn_with_their_arrows_downwards(package: str) -> None:
    layers = layers_of(package)
    row = {name: place for place, layer in enumerate(layers) for name in layer}
    edges = edges_of(package)
    assert len(edges) >= len(layers) - 1
    assert all(row[above] <= row[below] for above, below in edges)
    assert len(paths_of(package)) == len(edges)
    assert all(f">{name}</text>" in svg(package) for name in row)
    assert tikz(package).count(r"\node") == len(row)


def test_every_file_of_cases_says_what_it_is_about() -> None:
    assert {subject(str(path)) for path in case_files([CASES])} == set(WHAT)


@pytest.mark.slow
def test_the_picture_of_the_readme_is_the_present_one() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ringscope", "figures", "docs/pictures/readme.toml", "--check"], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\ndraw it anew: ringscope figures docs/pictures/readme.toml"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text())
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing
