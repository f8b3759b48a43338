"""Words about the recording itself: causes, packets, rings, writes, messages, marks, and backtraces from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ringscope_core.gdb.errors import ConsoleError
from ringscope_core.gdb.pasted import compare, parse_backtrace, table
from ringscope_core.gdb.stops import place_of, stop_text
from ringscope_core.gdb.tables import Table
from ringscope_core.gdb.words import word
from ringscope_core.gdb.words_move import number_argument
from ringscope_core.gdb.words_tables import shown
from ringscope_core.query import travel
from ringscope_core.query.breakpoints import log_lines
from ringscope_core.query.decode import format_clock, format_ns

if TYPE_CHECKING:
    from ringscope_core.gdb.console import Console
    from ringscope_core.query.travel import Watch

_PACKETS: Final = 10
_LARGEST: Final = 1 << 20


@word("why", "Recording", "[MOMENT]")
def _why(console: Console, rest: str) -> str:
    """What led to the event at the cursor, the nearest cause first."""
    recording = console.inferior.recording
    seq = travel.seek(recording, rest) if rest else console.inferior.seq
    chain = travel.why(recording, seq)
    if not chain:
        return f"Event #{seq} has no recorded cause."
    lines: list[str] = []
    for cause in chain:
        rows = recording.reader.events(cause, cause)
        if not len(rows):
            lines.append(f"#{cause}  (not kept)")
            continue
        kind = recording.kinds.get(int(rows[0]["kind"]))
        name = recording.names.name(int(rows[0]["obj"]))
        words = [f"#{cause}", f"{format_clock(int(rows[0]['vt']))} s", kind.name if kind else "", name, recording.describe(rows[0])]
        lines.append("  ".join(one for one in words if one))
    return "\n".join(lines)


@word("packets", "Recording", "[N]")
def _packets(console: Console, rest: str) -> str:
    """The last N frames up to the cursor."""
    reader, seq = console.inferior.recording.reader, console.inferior.seq
    count = number_argument(console, rest, _PACKETS)
    last = _packets_until(console, seq)
    if not last:
        return "No packet yet."
    rows = tuple(
        (str(row.id), format_clock(row.vt), "rx" if row.direction else "tx", str(row.queue), str(row.length), str(row.head), f"#{row.seq}")
        for row in reader.packets(max(last - count + 1, 1), last)
    )
    return shown(console, Table(("packet", "time (s)", "dir", "queue", "length", "head", "event"), rows, frozenset((0, 1, 3, 4, 5))))


def _packets_until(console: Console, seq: int) -> int:
    """The number of the last packet at or before an event."""
    reader = console.inferior.recording.reader
    low, high = 0, reader.packet_count
    while low < high:
        middle = (low + high + 1) // 2
        rows = reader.packets(middle, middle)
        if rows and rows[0].seq <= seq:
            low = middle
        else:
            high = middle - 1
    return low


@word("rings", "Recording")
def _rings(console: Console, rest: str) -> str:
    """The indices of every queue, the device's and the driver's side."""
    moment = console.moment
    names = ("VRing.num", "VirtQueue.last_avail_idx", "VirtQueue.shadow_avail_idx", "VirtQueue.used_idx", "VirtQueue.signalled_used")
    more = ("VirtQueue.inuse", "VirtQueue.notification", "VirtQueue.vector", "vring_virtqueue.last_used_idx", "vring_virtqueue.num_free")
    heads = ("num", "last_avail", "shadow_avail", "used", "signalled", "inuse", "notify", "vector", "last_used", "num_free")
    found = moment.queues()
    if not found:
        return "There are no queues at this moment."
    rows: list[tuple[str, ...]] = []
    for oid in found:
        values = [moment.field(oid, full) for full in (*names, *more)]
        rows.append((moment.recording.names.name(oid), *("?" if value is None else str(value) for value in values)))
    return shown(console, Table(("queue", *heads), tuple(rows), frozenset(range(1, len(heads) + 1))))


def _watch_of(console: Console, text: str) -> Watch:
    """A value of the machine: a C expression for a field, or a watch in words (tx0.desc[3].len)."""
    if not text:
        raise ConsoleError("Argument required (an expression, or OBJECT.Struct.field, RING.desc[N].addr ..).")
    try:
        value = console.value(text)
    except ConsoleError as error:
        try:
            return travel.parse_watch(text, console.inferior.recording)
        except ValueError:
            raise error from None
    field = value.place.field if value.place is not None else None
    if field is None:
        raise ConsoleError(f"Changes of {text} are not recorded.")
    return travel.field_watch(field[0], console.inferior.recording.field_id(field[1]))


@word("last-write", "Recording", "EXPR", "lw")
def _last_write(console: Console, rest: str) -> str:
    """Back to the event that wrote a value last."""
    seq = travel.last_write(console.inferior.recording, _watch_of(console, rest), console.inferior.seq)
    return _go(console, seq, f"Nothing before wrote {rest}.")


@word("next-change", "Recording", "EXPR", "nc")
def _next_change(console: Console, rest: str) -> str:
    """On to the event that changes a value next."""
    seq = travel.next_change(console.inferior.recording, _watch_of(console, rest), console.inferior.seq)
    return _go(console, seq, f"{rest} does not change any more in what is recorded.")


def _go(console: Console, seq: int, none: str) -> str:
    if seq < 0:
        raise ConsoleError(none)
    before = place_of(console)
    stop = console.inferior.goto(seq)
    console.moved()
    return stop_text(console, stop, before)


@word("info marks", "Recording")
def _marks(console: Console, rest: str) -> str:
    """Named moments; goto mark:NAME goes there."""
    marks = console.inferior.recording.reader.marks()
    return "\n".join(f"{mark.name:<24}{format_clock(mark.vt):>14} s  #{mark.seq}  {mark.note}".rstrip() for mark in marks) or "There are no marks."


@word("info log", "Recording", "[N]")
def _log(console: Console, rest: str) -> str:
    """What breakpoints with a message said up to the cursor."""
    inferior = console.inferior
    lines: list[tuple[int, str]] = []
    for point in inferior.points():
        if point.log:
            lines += [(seq, f"#{seq}  {format_clock(vt)} s  {text}") for seq, vt, text in log_lines(inferior.recording, point, inferior.first, inferior.seq)]
    return "\n".join(text for _, text in sorted(lines)[-number_argument(console, rest, 50) :]) or "Nothing was said."


@word("info program", "Recording", "", "info recording,info record,status")
def _program(console: Console, rest: str) -> str:
    """What is debugged, and where the cursor stands."""
    inferior = console.inferior
    reader = inferior.recording.reader
    vt = reader.vt_at_seq(inferior.seq) if inferior.last >= 0 else 0
    sort = "A live run" if inferior.live else "A recording"
    return "\n".join(
        [
            f"{sort} of scenario {reader.meta.get('scenario', '?')}: {reader.path}",
            f"Events #{inferior.first} to #{inferior.last}, {format_ns(reader.last_vt)} of virtual time.",
            f"The cursor stands at #{inferior.seq}, {format_clock(vt)} s.",
        ]
    )


# -- backtraces from elsewhere ------------------------------------------------------------------------------------------
@word("match", "Recording", "FILE")
def _match(console: Console, rest: str) -> str:
    """Compare a backtrace that gdb printed (in FILE, or pasted behind the word and ended by an empty line) with the stack here."""
    if not rest:
        console.paste()
        return "Paste the backtrace; an empty line ends it."
    return match_text(console, _read(rest))


def match_text(console: Console, text: str) -> str:
    """The comparison of a pasted backtrace with the frames at the cursor."""
    frames = parse_backtrace(text)
    if not frames:
        raise ConsoleError("No frames were found in that text; it should look like gdb's `bt`.")
    return table(compare(frames, [frame.shown for frame in console.frames]))


def _read(name: str) -> str:
    file = Path(name).expanduser()
    try:
        if file.stat().st_size > _LARGEST:
            raise ConsoleError(f"{name}: too large for a backtrace.")
        return file.read_text(errors="replace")
    except OSError as error:
        raise ConsoleError(f"{name}: {error.strerror}.") from None
