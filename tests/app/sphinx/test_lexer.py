"""The lexer of transcripts: every sign comes back, nothing is an error, and the words that matter have their kind."""

from __future__ import annotations

import pytest

pytest.importorskip("sphinx", reason="Sphinx is not installed (extra sphinx)")

from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Error, Generic, Keyword, Name, Number, String, Token

from ringscope.sphinx.lexer import TranscriptLexer

TRANSCRIPT = """(gdb) bt 2
#0  virtio_net_device_realize (dev=0x55555729b2b0, errp=0x7fffffffe1f0) at /usr/src/hw/net/virtio-net.c:2658
#1  0x0000555555896628 in device_set_realized (obj=<optimized out>, name=0x555555cac945 "realized")
    at /usr/src/hw/core/qdev.c:834
    (tail call) object_property_set (v=<unknown>) at qom/object.c:1271
(gdb) p/x *dev
$1 = {ref = 2, unparent = 0x55555599ae70 <device_unparent>, realized = false}
(qemu) info qtree
bus: main-system-bus
  type System
  dev: virtio-net-pci, id "net0"
    vectors = 3 (0x3)
Thread 1 "qemu-system-x86" hit Breakpoint 2, virtio_init (vdev=0x1)
"""


def _kinds(text: str, word: str) -> set[object]:
    return {kind for kind, value in TranscriptLexer(ensurenl=False, stripnl=False).get_tokens(text) if value == word}


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("(gdb)", Generic.Prompt),
        ("(qemu)", Generic.Prompt),
        ("bt", Keyword),
        ("/x", Name.Attribute),
        ("#0", Generic.Heading),
        ("virtio_net_device_realize", Name.Function),
        ("device_set_realized", Name.Function),
        ("object_property_set", Name.Function),
        ("virtio_init", Name.Function),
        ("(tail call)", Comment),
        ("dev", Name.Variable),
        ("0x55555729b2b0", Number.Hex),
        ("<optimized out>", Comment),
        ("<device_unparent>", Name.Function),
        ('"realized"', String),
        ("/usr/src/hw/net/virtio-net.c", Name.Namespace),
        ("2658", Number.Integer),
        ("$1", Name.Variable.Global),
        ("false", Keyword.Constant),
        ("main-system-bus", Name.Class),
        ("System", Name.Class),
    ],
)
def test_kinds(word: str, kind: object) -> None:
    """What a transcript's words are."""
    assert kind in _kinds(TRANSCRIPT, word)


def test_nothing_is_an_error() -> None:
    """Of the example, whole and cut anywhere."""
    for end in range(0, len(TRANSCRIPT), 7):
        tokens = list(TranscriptLexer(ensurenl=False, stripnl=False).get_tokens(TRANSCRIPT[:end]))
        assert "".join(value for _, value in tokens) == TRANSCRIPT[:end]
        assert Error not in {kind for kind, _ in tokens}


@given(st.text(alphabet=st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=80))
def test_any_text(text: str) -> None:
    """Comes back as it was."""
    tokens = list(TranscriptLexer(ensurenl=False, stripnl=False, stripall=False).get_tokens(text))
    assert "".join(value for _, value in tokens) == text.removeprefix("\ufeff")
    assert all(kind in Token and kind is not Error for kind, _ in tokens)


def test_it_is_not_taken_for_another() -> None:
    """Pygments knows nothing of it but by its class: other projects' blocks are guessed as before."""
    assert TranscriptLexer.analyse_text("(gdb) bt\n") > 0.5 and TranscriptLexer.analyse_text("int main(void);\n") == 0
    with pytest.raises(ValueError, match="no lexer"):
        get_lexer_by_name("ringscope")
