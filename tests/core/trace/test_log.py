"""The event log: rows, blocks, hooks, frames."""

from __future__ import annotations

import numpy as np

from ringscope_core.trace.clock import Clock
from ringscope_core.trace.functions import fn, function_table
from ringscope_core.trace.kinds import EV_FIELD, EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_LEAVE, EV_MARK, EV_TRACE_LEVEL, KINDS, MAX_ARGS
from ringscope_core.trace.log import BLOCK_ROWS, ROW_BYTES, ROW_DTYPE, BlockSink, EventLog, TraceHook


class Blocks(BlockSink):
    """Keeps every block."""

    def __init__(self) -> None:
        self.firsts: list[int] = []
        self.rows: list[np.ndarray] = []

    def on_block(self, first_seq: int, rows: bytes) -> None:
        self.firsts.append(first_seq)
        self.rows.append(np.frombuffer(rows, dtype=np.dtype(ROW_DTYPE)))


class Seen(TraceHook):
    """Keeps what the debugger would see."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def on_event(self, seq: int, kind: int, obj: int, a0: int, a1: int, a2: int, a3: int, a4: int, a5: int) -> None:
        self.seqs.append(seq)


def test_a_row_has_the_declared_layout() -> None:
    clock = Clock()
    clock.advance_to(77)
    log = EventLog(clock)
    log.sink = blocks = Blocks()
    log.cause = 5
    assert log.emit(EV_MARK, 9, 1, -2, 3, 4, 5, -(2**63)) == 0
    log.flush()
    assert np.dtype(ROW_DTYPE).itemsize == ROW_BYTES
    row = blocks.rows[0][0]
    assert (row["vt"], row["kind"], row["obj"], row["cause"]) == (77, EV_MARK, 9, 5)
    assert [int(row[f"a{i}"]) for i in range(6)] == [1, -2, 3, 4, 5, -(2**63)]


def test_blocks_join_without_gap() -> None:
    log = EventLog(Clock())
    log.sink = blocks = Blocks()
    total = 2 * BLOCK_ROWS + 10
    for i in range(total):
        log.emit(EV_MARK, 0, i)
    log.flush()
    log.flush()
    assert blocks.firsts == [0, BLOCK_ROWS, 2 * BLOCK_ROWS]
    assert list(np.concatenate(blocks.rows)["a0"]) == list(range(total))


def test_an_unchanged_field_is_no_event() -> None:
    log = EventLog(Clock())
    log.field(3, 1, 7, 7)
    assert log.seq == 0
    log.sink = blocks = Blocks()
    log.field(3, 1, 8, 7)
    log.flush()
    assert [int(blocks.rows[0][0][name]) for name in ("kind", "obj", "a0", "a1", "a2")] == [EV_FIELD, 3, 1, 8, 7]


def test_frames_nest_and_carry_their_line() -> None:
    log = EventLog(Clock())
    log.sink = blocks = Blocks()
    outer = fn("virtio_device_realize", "dev:ptr errp:ptr")
    inner = fn("virtio_net_device_realize", "dev:ptr errp:ptr")
    log.enter(outer, 2603, 1, 2)
    log.at(2613)
    log.enter(inner, 2658, 1, 3)
    assert [(f.fn, f.line) for f in log.frames] == [(outer, 2613), (inner, 2658)]
    log.leave(4)
    log.leave()
    assert log.frames == []
    log.flush()
    assert [int(k) for k in blocks.rows[0]["kind"]] == [EV_FRAME_ENTER, EV_FRAME_AT, EV_FRAME_ENTER, EV_FRAME_LEAVE, EV_FRAME_LEAVE]
    assert int(blocks.rows[0][3]["a1"]) == 4


def test_the_hook_sees_events_only_while_hooked() -> None:
    log = EventLog(Clock())
    log.hook = seen = Seen()
    log.emit(EV_MARK, 0)
    log.hooked = True
    log.emit(EV_MARK, 0)
    log.hooked = False
    log.emit(EV_MARK, 0)
    assert seen.seqs == [1]


def test_changing_the_level_is_an_event() -> None:
    log = EventLog(Clock())
    log.sink = blocks = Blocks()
    log.set_level(0)
    log.set_level(0)
    log.flush()
    assert len(blocks.rows[0]) == 1
    assert [int(blocks.rows[0][0][name]) for name in ("kind", "a0", "a1")] == [EV_TRACE_LEVEL, 0, 2]


def test_the_kinds_are_declared_once_and_fit_a_row() -> None:
    assert len({spec.number for spec in KINDS}) == len(KINDS)
    assert len({spec.name for spec in KINDS}) == len(KINDS)
    assert all(len(spec.args) <= MAX_ARGS and spec.title for spec in KINDS)


def test_function_numbers_follow_the_table_not_the_order_of_declaration() -> None:
    table = function_table()
    assert [table[n].name for n in sorted(table)] == sorted(spec.name for spec in table.values())
    spec = table[fn("virtio_net_device_realize")]
    assert (spec.file, spec.line) == ("hw/net/virtio-net.c", 2656)
