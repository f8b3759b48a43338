"""The filter language: what it takes, what it refuses, and how it completes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope.store import Store
from ringscope_core.query.filters import Compare, Filter, FilterError, Join, completions, number_of, parse
from ringscope_core.session.reader import SessionReader
from tests.app.synthetic import make_session


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path: Path = make_session(tmp_path_factory.mktemp("filters") / "s.ringscope", 40)
    return Store(SessionReader(path))


def taken(store: Store, text: str) -> list[int]:
    rows = store.events(store.first_seq, store.last_seq)
    return [int(seq) for seq in rows["seq"][Filter(text, store.recording).mask(rows)]]


def names(store: Store, text: str) -> set[str]:
    found = set()
    for seq in taken(store, text):
        spec = store.kind(int(store.row(seq)["kind"]))
        assert spec is not None
        found.add(spec.name)
    return found


def test_precedence_is_not_before_and_before_or() -> None:
    node = parse("not kind == kick and seq < 9 or pop")
    assert node == Join("or", (Join("and", (Join("not", (Compare("kind", "==", ("kick",)),)), Compare("seq", "<", ("9",)))), Compare("any", "~", ("pop",))))


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), ("0x10", 16), ("1.5s", 1_500_000_000), ("3us", 3000), ("2ms", 2_000_000), ("true", 1), ("kick", None), ("1.5", None)]
)
def test_numbers_and_times(text: str, value: int | None) -> None:
    assert number_of(text) == value


def test_kind_and_object(store: Store) -> None:
    assert names(store, "kind == kick") == {"kick"}
    assert len(taken(store, "kind == kick")) == 80
    assert len(taken(store, "kind == kick and obj == tx0")) == 40
    assert len(taken(store, "kind in {kick, msi} and not obj == tx0")) == 40


def test_group_and_ranges(store: Store) -> None:
    assert names(store, "group == notify") == {"kick", "virtio_notify", "guest_irq"}
    assert taken(store, "seq in 3..5") == [3, 4, 5]
    late = taken(store, "vt >= 2ms")
    assert late and late == list(range(late[0], store.last_seq + 1))


def test_arguments_by_name(store: Store) -> None:
    popped = taken(store, "kind == virtqueue_pop and head == 3")
    assert [int(store.row(seq)["a0"]) for seq in popped] == [3, 3]
    assert taken(store, "fn == virtio_net_device_realize") and names(store, "fn ~ realize") <= {"frame_enter", "frame_leave", "frame_at"}
    assert names(store, "field == VirtIONet.max_queues") == {"field"}


def test_a_word_alone_searches_all_texts(store: Store) -> None:
    assert "object_new" in names(store, "virtio-net-device")
    assert names(store, '"a warning"') == {"message"}
    assert taken(store, "nothing_has_this_name") == []


def test_an_empty_filter_takes_everything(store: Store) -> None:
    assert len(taken(store, "  ")) == store.reader.event_count


@pytest.mark.parametrize(
    "text",
    [
        "kind ==",
        "kind == nonsense",
        "group == nothing",
        "(kind == kick",
        "colour == red",
        "seq == abc",
        "kind == kick kick",
        "seq in 5",
        "seq in {1, 2",
        "== 4",
        "kind == kick &",
    ],
)
def test_a_bad_filter_says_what_is_wrong(store: Store, text: str) -> None:
    with pytest.raises(FilterError) as caught:
        Filter(text, store.recording)
    assert "\n" not in str(caught.value) and str(caught.value)


def test_completion_knows_fields_and_their_values(store: Store) -> None:
    assert "kind" in completions("ki", store.recording)[1]
    start, words = completions("kind == ki", store.recording)
    assert start == 8 and "kick" in words
    assert "tx0" in completions("obj == ", store.recording)[1]
    assert "ring" in completions("seq > 3 and group == ri", store.recording)[1]
