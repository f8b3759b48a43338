"""Text figures: commands and table twins as rst, Markdown and text; what docutils and a Markdown reader make of them."""

from __future__ import annotations

from functools import partial

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from markdown_it import MarkdownIt

from ringscope.figures.spec import TextSpec
from ringscope.figures.text_forms import FORMS, as_text, form_of, md_words, rst_words
from ringscope.figures.transcript import transcript
from ringscope.figures.view_tables import blocks, table_of
from ringscope.views import ALL_VIEWS, PANELS
from ringscope_core.gdb.tables import Table
from ringscope_core.gdb.transcript import Entry
from ringscope_core.scenario.errors import InputError
from ringscope_core.session.reader import SessionReader
from tests.app.figures.refusals import refusal

ODD = ("*", "a_", "_b", "|", "`", "\\x", "- x", "1. x", "  deep", ":a: b", "", "<p>", "**", "x_y", "...", "{role}`x`", "$1")


def rst_tables(text: str) -> list[list[list[str]]]:
    """Tables of a document as docutils reads them; warnings are errors."""
    tree = publish_doctree(text, settings_overrides={"report_level": 1, "halt_level": 2})
    return [[[cell.astext() for cell in row.findall(nodes.entry)] for row in table.findall(nodes.row)] for table in tree.findall(nodes.table)]


def md_tables(text: str) -> list[list[list[str]]]:
    """Tables of a document as a Markdown reader with tables reads them."""
    found: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level > 2:
            found[-1][-1].append("".join(child.content for child in token.children or ()))
    return found


def test_forms() -> None:
    assert [form_of(name) for name in (".RST", "md", ".txt")] == list(FORMS)
    with pytest.raises(InputError, match=r"form: '.html' is not allowed; one of rst, md, txt"):
        form_of(".html")


def test_every_sign_comes_through() -> None:
    """What a cell says is what the reader of the document sees."""
    table = Table(ODD, (tuple(reversed(ODD)),), title="all * of `them`_")
    entries = [Entry("", "", "", (table,))]
    wanted = [[cell.replace("  deep", "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}deep") for cell in row] for row in (ODD, tuple(reversed(ODD)))]
    assert rst_tables(as_text(entries, "rst")) == [wanted]
    assert [[[cell.strip(" ") for cell in row] for row in table] for table in md_tables(as_text(entries, "md"))] == [wanted]


@pytest.mark.parametrize("text", [*filter(None, ODD[:-1]), "Chain of head 1: in flight (owner: device), 1 buffer", "1) and so on", "#. x"])
def test_a_line_is_a_paragraph_that_says_itself(text: str) -> None:
    tree = publish_doctree(rst_words(text), settings_overrides={"report_level": 1, "halt_level": 2})
    assert [type(child) for child in tree.children] == [nodes.paragraph] and tree.astext().replace("\N{NO-BREAK SPACE}", " ") == text
    assert md_words(text).replace("&nbsp;", "").replace("\\", "") == text.strip().replace("\\", "")


def test_a_transcript_is_a_literal_block(ping: SessionReader) -> None:
    """Nothing of it is read as markup; tabs are spaces; the same each time."""
    spec = TextSpec("ping", ("bt 2", "p *vdev", "list", "| stack", "info b"), at="break:virtio_add_queue")
    text = as_text(transcript(spec, ping), "rst")
    assert text == as_text(transcript(spec, ping), "rst")
    tree = publish_doctree(text, settings_overrides={"report_level": 3, "halt_level": 3})
    first, second = tree.findall(nodes.literal_block)
    assert first.astext().startswith("(gdb) bt 2\n#0  virtio_add_queue (vdev=0x55555729b2b0, queue_size=256,") and "\t" not in text
    assert second.astext() == "(gdb) info b\nNo breakpoints or watchpoints."
    assert rst_tables(text.replace("code-block", "code"))[0][0][:2] == ["frame", "function"]
    plain = as_text(transcript(spec, ping), "txt")
    assert plain.startswith("(gdb) bt 2\n#0  ") and plain.endswith("\n(gdb) info b\nNo breakpoints or watchpoints.\n")
    fenced = as_text(transcript(spec, ping), "md")
    assert fenced.startswith("```text\n(gdb) bt 2\n") and fenced.endswith("\nNo breakpoints or watchpoints.\n```\n")


