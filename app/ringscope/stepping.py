"""Steps and continues, both ways: what runs the machine and what only moves over the recording.

At the live end a forward step makes the machine go on.  Everywhere else, and always backwards, it moves the focus over what is
recorded; forward past the end of a live recording the machine goes on from there, as rr does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ringscope.commands import Stop
from ringscope.words import t

if TYPE_CHECKING:
    from ringscope.commands import Commands
    from ringscope.focus import Focus
    from ringscope.store import Store

Plain = Mapping[str, Any]
Found = Callable[[tuple[int, int] | None], None]
"""Takes the event and the breakpoint's id of a hit, or None."""


class Search(Protocol):
    """Searches in a recording."""

    def step(self, store: Store, seq: int, kind: str, count: int, direction: int) -> int | None:
        """The event at which a step ends, None when the recording ends before."""
        ...

    def find_hit(self, store: Store, points: Sequence[Plain], seq: int, direction: int, found: Found) -> None:
        """The next event at which a breakpoint stops; may take a while, so `found` is told later."""
        ...

    def cancel(self) -> bool:
        """Give up a search that is under way; false when there is none."""
        ...


class Stepper:
    """Carries out steps; `say` gets one line when there is something to say."""

    def __init__(self, store: Store, focus: Focus, commands: Commands, search: Search, say: Callable[[str], None]) -> None:
        self.store, self.focus, self.commands = store, focus, commands
        self.search = search
        self._say = say

    @property
    def at_end(self) -> bool:
        """Whether the focus stands where the machine does."""
        return self.focus.following or self.focus.seq >= self.store.last_seq

    def step(self, kind: str, direction: int = 1, count: int = 1) -> None:
        """One step of `kind` (or `count`), `direction` 1 forward or -1 back."""
        if direction > 0 and self.at_end and self.commands.can_step:
            self._run_on(lambda: self.commands.step(kind, count))
            return
        if direction < 0 and self.focus.following:
            # who steps back wants to look: a machine that ran on would go on without him
            self.commands.pause()
        seq = self.search.step(self.store, self._here(), kind, count, direction)
        if seq is not None:
            self._stop_at(Stop(f"step {kind}{'' if direction > 0 else ' back'}", seq, 0))
        elif direction > 0 and self.commands.can_step:
            self._run_on(lambda: self.commands.step(kind, count))
        else:
            self._at_an_end(direction)

    def go(self, direction: int = 1) -> None:
        """On to the next breakpoint, or back to the one before; without one, to the end or the beginning."""
        if direction > 0 and self.at_end:
            self._beyond()
            return
        if direction < 0 and self.focus.following:
            self.commands.pause()
        points = [point for point in self.commands.points if point.get("enabled", True) and not point.get("log")]
        if not points:
            self._not_found(direction)
            return
        self._say("searching...")
        self.search.find_hit(self.store, points, self._here(), direction, lambda hit: self._hit(hit, direction))

    def until(self, point: Plain) -> None:
        """Go on until `point`, a breakpoint in plain form that nobody keeps."""
        if self.at_end:
            if self.commands.can_step:
                self._run_on(lambda: self.commands.run_until(dict(point)))
            else:
                self._say(t("this is the end of the recording"))
            return
        self._say("searching...")
        self.search.find_hit(self.store, [point], self._here(), 1, lambda hit: self._until_found(hit, point))

    def interrupt(self) -> None:
        """Give up a search; without one, stop the machine."""
        if self.search.cancel():
            self._say(t("search given up"))
        elif self.commands.running:
            self.commands.pause()

    # -- how it ends --------------------------------------------------------------------------------------------------
    def _here(self) -> int:
        return self.store.last_seq if self.focus.following else self.focus.seq

    def _stop_at(self, stop: Stop) -> None:
        self.focus.select(seq=stop.seq)
        self.commands.found(stop._replace(vt=self.store.reader.vt_at_seq(stop.seq)))

    def _run_on(self, action: Callable[[], None]) -> None:
        self.commands.found(None)
        self.focus.set_following(True)
        self.focus.advance(self.store.last_seq)
        action()

    def _hit(self, hit: tuple[int, int] | None, direction: int) -> None:
        if hit is None:
            self._not_found(direction)
        else:
            seq, number = hit
            self._say("")
            self._stop_at(Stop(f"breakpoint {number}", seq, 0, number))

    def _until_found(self, hit: tuple[int, int] | None, point: Plain) -> None:
        if hit is not None:
            self._say("")
            self._stop_at(Stop(f"until {point.get('what')} {point.get('where')}", hit[0], 0))
        elif self.commands.can_step:
            self._run_on(lambda: self.commands.run_until(dict(point)))
        else:
            self._say(t("{what} {where} does not come any more in this recording", what=point.get("what"), where=point.get("where")))

    def _not_found(self, direction: int) -> None:
        if direction > 0 and self.commands.can_step:
            self._beyond()
        else:
            self._at_an_end(direction)

    def _beyond(self) -> None:
        if self.commands.can_step:
            self._run_on(self.commands.run)
        else:
            self._at_an_end(1)

    def _at_an_end(self, direction: int) -> None:
        store = self.store
        seq, what = (store.last_seq, "the end") if direction > 0 else (store.first_seq, "the beginning")
        self._say("")
        self._stop_at(Stop(f"{what} of the recording", seq, 0))
