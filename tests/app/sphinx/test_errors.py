"""What people get wrong is an error of the build, with file and line, the field, the value and what is allowed; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.sphinx.project import SMALL, Project

MISTAKES = {
    ".. ringscope-figure:: realise\n   :view: rings": "scenario: 'realise' is not allowed; one of default, realize,",
    ".. ringscope-figure:: realize\n   :view: ring": "view: 'ring' is not allowed; one of window, types,",
    ".. ringscope-figure:: realize": "view: '' is not allowed; one of window, types,",
    ".. ringscope-figure:: realize\n   :view: rings\n   :size: big": "size: 'big' is not allowed; WIDTHxHEIGHT from ",
    ".. ringscope-figure:: realize\n   :view: rings\n   :scale: 99": "scale: '99' is not allowed; a number from 0.25 to 8",
    ".. ringscope-figure:: realize\n   :view: rings\n   :theme: blue": "theme: 'blue' is not allowed; one of auto, light, dark, print",
    ".. ringscope-figure:: realize\n   :view: rings\n   :format: pdf": "format: 'pdf' is not allowed; one of svg, png",
    ".. ringscope-figure:: realize\n   :view: rings\n   :lang: fr": "lang: 'fr' is not allowed; one of en, zh",
    ".. ringscope-figure:: realize\n   :view: objects\n   :at: noon": "at: 'noon' is not allowed; a virtual time such as 12.5ms",
    ".. ringscope-figure:: realize\n   :view: objects\n   :focus: nothing": "focus: 'nothing' is not allowed; a QOM path or its end",
    ".. ringscope-figure:: realize\n   :view: objects\n   :callout: here": "callout: 'here' is not allowed; TARGET:TEXT",
    ".. ringscope-figure:: realize\n   :view: objects\n   :crop: hat": "hat' is not allowed; one of",
    ".. ringscope-figure:: realize\n   :view: events\n   :filter: kinds == kick": "filter: 'kinds == kick' is not allowed; comparisons such as kind == kick",
    ".. ringscope-figure:: realize\n   :view: rings\n   :layout: none.json": "layout: 'none.json' is not allowed; a file that exists (there is no none.json)",
    ".. ringscope-figure:: gone.toml\n   :view: rings": "scenario: 'gone.toml' is not allowed; a file that exists (there is no gone.toml)",
    ".. ringscope-figure:: broken.toml\n   :view: rings": "broken.toml' is not allowed; a TOML file (",
    ".. ringscope-figure:: not.ringscope\n   :view: rings": "not.ringscope: is not a Ringscope session",
    ".. ringscope-figure:: realize\n   :view: objects\n\n   - a list": "caption: 'a list' is not allowed; a paragraph, and after it a legend",
    ".. ringscope-transcript:: realize": "content: '' is not allowed; at least one command, such as bt",
    ".. ringscope-transcript:: realize\n   :emphasize-lines: 9\n\n   p 1": "emphasize-lines: '9' is not allowed; numbers of lines such as 1,3-5, from 1 to 2",
    ".. ringscope-types::\n   :root: virtio-net-devise": "root: 'virtio-net-devise' is not allowed; a QOM type of this machine "
    "(did you mean virtio-net-device?)",
    ".. ringscope-types::\n   :form: pie": "form: 'pie' is not allowed; one of figure, list, table",
    ".. ringscope-types::\n   :form: list\n   :size: 400x300": "size: '400x300' is not allowed; given with the form figure only, not with list",
    ".. ringscope-session:: gone.ringscope": "session: 'gone.ringscope' is not allowed; a file that exists (there is no gone.ringscope)",
}
WORDS = {
    ":qemu:`virtio_net_device_realise`": "qemu: 'virtio_net_device_realise' is not allowed; a function, structure or field of QEMU that Ringscope knows "
    "(did you mean virtio_net_device_realize?)",
    ":qemu:`VirtIONet.max_queue`": "qemu: 'VirtIONet.max_queue' is not allowed; a field of VirtIONet (did you mean VirtIONet.max_queues?)",
    ":qom:`virtio-net-devise`": "qom: 'virtio-net-devise' is no QOM type that Ringscope knows; did you mean virtio-net-device?",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page with every mistake lies; it is built twice."""
    return tmp_path_factory.mktemp("mistakes") / "docs"


