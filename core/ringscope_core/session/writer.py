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
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final

from ringscope_core.session import items
from ringscope_core.session.bound import FlightRecorder, wal_limit
from ringscope_core.session.changes import Change, Remove
from ringscope_core.session.checkpoint import Checkpointer
from ringscope_core.session.create import create, to_json
from ringscope_core.session.errors import SessionError
from ringscope_core.session.inserts import Inserter
from ringscope_core.session.items import RingSample
from ringscope_core.session.loss import FULL_GAP, Loss
from ringscope_core.session.packet_blocks import HEADER, as_array
from ringscope_core.session.rows import GAP_FULL, Ints, PacketRow
from ringscope_core.session.seal import seal

__all__ = ["RingSample", "SessionWriter"]

COMMIT_INTERVAL_S: Final = 1 / 60
"""A commit gathers what came in within a frame of the window."""
PATIENT_INTERVAL_S: Final = 0.2
"""The same for a run that nobody watches: whole blocks are encoded once, and a killed one still loses less than half a second."""
_WAKE_BYTES: Final = 8 << 20
"""So much wakes the writer before its time."""
_IDLE_WAIT_S: Final = 0.1
_BATCH_BYTES: Final = 16 << 20
"""One transaction at the most, so that a reader sees something while much is written."""
_WAL_BYTES: Final = 128 << 20
"""A write-ahead log that grew to this is brought into the file by the writer itself: the checkpointer cannot keep up."""
_WAL_RETRY_S: Final = 1.0


