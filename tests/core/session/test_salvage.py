"""Damaged files: what is told is true, what is missing is said; every byte, every page, and rubbish of all kinds."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ringscope_core.session.annotate import Annotations
from ringscope_core.session.changes import Put
from ringscope_core.session.errors import DamagedSession, SessionError
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.salvage import open_session, salvage
from ringscope_core.session.seal import PAGE, broken_pages
from tests.core.session.damage import contents, outcome
from tests.core.session.permissions import obeying
from tests.core.session.recording import make

SAMPLES = Path(__file__).parents[2] / "data" / "sessions"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Any]]:
    path = tmp_path_factory.mktemp("salvage") / "a.ringscope"
    recording = make(path, 60, close=False)
    recording.writer.add_control(9, 5, "set_link", {"name": "net0", "up": False})
    recording.writer.add_note(9, 5, {"oid": 1}, "what I saw")
    recording.writer.close()
    with SessionReader(path) as reader:
        return path.read_bytes(), contents(reader)


def flipped(whole: bytes, place: int, mask: int = 0xFF) -> bytes:
    data = bytearray(whole)
    data[place] ^= mask
    return bytes(data)


def tried(path: Path, data: bytes, truth: dict[str, Any]) -> str:
    """What becomes of such a file; "error" with a clear line counts too."""
    path.write_bytes(data)
    try:
        return outcome(path, truth)
    except SessionError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
        return "error"


# -- bytes and pages -------------------------------------------------------------------------------------------------------
def test_an_undamaged_file_is_the_same(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    assert tried(tmp_path / "a", *whole) == "same"


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_are_never_believed(tmp_path: Path, whole: tuple[bytes, dict[str, Any]], seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(8):
        data = flipped(whole[0], rng.randrange(len(whole[0])), 1 << rng.randrange(8))
        assert tried(tmp_path / "a", data, whole[1]) != "error", "one byte never costs the whole session"


@pytest.mark.slow
def test_every_byte_flipped_in_turn(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    """Each is noticed, and in the right page; each page is then tried in full, which depends on the page alone."""
    data, truth = whole
    path = tmp_path / "a"
    path.write_bytes(data)
    end = len(data) // (PAGE + 4) * PAGE
    seen: dict[str, int] = {}
    with path.open("r+b", buffering=0) as file:
        for place in range(len(data)):
            file.seek(place)
            file.write(bytes((data[place] ^ (1 << place % 8),)))
            broken = broken_pages(path)
            # the checksums behind the pages: without them the file is whole all the same
            assert broken == [place // PAGE + 1] if place < end else not broken, place
            file.seek(place)
            file.write(data[place : place + 1])
    for place in [*range(100), *range(100, len(data), PAGE // 3)]:
        result = tried(path, flipped(data, place), truth)
        assert result != "error", place
        seen[result] = seen.get(result, 0) + 1
    assert seen["same"] > 100, "the beginning of a file is the same in all"
    assert len(seen) > 8


def test_cut_off_at_every_page(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    data, truth = whole
    pages = len(data) // PAGE
    found = [tried(tmp_path / "a", data[: PAGE * page + extra], truth) for page in range(pages) for extra in (0, 100)]
    assert set(found[:6]) == {"error"}
    assert found[-1].startswith(("partial", "same"))
    assert sum(result.startswith("partial") for result in found) > 4


def test_several_pages_at_once(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    rng = random.Random(3)
    for _ in range(12):
        data = bytearray(whole[0])
        for _ in range(rng.choice((2, 5, 20))):
            place = rng.randrange(len(data))
            data[place : place + rng.choice((1, 10, 5000))] = rng.randbytes(rng.choice((1, 10, 5000)))
        tried(tmp_path / "a", bytes(data[: len(whole[0])]), whole[1])


# -- what is said and kept ----------------------------------------------------------------------------------------------------
def long_recording(path: Path) -> None:
    recording = make(path, 2000, close=False)
    for _ in range(14):
        recording.traffic(1500)
        recording.keyframe()
        recording.writer.sync()
    recording.traffic(10)
    recording.flush()
    recording.writer.close()


def block_table(path: Path) -> str:
    database = sqlite3.connect(path)
    try:
        return "block_data" if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'block_data'").fetchone() else "block"
    finally:
        database.close()


def test_a_lost_block_is_declared_up_to_the_next_keyframe(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    long_recording(path)
    with SessionReader(path) as reader:
        truth = contents(reader)
        keyframes = reader.keyframes()["seq"].tolist()
        total = reader.event_count
        firsts = [int(row[0]) for row in reader.events(0, total).tolist()][:1]
    assert firsts == [0]
    database = sqlite3.connect(path, isolation_level=None)
    (first, count), *_ = database.execute("SELECT first_seq, count FROM block ORDER BY first_seq LIMIT 1 OFFSET 1").fetchall()
    database.execute(f"UPDATE {block_table(path)} SET data = x'00112233' WHERE first_seq = ?", (first,))
    database.close()
    assert outcome(path, truth).startswith("partial: part of the file is damaged; left out: ")
    with SessionReader(path) as strict, pytest.raises(DamagedSession):
        strict.events(first, first)
    with salvage(path) as rest:
        (gap,) = [gap for gap in rest.gaps() if gap.reason == "damaged"]
        assert (gap.first_seq, gap.events) == (first, gap.last_seq - first + 1)
        end = first + count - 1
        assert gap.last_seq in (*keyframes, end) or gap.last_seq >= end
        assert f"({gap.first_seq} to {gap.last_seq}" in rest.damage
        assert rest.event_count == total - gap.events
        assert rest.origin == path
        assert rest.path != path
        temporary = rest.path
    assert not temporary.exists()


def test_a_damaged_file_of_version_1(tmp_path: Path) -> None:
    path = tmp_path / "v1.ringscope"
    shutil.copy(SAMPLES / "v1.ringscope", path)
    with SessionReader(path) as reader:
        truth = contents(reader)
    data = path.read_bytes()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("UPDATE keyframe SET data = x'01' WHERE seq = (SELECT max(seq) FROM keyframe)")
    database.execute("UPDATE packet_block SET data = x'01'")
    database.close()
    assert outcome(path, truth) == "partial: part of the file is damaged; left out: 11 packets, 1 keyframe"
    path.write_bytes(data[:-PAGE])
    with open_session(path) as reader:
        assert reader.damage


def test_a_log_that_is_missing_or_torn(tmp_path: Path) -> None:
    """What a killed writer leaves is a file and its log; either alone, or a torn log, opens with what is there."""
    path = tmp_path / "a.ringscope"
    recording = make(path, 200, close=False)
    main, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    recording.writer.close()
    with SessionReader(path) as reader:
        total = reader.event_count
    copy = tmp_path / "b.ringscope"
    events = []
    for size in (len(log), len(log) // 2, 5000, 40, 0):
        copy.write_bytes(main)
        Path(f"{copy}-wal").write_bytes(log[:size])
        with open_session(copy) as reader:
            events.append(reader.event_count)
    Path(f"{copy}-wal").unlink()
    with open_session(copy) as reader:
        events.append(reader.event_count)
    assert events[0] == total
    assert events == sorted(events, reverse=True)
    assert events[-1] == 0


@pytest.mark.parametrize("closed", [True, False])
def test_a_folder_that_cannot_be_written(tmp_path: Path, closed: bool) -> None:
    """Finished or left by a killed writer: both open where nothing may be created beside them."""
    folder = tmp_path / "readonly"
    folder.mkdir()
    recording = make(tmp_path / "a.ringscope", 200, close=False)
    if closed:
        recording.writer.close()
    for path in tmp_path.glob("a.ringscope*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, folder)
    if not closed:
        recording.writer.close()
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    code = "import sys; from ringscope_core.session.salvage import open_session\nwith open_session(sys.argv[1]) as r: print(r.event_count, repr(r.damage))"
    done = subprocess.run(
        obeying([sys.executable, "-c", code, str(folder / "a.ringscope")]),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout == "1234 ''\n", done.stderr
    assert sorted(path.name for path in folder.iterdir()) == (["a.ringscope"] if closed else ["a.ringscope", "a.ringscope-wal"])


# -- made to harm ---------------------------------------------------------------------------------------------------------------
HARMLESS = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (1300 << 20, 1300 << 20))
from pathlib import Path
from ringscope_core.session.errors import SessionError
from ringscope_core.session.salvage import reading
from tests.core.session.damage import contents
import tempfile
tempfile.tempdir = sys.argv[1]
def most():
    # of this program alone: getrusage counts the one that started it too
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
for name in sys.argv[2:]:
    start = time.monotonic()
    try:
        reading(Path(name), contents)
        result = "opened"
    except SessionError as error:
        result = "error" if str(error).count("\\n") == 0 else "lines"
    print(Path(name).name, result, round(time.monotonic() - start, 1), most() >> 10, flush=True)
"""


