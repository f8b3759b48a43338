"""The event log: fixed-width integer rows, appended in native code, handed on in blocks.

A row is `ROW` (80 bytes): virtual ns, wall ns, kind, object, cause, six arguments.  Its number (seq) is its place in the
whole log and is not stored.  Appending costs about 10 ns.
"""

from __future__ import annotations

from typing import Final, final

from librt.strings import BytesWriter, write_i32_le, write_i64_le
from mypy_extensions import i32, i64, mypyc_attr

from ringscope_core.trace.clock import Clock
from ringscope_core.trace.kinds import (
    EV_ERROR_SET,
    EV_FIELD,
    EV_FRAME_AT,
    EV_FRAME_ENTER,
    EV_FRAME_LEAVE,
    EV_MESSAGE,
    EV_TRACE_LEVEL,
)
from ringscope_core.trace.levels import LEVEL_FULL
from ringscope_core.trace.oids import RING_BASE, RING_END
from ringscope_core.trace.strings import StringTable

ROW_BYTES: Final[i64] = 80
BLOCK_ROWS: Final[i64] = 8192

ROW_DTYPE: Final = [
    ("vt", "<i8"),
    ("wall", "<i8"),
    ("kind", "<i4"),
    ("obj", "<i4"),
    ("cause", "<i8"),
    ("a0", "<i8"),
    ("a1", "<i8"),
    ("a2", "<i8"),
    ("a3", "<i8"),
    ("a4", "<i8"),
    ("a5", "<i8"),
]
"""The row as a numpy dtype description."""

WANT_NONE: Final = 0
WANT_ALL: Final = 1
WANT_FIRST: Final = 2
"""For each kind of event: whether the hook wants none, all, or those whose first argument it has asked for."""
KINDS_MOST: Final = 256
WANTS_EVERYTHING: Final = bytes([WANT_ALL]) * KINDS_MOST

SEVERITY_INFO: Final[i64] = 0
SEVERITY_WARNING: Final[i64] = 1
SEVERITY_ERROR: Final[i64] = 2


@mypyc_attr(allow_interpreted_subclasses=True)
class TraceHook:
    """What a debugger implements: called in the run thread after each event that it wants while `EventLog.hooked` is set."""

    def on_event(self, seq: i64, kind: i32, obj: i32, a0: i64, a1: i64, a2: i64, a3: i64, a4: i64, a5: i64) -> None:
        """May block the run thread; may not emit events."""


@mypyc_attr(allow_interpreted_subclasses=True)
class BlockSink:
    """Takes full blocks of rows.  Called in the run thread: keep it short."""

    def on_block(self, first_seq: i64, rows: bytes) -> None:
        """`rows` holds ``len(rows) // ROW_BYTES`` events, the first of which has number `first_seq`."""


@final
class Frame:
    """One open call frame."""

    def __init__(self, fn: i64, line: i64, a0: i64, a1: i64, a2: i64, a3: i64, seq: i64) -> None:
        self.fn: i64 = fn
        self.line: i64 = line
        self.a0: i64 = a0
        self.a1: i64 = a1
        self.a2: i64 = a2
        self.a3: i64 = a3
        self.seq: i64 = seq
        """The event that opened it."""


