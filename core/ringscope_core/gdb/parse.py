"""C expressions as gdb takes them, to a tree: names, numbers, strings, ``$`` variables, members, indexes, casts, arithmetic, assignment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ringscope_core.gdb.ctypes import CType, known_type, pointer_to, struct_named
from ringscope_core.gdb.errors import ConsoleError

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<number>0[xX][0-9a-fA-F]+[uUlL]*|0[bB][01]+[uUlL]*|\d+\.\d*|\d+[uUlL]*)
    |(?P<name>\$[A-Za-z0-9_$]*|[A-Za-z_][A-Za-z0-9_]*)
    |(?P<string>"(?:[^"\\]|\\.)*")|(?P<char>'(?:[^'\\]|\\.)+')
    |(?P<op>->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||::|[-+*/%&|^]=|[-+*/%&|^~!<>=?:.,()\[\]{}@]))""",
    re.VERBOSE,
)
_LEVELS: Final = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("@",), ("+", "-"), ("*", "/", "%"))
_UNARY: Final = ("-", "+", "!", "~", "*", "&")
_WORDS: Final = frozenset(("unsigned", "signed", "int", "char", "short", "long", "const", "volatile", "struct", "union", "enum"))
_DEEPEST: Final = 100


@dataclass(frozen=True)
class Node:
    """One step of an expression: `op` says which, `text`, `number`, `ctype` and `parts` what of."""

    op: str
    text: str = ""
    number: int = 0
    ctype: CType | None = None
    parts: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Token:
    """A piece of an expression and where it begins."""

    sort: str
    text: str
    start: int


def tokens(text: str) -> list[Token]:
    """The pieces; raises ConsoleError as gdb does for what is none."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            rest = text[at:].strip()
            if not rest:
                break
            if rest[0] == '"':
                raise ConsoleError("Unterminated string in expression.")
            if rest[0] == "'":
                raise ConsoleError("Unmatched single quote.")
            raise ConsoleError(f"Invalid character '{rest[0]}' in expression.")
        sort = str(match.lastgroup)
        found.append(Token(sort, match[sort], match.start(sort)))
        at = match.end()
    return found


def parse(text: str) -> Node:
    """The expression `text`; raises ConsoleError in gdb's words."""
    reader = _Parser(text)
    try:
        found = reader.assignment()
    except RecursionError:
        raise ConsoleError("Expression is nested too deeply.") from None
    reader.end()
    return found