def _page() -> tuple[str, dict[int, str]]:
    """The page, and what is said of each line."""
    lines = ["Mistakes", "========", ""]
    said: dict[int, str] = {}
    for text, message in MISTAKES.items():
        said[len(lines) + 1] = message
        lines += [*text.splitlines(), ""]
    for text, message in WORDS.items():
        said[len(lines) + 1] = message
        lines += [f"Word {text}.", ""]
    return "\n".join(lines), said


@pytest.mark.slow
def test_every_mistake_is_told_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has its line and its words; ``-W`` fails; and the errors come again while nobody has mended them."""
    text, said = _page()
    project = Project(folder, capsys, index=text)
    project.write("broken.toml", "[run")
    project.write("not.ringscope", "hello")
    for _ in range(2):
        built = project.build("html", "-W", "--keep-going")
        assert built.code == 1
        found = {int(line.split(":")[1]): line for line in built.problems if line.startswith(str(folder / "index.rst"))}
        assert sorted(found) == sorted(said)
        for line, message in said.items():
            assert message in found[line], found[line]
        assert not any("Traceback" in line or "defect" in line for line in built.problems)
        # what has no error is there
        assert "virtio-net-devise" in project.page()


def test_a_wrong_command_is_told_by_its_own_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also on a page that another includes."""
    transcript = ".. ringscope-transcript:: realize\n\n   p 1\n   # a remark\n   p *nosuch\n"
    project = Project(tmp_path / "docs", capsys, index=f"Title\n=====\n\n{transcript}\n.. include:: more.txt\n")
    project.write("more.txt", f"More.\n\n{transcript}")
    problems = project.build().problems
    assert len(problems) == 2
    assert "index.rst:8: ERROR: ringscope-transcript: command 3 (p *nosuch): No symbol" in problems[0]
    assert "more.txt:7: ERROR: ringscope-transcript: command 3 (p *nosuch): No symbol" in problems[1]


def test_docutils_own_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Options that there are not and arguments that are missing, in docutils' words."""
    project = Project(tmp_path / "docs", capsys, index="Title\n=====\n\n.. ringscope-figure:: realize\n   :vieww: x\n\n.. ringscope-session::\n")
    built = project.build("html", "-W", "--keep-going")
    assert built.code == 1
    assert [line.split("docs/")[1] for line in built.problems] == [
        'index.rst:4: ERROR: Error in "ringscope-figure" directive:',
        'index.rst:7: ERROR: Error in "ringscope-session" directive:',
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('ringscope_figure_theme = "blue"', "ringscope_figure_theme: 'blue' is not allowed; one of auto, light, dark, print"),
        ('ringscope_figure_format = "pdf"', "ringscope_figure_format: 'pdf' is not allowed; one of svg, png"),
        ('ringscope_figure_size = "1x1"', "ringscope_figure_size: '1x1' is not allowed; WIDTHxHEIGHT from "),
        ("ringscope_figure_scale = 0", "ringscope_figure_scale: '0' is not allowed; a number from 0.25 to 8"),
        ('ringscope_profile = "9"', "ringscope_profile: '9' is not allowed; one of 4.1, 7.2"),
        ('ringscope_qemu_url = "x{path}"', "ringscope_qemu_url: 'x{path}' is not allowed; an address with {version}, {file} and {line} in it"),
        ('ringscope_sessions = "a.ringscope"', "ringscope_sessions: 'a.ringscope' is not allowed; a folder, not a file"),
    ],
)
def test_values_of_conf_py(line: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong one ends the build before anything is read."""
    project = Project(tmp_path / "docs", capsys, f"{SMALL}\n{line}\n", index="Title\n=====\n")
    args = project.build()
    assert args.code == 2
    assert "reading sources" not in args.out
    assert says in " ".join(args.err.split())
