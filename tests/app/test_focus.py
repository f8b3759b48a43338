"""The focus: one place, one signal, a history."""

from __future__ import annotations

from ringscope.focus import Focus


class Heard:
    """Collects what `changed` carries."""

    def __init__(self, focus: Focus) -> None:
        self.sets: list[frozenset[str]] = []
        focus.changed.connect(self.sets.append)


def test_a_selection_tells_once_what_changed() -> None:
    focus = Focus()
    heard = Heard(focus)
    focus.select(seq=5, oid=3)
    assert heard.sets == [frozenset({"seq", "oid", "subject", "following"})]
    assert (focus.seq, focus.oid, focus.subject, focus.following) == (5, 3, "object", False)


def test_moving_in_time_keeps_the_subject() -> None:
    focus = Focus()
    focus.select(oid=3)
    focus.select(seq=9)
    assert focus.subject == "object"
    focus.select(seq=10, subject="event")
    assert focus.subject == "event"


def test_selecting_the_same_again_is_silent() -> None:
    focus = Focus()
    focus.select(oid=3)
    heard = Heard(focus)
    focus.select(oid=3)
    assert heard.sets == []


def test_another_object_forgets_field_and_descriptor() -> None:
    focus = Focus()
    focus.select(oid=3, field=7, head=9)
    assert focus.subject == "descriptor"
    focus.select(oid=4)
    assert (focus.field, focus.head) == (-1, -1)


def test_following_moves_along_until_a_moment_is_chosen() -> None:
    focus = Focus()
    focus.advance(10)
    assert focus.seq == 10
    focus.scrub(4)
    focus.advance(11)
    assert focus.seq == 4 and not focus.following
    focus.set_following(True)
    focus.advance(12)
    assert focus.seq == 12


def test_back_and_forward_are_inverse() -> None:
    focus = Focus()
    focus.select(seq=1)
    focus.select(seq=2, oid=8)
    places = [focus.place]
    focus.back()
    assert (focus.seq, focus.oid) == (1, 0) and focus.can_forward
    focus.forward()
    assert [focus.place] == places
    assert not focus.can_forward


def test_scrubbing_leaves_no_history() -> None:
    focus = Focus()
    for seq in range(20):
        focus.scrub(seq)
    assert not focus.can_back
