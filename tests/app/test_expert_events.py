"""The expert list is a filter of the events: a recording of an attack, looked at as a person does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ringscope.store import Store
from ringscope_core.query.filters import Filter, completions
from ringscope_core.session.reader import SessionReader
from ringscope_core.session.writer import SessionWriter
from tests.core.rig import BUFFERS_AT, Rig


def recorded(path: Path) -> Path:
    """A driver sends four bytes without a header; what was recorded is in a session."""
    rig = Rig()
    rig.start()
    rig.settle()
    rig.desc(1, 0, BUFFERS_AT, 4)
    rig.publish(1, 0)
    rig.kick(1)
    rig.settle()
    rig.log.flush()
    writer = SessionWriter(path, {"scenario": "attack"}, [])
    writer.add_strings(0, rig.log.strings.texts)
    rows = np.array(rig.sink.rows, dtype="<i8")
    for start in range(0, len(rows), 8192):
        block = rows[start : start + 8192]
        packed = np.zeros(len(block), dtype=[("vt", "<i8"), ("wall", "<i8"), ("kind", "<i4"), ("obj", "<i4"), *((f"x{i}", "<i8") for i in range(7))])
        for column, name in enumerate(packed.dtype.names or ()):
            packed[name] = block[:, column]
        writer.add_block(start, packed.tobytes())
    writer.close()
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(SessionReader(recorded(tmp_path_factory.mktemp("expert") / "s.ringscope")))


def found(store: Store, text: str) -> list[str]:
    """Names of the kinds that a filter takes."""
    rows = store.events(store.first_seq, store.last_seq)
    out = []
    for seq in rows["seq"][Filter(text, store.recording).mask(rows)]:
        spec = store.kind(int(store.row(int(seq))["kind"]))
        assert spec is not None
        out.append(spec.name)
    return out


def test_the_filter_language_finds_it(store: Store) -> None:
    assert found(store, "kind == expert") == ["expert"]
    assert found(store, "kind == expert and severity == error") == ["expert"]
    assert found(store, "kind == expert and severity == warning") == []
    assert "expert" in found(store, '"QEMU aborts"')
    assert {"expert", "virtio_error", "message"} <= set(found(store, "group == error"))
    assert "expert" in completions("kind == exp", store.recording)[1]


def test_its_text_says_what_qemu_does_and_which_clause(store: Store) -> None:
    rows = store.events(store.first_seq, store.last_seq)
    row = rows[Filter("kind == expert", store.recording).mask(rows)][0]
    text = store.text(int(row["a1"]))
    assert "iov_copy" in text and "5.1.6.2" in text
