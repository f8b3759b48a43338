"""What the debugger's actions do: steps and continues both ways, breakpoints, console, source."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ringscope.searches import Searches
from ringscope.stepping import Stepper
from ringscope.widgets.point_dialogs import PointDialog, UntilDialog
from ringscope.words import t

if TYPE_CHECKING:
    from ringscope.window import Window

BOTH_WAYS = (("step", "step_back", "event"), ("step_over", "over_back", "over"), ("step_into", "into_back", "into"), ("step_out", "out_back", "out"))
DATA_PATH = (("step_packet", "packet_back", "packet"), ("step_kick", "kick_back", "kick"))


class DebugVerbs:
    """The table of the Debug menu's actions, and the stepper behind it."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.store, self.focus, self.commands = window.store, window.focus, window.commands
        self.searches = Searches(self.say, window)
        self.stepper = Stepper(self.store, self.focus, self.commands, self.searches, self.say)
        self.table: dict[str, Callable[[], object]] = {
            "continue": self.stepper.go,
            "continue_back": partial(self.stepper.go, -1),
            "interrupt": self.stepper.interrupt,
            "run_until": self.run_until,
            "break_here": self.break_here,
            "break": self.add,
            "breakpoints": partial(window.show_view, "breakpoints"),
            "points_on": partial(self.enable_all, True),
            "points_off": partial(self.enable_all, False),
            "console": partial(self._in_realize, "show_console"),
            "source": partial(self._in_realize, "show_source"),
            "match_backtrace": partial(self._in_realize, "match_backtrace"),
        }
        for forward, back, kind in (*BOTH_WAYS, *DATA_PATH):
            self.table[forward] = partial(self.stepper.step, kind)
            self.table[back] = partial(self.stepper.step, kind, -1)
        self.commands.until_wanted.connect(self._until)
        # why things stand is told at once, not when the line is due
        self.commands.changed.connect(window.status.refresh)
        self.focus.changed.connect(self._focus_changed)
        self.store.replaced.connect(lambda: self.commands.found(None))
        window.closing.connect(self.searches.close)

    def say(self, text: str) -> None:
        """One line in the status bar."""
        if text:
            self.window.status.showMessage(text, 8000)
        else:
            self.window.status.clearMessage()

    def show_state(self) -> None:
        """Enable what can be done now."""
        actions, commands = self.window.commands_by_name, self.commands
        for name in ("break_here", "break", "points_on", "points_off"):
            actions[name].setEnabled(commands.can_break)
        actions["interrupt"].setEnabled((commands.can_pause and commands.running) or self.searches.busy)

    def _focus_changed(self, what: object) -> None:
        # what was found counts where it was found, until one looks elsewhere
        if isinstance(what, frozenset) and "seq" in what:
            self.commands.found(None)

    # -- breakpoints ------------------------------------------------------------------------------------------------------
    def run_until(self) -> None:
        """Ask where to, and run there."""
        UntilDialog(self.store, self.to_event, self.stepper.until, self.window).open()

    def _until(self, point: object) -> None:
        if isinstance(point, dict):
            self.stepper.until(point)

    def to_event(self, seq: int) -> None:
        """Go to event `seq`; one that has not happened yet is run to."""
        ahead = seq - self.store.last_seq
        if ahead <= 0:
            self.focus.select(seq=seq)
        elif self.commands.can_step:
            self.focus.set_following(True)
            self.commands.step("event", ahead)

    def add(self) -> None:
        """Ask for a breakpoint; the place chosen in the source or the innermost call is offered."""
        place = self._place()
        point: dict[str, Any] = {"what": place[0], "where": place[1]} if place is not None else {}
        PointDialog(self.store, point, self.commands.add_point, self.window).open()

    def break_here(self) -> None:
        """Set a breakpoint on the place chosen in the source or where the innermost call at the focus stands; delete one that is there."""
        place = self._place()
        if place is None:
            self.say(t("no call is open here: choose one in Realize, or add a breakpoint with Ctrl+B"))
            return
        for point in self.commands.points:
            if (point["what"], point["where"]) == place:
                self.commands.remove_point(int(point["id"]))
                return
        self.commands.add_point({"what": place[0], "where": place[1]})

    def enable_all(self, on: bool) -> None:
        """Enable or disable every breakpoint."""
        for point in self.commands.points:
            if bool(point.get("enabled", True)) != on:
                self.commands.update_point(int(point["id"]), enabled=on)

    def _place(self) -> tuple[str, str] | None:
        view = self.window.hosts["realize"].view
        chosen = view.chosen_place() if view is not None and view.isVisible() else None
        if chosen is not None:
            return chosen
        stack = self.store.moment(self.focus).stack if self.store.last_seq >= 0 else []
        spec = self.store.function(stack[-1][0]) if stack else None
        if spec is None:
            return None
        line = stack[-1][1]
        return ("function", spec.name) if line == spec.line else ("checkpoint", f"{spec.name}:{line}")

    def _in_realize(self, method: str) -> None:
        view = self.window.show_view("realize")
        getattr(view, method)()
