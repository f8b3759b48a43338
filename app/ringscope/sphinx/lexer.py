"""Colours for transcripts: what a console of gdb, QEMU's monitor or Ringscope was told, and what it answered.  Known to pages as ``ringscope``."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from pygments.lexer import RegexLexer, bygroups, include
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

_FILE: Final = r"[\w./+-]+\.(?:c|h|inc)"
_ARGUMENT: Final = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"


class TranscriptLexer(RegexLexer):
    """Prompts, commands, frame numbers, functions, arguments and values, places in files.

    What belongs to no form is text, so that a transcript is never an error.
    """

    name = "Ringscope transcript"
    aliases: ClassVar[list[str]] = ["ringscope"]
    filenames: ClassVar[list[str]] = []
    mimetypes: ClassVar[list[str]] = ["text/x-ringscope"]
    url = ""

    tokens: ClassVar[dict[str, Any]] = {
        "root": [
            (r"^(\((?:gdb|qemu|ringscope)\)|>)( )([^\s/]+)?", bygroups(Generic.Prompt, Whitespace, Keyword), "command"),
            # a frame: its number, where it will go on, its function
            (
                rf"^(#\d+)(\s+)(?:(0x[0-9a-f]+)( in ))?([A-Za-z_]\w*)( )(\()(?={_ARGUMENT}=|\))",
                bygroups(Generic.Heading, Whitespace, Number.Hex, Text, Name.Function, Whitespace, Punctuation),
            ),
            (r"^(\s+)(\(tail call\))( )([A-Za-z_]\w*)", bygroups(Whitespace, Comment, Whitespace, Name.Function)),
            (r"^(Thread \d+ \"[^\"\n]*\" hit )(\w+ \d+)(, )([A-Za-z_]\w*)", bygroups(Text, Generic.Strong, Text, Name.Function)),
            (r"^(\$\d+)( = )", bygroups(Name.Variable.Global, Text)),
            # a source line: its number, then the text of it
            (r"^(\d+)(\t)", bygroups(Number.Integer, Whitespace)),
            # the device tree
            (r"^(\s*)(bus|dev)(: )([^\n,]+)", bygroups(Whitespace, Keyword, Punctuation, Name.Class)),
            (r"^(\s+)(type)( )([^\n]+)$", bygroups(Whitespace, Keyword, Whitespace, Name.Class)),
            # an event: its number, its time
            (r"^(#\d+)(  )(\d+\.\d+)( )(s)\b", bygroups(Generic.Heading, Whitespace, Number.Float, Whitespace, Text)),
            include("values"),
        ],
        "command": [
            (r"\n", Whitespace, "#pop"),
            (r"/[0-9a-zA-Z]+\b", Name.Attribute),
            include("values"),
        ],
        "values": [
            (rf"({_FILE})(:)(\d+)", bygroups(Name.Namespace, Punctuation, Number.Integer)),
            (rf"({_FILE})(, line )(\d+)", bygroups(Name.Namespace, Text, Number.Integer)),
            (rf"{_FILE}\b", Name.Namespace),
            (r"<(?:optimized out|unknown|error: [^>\n]*|repeats \d+ times)>", Comment),
            (r"<[A-Za-z_][\w+]*>", Name.Function),
            (rf"({_ARGUMENT})( ?)(=)( ?)", bygroups(Name.Variable, Whitespace, Operator, Whitespace)),
            (r'"(?:\\.|[^"\\\n])*"', String),
            (r"'(?:\\.|[^'\\\n])+'", String.Char),
            (r"\$\w+", Name.Variable.Global),
            (r"\b0x[0-9a-fA-F]+\b", Number.Hex),
            (r"(?<![\w.])-?\d+\.\d+\b", Number.Float),
            (r"(?<![\w.-])-?\d+\b", Number.Integer),
            (r"\b(?:true|false)\b", Keyword.Constant),
            (r"\b(?:struct|union|enum|const|unsigned|char|int|bool|void|u?int(?:8|16|32|64)_t|size_t|hwaddr)\b", Keyword.Type),
            (r"[{}(),;*\[\]]", Punctuation),
            (r"\n", Whitespace),
            (r"[ \t]+", Whitespace),
            (r"[A-Za-z_]\w*", Text),
            (r".", Text),
        ],
    }

    @staticmethod
    def analyse_text(text: str) -> float:
        """How likely an unnamed block is one of ours: only when it begins with a prompt."""
        return 0.6 if text.startswith(("(gdb) ", "(qemu) ", "(ringscope) ")) else 0.0
