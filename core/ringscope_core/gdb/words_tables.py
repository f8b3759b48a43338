"""Words that print tables: a virtqueue, all of them, events, packets, an object's fields, the tree of types, the stack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.named import named
from ringscope_core.gdb.ring_tables import RingTables
from ringscope_core.gdb.tables import Table, tables_text
from ringscope_core.gdb.words import word
from ringscope_core.query.decode import format_clock
from ringscope_core.query.filters import Filter
from ringscope_core.query.recording import arguments_of
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    import numpy as np

    from ringscope_core.gdb.console import Console

    Row = np.void

_PARTS: Final = ("indices", "desc", "avail", "used", "chain", "all")
_RANGE: Final = re.compile(r"(\d+)\s*\.\.\s*(\d+)$")
_LIMIT: Final = re.compile(r"(?:^|\s)limit\s+(\d+)$")
_SPAN: Final = re.compile(r"(?:^|\s)(?:#?(\d+)\s*\.\.\s*#?(\d+)|(around))$")
_EVENTS: Final = 20
"""Events that are listed when nobody says how many."""
_MOST: Final = 10_000
_BATCH: Final = 32_768


def shown(console: Console, *tables: Table) -> str:
    """Tables as text; a transcript may ask for the tables themselves."""
    console.tables = tables
    return tables_text(tables)


# -- rings ------------------------------------------------------------------------------------------------------------
@word("ring", "Recording", "[NAME] [indices | desc | avail | used | chain HEAD | all] [FIRST..LAST]")
def _ring(console: Console, rest: str) -> str:
    """A virtqueue at this moment: its indices, or its descriptors, available ring, used ring or a chain."""
    text, first, last = _ranged(rest)
    words = text.split()
    name = words.pop(0) if words and words[0] not in _PARTS else ""
    part = words.pop(0) if words else "indices"
    if part not in _PARTS:
        raise ConsoleError(f'Undefined part of a ring: "{part}".  It is one of {", ".join(_PARTS)}.')
    tables = RingTables(console.moment, _ring_of(console, name))
    if part == "indices" or tables.image is None:
        if part not in ("indices", "all"):
            raise ConsoleError(f"{tables.title()}.")
        return shown(console, tables.indices())
    num = tables.image.num
    if part == "chain":
        return shown(console, tables.chain(_head(words, num)))
    if words:
        raise ConsoleError(f'Junk behind the part of the ring: "{" ".join(words)}".')
    if tables.packed and part in ("avail", "used"):
        raise ConsoleError(f"{tables.name} is a packed ring: it has descriptors and two event structures, no {part} ring.")
    first, last = (0, num - 1) if first < 0 else (first, last)
    if not first <= last < num:
        raise ConsoleError(f"{tables.name} has slots 0 to {num - 1}.")
    slots = {"desc": tables.descriptors, "avail": tables.available, "used": tables.used}
    if part == "all":
        wanted = ("desc",) if tables.packed else ("desc", "avail", "used")
        return shown(console, tables.indices(), *(slots[one](first, last) for one in wanted))
    return shown(console, slots[part](first, last))


def _ranged(rest: str) -> tuple[str, int, int]:
    """The arguments without a closing ``FIRST..LAST``, and its ends; -1 for none."""
    found = _RANGE.search(rest)
    return (rest[: found.start()].strip(), int(found[1]), int(found[2])) if found else (rest, -1, -1)


def _ring_of(console: Console, name: str) -> int:
    oid = named(console.inferior.recording, name, console.inferior.seq) if name else console.focus
    if not oid:
        known = ", ".join(console.moment.recording.names.name(one) for one in console.moment.queues())
        raise ConsoleError(f"Argument required (a ring: {known or 'there is none at this moment'}).")
    if not is_ring(oid):
        raise ConsoleError(f"{name or console.moment.recording.names.name(oid)} is no ring.")
    return oid


def _head(words: list[str], num: int) -> int:
    if len(words) != 1 or not words[0].isdigit() or int(words[0]) >= num:
        raise ConsoleError(f"A chain begins at a descriptor, 0 to {num - 1}: chain HEAD.")
    return int(words[0])


# -- events -----------------------------------------------------------------------------------------------------------
@word("events", "Recording", "[FILTER] [FIRST..LAST | around] [limit N]")
def _events(console: Console, rest: str) -> str:
    """Events that a filter takes: the last ones up to the cursor, those of a range, or those around the cursor."""
    limit, text = _EVENTS, rest.strip()
    if found := _LIMIT.search(text):
        limit, text = int(found[1]), text[: found.start()].strip()
    if not 1 <= limit <= _MOST:
        raise ConsoleError(f"The limit is 1 to {_MOST}.")
    first, last, around = console.inferior.first, console.inferior.seq, False
    if found := _SPAN.search(text):
        text = text[: found.start()].strip()
        around = bool(found[3])
        if not around:
            first, last = int(found[1]), int(found[2])
            if not console.inferior.first <= first <= last <= console.inferior.last:
                raise ConsoleError(f"The recording holds events {console.inferior.first} to {console.inferior.last}.")
    wanted = Filter(text, console.inferior.recording)
    if around:
        before = _back(console, wanted, first, last, limit - limit // 2)
        rows = before + _forth(console, wanted, last + 1, console.inferior.last, limit - len(before))
    elif found:
        rows = _forth(console, wanted, first, last, limit)
    else:
        rows = _back(console, wanted, first, last, limit)
    if not rows:
        return "No such event."
    return shown(console, event_table(console, rows))


def _forth(console: Console, wanted: Filter, first: int, last: int, limit: int) -> list[Row]:
    """The first `limit` events of the range that the filter takes."""
    out: list[Row] = []
    for start in range(first, last + 1, _BATCH):
        rows = console.inferior.recording.reader.events(start, min(start + _BATCH - 1, last))
        out += list(rows[wanted.mask(rows)][: limit - len(out)]) if len(rows) else []
        if len(out) >= limit:
            break
    return out


def _back(console: Console, wanted: Filter, first: int, last: int, limit: int) -> list[Row]:
    """The last `limit` of them, in their order."""
    out: list[Row] = []
    end = last
    while end >= first and len(out) < limit:
        rows = console.inferior.recording.reader.events(max(end - _BATCH + 1, first), end)
        found = list(rows[wanted.mask(rows)]) if len(rows) else []
        out = found[max(len(found) - (limit - len(out)), 0) :] + out
        end -= _BATCH
    return out


def event_table(console: Console, rows: list[Row]) -> Table:
    """Events with their arguments in words."""
    recording = console.inferior.recording
    lines = []
    for row in rows:
        kind = recording.kinds.get(int(row["kind"]))
        words = recording.decoder.describe(int(row["kind"]), arguments_of(row))
        lines.append((str(int(row["seq"])), format_clock(int(row["vt"])), kind.name if kind else "", recording.names.name(int(row["obj"])), words))
    return Table(("event", "time (s)", "kind", "object", "arguments"), tuple(lines), frozenset((0, 1)))


# -- objects and types ------------------------------------------------------------------------------------------------
@word("fields", "Recording", "[OBJECT]")
def _fields(console: Console, rest: str) -> str:
    """What is known of an object or a ring: every recorded field with its value at this moment."""
    moment = console.moment
    oid = named(console.inferior.recording, rest, console.inferior.seq) if rest else console.focus
    if not oid:
        raise ConsoleError("Argument required (an object: a QOM path or its end, net0, tx0).")
    values = moment.state.fields.get(oid, {})
    specs = moment.recording.fields
    known = sorted((number for number in values if number in specs), key=lambda one: (specs[one].struct, one))
    rows = tuple((specs[one].struct, specs[one].name, moment.recording.decoder.field_value(one, values[one])) for one in known)
    path = moment.recording.names.path(oid) or moment.recording.names.name(oid)
    if not rows:
        return f"{path} has no recorded field at this moment."
    return shown(console, Table(("structure", "field", "value"), rows, title=f"{path} ({moment.recording.names.type_name(oid)})"))


@word("types", "Recording", "[ROOT]")
def _types(console: Console, rest: str) -> str:
    """The QOM types below ROOT (all of them without one): sizes in bytes, interfaces, instances are in `ringscope types`."""
    rows = {str(row["name"]): row for row in console.inferior.recording.reader.types}
    if not rows:
        raise ConsoleError("The recording does not tell of types.")
    root = rest.strip()
    if root and root not in rows:
        from ringscope_core.query.suggest import suggestion

        near = suggestion(root, list(rows))
        raise ConsoleError(f'There is no type "{root}".' + (f"  Did you mean {near}?" if near else ""))
    children: dict[str, list[str]] = {}
    for name, row in rows.items():
        children.setdefault(str(row.get("parent") or ""), []).append(name)
    lines: list[tuple[str, ...]] = []
    stack = [(root, 0)] if root else [(name, 0) for name in sorted(children.get("", ()), reverse=True)]
    while stack:
        name, depth = stack.pop()
        row = rows[name]
        more = ", ".join([*(["abstract"] if row.get("abstract") else []), *map(str, row.get("interfaces") or ())])
        lines.append((f"{'  ' * depth}{name}", _size(row.get("instance_size")), _size(row.get("class_size")), more))
        stack += [(child, depth + 1) for child in sorted(children.get(name, ()), reverse=True)]
    return shown(console, Table(("type", "instance", "class", "is"), tuple(lines), frozenset((1, 2))))


def _size(value: object) -> str:
    return "unknown" if value is None else str(value)


# -- the stack --------------------------------------------------------------------------------------------------------
@word("stack", "Recording")
def _stack(console: Console, rest: str) -> str:
    """The open calls, innermost first: function, QEMU's file and line, arguments."""
    frames = console.frames
    if not frames:
        raise ConsoleError("No stack.")
    rows = tuple(
        (str(frame.number), frame.shown.function, f"{frame.shown.path}:{frame.shown.line}", ", ".join(f"{name}={value}" for name, value in frame.shown.args))
        for frame in frames
    )
    return shown(console, Table(("frame", "function", "at", "arguments"), rows, frozenset((0,))))