def parse_type_or_none(text: str) -> CType | None:
    """`text` as a type (``struct VirtQueue *``), None when it is none."""
    try:
        reader = _Parser(text)
    except ConsoleError:
        return None
    try:
        found = reader.type_name()
    except ConsoleError:
        return None
    return found if found is not None and reader.at_end() else None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text: str = text
        self._tokens: list[Token] = tokens(text)
        self._at: int = 0
        self._depth: int = 0

    # -- pieces -------------------------------------------------------------------------------------------------------
    def _peek(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return self._tokens[place].text if place < len(self._tokens) else ""

    def _sort(self) -> str:
        return self._tokens[self._at].sort if self._at < len(self._tokens) else ""

    def _take(self) -> Token:
        found = self._tokens[self._at]
        self._at += 1
        return found

    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self._at >= len(self._tokens)

    def end(self) -> None:
        """Nothing may be left."""
        if not self.at_end():
            self._error()

    def _error(self) -> None:
        rest = self._text[self._tokens[self._at].start :] if not self.at_end() else ""
        raise ConsoleError(f"A syntax error in expression, near `{rest}'.")

    def _expect(self, text: str) -> None:
        if self._peek() != text or self.at_end():
            self._error()
        self._at += 1

    # -- levels -------------------------------------------------------------------------------------------------------
    def assignment(self) -> Node:
        """The whole expression."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ConsoleError("Expression is nested too deeply.")
        left = self._ternary()
        if self._sort() == "op" and self._peek() in ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="):
            op = self._take().text
            right = self.assignment()
            left = Node("assign", parts=(left, right if op == "=" else Node("binary", op[:-1], parts=(left, right))))
        self._depth -= 1
        return left

    def _ternary(self) -> Node:
        test = self._binary(0)
        if self._peek() != "?":
            return test
        self._at += 1
        yes = self.assignment()
        self._expect(":")
        return Node("choose", parts=(test, yes, self._ternary()))

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._sort() == "op" and self._peek() in _LEVELS[level]:
            op = self._take().text
            left = Node("binary", op, parts=(left, self._binary(level + 1)))
        return left

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ConsoleError("Expression is nested too deeply.")
        found = self._unary_inner()
        self._depth -= 1
        return found

    def _unary_inner(self) -> Node:
        word = self._peek()
        if self._sort() == "op" and word in _UNARY:
            self._at += 1
            return Node("unary", word, parts=(self._unary(),))
        if word in ("++", "--"):
            raise ConsoleError("Increments are not supported; use set var.")
        if word == "sizeof" and self._sort() == "name":
            self._at += 1
            return self._sizeof()
        if word == "{" and self._sort() == "op":
            self._at += 1
            ctype = self.type_name()
            if ctype is None:
                self._error()
            self._expect("}")
            return Node("at", ctype=ctype, parts=(self._unary(),))
        if word == "(" and self._sort() == "op":
            start = self._at
            self._at += 1
            ctype = self.type_name()
            if ctype is not None and self._peek() == ")":
                self._at += 1
                return Node("cast", ctype=ctype, parts=(self._unary(),))
            self._at = start
        return self._postfix()

    def _sizeof(self) -> Node:
        if self._peek() == "(":
            start = self._at
            self._at += 1
            ctype = self.type_name()
            if ctype is not None and self._peek() == ")":
                self._at += 1
                return Node("sizeof", ctype=ctype)
            self._at = start
        return Node("sizeof", parts=(self._unary(),))

    def _postfix(self) -> Node:
        found = self._primary()
        while not self.at_end() and self._sort() == "op":
            word = self._peek()
            if word in ("->", "."):
                self._at += 1
                if self._sort() not in ("name", "number"):
                    self._error()
                found = Node("arrow" if word == "->" else "dot", self._take().text, parts=(found,))
            elif word == "[":
                self._at += 1
                inner = self.assignment()
                self._expect("]")
                found = Node("index", parts=(found, inner))
            elif word == "(":
                raise ConsoleError("You can't call functions: what is debugged here is a recording.")
            elif word in ("++", "--"):
                raise ConsoleError("Increments are not supported; use set var.")
            else:
                break
        return found

    def _primary(self) -> Node:
        if self.at_end():
            self._error()
        sort, word = self._sort(), self._peek()
        if sort == "op" and word == "(":
            self._at += 1
            inner = self.assignment()
            self._expect(")")
            return inner
        if sort == "op":
            self._error()
        token = self._take()
        if sort == "number":
            return _number(token.text)
        if sort == "string":
            return Node("string", _unescaped(token.text[1:-1]))
        if sort == "char":
            text = _unescaped(token.text[1:-1])
            if len(text) != 1:
                return Node("name", text)
            return Node("char", number=ord(text))
        return Node("variable" if token.text.startswith("$") else "name", token.text)

    # -- types --------------------------------------------------------------------------------------------------------
    def type_name(self) -> CType | None:
        """A type at this place, None (and nothing read) when there is none; raises ConsoleError for ``struct`` and an unknown name."""
        start = self._at
        words: list[str] = []
        tag = False
        while self._sort() == "name" and not self._peek().startswith("$"):
            word = self._peek()
            if word in ("struct", "union", "enum"):
                tag = True
            elif word in _WORDS:
                if word not in ("const", "volatile"):
                    words.append(word)
            elif words and not tag:
                break
            else:
                words.append(word)
                self._at += 1
                break
            self._at += 1
        name = " ".join(words)
        ctype = struct_named(name) if tag and struct_named(name) else known_type(_plain(name)) if name else None
        if ctype is None:
            if tag:
                raise ConsoleError(f"No struct type named {name}.")
            self._at = start
            return None
        while self._sort() == "name" and self._peek() in ("const", "volatile"):
            self._at += 1
        while self._sort() == "op" and self._peek() == "*":
            self._at += 1
            ctype = pointer_to(ctype)
        return ctype


def _plain(name: str) -> str:
    """One spelling for the orders in which C takes its words."""
    words = name.split()
    if not set(words) <= {"unsigned", "signed", "int", "char", "short", "long"}:
        return name
    sign = "unsigned " if "unsigned" in words else ""
    if "char" in words:
        return f"{sign}char" if sign else "signed char" if "signed" in words else "char"
    if "short" in words:
        return f"{sign}short"
    if "long" in words:
        return f"{sign}{' '.join(['long'] * words.count('long'))}"
    return f"{sign}int"


def _number(text: str) -> Node:
    if "." in text:
        raise ConsoleError("Floating point is not supported.")
    digits = text.rstrip("uUlL")
    suffix = text[len(digits) :].lower()
    try:
        value = int(digits, 8) if digits.startswith("0") and digits.isdigit() and len(digits) > 1 else int(digits, 0)
    except ValueError:
        raise ConsoleError(f'Invalid number "{text}".') from None
    if value >= 1 << 64:
        raise ConsoleError("Numeric constant too large.")
    wide = "l" in suffix or value >= 1 << 31
    hexadecimal = not digits.isdigit()
    signed = "u" not in suffix and not (value >= 1 << 63 or hexadecimal and 1 << 31 <= value < 1 << 32 and "l" not in suffix)
    if hexadecimal and value < 1 << 32 and "l" not in suffix:
        wide = False
    return Node("number", number=value, ctype=known_type(f"{'' if signed else 'unsigned '}{'long' if wide else 'int'}"))


_PLAIN_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\033"}


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] in "01234567":
            return chr(int(body, 8) & 0xFF)
        if body[0] == "x" and len(body) > 1:
            return chr(int(body[1:], 16) & 0xFF)
        return _PLAIN_ESCAPES.get(body, body)

    return re.sub(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", one, text)
