"""Transcripts, types, sessions and roles on pages: what readers see, and where references lead."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.sphinx.project import SMALL, Project

Pages = Callable[..., Project]
URL = 'ringscope_qemu_url = "https://example.org/v{version}/{file}#L{line}"\n'


@pytest.fixture
def pages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pages:
    """Make a project of pages, build it into HTML, and be sure that nothing is wrong."""

    def make(conf: str = SMALL, builder: str = "html", **texts: str) -> Project:
        project = Project(tmp_path / "docs", capsys, conf, **{name: f":orphan:\n\n{name}\n{'=' * len(name)}\n\n{text}\n" for name, text in texts.items()})
        built = project.build(builder, "-W", "--keep-going")
        assert (built.code, built.problems) == (0, []), built.err
        return project

    return make


# -- transcripts ----------------------------------------------------------------------------------------------------------
def test_a_transcript(pages: Pages) -> None:
    """Prompts and answers, coloured, with caption, number, name and marked lines."""
    text = """
See :numref:`stack`.

.. ringscope-transcript:: realize
   :at: break:virtio_net_device_realize
   :caption: The *stack*
   :name: stack
   :emphasize-lines: 1
   :class: deep

   bt 2
   # nobody sees this
   info qom-tree
"""
    page = pages(index=text).page()
    assert '<div class="literal-block-wrapper docutils container" id="stack">' in page
    assert '<span class="caption-number">Listing 1 </span><span class="caption-text">The <em>stack</em></span>' in page
    assert '<span class="std std-numref">Listing 1</span>' in page
    assert 'class="ringscope-transcript deep highlight-ringscope notranslate"' in page
    assert '<span class="hll"><span class="gp">(gdb)</span><span class="w"> </span><span class="k">bt</span>' in page
    assert '<span class="gp">(qemu)</span><span class="w"> </span><span class="k">info</span>' in page
    assert '<span class="nf">virtio_device_realize</span>' in page
    assert "nobody sees this" not in page


def test_a_transcript_with_tables(pages: Pages) -> None:
    """What stands behind ``|`` is a table of the page, between two blocks."""
    page = pages(index=".. ringscope-transcript:: realize\n\n   p 1\n   | types virtio-net-device\n   p 2\n").page()
    assert len(re.findall(r'<div class="[^"]*highlight-ringscope', page)) == 2
    table = page[page.index("<table") : page.index("</table>")]
    assert "virtio-net-device" in table and "8960" in table
    assert page.index("$1") < page.index("<table") < page.index("$2")


def test_a_transcript_in_latex(pages: Pages) -> None:
    """The same block, with its number."""
    project = pages(SMALL, "latex", index=".. ringscope-transcript:: realize\n   :caption: One\n   :name: one\n\n   p 1\n\nSee :numref:`one`.\n")
    tex = project.page("small.tex", "latex")
    assert "\\begin{sphinxVerbatim}[commandchars=\\\\\\{\\}]\n\\PYG{g+gp}{(gdb)}\\PYG{+w}{ }\\PYG{k}{p}" in tex
    assert "\\sphinxSetupCaptionForVerbatim{One}" in tex


# -- types ----------------------------------------------------------------------------------------------------------------
def test_a_list_of_types(pages: Pages) -> None:
    """Each type with its parent, marks, size and hooks, at the place to which references lead."""
    project = pages(
        SMALL + URL,
        index=":qom:`virtio-net-device`, :qom:`a text <virtio-pci>`, :qom:`!virtio-pci`, :any:`virtio-bus`.\n",
        types=".. ringscope-types::\n   :form: list\n   :name: all-types\n\n   All of them.\n",
    )
    page = project.page("types.html")
    item = page[page.index('id="qom-virtio-net-device"') :][:2500]
    assert '<a class="reference internal" href="#qom-virtio-device"' in item
    assert "8,960 bytes" in item and "VirtIONet" in item
    assert "instance_init: " in item and "https://example.org/v4.1.0/hw/net/virtio-net.c#L" in item
    assert re.search(
        r'id="qom-virtio-device"></span><strong><code[^>]*><span class="pre">virtio-device</span></code></strong>: <span[^>]*>abstract; derives from', page
    )
    assert re.search(r'id="qom-hotplug-handler"></span>.{0,200}?: <span[^>]*>interface; derives from', page)
    assert "All of them." in page and 'id="all-types"' in page
    index = project.page()
    assert index.count('href="types.html#qom-virtio-net-device"') == 1
    assert re.search(r'href="types.html#qom-virtio-pci" title="virtio-pci"><code[^>]*><span class="pre">a</span> <span class="pre">text</span>', index)
    assert index.count("qom-virtio-pci") == 1 and "qom-virtio-bus" in index
    assert "virtio-net-device (QOM type)" in project.page("genindex.html")
    assert project.out(name="objects.inv").stat().st_size > 0


def test_a_table_of_types_below_a_root(pages: Pages) -> None:
    """Only those that derive from it; the content is the table's title."""
    project = pages(index=".. ringscope-types:: realize\n   :form: table\n   :root: virtio-device\n   :name: few\n\n   A *few*.\n\nSee :numref:`few`.\n")
    page = project.page()
    assert re.findall(r'id="qom-([\w-]+)"', page) == ["virtio-device", "virtio-net-device"]
    assert "<em>few</em>" in page and "Table 1" in page
    assert "Instance size" in page and "8,960" in page


