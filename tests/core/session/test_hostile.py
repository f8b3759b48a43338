"""Files that are foreign, damaged or made to harm: one clear error, never code, never a hang."""

from __future__ import annotations

import random
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import zstandard

from ringscope_core.session import keyframes
from ringscope_core.session.errors import SessionError
from ringscope_core.session.packing import PackingError, pack, unpack
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.schema import VERSION
from tests.core.session.recording import make


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "a.ringscope"
    make(path, 1500)
    return path.read_bytes()


@pytest.fixture(scope="module")
def unsealed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same as a killed writer leaves it: nothing vouches for its pages."""
    folder = tmp_path_factory.mktemp("unsealed")
    recording = make(folder / "a.ringscope", 1500, close=False)
    recording.writer.sync()
    for suffix in ("", "-wal"):
        shutil.copy(folder / f"a.ringscope{suffix}", folder / f"b.ringscope{suffix}")
    recording.writer.close()
    with sqlite3.connect(folder / "b.ringscope") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.execute("PRAGMA journal_mode = DELETE")
    database.close()
    return (folder / "b.ringscope").read_bytes()


def contents(path: Path) -> tuple[bytes, list[tuple[object, bytes]]]:
    """Its events, and its frames with their bytes."""
    with SessionReader(path) as reader:
        return reader.events(0, reader.last_seq).tobytes(), [(row, reader.packet_bytes(row.id)) for row in reader.packets(1, reader.packet_count)]


def read_everything(path: Path) -> None:
    """Use every method of the reader."""
    with SessionReader(path) as reader:
        reader.events(0, reader.last_seq)
        reader.find_events(list(reader.kinds), 0, reader.last_seq, 100, backwards=True)
        for seq in (0, reader.last_seq // 2, reader.last_seq):
            reader.state_at(seq)
            reader.seq_at_vt(reader.vt_at_seq(seq))
        for row in reader.packets(1, reader.packet_count)[:: max(1, reader.packet_count // 20)]:
            reader.packet_bytes(row.id)
        # read when it is asked for
        assert reader.counters(0, reader.last_vt).latency.ndim == 3
        reader.marks()
        assert min(reader.dropped) >= 0


def refused(path: Path, pattern: str = "session ") -> None:
    with pytest.raises(SessionError, match=pattern) as caught:
        read_everything(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 100, 4096, 5000, 20000])
def test_truncated(tmp_path: Path, whole: bytes, size: int) -> None:
    path = tmp_path / "a.ringscope"
    path.write_bytes(whole[:size])
    refused(path)


def damage(data: bytearray, seed: int) -> bytearray:
    """Some bytes of it are others, and now and then the end is gone."""
    rng = random.Random(seed)
    for _ in range(rng.choice((1, 3, 30, 300))):
        data[rng.randrange(16, len(data))] = rng.randrange(256)
    if seed % 4 == 0:
        del data[rng.randrange(len(data)) :]
    return data


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_are_noticed(tmp_path: Path, whole: bytes, seed: int) -> None:
    path = tmp_path / "a.ringscope"
    path.write_bytes(damage(bytearray(whole), seed))
    with pytest.raises(SessionError) as caught:
        read_everything(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_without_a_seal_give_an_error_or_the_truth(tmp_path: Path, unsealed: bytes, seed: int) -> None:
    path = tmp_path / "a.ringscope"
    path.write_bytes(unsealed)
    before = contents(path)
    path.write_bytes(damage(bytearray(unsealed), seed))
    try:
        read_everything(path)
        assert contents(path) == before
    except SessionError as error:
        assert str(path) in str(error)


def test_a_wrong_byte_in_a_blob_is_noticed_by_its_checksum() -> None:
    """Also where what is compressed stands as it is, so that nothing else would tell."""
    blob = pack(random.Random(1).randbytes(4000))
    assert len(unpack(blob, 4000)) == 4000
    for place in range(16, len(blob), 97):
        wrong = bytearray(blob)
        wrong[place] ^= 1
        with pytest.raises(PackingError):
            unpack(bytes(wrong), 4000)


def test_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "a.ringscope"
    refused(path, "no such file")
    path.write_text("not a database, but long enough to look at")
    refused(path, "is not a Ringscope session")
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE meta (a)")
    refused(path, "is not a Ringscope session")
    refused(tmp_path, "is not a file")


def changed(path: Path, whole: bytes, *statements: str, values: tuple[object, ...] = ()) -> Path:
    path.write_bytes(whole)
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            database.execute(statement, values if "?" in statement else ())
    database.close()
    return path


def test_newer_and_older_versions(tmp_path: Path, whole: bytes) -> None:
    refused(changed(tmp_path / "a", whole, f"PRAGMA user_version = {VERSION + 1}"), f"version {VERSION + 1}, this program reads up to {VERSION}")
    refused(changed(tmp_path / "c", whole, "PRAGMA user_version = 1"), "does not have the tables")
    refused(changed(tmp_path / "b", whole, "PRAGMA user_version = 0"), "version 0")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON mark BEGIN SELECT 1; END",
        "CREATE VIEW strings AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT n FROM r",
        "DROP VIEW packets",
        "ALTER TABLE mark ADD COLUMN more",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE mark (id, seq, vt, name, note)' WHERE name = 'mark'",
    ],
)
def test_other_tables(tmp_path: Path, whole: bytes, statement: str) -> None:
    refused(changed(tmp_path / "a", whole, statement), "does not have the tables")


def test_a_view_that_never_ends_is_not_run(tmp_path: Path, whole: bytes) -> None:
    endless = "CREATE VIEW meta AS WITH RECURSIVE r(key, value) AS (SELECT 1, 2 UNION ALL SELECT key, value FROM r) SELECT * FROM r"
    refused(changed(tmp_path / "a", whole, "DROP TABLE meta", endless), "does not have the tables")


def frame_claiming(size: int) -> bytes:
    """A zstd frame whose header claims `size` bytes of content."""
    return struct.pack("<IB", 0xFD2FB528, 0xC0 | 0x20) + struct.pack("<Q", size) + b"\1\0\0"


@pytest.mark.parametrize("blob", [frame_claiming(1 << 50), frame_claiming(1 << 33), b"", b"garbage", pack(b"short"), pack(bytes(72 << 20))])
@pytest.mark.parametrize("cell", ["block_data SET data", "keyframe_data SET data", "packet_data SET data", "packet_data SET rows"])
def test_blobs_that_are_bombs_or_rubbish(tmp_path: Path, whole: bytes, cell: str, blob: bytes) -> None:
    refused(changed(tmp_path / "a", whole, f"UPDATE {cell} = ?", values=(blob,)), "damaged")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE block SET count = 1099511627776",
        "UPDATE block SET count = -1",
        "UPDATE block SET kinds = '[1, 2]'",
        "UPDATE block SET kinds = '{\"1\": 99999}'",
        "UPDATE block_data SET data = 'text'",
        "DELETE FROM block_data",
        "DELETE FROM keyframe_data",
        "UPDATE string SET id = id + 5 WHERE id > 0",
        "UPDATE string SET text = CAST(zeroblob(4) AS BLOB)",
        "UPDATE meta SET value = 'not json'",
        "UPDATE kind SET args = '{}'",
        "UPDATE packet_block SET count = 1000000000000",
        "UPDATE packet_block SET count = count - 5",
        "UPDATE packet_block SET count = 'many'",
        "UPDATE packet_block SET first_id = first_id + 1",
        "UPDATE counter SET sample = 10 - sample",
        "UPDATE counter SET latency = x'ff08'",
        "UPDATE counter SET packets = 'many'",
        "UPDATE mark SET seq = 'never'",
        "DELETE FROM packet_data",
    ],
)
def test_impossible_rows(tmp_path: Path, whole: bytes, statement: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(whole)
    database = sqlite3.connect(path, isolation_level=None)
    assert database.execute(statement).rowcount > 0
    database.close()
    refused(path)


def state_with(change: Callable[[dict[str, object]], None]) -> bytes:
    plain: dict[str, object] = {"seq": 1, "vt": 0, "wall": 0, "run_state": 1, "level": 2, "objects": {}, "fields": {}, "rings": {}, "stack": []}
    change(plain)
    return pack(msgspec.msgpack.encode(plain))


RING = {"num": 4, "desc_gpa": 0, "avail_gpa": 0, "used_gpa": 0, "desc": bytes(64), "avail": bytes(14), "used": bytes(38), "indirect": {}}
PACKED = {**RING, "avail": bytes(4), "used": bytes(4), "packed": True}


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(rings={1: {**RING, "num": 1 << 40}}),
        lambda p: p.update(rings={1: {**RING, "desc": 1 << 40}}),
        lambda p: p.update(rings={1: {**RING, "desc": b""}}),
        lambda p: p.update(rings={1: {**PACKED, "packed": False}}),
        lambda p: p.update(rings={1: {**PACKED, "used": bytes(38)}}),
        lambda p: p.update(objects={1: [1]}),
        lambda p: p.update(stack=[[1, 2]]),
        lambda p: p.update(fields=[1]),
        lambda p: p.pop("seq"),
    ],
)
def test_keyframes_of_a_wrong_shape(tmp_path: Path, whole: bytes, change: Callable[[dict[str, object]], None]) -> None:
    refused(changed(tmp_path / "a", whole, "UPDATE keyframe_data SET data = ?", values=(state_with(change),)), "damaged")


def test_a_keyframe_of_the_right_shape_is_taken() -> None:
    state = keyframes.decode(state_with(lambda p: p.update(rings={1: RING, 2: PACKED})))
    assert [(ring.num, ring.packed) for ring in state.rings.values()] == [(4, False), (4, True)]


def test_events_that_would_take_all_memory(tmp_path: Path) -> None:
    from ringscope_core.trace import kinds as k

    for kind, args in (
        (k.EV_RING_RESET, (1 << 45,)),
        (k.EV_IND_WRITE, (1, 1 << 45)),
        (k.EV_DESC_WRITE, (1 << 50,)),
        (k.EV_USED_DESC, (1 << 50,)),
        (k.EV_FRAME_LEAVE, (0,)),
    ):
        path = tmp_path / f"{int(kind)}.ringscope"
        recording = make(path, 10, close=False)
        recording.log.emit(kind, 65536 + 0x20 * 1024, *args)
        recording.log.emit(k.EV_FRAME_LEAVE, 0)
        recording.log.emit(k.EV_FRAME_LEAVE, 0)
        recording.flush()
        recording.writer.close()
        refused(path, "damaged")


def test_compression_that_lies_about_its_size(tmp_path: Path, whole: bytes) -> None:
    blob = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(1 << 20))
    refused(changed(tmp_path / "a", whole, "UPDATE block_data SET data = ?", values=(blob,)), "damaged")