def harmless(tmp_path: Path, files: list[Path], most_mib: int = 700) -> dict[str, str]:
    """Read each file in a process of little memory; it may not die, hang, or let anything but a SessionError out."""
    folder = tmp_path / "temporary"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", HARMLESS, str(folder), *map(str, files)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60 + 20 * len(files),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == len(files), done.stdout
    assert all(float(seconds) < 40 and int(memory) < most_mib for _, _, seconds, memory in lines), done.stdout
    assert list(folder.iterdir()) == [], "nothing is left behind"
    return {name: result for name, result, _, _ in lines}


def with_sql(path: Path, data: bytes, *statements: str) -> Path:
    path.write_bytes(data)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        database.execute(statement)
    database.close()
    return path


ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"
SQL = {
    "trigger": ("CREATE TRIGGER t AFTER INSERT ON mark BEGIN SELECT load_extension('x'); END",),
    "view": ("DROP TABLE meta", f"CREATE VIEW meta AS {ENDLESS} SELECT n AS key, n AS value FROM r"),
    "virtual": ("CREATE VIRTUAL TABLE evil USING fts5(a)",),
    "schema": ("UPDATE sqlite_master SET sql = 'CREATE TABLE mark (id, seq, vt, name, note AS (hex(zeroblob(100000000))))' WHERE name = 'mark'",),
    "root": ("UPDATE sqlite_master SET rootpage = 2 WHERE type = 'table'",),
    "far root": ("UPDATE sqlite_master SET rootpage = 99999 WHERE name = 'block'",),
    "strings": (f"INSERT OR REPLACE INTO string SELECT n, printf('%.*c', 60000, 'x') FROM ({ENDLESS} SELECT n FROM r LIMIT 500)",),
    "string number": ("INSERT INTO string VALUES (9223372036854775807, 'x')",),
    "counts": ("UPDATE block SET count = 9223372036854775807",),
    "types": ("UPDATE mark SET seq = 'never', vt = x'00'", "UPDATE meta SET value = x'ff'"),
    "texts": ("UPDATE mark SET name = printf('%.*c', 20000000, 'x')",),
    "counters": ("UPDATE counter SET sample = -sample",),
    "many rings": (f"INSERT INTO counter SELECT 1, 0, 0, n + 100000, 0,0,0,0,0,0,0,0,0,0,0,0,0,0, x'' FROM ({ENDLESS} SELECT n FROM r LIMIT 6000)",),
    "keyframes": ("UPDATE keyframe SET vt = -9223372036854775808",),
    "gaps": ("INSERT INTO gap VALUES (1, -9223372036854775808, 9223372036854775807, -1, -1, 'x')",),
    "json": ("UPDATE kind SET args = '[[' || printf('%.*c', 100000, '[')",),
    "meta": ("INSERT INTO meta VALUES ('scenario_data', printf('%.*c', 1000000, '['))",),
}


