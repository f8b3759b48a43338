"""Backtraces that gdb printed elsewhere, compared with the frames here.

Taken as people have them: with or without ``#N``, addresses, prompts and thread headers, with lines broken where the terminal ended, of
other versions, from other paths.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ringscope_core.gdb.backtrace import BtFrame

EQUAL: Final = "equal"
OTHER_LINE: Final = "other line"
OTHER_ARGUMENTS: Final = "other arguments"
MISSING: Final = "missing here"
ONLY_HERE: Final = "only here"
MAX_FRAMES: Final = 10_000
_LONGEST: Final = 1 << 20

_START: Final = re.compile(r"^\s*(?:\(gdb\)\s*)?#?(?P<number>\d+)\s+(?=(?:0x[0-9a-fA-F]+\s+in\b|[A-Za-z_<?~][\w:~<>?.*&-]*\s*(?:\(|$)))")
_FRAME: Final = re.compile(
    r"^#?(?P<number>\d+)\s+(?:(?P<address>0x[0-9a-fA-F]+)\s+in\s+)?(?P<function>[^\s(]+)\s*\((?P<args>.*?)\)(?:\s+at\s+(?P<file>[^\s:]+):(?P<line>\d+)|\s+from\s+(?P<library>\S+))?\s*$"
)
_NOISE: Final = re.compile(
    r"^\s*(?:\(More stack frames|Thread \d+|\[Switching|Backtrace stopped|---Type|--Type|\(gdb\)\s*(?:bt|where|backtrace)?\s*$|No locals|\(tail call\))"
)


@dataclass(frozen=True)
class PastedFrame:
    """One frame as it was read.  `address` is 0, `file` "" and `line` 0 where there was none."""

    number: int
    address: int
    function: str
    args: tuple[tuple[str, str], ...]
    file: str
    line: int


@dataclass(frozen=True)
class FrameMatch:
    """One row of a comparison: `verdict` is one of the constants above, `notes` say what differs, in words."""

    verdict: str
    pasted: PastedFrame | None
    ours: BtFrame | None
    notes: tuple[str, ...] = ()


def parse_backtrace(text: str) -> list[PastedFrame]:
    """The frames of a pasted text, in its order; lines that are none are left out."""
    joined: list[str] = []
    inside = False
    for line in text[:_LONGEST].splitlines():
        if _NOISE.match(line):
            inside = False
            continue
        start = _START.match(line)
        if start is not None:
            joined.append(line[start.start("number") :].strip())
            inside = True
        elif inside and line.strip():
            # the terminal ended here: the rest of the frame
            joined[-1] = f"{joined[-1]} {line.strip()}" if not re.match(r"\s*\w+ = ", line) else joined[-1]
        else:
            inside = False
        if len(joined) >= MAX_FRAMES:
            break
    frames: list[PastedFrame] = []
    for line in joined:
        found = _FRAME.match(line)
        if found is not None:
            address = int(found["address"], 16) if found["address"] else 0
            frames.append(
                PastedFrame(int(found["number"]), address, found["function"], _arguments(found["args"]), found["file"] or "", int(found["line"] or 0))
            )
    return frames


def _arguments(text: str) -> tuple[tuple[str, str], ...]:
    out: list[tuple[str, str]] = []
    depth, quote, piece = 0, False, ""
    for place, sign in enumerate(text):
        if sign == '"' and (place == 0 or text[place - 1] != "\\"):
            quote = not quote
        if not quote:
            depth += (sign in "({<") - (sign in ")}>" and text[max(place - 1, 0)] != "-")
        if sign == "," and depth <= 0 and not quote:
            out.append(_argument(piece))
            piece = ""
        else:
            piece += sign
    if piece.strip():
        out.append(_argument(piece))
    return tuple(one for one in out if one[0] or one[1])


def _argument(piece: str) -> tuple[str, str]:
    name, sign, value = piece.partition("=")
    return (name.strip(), " ".join(value.split())) if sign else ("", piece.strip())


def compare(pasted: Sequence[PastedFrame], ours: Sequence[BtFrame]) -> list[FrameMatch]:
    """Both stacks side by side, innermost first: frames are matched by their functions' names."""
    here = [frame for frame in ours if frame.number is not None]
    matcher = difflib.SequenceMatcher(None, [frame.function for frame in pasted], [frame.function for frame in here], autojunk=False)
    rows: list[FrameMatch] = []
    for sort, a, a_end, b, b_end in matcher.get_opcodes():
        if sort == "equal":
            rows += [_matched(one, other) for one, other in zip(pasted[a:a_end], here[b:b_end], strict=True)]
            continue
        rows += [FrameMatch(MISSING, one, None) for one in pasted[a:a_end]]
        rows += [FrameMatch(ONLY_HERE, None, other) for other in here[b:b_end]]
    return rows


def _matched(one: PastedFrame, other: BtFrame) -> FrameMatch:
    notes: list[str] = []
    verdict = EQUAL
    differing = _differing(one.args, other.args)
    if differing:
        verdict, notes = OTHER_ARGUMENTS, differing
    if one.line and one.line != other.line:
        verdict = OTHER_LINE
        notes = [f"line {one.line} there, {other.line} here", *notes]
    if one.file and not _same_file(one.file, other.path):
        verdict = OTHER_LINE
        notes = [f"{one.file} there, {other.path} here", *notes]
    return FrameMatch(verdict, one, other, tuple(notes))


def _same_file(theirs: str, ours: str) -> bool:
    return theirs == ours or theirs.endswith(f"/{ours}") or ours.endswith(f"/{theirs.lstrip('./')}")


def _differing(theirs: Sequence[tuple[str, str]], ours: Sequence[tuple[str, str]]) -> list[str]:
    """Arguments that say something else.  Addresses differ from run to run and what is not known says nothing: neither counts."""
    here = dict(ours)
    notes: list[str] = []
    for name, value in theirs:
        if name not in here:
            notes.append(f"{name}={value} only there")
            continue
        mine = here[name]
        if not _plain(value) or not _plain(mine):
            continue
        if _plain(value) != _plain(mine):
            notes.append(f"{name}={value} there, {mine} here")
    known = {name for name, _ in theirs}
    return [*notes, *(f"{name}={value} only here" for name, value in ours if name not in known)]


def _plain(value: str) -> str:
    """What of a value can be compared: nothing of an address, of what was optimized out or is unknown."""
    text = re.sub(r"0x[0-9a-fA-F]+|@entry=\S+|<(?:optimized out|unknown)>", "", value).strip()
    return re.sub(r"\s+", " ", text)


def table(rows: Sequence[FrameMatch]) -> str:
    """The comparison as text, and one line that sums it up."""
    cells = [("", "theirs", "here", "function", "")]
    for row in rows:
        theirs = f"#{row.pasted.number}" if row.pasted is not None else "-"
        here = f"#{row.ours.number}" if row.ours is not None else "-"
        function = row.pasted.function if row.pasted is not None else row.ours.function if row.ours is not None else ""
        cells.append((row.verdict, theirs, here, function, "; ".join(row.notes)))
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)]
    lines = ["  ".join([*(f"{text:<{width}}" for text, width in zip(cell[:4], widths, strict=True)), cell[4]]).rstrip() for cell in cells]
    verdicts = (EQUAL, OTHER_LINE, OTHER_ARGUMENTS, MISSING, ONLY_HERE)
    counts = [f"{count} {verdict}" for verdict in verdicts if (count := sum(row.verdict == verdict for row in rows))]
    return "\n".join([*lines, "", ", ".join(counts)])