def test_where_a_reference_leads_when_types_are_described_twice(pages: Pages) -> None:
    """To a list before a table before a figure; ``:no-index:`` describes nothing."""
    directive = ".. ringscope-types::\n   :root: virtio-device\n   :form: {}\n"
    project = pages(
        index=":qom:`virtio-net-device`\n",
        a=directive.format("figure"),
        b=directive.format("table"),
        c=directive.format("list"),
        d=directive.format("list") + "   :no-index:\n",
    )
    assert 'href="c.html#qom-virtio-net-device"' in project.page()
    assert 'id="qom-virtio-net-device"' in project.page("a.html")
    assert 'id="qom-' not in project.page("d.html")
    project.write("c.rst", ":orphan:\n\nc\n=\n")
    project.build()
    project.write("index.rst", project.folder.joinpath("index.rst").read_text() + "\n")
    project.build()
    assert 'href="b.html#qom-virtio-net-device"' in project.page()


def test_another_project_refers_to_types(tmp_path: Path, capsys: pytest.CaptureFixture[str], pages: Pages) -> None:
    """Through intersphinx, with the same role."""
    inventory = pages(types=".. ringscope-types::\n   :form: list\n", index="x").out(name="objects.inv")
    conf = SMALL.replace('"ringscope.sphinx"', '"ringscope.sphinx", "sphinx.ext.intersphinx"')
    other = Project(
        tmp_path / "other",
        capsys,
        f'{conf}\nintersphinx_mapping = {{"rs": ("https://example.org/", {str(inventory)!r})}}\n',
        index="T\n=\n\n:qom:`virtio-pci`\n",
    )
    assert other.build("html", "-W").code == 0
    assert 'href="https://example.org/types.html#qom-virtio-pci"' in other.page()


def test_types_of_the_other_profile(pages: Pages) -> None:
    """QEMU 7.2 has types that 4.1 has not, and no sizes or lines that anybody measured."""
    text = ".. ringscope-types::\n   :form: list\n   :root: virtio-device\n\n:qemu:`virtio_init`\n"
    page = pages(SMALL + URL + 'ringscope_profile = "7.2"\n', index=text).page()
    assert 'id="qom-virtio-net-device"' in page
    assert " bytes" not in page and "example.org" not in page


# -- sessions -------------------------------------------------------------------------------------------------------------
def test_a_session_to_download(pages: Pages) -> None:
    """The file is copied, and what is said of it is so; a session that is there is copied as it is."""
    project = pages(index=".. ringscope-session:: realize\n   :name: rec\n\n   The *recording*\n\nSee :ref:`it <rec>`.\n\n.. ringscope-session:: realize\n")
    page = project.page()
    found = re.search(
        r'<a class="ringscope-session reference download internal" download="" href="(_downloads/\w+/realize\.ringscope)">The <em>recording</em></a>', page
    )
    assert found is not None, page
    data = project.out(name=found[1]).read_bytes()
    assert data.startswith(b"SQLite format 3")
    # a cache that is gone is made again
    shutil.rmtree(project.folder / "out" / "ringscope")
    assert project.build("html", "-W").problems == []
    assert list((project.folder / "out" / "ringscope" / "downloads").rglob("realize.ringscope"))

    said = re.search(r"\(realize\.ringscope, (\d+) kB, ([\d,]+) events, ([\d.]+) s, level full\)", page)
    assert said is not None
    assert round(len(data) / 1000) == int(said[1])

    project.write("own.ringscope", "").write_bytes(data)
    project.write("index.rst", "T\n=\n\n.. ringscope-session:: /own.ringscope\n")
    assert project.build("html", "-W").problems == []
    assert re.search(r'_downloads/\w+/own\.ringscope"><code', project.page())