def test_a_fence_is_longer_than_what_it_holds() -> None:
    text = as_text([Entry("echo", "(gdb) ", "```\n````")], "md")
    assert text.split("\n")[0] == "`````text" and text.rstrip().endswith("\n`````")


def test_focus_and_moment(ping: SessionReader) -> None:
    """A ring in focus need not be named; a moment that is not there is said."""
    spec = TextSpec("ping", ("ring desc 0..1",), focus="net0.tx0", at="1ms")
    assert transcript(spec, ping)[0].output.startswith("tx0: descriptor table")
    for wrong, field in ((TextSpec("ping", ("bt",), at="noon"), "at"), (TextSpec("ping", ("ring",), focus="net9"), "focus"), (TextSpec("ping"), "text")):
        refusal(field, partial(transcript, wrong, ping))
    with pytest.raises(InputError, match="a view or commands, not both"):
        transcript(TextSpec("ping", ("bt",), view="rings"), ping)


def test_blocks_of_a_twin() -> None:
    text = "a title\nx\ty\n1\t2\n\nmore\nlines\n\n\tz\n"
    assert list(blocks(text)) == [["a title"], ["x\ty", "1\t2"], ["more", "lines"], ["\tz"]]
    assert table_of(["x\ty", "1\ta\tmore", "-2.5\tb"]) == Table(("x", "y", ""), (("1", "a", "more"), ("-2.5", "b", "")), frozenset((0,)))


@pytest.mark.parametrize("view", [*ALL_VIEWS, *PANELS])
def test_every_twin_reads_back(ping: SessionReader, view: str) -> None:
    """The tables of a twin are the same in reStructuredText and in Markdown, and none is ragged."""
    entries = transcript(TextSpec("ping", view=view), ping)
    tables = [[list(table.headings), *map(list, table.rows)] for entry in entries for table in entry.tables]
    assert tables or view in ("notebook", "inspector")
    flat = [[[" ".join(cell.split()) for cell in row] for row in table] for table in tables]
    for table in flat:
        if len(table) == 1:
            table.append(["-", *([""] * (len(table[0]) - 1))])
    read = rst_tables(as_text(entries, "rst").replace("code-block", "code"))
    assert [[[cell.replace("\N{NO-BREAK SPACE}", "").strip() for cell in row] for row in table] for table in read] == flat
    read = md_tables(as_text(entries, "md"))
    assert [[[cell.replace("\N{NO-BREAK SPACE}", "").strip() for cell in row] for row in table] for table in read] == flat


def test_the_twin_of_rings_says_what_the_picture_says(ping: SessionReader) -> None:
    """Queues, who holds which index, verdicts, every slot, both rings, the chain and the bytes of its frame."""
    entries = transcript(TextSpec("ping", view="rings", focus="net0.rx0"), ping)
    headings = [table.headings for entry in entries for table in entry.tables]
    assert headings == [
        ("queue", "descriptors", "free", "available", "in flight", "used", "shown"),
        ("kept by", "name", "value"),
        ("notification", "verdict", "arithmetic"),
        ("slot", "head", "state", "addr", "len", "flags", "next"),
        ("avail.ring", "head", "state"),
        ("used.ring", "id", "len", "state"),
        ("descriptor", "addr", "len", "next", "flags"),
    ]
    said = [entry.output for entry in entries if not entry.tables]
    assert said[0] == "receiveq0  \N{MIDDLE DOT}  split ring of 256 descriptors"
    assert any("frame #" in text for text in said) and any(text.startswith("0000  52 54 00") for text in said)


def test_events_of_a_document_are_those_on_the_screen(ping: SessionReader) -> None:
    entries = transcript(TextSpec("ping", view="events", at="seq:2000", filter="kind == frame_enter"), ping)
    table = next(table for entry in entries for table in entry.tables)
    assert 10 < len(table.rows) < 100 and {row[3] for row in table.rows} == {"frame_enter"}
    assert any(int(row[0]) <= 2000 for row in table.rows) and any(int(row[0]) >= 2000 for row in table.rows)


def test_the_monitor_is_asked_at_the_end(ping: SessionReader) -> None:
    """Without a moment there is a machine to ask; with gdb's words beside it a transcript begins at the first event."""
    assert "dev: virtio-net-pci, id" in transcript(TextSpec("ping", ("info qtree",)), ping)[0].output
    with pytest.raises(InputError, match="No stack"):
        transcript(TextSpec("ping", ("info qtree", "bt")), ping)
