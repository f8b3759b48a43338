"""The one focus of a window: a moment, an object, a field, a descriptor, a packet, a type.

Every view reads it and any view may move it; whatever moves it, all views go there.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from PySide6.QtCore import QObject, Signal

SUBJECTS: Final = ("event", "object", "type", "descriptor", "packet")
"""What a selection can be about; the inspector opens the tab of the newest."""

_HISTORY: Final = 200


class Place(NamedTuple):
    """Everything the focus holds, as one value; the focus keeps a history of them."""

    seq: int
    oid: int
    field: int
    head: int
    packet: int
    type_name: str
    subject: str


class Focus(QObject):
    """Where the window looks.

    `changed` carries the set of what changed, of the names ``seq, following, oid, field, head, packet, type_name, subject,
    filter, range``.  While `following`, the window moves `seq` to the newest event once a frame; choosing a moment stops that.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.seq: int = -1
        """The moment: the state shown is the one after this event; -1 before the first."""
        self.following: bool = True
        """Whether the moment follows the end of the recording."""
        self.oid: int = 0
        """The object or ring, 0 for none."""
        self.field: int = -1
        """Field id of the object, -1 for none."""
        self.head: int = -1
        """Descriptor index in the ring `oid`, -1 for none."""
        self.packet: int = 0
        """Packet id, 0 for none."""
        self.type_name: str = ""
        """The QOM type, empty for none."""
        self.subject: str = "event"
        """What was selected last, of `SUBJECTS`."""
        self.range: tuple[int, int] | None = None
        """A stretch of the recording, first and last event, for looping and exports; None for all of it."""
        self.filter: str = ""
        """The filter expression of lists (see `filters`), empty for everything."""
        self._back: list[Place] = []
        self._forward: list[Place] = []

    @property
    def place(self) -> Place:
        """The focus as one value."""
        return Place(self.seq, self.oid, self.field, self.head, self.packet, self.type_name, self.subject)

    def select(
        self,
        *,
        seq: int | None = None,
        oid: int | None = None,
        field: int | None = None,
        head: int | None = None,
        packet: int | None = None,
        type_name: str | None = None,
        subject: str | None = None,
    ) -> None:
        """Go to what is given and keep the rest.

        A moment given here stops following.  A new object forgets the field and descriptor of the old one unless they are given
        too.  Without `subject`, it is the most particular thing given: packet, descriptor, object, type; moving in time alone keeps it.
        """
        before = self.place
        if oid is not None and oid != self.oid:
            field = -1 if field is None else field
            head = -1 if head is None else head
        if subject is None:
            subject = _subject_of(oid, head, packet, type_name) or self.subject
        after = Place(
            self.seq if seq is None else seq,
            self.oid if oid is None else oid,
            self.field if field is None else field,
            self.head if head is None else head,
            self.packet if packet is None else packet,
            self.type_name if type_name is None else type_name,
            subject,
        )
        stopped = seq is not None and self.following
        if stopped:
            self.following = False
        if after != before:
            self._back = [*self._back[-_HISTORY:], before]
            self._forward = []
        self._move(after, {"following"} if stopped else set())

    def scrub(self, seq: int) -> None:
        """Move the moment alone, without an entry in the history: dragging, playback, following."""
        stopped = self.following
        self.following = False
        self._move(self.place._replace(seq=seq), {"following"} if stopped else set())

    def suggest(self, oid: int, type_name: str) -> None:
        """Look at an object where nobody has chosen one: no entry in the history, and following goes on."""
        self._move(self.place._replace(oid=oid, type_name=type_name, subject="object"), set())

    def set_following(self, following: bool) -> None:
        """Follow the end of the recording, or stay at the moment."""
        if following != self.following:
            self.following = following
            self.changed.emit(frozenset({"following"}))

    def set_filter(self, text: str) -> None:
        """Filter lists by the expression `text`; an empty one shows everything."""
        if text != self.filter:
            self.filter = text
            self.changed.emit(frozenset({"filter"}))

    def set_range(self, first: int | None, last: int | None) -> None:
        """Choose a stretch of the recording; both None for all of it.  Given the wrong way round they are turned."""
        after = None if first is None or last is None else (min(first, last), max(first, last))
        if after != self.range:
            self.range = after
            self.changed.emit(frozenset({"range"}))

    def advance(self, last_seq: int) -> None:
        """The recording grew to `last_seq`: move along while following."""
        if self.following and last_seq != self.seq:
            self._move(self.place._replace(seq=last_seq), set())

    def reset(self) -> None:
        """Forget everything: another recording was opened."""
        self._back, self._forward = [], []
        self.following = True
        self.range = None
        self._move(Place(-1, 0, -1, -1, 0, "", "event"), {"following"})

    @property
    def can_back(self) -> bool:
        """Whether there is an earlier place to return to."""
        return bool(self._back)

    @property
    def can_forward(self) -> bool:
        """Whether `back` was used and can be undone."""
        return bool(self._forward)

    def back(self) -> None:
        """Return to the place before the last selection."""
        if self._back:
            self._forward.append(self.place)
            self._jump(self._back.pop())

    def forward(self) -> None:
        """Undo `back`."""
        if self._forward:
            self._back.append(self.place)
            self._jump(self._forward.pop())

    def _jump(self, place: Place) -> None:
        stopped = self.following
        self.following = False
        self._move(place, {"following"} if stopped else set())

    def _move(self, after: Place, also: set[str]) -> None:
        before = self.place
        self.seq, self.oid, self.field, self.head, self.packet, self.type_name, self.subject = after
        changed = {name for name, old, new in zip(Place._fields, before, after, strict=True) if old != new} | also
        if changed:
            self.changed.emit(frozenset(changed))


def _subject_of(oid: int | None, head: int | None, packet: int | None, type_name: str | None) -> str:
    if packet:
        return "packet"
    if head is not None and head >= 0:
        return "descriptor"
    if oid:
        return "object"
    return "type" if type_name else ""