def test_sql_that_is_made_to_harm(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    files = []
    for name, statements in SQL.items():
        try:
            files.append(with_sql(tmp_path / name.replace(" ", "-"), whole[0], *statements))
        except sqlite3.Error as error:
            # this SQLite lacks the module, or refuses to write it: nobody can make such a file with it
            assert name in ("virtual", "schema", "root", "far root", "json", "types"), (name, error)
    found = harmless(tmp_path, files)
    assert len(found) > 11
    assert found["trigger"] == found["view"] == "error"


def bomb(size: int, real: int = 0) -> bytes:
    """A zstd frame that claims `size` bytes; with `real`, one that has them."""
    import zstandard

    if real:
        return zstandard.ZstdCompressor(level=1).compress(bytes(real))
    return struct.pack("<IB", 0xFD2FB528, 0xC0 | 0x20) + struct.pack("<Q", size) + b"\1\0\0"


def test_blobs_that_swell(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    files = []
    for number, blob in enumerate((bomb(1 << 60), bomb(80 << 20), bomb(0, 300 << 20), bomb(0, 60 << 20))):
        path = tmp_path / f"bomb{number}"
        path.write_bytes(whole[0])
        database = sqlite3.connect(path, isolation_level=None)
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for column in ("data", "rows", "latency"):
                if any(row[1] == column for row in database.execute(f"PRAGMA table_info({table})")):
                    database.execute(f"UPDATE {table} SET {column} = ?", (blob,))
        database.close()
        files.append(path)
    assert set(harmless(tmp_path, files).values()) == {"error"}


def tree_loop(data: bytes, table: str, path: Path) -> Path:
    """The b-tree of `table` leads back to itself: an interior page whose children are itself."""
    path.write_bytes(data)
    database = sqlite3.connect(path)
    (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    database.close()
    page = bytearray(PAGE)
    page[0] = 5
    cells = 300
    struct.pack_into(">HHHB", page, 1, 0, cells, PAGE - 5 * cells, 0)
    struct.pack_into(">I", page, 8, root)
    for cell in range(cells):
        at = PAGE - 5 * (cell + 1)
        struct.pack_into(">H", page, 12 + 2 * cell, at)
        struct.pack_into(">IB", page, at, root, cell % 127)
    raw = bytearray(path.read_bytes())
    raw[PAGE * (root - 1) : PAGE * root] = page
    path.write_bytes(raw[: len(raw) // (PAGE + 4) * PAGE])
    return path


def test_trees_that_lead_back_to_themselves(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    files = [tree_loop(whole[0], table, tmp_path / f"loop-{table}") for table in ("string", "block", "keyframe", "mark", "function", "packet_block")]
    assert set(harmless(tmp_path, files).values()) <= {"opened", "error"}


def test_pages_that_are_pointed_to_again_and_again(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    """A small file with millions of rows: 400 times the same page, which has 400 times the same leaf."""
    path = tmp_path / "dense"
    path.write_bytes(whole[0][: len(whole[0]) // (PAGE + 4) * PAGE])
    database = sqlite3.connect(path, isolation_level=None)
    database.executemany("INSERT OR REPLACE INTO string VALUES (?, 'x')", [(number,) for number in range(200)])
    (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'string'").fetchone()
    database.close()
    raw = bytearray(path.read_bytes())
    leaf = raw[PAGE * (root - 1) : PAGE * root]
    pages = len(raw) // PAGE
    struct.pack_into(">I", raw, 28, pages + 2)
    raw[PAGE * (root - 1) : PAGE * root] = pointing(pages + 1)
    raw += pointing(pages + 2) + leaf
    path.write_bytes(raw)
    assert set(harmless(tmp_path, [path], 250).values()) <= {"opened", "error"}


def pointing(child: int) -> bytes:
    """An interior page, all of whose children are `child`."""
    page = bytearray(PAGE)
    page[0] = 5
    cells = 400
    struct.pack_into(">HHHB", page, 1, 0, cells, PAGE - 6 * cells, 0)
    struct.pack_into(">I", page, 8, child)
    for cell in range(cells):
        at = PAGE - 6 * (cell + 1)
        struct.pack_into(">H", page, 12 + 2 * cell, at)
        struct.pack_into(">IBB", page, at, child, 0x81, cell % 127)
    return bytes(page)


@pytest.mark.parametrize("seed", range(2))
def test_rubbish(tmp_path: Path, whole: tuple[bytes, dict[str, Any]], seed: int) -> None:
    """Random bytes over random places, the seal taken off, so that nothing is noticed beforehand."""
    rng = random.Random(seed)
    data = whole[0][: len(whole[0]) // (PAGE + 4) * PAGE]
    files = []
    for number in range(20):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 4, 40, 400))):
            place = rng.randrange(len(changed))
            changed[place] = rng.randrange(256) if rng.random() < 0.7 else rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        if rng.random() < 0.2:
            del changed[rng.randrange(len(changed)) :]
        path = tmp_path / f"rubbish{number}"
        path.write_bytes(changed)
        files.append(path)
    harmless(tmp_path, files)


@pytest.mark.slow
def test_much_rubbish(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    for seed in range(100, 112):
        folder = tmp_path / str(seed)
        folder.mkdir()
        test_rubbish(folder, whole, seed)


def test_no_room_for_the_copy_is_said(tmp_path: Path, whole: tuple[bytes, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(flipped(whole[0], 9000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with pytest.raises(SessionError, match=r"is damaged; to open what is whole .* needs 16 MiB, it has 0"):
        open_session(path)


def test_memory_is_bounded_here_at_all() -> None:
    """The limit that the other tests rely on exists on this system."""
    assert resource.getrlimit(resource.RLIMIT_AS) is not None


def test_a_note_added_later_is_sealed_with_the_rest(tmp_path: Path, whole: tuple[bytes, dict[str, Any]]) -> None:
    path = tmp_path / "a.ringscope"
    path.write_bytes(whole[0])
    with SessionReader(path) as reader:
        Annotations(reader).apply(Put("mark", 0, 7, 3, name="later", text="seen afterwards", place={}))
    assert broken_pages(path) == []
    with SessionReader(path) as reader:
        assert "later" in {mark.name for mark in reader.marks()}
    path.write_bytes(flipped(path.read_bytes(), 9000))
    assert broken_pages(path) == [3]
