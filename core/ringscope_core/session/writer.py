"""Writes a session while a run goes on.  Nothing that the run calls waits for the disk.

The run's thread puts things into a queue; a thread of its own encodes and inserts them and commits several times a second,
so that a killed process loses at most the last fraction of one.  What one `add_*` call hands over appears whole or not at all.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ringscope_core.session import items
from ringscope_core.session.changes import Change, Remove
from ringscope_core.session.checkpoint import Checkpointer
from ringscope_core.session.create import create, to_json
from ringscope_core.session.errors import SessionError
from ringscope_core.session.inserts import Inserter
from ringscope_core.session.items import RingSample
from ringscope_core.session.rows import PacketRow

__all__ = ["RingSample", "SessionWriter"]

COMMIT_INTERVAL_S: Final = 1 / 60
"""A commit gathers what came in within a frame of the window."""
_IDLE_WAIT_S: Final = 0.1
_BATCH_BYTES: Final = 16 << 20
"""One transaction at the most, so that a reader sees something while much is written."""


class SessionWriter:
    """Owns the file at `path` until `close`.  Every method may be called from one thread that is not the writer's.

    `meta` must be plain data; `types` is `qom.types_json`'s list.  Raises SessionError when the file cannot be made.
    """

    def __init__(self, path: str | Path, meta: Mapping[str, object], types: Iterable[Mapping[str, Any]] = ()) -> None:
        self.path: Path = Path(path)
        create(self.path, {"id": str(uuid.uuid4()), **meta, "closed": False}, types)
        self.error: SessionError | None = None
        """What stopped the writing (a full disk, say); later additions are then dropped."""
        self._queue: queue.SimpleQueue[tuple[int, items.Item]] = queue.SimpleQueue()
        self._queued: int = 0
        self._written: int = 0
        self._numbers: dict[str, int] = {}
        """Last number given, by small table."""
        self._numbering: threading.Lock = threading.Lock()
        """The run's thread and the control's both make rows."""
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
        self._put(len(rows), items.Block(first_seq, rows))

    def add_strings(self, first_id: int, texts: list[str]) -> None:
        """New texts of the string table, the first of which has number `first_id`; before the events that name them."""
        self._put(64 * len(texts), items.Strings(first_id, texts))

    def add_keyframe(self, seq: int, vt: int, wall: int, plain: dict[str, Any]) -> None:
        """The machine's whole state after event `seq` (`MachineState.to_plain()`)."""
        self._put(16384, items.Keyframe(seq, vt, wall, plain))

    def add_packets(self, rows: Sequence[PacketRow], frames: Sequence[bytes], headers: Sequence[bytes] | None = None) -> None:
        """Frames and their bytes, in order; `headers` are their virtio_net_hdr (each of `PacketRow.header` bytes), None when nothing is known of them."""
        self._put(sum(map(len, frames)) + 100 * len(rows), items.Packets(rows, frames, headers))

    def add_counters(self, vt: int, wall: int, rings: list[RingSample]) -> None:
        """One sample of every ring."""
        self._put(512 * len(rings), items.Counters(vt, wall, rings))

    def add_mark(self, seq: int, vt: int, name: str, note: str = "") -> int:
        """A named moment; returns its number."""
        return self._put_row("mark", seq, vt, name, note)

    def add_control(self, seq: int, vt: int, name: str, arguments: Mapping[str, object]) -> int:
        """A command that changed the run when the next event had number `seq`, at virtual time `vt` ns; returns its number."""
        return self._put_row("control", seq, vt, name, to_json(arguments))

    def put_breakpoints(self, specs: Sequence[Mapping[str, object]]) -> None:
        """All breakpoints in plain form, in place of those before; one without an ``id`` gets its place in the list."""
        rows = [(int(str(spec.get("id", i))), to_json(spec)) for i, spec in enumerate(specs, 1)]
        self._put(256 * len(rows), items.Breakpoints(rows))

    def add_log(self, seq: int, vt: int, point: int, text: str) -> int:
        """What breakpoint number `point`, which only logs, says; returns the message's number."""
        return self._put_row("log", seq, vt, point, text)

    def add_note(self, seq: int, vt: int, place: Mapping[str, object], text: str) -> int:
        """An entry of the notebook; returns its number."""
        return self._put_row("note", seq, vt, to_json(place), text)

    def add_gap(self, first_seq: int, last_seq: int, events: int, packets: int, reason: str) -> int:
        """A loss: `reason` is one of `rows.GAP_REASONS`; returns its number."""
        return self._put_row("gap", first_seq, last_seq, events, packets, reason)

    def annotate(self, change: Change) -> int:
        """Make, change or remove a mark or a note; returns its number."""
        if isinstance(change, Remove):
            self._put(64, items.Gone(change.table, change.id))
            return change.id
        if not change.id:
            return self._put_row(change.table, *change.row(0)[1:])
        self._put(256 + len(change.text), items.Row(change.table, change.row(change.id)))
        return change.id

    def _put_row(self, table: str, *values: object) -> int:
        with self._numbering:
            number = self._numbers.get(table, 0) + 1
            self._numbers[table] = number
        self._put(256, items.Row(table, (number, *values)))
        return number

    def add_types(self, types: list[Mapping[str, Any]]) -> None:
        """The QOM types, and again the functions and fields, which are complete only when the machine is built."""
        self._put(256 * len(types), items.Types(types))

    def set_meta(self, key: str, value: object) -> None:
        """Say something about the run."""
        self._put(256, items.Meta(key, value))

    def sync(self, timeout: float = 30.0) -> bool:
        """Wait until everything handed over so far is committed; False when that did not happen in `timeout` s."""
        fence = items.Fence(threading.Event())
        self._put(0, fence)
        return fence.reached.wait(timeout) and self.error is None

    def close(self) -> None:
        """Write what is left and make it one file; raises SessionError when anything could not be written."""
        if self._closing:
            return
        self.set_meta("closed", True)
        self._closing = True
        self._queue.put((0, items.Fence(threading.Event())))
        self._thread.join()
        self._checkpointer.stop()
        self._finish()
        if self.error is not None:
            raise self.error

    def _put(self, size: int, item: items.Item) -> None:
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

    def _gather(self, patience_s: float) -> tuple[list[items.Item], int]:
        """What is queued, up to a transaction's worth; waits `patience_s` when there is nothing."""
        batch: list[items.Item] = []
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

    def _write(self, batch: list[items.Item]) -> None:
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
            if isinstance(item, items.Fence):
                item.reached.set()

    def _insert(self, item: items.Item) -> None:
        inserter = self._inserter
        match item:
            case items.Block():
                inserter.block(item.first_seq, item.rows)
            case items.Strings():
                inserter.strings(item.first_id, item.texts)
            case items.Keyframe():
                inserter.keyframe(item.seq, item.vt, item.wall, item.plain)
            case items.Packets():
                inserter.packets(item.rows, item.frames, item.headers)
            case items.Counters():
                inserter.counters(item.vt, item.wall, [(r.oid, r.values, r.latency) for r in item.rings])
            case items.Row():
                inserter.row(item.table, *item.values)
            case items.Gone():
                inserter.remove(item.table, item.id)
            case items.Breakpoints():
                inserter.breakpoints(item.specs)
            case items.Meta():
                inserter.meta(item.key, to_json(item.value))
            case items.Types():
                inserter.types(item.types)
            case items.Fence():
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
