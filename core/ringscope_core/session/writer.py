"""Writes a session while a run goes on.  Nothing that the run calls waits for the disk.

The run's thread puts things into a queue; a thread of its own encodes and inserts them and commits several times a second,
so that a killed process loses at most the last fraction of one.  What one `add_*` call hands over appears whole or not at all.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ringscope_core.session.checkpoint import Checkpointer
from ringscope_core.session.create import create, to_json
from ringscope_core.session.errors import SessionError
from ringscope_core.session.inserts import Inserter
from ringscope_core.session.rows import PacketRow

COMMIT_INTERVAL_S: Final = 1 / 60
"""A commit gathers what came in within a frame of the window."""
_IDLE_WAIT_S: Final = 0.1
_BATCH_BYTES: Final = 16 << 20
"""One transaction at the most, so that a reader sees something while much is written."""


class RingSample(NamedTuple):
    """One ring's counters at a moment: values in the order of `COUNTER_NAMES`, and the latency histogram's counts."""

    oid: int
    values: list[int]
    latency: list[int]


class _Block(NamedTuple):
    first_seq: int
    rows: bytes


class _Strings(NamedTuple):
    first_id: int
    texts: list[str]


class _Keyframe(NamedTuple):
    seq: int
    vt: int
    wall: int
    plain: dict[str, Any]


class _Packets(NamedTuple):
    rows: Sequence[PacketRow]
    frames: Sequence[bytes]


class _Counters(NamedTuple):
    vt: int
    wall: int
    rings: list[RingSample]


class _Mark(NamedTuple):
    id: int
    seq: int
    vt: int
    name: str
    note: str


class _Meta(NamedTuple):
    key: str
    value: object


class _Types(NamedTuple):
    types: list[Mapping[str, Any]]


class _Fence(NamedTuple):
    reached: threading.Event


_Item = _Block | _Strings | _Keyframe | _Packets | _Counters | _Mark | _Meta | _Types | _Fence


class SessionWriter:
    """Owns the file at `path` until `close`.  Every method may be called from one thread that is not the writer's.

    `meta` must be plain data; `types` is `qom.types_json`'s list.  Raises SessionError when the file cannot be made.
    """

    def __init__(self, path: str | Path, meta: Mapping[str, object], types: Iterable[Mapping[str, Any]] = ()) -> None:
        self.path: Path = Path(path)
        create(self.path, {**meta, "closed": False}, types)
        self.error: SessionError | None = None
        """What stopped the writing (a full disk, say); later additions are then dropped."""
        self._queue: queue.SimpleQueue[tuple[int, _Item]] = queue.SimpleQueue()
        self._queued: int = 0
        self._written: int = 0
        self._marks: int = 0
        self._closing: bool = False
        self._database: sqlite3.Connection = self._open()
        self._inserter: Inserter = Inserter(self._database)
        self._checkpointer: Checkpointer = Checkpointer(self.path)
        self._thread: threading.Thread = threading.Thread(target=self._main, name="session-writer", daemon=True)
        self._thread.start()

    def _open(self) -> sqlite3.Connection:
        try:
            database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
            database.execute("PRAGMA journal_mode = WAL").fetchall()
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
            database.execute("PRAGMA cache_size = -8000")
        except sqlite3.Error as error:
            raise SessionError(str(self.path), f"cannot be written ({error})") from None
        return database

    # -- what the run calls -------------------------------------------------------------------------------------------
    @property
    def pending_bytes(self) -> int:
        """About how much has been handed over and is not yet committed: what a recorder's budget goes by."""
        return self._queued - self._written

    def add_block(self, first_seq: int, rows: bytes) -> None:
        """Events as the log's sink gets them."""
        self._put(len(rows), _Block(first_seq, rows))

    def add_strings(self, first_id: int, texts: list[str]) -> None:
        """New texts of the string table, the first of which has number `first_id`; before the events that name them."""
        self._put(64 * len(texts), _Strings(first_id, texts))

    def add_keyframe(self, seq: int, vt: int, wall: int, plain: dict[str, Any]) -> None:
        """The machine's whole state after event `seq` (`MachineState.to_plain()`)."""
        self._put(16384, _Keyframe(seq, vt, wall, plain))

    def add_packets(self, rows: Sequence[PacketRow], frames: Sequence[bytes]) -> None:
        """Frames and their bytes, in order."""
        self._put(sum(map(len, frames)) + 100 * len(rows), _Packets(rows, frames))

    def add_counters(self, vt: int, wall: int, rings: list[RingSample]) -> None:
        """One sample of every ring."""
        self._put(512 * len(rings), _Counters(vt, wall, rings))

    def add_mark(self, seq: int, vt: int, name: str, note: str = "") -> int:
        """A named moment; returns its number."""
        self._marks += 1
        self._put(256, _Mark(self._marks, seq, vt, name, note))
        return self._marks

    def add_types(self, types: list[Mapping[str, Any]]) -> None:
        """The QOM types, and again the functions and fields, which are complete only when the machine is built."""
        self._put(256 * len(types), _Types(types))

    def set_meta(self, key: str, value: object) -> None:
        """Say something about the run."""
        self._put(256, _Meta(key, value))

    def sync(self, timeout: float = 30.0) -> bool:
        """Wait until everything handed over so far is committed; False when that did not happen in `timeout` s."""
        fence = _Fence(threading.Event())
        self._put(0, fence)
        return fence.reached.wait(timeout) and self.error is None

    def close(self) -> None:
        """Write what is left and make it one file; raises SessionError when anything could not be written."""
        if self._closing:
            return
        self.set_meta("closed", True)
        self._closing = True
        self._queue.put((0, _Fence(threading.Event())))
        self._thread.join()
        self._checkpointer.stop()
        self._finish()
        if self.error is not None:
            raise self.error

    def _put(self, size: int, item: _Item) -> None:
        if self._closing:
            raise ValueError("the session is closed")
        self._queued += size
        self._queue.put((size, item))

    # -- the writer's thread ------------------------------------------------------------------------------------------
    def _main(self) -> None:
        while True:
            last = self._closing
            batch, size = self._gather(0.0 if last else _IDLE_WAIT_S)
            if batch:
                self._write(batch)
                self._written += size
                time.sleep(0 if last else COMMIT_INTERVAL_S)
            elif last:
                return

    def _gather(self, patience_s: float) -> tuple[list[_Item], int]:
        """What is queued, up to a transaction's worth; waits `patience_s` when there is nothing."""
        batch: list[_Item] = []
        total = 0
        try:
            size, item = self._queue.get(patience_s > 0, patience_s)
            while True:
                batch.append(item)
                total += size
                if total >= _BATCH_BYTES:
                    return batch, total
                size, item = self._queue.get_nowait()
        except queue.Empty:
            return batch, total

    def _write(self, batch: list[_Item]) -> None:
        if self.error is None:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                for item in batch:
                    self._insert(item)
                self._inserter.finish()
                self._database.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self.error = SessionError(str(self.path), f"cannot be written ({error})")
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
        for item in batch:
            if isinstance(item, _Fence):
                item.reached.set()

    def _insert(self, item: _Item) -> None:
        inserter = self._inserter
        match item:
            case _Block():
                inserter.block(item.first_seq, item.rows)
            case _Strings():
                inserter.strings(item.first_id, item.texts)
            case _Keyframe():
                inserter.keyframe(item.seq, item.vt, item.wall, item.plain)
            case _Packets():
                inserter.packets(item.rows, item.frames)
            case _Counters():
                inserter.counters(item.vt, item.wall, [(r.oid, r.values, r.latency) for r in item.rings])
            case _Mark():
                inserter.mark(item.id, item.seq, item.vt, item.name, item.note)
            case _Meta():
                inserter.meta(item.key, to_json(item.value))
            case _Types():
                inserter.types(item.types)
            case _Fence():
                pass

    def _finish(self) -> None:
        """Bring the log into the file.  With readers about the mode stays WAL and an empty log remains; both are whole."""
        try:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._database.execute("PRAGMA busy_timeout = 200").fetchall()
            self._database.execute("PRAGMA journal_mode = DELETE").fetchall()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and self.error is None:
                self.error = SessionError(str(self.path), f"cannot be finished ({error})")
        finally:
            self._database.close()
