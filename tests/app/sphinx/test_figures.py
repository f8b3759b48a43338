"""``ringscope-figure``: files by builder, caption, number and alternative text; nothing is drawn twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.app.sphinx.project import SMALL, Project

PAGE = """
Title
=====

See :numref:`walk`.

.. ringscope-figure:: realize
   :view: realize
   :at: break:virtio_net_device_realize
   :name: walk
   :align: center
   :class: wide

   The *walk*.

   A legend.
"""
ALT = re.compile(r'<img alt="([^"]+)"')


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    """One page with one figure."""
    return Project(tmp_path / "docs", capsys, index=PAGE)


def test_a_figure_is_drawn_once_for_all_builds(project: Project) -> None:
    """HTML gets SVG; a second build, one without its output and one that reads everything again draw nothing."""
    first = project.build("html", "-W")
    assert (first.code, first.problems, first.drawn) == (0, [], (1, 0))
    assert project.build().drawn == (0, 0)
    for path in sorted(project.out().rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert project.build().drawn == (0, 1)
    assert project.build("html", "-E").drawn == (0, 1)

    text = project.page()
    images = re.findall(r'src="(_images/[^"]+)"', text)
    assert len(images) == 1 and images[0].endswith(".svg")
    assert b"<svg" in project.out(name=images[0]).read_bytes()[:500]
    assert '<figure class="ringscope-figure wide align-center" id="walk">' in text
    assert '<a class="reference internal" href="#walk"><span class="std std-numref">Fig. 1</span></a>' in text
    assert "<em>walk</em>" in text and "A legend." in text
    # a picture wider than a column is reduced, and leads to the whole of it
    assert 'style="width: 400px;"' in text and f'href="{images[0]}"' in text
    said = ALT.search(text)
    assert said is not None and "virtio_net_device_realize" in said[1]


def test_builders_get_what_they_can_show(project: Project) -> None:
    """LaTeX gets the print theme as PDF, text the alternative text; both share what was recorded."""
    assert project.build("latex", "-W").drawn == (1, 0)
    tex = next(project.out("latex").glob("small.tex")).read_text()
    found = re.search(r"\\sphinxincludegraphics\{\{(realize-\w+)\}\.pdf\}", tex)
    assert found is not None
    assert project.out("latex", f"{found[1]}.pdf").read_bytes().startswith(b"%PDF")
    said = project.build("text", "-W")
    assert said.code == 0
    assert "The Realize view of scenario realize" in " ".join(project.page("index.txt", "text").split())
    assert len(list((project.folder / "out" / "ringscope" / "recordings").glob("*.ringscope"))) == 1


def test_png_has_more_pixels_and_the_same_size(project: Project) -> None:
    """``:format: png`` is drawn at the scale of conf.py and shown at the size asked for."""
    project.write("index.rst", PAGE.replace("   :align: center\n", "   :format: png\n"))
    project.build("html", "-W", "-D", "ringscope_figure_scale=1.5")
    text = project.page()
    found = re.search(r'src="(_images/[^"]+\.png)" style="width: 400px;"', text)
    assert found is not None
    data = project.out(name=found[1]).read_bytes()
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (600, 450)


def test_a_theme_that_can_be_dark_gets_two_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sphinx's own theme is always light and gets one; one whose style sheet knows dark pages gets both, and `light` one again."""
    sheet = "@media (prefers-color-scheme: dark) { body { background: black; } }"
    dark = Project(tmp_path / "docs", capsys, SMALL + 'html_static_path = ["static"]\nhtml_css_files = ["own.css"]\n', index=PAGE)
    dark.write("static/own.css", sheet)
    assert dark.build("html", "-W").drawn == (1, 0)
    text = dark.page()
    assert len(set(re.findall(r'src="(_images/[^"]+)"', text))) == 2
    assert 'class="ringscope-light"' in text and 'class="ringscope-dark"' in text
    assert "ringscope-system.css" in text and dark.out(name="_static/ringscope-system.css").is_file()

    light = Project(tmp_path / "light", capsys, index=PAGE)
    light.build("html", "-W")
    assert len(re.findall("<img ", light.page())) == 1
    assert "ringscope-system.css" not in light.page()


def test_options_that_are_read_lines_at_a_time(project: Project) -> None:
    """Several callouts, one a line; :alt: and :width: as a page says."""
    project.write(
        "index.rst",
        PAGE.replace(
            "   :align: center\n", "   :callout: frame:virtio_device_realize: who calls\n     part:stack: the calls\n   :alt: Mine.\n   :width: 50%\n"
        ),
    )
    built = project.build("html", "-W")
    assert (built.problems, built.drawn) == ([], (1, 0))
    text = project.page()
    assert 'alt="Mine."' in text and 'style="width: 50%;"' in text
    image = re.search(r'src="(_images/[^"]+)"', text)
    assert image is not None
    words = re.sub("<[^>]*>", "", project.out(name=image[1]).read_text())
    assert "who calls" in words and "the calls" in words


def test_a_filter_as_on_the_command_line(project: Project) -> None:
    """Only the events that are asked for, as the alternative text says."""
    project.write("index.rst", "T\n=\n\n.. ringscope-figure:: realize\n   :view: events\n   :filter: kind == object_new\n   :size: 500x300\n")
    assert project.build("html", "-W").problems == []
    said = ALT.search(project.page())
    assert said is not None and "that the filter kind == object_new takes" in said[1]


@pytest.mark.slow
def test_a_changed_source_draws_its_page_again(project: Project) -> None:
    """A page depends on its scenario file; a page of a shipped scenario stays as it is."""
    scenario = project.write("own.toml", 'name = "own"\ntitle = "Own"\n\n[run]\nduration = "1ms"\n')
    project.write("other.rst", ":orphan:\n\nOther\n=====\n\n.. ringscope-figure:: /own.toml\n   :view: objects\n")
    assert project.build().drawn == (2, 0)
    assert project.build().drawn == (0, 0)
    scenario.write_text(scenario.read_text().replace("1ms", "2ms"))
    again = project.build()
    assert again.drawn == (1, 0)
    assert "other" in again.out and "index" not in re.findall(r"reading sources\.\.\. \[ *\d+%\] (\S+)", again.out)


def test_a_newer_program_reads_its_pages_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages with figures are read again when what draws has changed; others are not."""
    project.write("plain.rst", ":orphan:\n\nPlain\n=====\n")
    project.build()
    for module in ("building", "domain"):
        monkeypatch.setattr(f"ringscope.sphinx.{module}.program_digest", lambda: "newer")
    assert "0 added, 1 changed, 0 removed" in project.build().out


@pytest.mark.slow
def test_parallel_builds(project: Project) -> None:
    """``-j 2`` reads pages in processes of their own; each figure is drawn once."""
    for number in range(1, 7):
        project.write(
            f"p{number}.rst", f":orphan:\n\nP{number}\n==\n\n.. ringscope-figure:: realize\n   :view: objects\n   :size: 40{number}x300\n\n:qom:`device`\n"
        )
    project.write("types.rst", ":orphan:\n\nTypes\n=====\n\n.. ringscope-types::\n   :form: list\n")
    built = project.build("html", "-W", "-j", "2")
    assert (built.code, built.problems, built.drawn) == (0, [], (7, 0))
    assert "types.html#qom-device" in project.page("p6.html")
    assert project.build("html", "-E", "-j", "2").drawn == (0, 7)