def test_a_session_in_print(pages: Pages) -> None:
    """LaTeX names the file."""
    tex = pages(SMALL, "latex", index=".. ringscope-session:: realize\n\n   The recording\n").page("small.tex", "latex")
    assert re.search(r"The recording.*\(realize\.ringscope, \d+ kB", tex)


def test_sessions_of_a_folder(pages: Pages) -> None:
    """What is not beside the page is looked for in ``ringscope_sessions``."""
    project = pages(index=".. ringscope-session:: realize\n")
    recorded = next((project.folder / "out" / "ringscope" / "recordings").glob("*.ringscope"))
    project.write("kept/one.ringscope", "").write_bytes(recorded.read_bytes())
    project.write("index.rst", "T\n=\n\n.. ringscope-transcript:: one.ringscope\n\n   p 1\n")
    assert project.build("html", "-W", "-D", "ringscope_sessions=kept").problems == []


# -- :qemu: ---------------------------------------------------------------------------------------------------------------
def test_words_of_qemu(pages: Pages) -> None:
    """Functions, structures and fields with file and line; a link when conf.py says where the sources are."""
    text = ":qemu:`virtio_init()` :qemu:`it <VirtIONet>` :qemu:`VirtIONet.max_queues` :qemu:`VirtIODevice->vq` :qemu:`!nothing`\n"
    plain = pages(index=text)
    page = plain.page()
    assert '<span class="ringscope-qemu" title="hw/virtio/virtio.c:2329 (QEMU 4.1.0)"><code' in page
    assert page.count("include/hw/virtio/virtio-net.h:") == 2
    assert '<span class="pre">nothing</span>' in page
    plain.write("conf.py", SMALL + URL)
    assert plain.build("html", "-W").problems == []
    assert 'href="https://example.org/v4.1.0/hw/virtio/virtio.c#L2329" title="hw/virtio/virtio.c:2329 (QEMU 4.1.0)"' in plain.page()
    assert plain.build("text", "-W").problems == []
    assert '"virtio_init()"' in plain.page("index.txt", "text")


# -- languages, other markup ----------------------------------------------------------------------------------------------
def test_a_chinese_page(pages: Pages) -> None:
    """The words that directives write follow Sphinx's language, or the option."""
    text = ".. ringscope-types::\n   :form: table\n   :root: virtio-device\n\n.. ringscope-types::\n   :form: table\n   :root: virtio-device\n   :lang: en\n"
    page = pages(SMALL + 'language = "zh_CN"\n', index=text).page()
    assert "实例大小" in page and "抽象" in page
    assert "Instance size" in page and "abstract" in page


def test_a_page_in_myst(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same directives and roles in Markdown, and mistakes with their lines."""
    pytest.importorskip("myst_parser")
    fence = "```"
    project = Project(tmp_path / "docs", capsys, SMALL.replace('"ringscope.sphinx"', '"ringscope.sphinx", "myst_parser"'))
    lines = [
        "# Title",
        "",
        fence + "{ringscope-figure} realize",
        ":view: realize",
        ":at: break:virtio_net_device_realize",
        ":name: walk",
        ":callout: |",
        "  frame:virtio_device_realize: who calls",
        "",
        "The **walk**, {qemu}`virtio_init`.",
        fence,
        "",
        "{numref}`walk`, {qom}`virtio-pci`",
        "",
        fence + "{ringscope-types}",
        ":form: list",
        fence,
        "",
        fence + "{ringscope-session} realize",
        fence,
        "",
    ]
    project.write("index.md", "\n".join(lines))
    built = project.build("html", "-W")
    assert (built.code, built.problems, built.drawn) == (0, [], (1, 0))
    page = project.page()
    assert "Fig. 1" in page and "<strong>walk</strong>" in page and 'href="#qom-virtio-pci"' in page and "_downloads/" in page

    wrong = [
        fence + "{ringscope-transcript} realize",
        ":at: start",
        "",
        "p 1",
        "p *nosuch",
        fence,
        "",
        fence + "{ringscope-figure} realize",
        ":view: ring",
        fence,
    ]
    project.write("index.md", "\n".join([*lines, *wrong]))
    problems = project.build().problems
    assert [int(re.findall(r"index\.md:(\d+)", line)[0]) for line in problems] == [len(lines) + 5, len(lines) + 8]
