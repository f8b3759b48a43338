"""What the actions of the Time menu do: playing, going to moments, who wrote a value, why something happened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QMenu

from ringscope.commands import Stop
from ringscope.searches import Searches
from ringscope.sources.playback import FACTORS, factor_speed
from ringscope.value_search import Tick, ValueSearch
from ringscope.values import value_of
from ringscope.window_notes import NoteVerbs
from ringscope.window_seek import SeekDialog
from ringscope.window_transport import speed_text
from ringscope.window_why import WhyPopup
from ringscope.words import t
from ringscope_core.query.decode import format_clock, format_count
from ringscope_core.query.recording import Recording
from ringscope_core.query.steps import PACKET_KINDS
from ringscope_core.query.travel import Found, Watch, field_watch, find_last_write, find_next_change, next_event, ring_watch, value_at, value_text, watch_text
from ringscope_core.query.watch import FIELD, RING
from ringscope_core.trace.oids import is_ring

if TYPE_CHECKING:
    from ringscope.window import Window

SAY_MS: Final = 10_000


class TimeVerbs:
    """The table of the Time menu's actions."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.store, self.focus, self.commands = window.store, window.focus, window.commands
        self.search = ValueSearch(window)
        self.notes = NoteVerbs(window, self.say)
        self.why_popup: WhyPopup | None = None
        self._asked: Watch | None = None
        """The value that a context menu stands on."""
        player = self.commands.playback
        self.table: dict[str, Callable[[], object]] = {
            "play": partial(player.toggle, 1),
            "play_back": partial(player.toggle, -1),
            "loop": lambda: player.set_looping(not player.looping),
            "range_first": partial(self.set_range, True),
            "range_last": partial(self.set_range, False),
            "range_clear": lambda: self.focus.set_range(None, None),
            **{f"speed_{place}": partial(self.set_factor, factor) for place, factor in enumerate(FACTORS, 1)},
            "seek": self.seek,
            "previous_kind": partial(self.to_alike, -1, True),
            "next_kind": partial(self.to_alike, 1, True),
            "previous_object": partial(self.to_alike, -1, False),
            "next_object": partial(self.to_alike, 1, False),
            "previous_packet": partial(self.to_packet, -1),
            "next_packet": partial(self.to_packet, 1),
            "last_write": partial(self.to_write, -1),
            "next_change": partial(self.to_write, 1),
            "why": self.why,
            "give_up": self.give_up,
            **self.notes.table,
        }
        self.ahead = Searches(self.say, window)
        """Looks for the breakpoint that playback comes to."""
        self._point: int = 0
        """The one that it found."""
        window.playback.began.connect(self._look_ahead)
        window.playback.stopped.connect(self._stopped)
        player.changed.connect(self.show_state)
        self.focus.changed.connect(self._focus_changed)
        self.commands.value_asked.connect(self.show_menu)
        self.commands.view_asked.connect(self._show_view)
        self.store.replaced.connect(self.search.cancel)
        window.closing.connect(self.search.close)
        window.closing.connect(self.ahead.close)

    def _show_view(self, name: str) -> None:
        if name in self.window.hosts:
            self.window.docks.show(name)

    def say(self, text: str) -> None:
        """One line in the status bar."""
        self.window.status.showMessage(text, SAY_MS)

    def show_state(self) -> None:
        """Checks and texts as things stand."""
        actions, player = self.window.commands_by_name, self.commands.playback
        actions["play"].setChecked(player.playing and player.direction > 0)
        actions["play_back"].setChecked(player.playing and player.direction < 0)
        actions["loop"].setChecked(player.looping)
        actions["range_clear"].setEnabled(self.focus.range is not None)
        actions["give_up"].setEnabled(self.search.busy)
        self.notes.show_state()

    def _focus_changed(self, what: object) -> None:
        if isinstance(what, frozenset) and what & {"range", "following"}:
            self.show_state()

    # -- playing ----------------------------------------------------------------------------------------------------------
    def set_range(self, first: bool) -> None:
        """The range begins, or ends, here; its other end stays where it was, or is that of the recording."""
        store, focus = self.store, self.focus
        old = focus.range or (store.first_seq, store.last_seq)
        here = store.last_seq if focus.following else focus.seq
        low, high = (here, max(old[1], here)) if first else (min(old[0], here), here)
        focus.set_range(low, high)
        self.say(t("range: event {low} to {high}", low=format_count(low), high=format_count(high)))

    def set_factor(self, factor: float) -> None:
        """Play so many times as fast as virtual time; while a live run is followed, run so fast."""
        speed = factor_speed(factor)
        if self.focus.following and self.store.live and self.commands.can_step:
            self.commands.set_speed(speed)
        else:
            self.commands.playback.set_speed(speed)
        self.say(t("speed: {speed}", speed=speed_text(speed)))

    def _look_ahead(self, seq: int, direction: int) -> None:
        """Playback stops at breakpoints, as a run does."""
        points = [point for point in self.commands.points if point.get("enabled", True) and not point.get("log")]
        if points:
            self.ahead.find_hit(self.store, points, seq, direction, self._found_ahead)

    def _found_ahead(self, hit: tuple[int, int] | None) -> None:
        if hit is not None:
            self._point = hit[1]
            self.window.playback.stop_at(hit[0])

    def _stopped(self, seq: int) -> None:
        self.commands.found(Stop(f"breakpoint {self._point}", seq, self.store.reader.vt_at_seq(seq), self._point))

    # -- moments ----------------------------------------------------------------------------------------------------------
    def seek(self) -> None:
        """Ask for a moment and go there."""
        SeekDialog(self.store, self.focus, self.window).open()

    def _here(self) -> int:
        return self.store.last_seq if self.focus.following else self.focus.seq

    def to_alike(self, direction: int, of_kind: bool) -> None:
        """The next event in a direction of the kind of the one in focus, or on the object in focus."""
        store, seq = self.store, self._here()
        row = store.row(seq)
        if of_kind:
            if row is None:
                return
            kind = int(row["kind"])
            spec = store.kind(kind)
            self._go(next_event(store.recording, seq, direction, kind), direction, t("event {name}", name=spec.name if spec else kind))
            return
        oid = self.focus.oid or (int(row["obj"]) if row is not None else 0)
        if oid:
            self._go(next_event(store.recording, seq, direction, None, oid), direction, t("event on {name}", name=store.name_of(oid)))
        else:
            self.say(t("choose an object first"))

    def to_packet(self, direction: int) -> None:
        """The next frame in a direction, in focus with its event."""
        found = next_event(self.store.recording, self._here(), direction, PACKET_KINDS)
        row = self.store.row(found) if found is not None else None
        if row is not None and int(row["a0"]):
            self.focus.select(seq=found, packet=int(row["a0"]), subject="packet")
        else:
            self._go(found, direction, t("packet"))

    def _go(self, seq: int | None, direction: int, what: str) -> None:
        if seq is None:
            self.say(t("there is no {what} after this moment" if direction > 0 else "there is no {what} before this moment", what=what))
        else:
            self.focus.select(seq=seq)

    # -- values -----------------------------------------------------------------------------------------------------------
    def value(self) -> Watch | None:
        """The value in hand: the one that the keyboard is on, else the field or the descriptor in focus."""
        if self._asked is not None:
            return self._asked
        focus = self.focus
        found = value_of(QApplication.focusWidget())
        if found is not None:
            return found
        if focus.oid and focus.field >= 0:
            return field_watch(focus.oid, focus.field)
        return ring_watch(focus.oid, "desc", focus.head) if is_ring(focus.oid) and focus.head >= 0 else None

    def to_write(self, direction: int) -> None:
        """Back to what wrote the value in hand last, or on to where it changes."""
        watch = self.value()
        if watch is None:
            self.say(t("choose a value first: a field, a descriptor, an index"))
            return
        seq = self._here()
        find = find_next_change if direction > 0 else find_last_write

        def question(recording: Recording, tick: Tick) -> object:
            return _beyond(recording, watch, seq, tick) if direction < 0 else find(recording, watch, seq, tick)

        if not self.search.ask(self.store, question, lambda found: self._found(watch, direction, found), self.say):
            self.say(t("searching for {watch}... (Esc gives up)", watch=watch_text(watch, self.store.recording)))
        self.show_state()

    def _found(self, watch: Watch, direction: int, found: object) -> None:
        self.show_state()
        recording = self.store.recording
        name = watch_text(watch, recording)
        if not isinstance(found, Found):
            self.say(
                t("{name} keeps its value to the end of the recording" if direction > 0 else "{name} was not written before, as far as is recorded", name=name)
            )
            return
        if watch.kind == FIELD:
            self.focus.select(seq=found.seq, oid=watch.oid, field=watch.number, subject="object")
        elif watch.kind == RING and watch.part == "desc":
            self.focus.select(seq=found.seq, oid=watch.oid, head=watch.number)
        else:
            self.focus.select(seq=found.seq)
        value = value_text(watch, value_at(recording, watch, found.seq), recording)
        self.say(f"{name} = {value}: {told_by(recording, found)}")

    def show_menu(self, watch: object, place: object) -> None:
        """A value's context menu."""
        if not isinstance(watch, Watch) or not isinstance(place, QPoint):
            return
        menu = self.make_menu(watch)
        self._asked = watch
        menu.exec(place)
        self._asked = None
        menu.deleteLater()

    def make_menu(self, watch: Watch) -> QMenu:
        """The menu for a value, its name and present value at the top."""
        recording, actions = self.store.recording, self.window.commands_by_name
        menu = QMenu(self.window)
        value = value_text(watch, value_at(recording, watch, max(self._here(), self.store.first_seq)), recording)
        heading = menu.addAction(f"{watch_text(watch, recording)} = {value}")
        heading.setEnabled(False)
        menu.addSeparator()
        for name in ("last_write", "next_change"):
            menu.addAction(actions[name])
        if watch.kind == FIELD and self.commands.can_break:
            point: dict[str, object] = {"what": "field", "where": watch_text(watch, recording)}
            menu.addAction(t("Break when it changes"), lambda: self.commands.add_point(point))
        menu.addSeparator()
        menu.addAction(t("Copy name and value"), partial(QApplication.clipboard().setText, heading.text()))
        return menu

    # -- why --------------------------------------------------------------------------------------------------------------
    def why(self) -> None:
        """The chain of causes of the event in focus."""
        if self.why_popup is None:
            self.why_popup = WhyPopup(self.store, self.focus, self.window)
        if not self.why_popup.show_chain(self._here()):
            self.say(t("event {here} has no recorded cause", here=format_count(self._here())))

    def give_up(self) -> None:
        """End a search that goes on."""
        if self.search.cancel():
            self.say(t("search given up"))
        self.show_state()


def _beyond(recording: Recording, watch: Watch, seq: int, tick: Tick) -> Found | None:
    """The last write; asked again where it just was found, the one before that."""
    found = find_last_write(recording, watch, seq, tick)
    if found is not None and found.seq == seq:
        return find_last_write(recording, watch, found.since if found.sampled else seq - 1, tick)
    return found


def told_by(recording: Recording, found: Found) -> str:
    """What a search found, in words."""
    reader = recording.reader
    if found.sampled:
        return t(
            "changed between the samples at event {since} and {seq}; no event was recorded",
            since=format_count(max(found.since, 0)),
            seq=format_count(found.seq),
        )
    rows = reader.events(found.seq, found.seq)
    spec = reader.kinds.get(int(rows[0]["kind"])) if len(rows) else None
    return t(
        "{name} at event {seq}, {time} s",
        name=spec.name if spec else t("an event"),
        seq=format_count(found.seq),
        time=format_clock(reader.vt_at_seq(found.seq)),
    )