class SessionWriter:
    """Owns the file at `path` until `close`.  Every method may be called from one thread that is not the writer's.

    `meta` must be plain data; `types` is `qom.types_json`'s list.  `keep_bytes` above 0 makes it a flight recorder: the file stays within
    that size, the oldest goes (`session.bound`).  Raises SessionError when the file cannot be made.
    """

    def __init__(self, path: str | Path, meta: Mapping[str, object], types: Iterable[Mapping[str, Any]] = (), keep_bytes: int = 0) -> None:
        self.path: Path = Path(path)
        create(self.path, {"id": str(uuid.uuid4()), **meta, **({"keep": keep_bytes} if keep_bytes else {}), "closed": False}, types)
        self.error: SessionError | None = None
        """What stopped the writing (a full disk, say); later additions are then dropped, and counted in `lost`."""
        self.lost: Loss = Loss()
        self._queue: queue.SimpleQueue[tuple[int, items.Item]] = queue.SimpleQueue()
        self._queued: int = 0
        self._written: int = 0
        self._fresh_at: float = time.monotonic()
        """What was handed over until then is committed."""
        self._numbers: dict[str, int] = {}
        """Last number given, by small table."""
        self._numbering: threading.Lock = threading.Lock()
        """The run's thread and the control's both make rows."""
        self._closing: bool = False
        self._interval_s: float = COMMIT_INTERVAL_S
        self._wake: threading.Event = threading.Event()
        self._partly: bool = False
        """Whether something that came waits, uncommitted, for the rest of its block."""
        self._whole_at: float = 0.0
        """When nothing waited last (monotonic s)."""
        self._database: sqlite3.Connection = self._open()
        self._inserter: Inserter = Inserter(self._database)
        self._flight: FlightRecorder | None = FlightRecorder(self._database, self._inserter.events, self._inserter.packets, keep_bytes) if keep_bytes else None
        self._batch_bytes: int = min(_BATCH_BYTES, keep_bytes // 16) if keep_bytes else _BATCH_BYTES
        self._wake_bytes: int = min(_WAKE_BYTES, self._batch_bytes)
        self._wal: Path = self.path.with_name(self.path.name + "-wal")
        self._wal_limit: int = wal_limit(keep_bytes) if keep_bytes else _WAL_BYTES
        self._wal_retry: float = 0.0
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

    def be_patient(self) -> None:
        """Nobody looks at the file while it grows: gather for longer, so that the run is disturbed less often."""
        self._interval_s = PATIENT_INTERVAL_S

    # -- what the run calls -------------------------------------------------------------------------------------------
    @property
    def pending_bytes(self) -> int:
        """About how much has been handed over and is not yet committed: what a recorder's budget goes by."""
        return self._queued - self._written

    @property
    def behind_s(self) -> float:
        """For about how many seconds what was handed over has waited to be committed: what a killed process would lose."""
        return time.monotonic() - self._fresh_at if self._queued > self._written else 0.0

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
        if not len(rows):
            return
        array = as_array(rows)
        if headers is None:
            array[:, HEADER] = -1
        self.add_packet_array(array, b"".join(frames if headers is None else chain.from_iterable(zip(headers, frames, strict=True))))

    def add_packet_array(self, rows: Ints, data: bytes) -> None:
        """The same as an array, a row each with the columns of `PacketRow`, and all bytes one after the other, each frame's behind its header's."""
        self._put(len(data) + rows.nbytes, items.Packets(rows, data))

    def pin(self) -> None:
        """What was handed over so far stays also when the file is bounded; after a keyframe."""
        self._put(0, items.Pin())

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
        self._wake.set()
        return fence.reached.wait(timeout) and self.error is None

    def close(self) -> None:
        """Write what is left and make it one file; raises SessionError when anything could not be written."""
        if self._closing:
            return
        self.set_meta("closed", True)
        self._closing = True
        self._queue.put((0, items.Fence(threading.Event())))
        self._wake.set()
        self._thread.join()
        self._checkpointer.stop()
        if self.error is not None:
            self._note_loss()
        self._finish()
        if self.error is not None:
            raise self.error

    def _put(self, size: int, item: items.Item) -> None:
        if self._closing:
            raise ValueError("the session is closed")
        self._queued += size
        self._queue.put((size, item))
        if self._queued - self._written > self._wake_bytes and not self._wake.is_set():
            self._wake.set()

    # -- the writer's thread ------------------------------------------------------------------------------------------
    def _main(self) -> None:
        while True:
            self._wake.clear()
            last = self._closing
            taken_at = time.monotonic()
            batch, size = self._gather(0.0 if last else _IDLE_WAIT_S)
            if batch:
                self._write(batch, size >= self._wake_bytes and time.monotonic() - self._whole_at < self._interval_s)
                self._written += size
                if size < self._batch_bytes:
                    self._fresh_at = taken_at
                if not last and self._queued - self._written < self._wake_bytes:
                    self._wake.wait(COMMIT_INTERVAL_S if self._partly else self._interval_s)
            elif last:
                self._transaction(lambda: self._inserter.commit(True))
                return
            else:
                self._fresh_at = taken_at
                if self._partly:
                    self._partly = False
                    self._write([], False)

    def _gather(self, patience_s: float) -> tuple[list[items.Item], int]:
        """What is queued, up to a transaction's worth; waits `patience_s` when there is nothing."""
        batch: list[items.Item] = []
        total = 0
        try:
            size, item = self._queue.get(patience_s > 0, patience_s)
            while True:
                batch.append(item)
                total += size
                if total >= self._batch_bytes:
                    return batch, total
                size, item = self._queue.get_nowait()
        except queue.Empty:
            return batch, total

    def _write(self, batch: list[items.Item], more: bool) -> None:
        """Commit `batch`; with `more` to come at once, what is not a whole block may wait for it."""
        fences = [item for item in batch if isinstance(item, items.Fence)]

        def work() -> None:
            for item in batch:
                self._insert(item)
            self._partly = more and not fences
            if not self._partly:
                self._inserter.commit()
                self._whole_at = time.monotonic()

        if not self._transaction(work):
            self.lost.count(batch)
            self._note_loss()
        flight = self._flight
        if flight is not None and self.error is None and flight.full:
            self._transaction(flight.trim)
        self._shorten_log()
        for fence in fences:
            fence.reached.set()

    def _transaction(self, work: Callable[[], None]) -> bool:
        """Do `work` as a whole; false when it cannot be, then or ever since."""
        if self.error is not None:
            return False
        try:
            self._database.execute("BEGIN IMMEDIATE")
            work()
            self._database.execute("COMMIT")
        except Exception as error:
            # whatever it was: who waits for this thread must hear of it
            self.error = SessionError(str(self.path), f"cannot be written ({error})")
            self._rollback()
            return False
        return True

    def _rollback(self) -> None:
        try:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except sqlite3.Error:
            # SQLite has rolled back by itself, or will when the file is next opened
            pass

    def _note_loss(self) -> None:
        """Say in the file, if that still fits, what is not in it."""
        loss = self.lost
        try:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            values = (FULL_GAP, loss.first_seq, loss.last_seq, loss.events, loss.packets, GAP_FULL)
            self._database.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?, ?)", values)
        except sqlite3.Error:
            self._rollback()

    def _shorten_log(self) -> None:
        try:
            if self._wal.stat().st_size > self._wal_limit and time.monotonic() > self._wal_retry:
                (busy,) = self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][:1]
                self._wal_retry = time.monotonic() + _WAL_RETRY_S if busy else 0.0
        except (OSError, sqlite3.Error):
            # the next commit says what is wrong, if it is
            self._wal_retry = time.monotonic() + _WAL_RETRY_S

    def _insert(self, item: items.Item) -> None:
        inserter = self._inserter
        match item:
            case items.Block():
                inserter.events.add(item.first_seq, item.rows)
            case items.Strings():
                inserter.strings(item.first_id, item.texts)
            case items.Keyframe():
                inserter.keyframe(item.seq, item.vt, item.wall, item.plain)
            case items.Packets():
                inserter.packets.add(item.rows, item.data)
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
            case items.Pin():
                self._pin()
            case items.Fence():
                pass

    def _pin(self) -> None:
        if self._flight is not None:
            self._inserter.commit(True)
            self._flight.pin()

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
        if self.error is None:
            with suppress(OSError):
                # without it the file is as good, but a flipped bit would go unseen
                seal(self.path)