@final
class EventLog:
    """The one log of a run.

    Callers on the data path test ``log.level >= LEVEL_FULL`` (or PACKETS) before they emit; control-path events are
    always emitted.  `cause` is the event that led to what happens now; a component that handles an event sets it and
    puts the former one back.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock: Clock = clock
        self.strings: StringTable = StringTable()
        self.level: i64 = LEVEL_FULL
        self.seq: i64 = 0
        """Number the next event gets."""
        self.cause: i64 = -1
        self.frames: list[Frame] = []
        """Open call frames, outermost first."""
        self.hook: TraceHook | None = None
        self.hooked: bool = False
        """Call the hook at events; a plain flag, so that a run without a debugger pays one test."""
        self.wanted_kinds: bytes = WANTS_EVERYTHING
        """By kind: one of the `WANT_` numbers.  Looked at in native code, so that what nobody wants costs next to nothing."""
        self.wanted_firsts: bytes = b""
        """By first argument (a function's or a field's number): 1 for those that are wanted."""
        self.sink: BlockSink | None = None
        self._writer: BytesWriter = BytesWriter()
        self._block_seq: i64 = 0
        self._next_oid: i64 = 1

    # -- events -------------------------------------------------------------------------------------------------------
    def emit(self, kind: i32, obj: i64, a0: i64 = 0, a1: i64 = 0, a2: i64 = 0, a3: i64 = 0, a4: i64 = 0, a5: i64 = 0) -> i64:
        """Append one event; returns its number."""
        writer = self._writer
        clock = self.clock
        write_i64_le(writer, clock.now_ns)
        write_i64_le(writer, clock.wall_ns)
        write_i32_le(writer, kind)
        write_i32_le(writer, i32(obj))
        write_i64_le(writer, self.cause)
        write_i64_le(writer, a0)
        write_i64_le(writer, a1)
        write_i64_le(writer, a2)
        write_i64_le(writer, a3)
        write_i64_le(writer, a4)
        write_i64_le(writer, a5)
        seq = self.seq
        self.seq = seq + 1
        if seq + 1 - self._block_seq >= BLOCK_ROWS:
            self.flush()
        if self.hooked and self._wanted(kind, a0):
            hook = self.hook
            if hook is not None:
                hook.on_event(seq, kind, i32(obj), a0, a1, a2, a3, a4, a5)
        return seq

    def _wanted(self, kind: i32, a0: i64) -> bool:
        want = self.wanted_kinds[kind]
        if want != WANT_FIRST:
            return want == WANT_ALL
        firsts = self.wanted_firsts
        count: i64 = len(firsts)
        return 0 <= a0 < count and firsts[a0] != 0

    def flush(self) -> None:
        """Hand the rows gathered so far to the sink."""
        if self.seq == self._block_seq:
            return
        first = self._block_seq
        rows = self._writer.getvalue()
        self._writer = BytesWriter()
        self._block_seq = self.seq
        sink = self.sink
        if sink is not None:
            sink.on_block(first, rows)

    # -- the common kinds ---------------------------------------------------------------------------------------------
    def field(self, obj: i64, field_id: i64, value: i64, old: i64) -> None:
        """A field of `obj` goes from `old` to `value`; nothing is recorded when it stays."""
        if value != old:
            self.emit(EV_FIELD, obj, field_id, value, old)

    def text(self, text: str) -> i64:
        """The string's number."""
        return self.strings.intern(text)

    def message(self, severity: i64, text: str) -> None:
        """What QEMU would print on stderr (error_report, warn_report)."""
        self.emit(EV_MESSAGE, 0, severity, self.strings.intern(text))

    def error_set(self, text: str, errp: i64) -> None:
        """error_setg: an error object was made."""
        self.emit(EV_ERROR_SET, 0, self.strings.intern(text), errp)

    def set_level(self, level: i64) -> None:
        """Change the trace level; the change is itself an event."""
        if level != self.level:
            self.emit(EV_TRACE_LEVEL, 0, level, self.level)
            self.level = level

    def new_oid(self) -> i64:
        """The next object id: each thing of a recording has its own, and none has a ring's (`trace.oids`)."""
        oid = self._next_oid
        self._next_oid = oid + 1 if oid + 1 != RING_BASE else RING_END
        return oid

    # -- call frames --------------------------------------------------------------------------------------------------
    def enter(self, fn: i64, line: i64, a0: i64 = 0, a1: i64 = 0, a2: i64 = 0, a3: i64 = 0) -> None:
        """Open a frame of function `fn` (see `functions.fn`), standing on `line` of its file."""
        seq = self.emit(EV_FRAME_ENTER, 0, fn, line, a0, a1, a2, a3)
        self.frames.append(Frame(fn, line, a0, a1, a2, a3, seq))

    def at(self, line: i64) -> None:
        """The innermost frame reaches `line`."""
        frame = self.frames[-1]
        frame.line = line
        self.emit(EV_FRAME_AT, 0, frame.fn, line)

    def leave(self, ret: i64 = 0) -> None:
        """Close the innermost frame."""
        frame = self.frames.pop()
        self.emit(EV_FRAME_LEAVE, 0, frame.fn, ret)
