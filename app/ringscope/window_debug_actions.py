"""The debugger's commands: the Debug menu.

The keys are those of Visual Studio and its kin; Shift (or Alt, where Shift means something else there) goes the same way backwards.
"""

from __future__ import annotations

from typing import Final

from ringscope.window_spec import ActionSpec

DEBUG_MENU: Final = "&Debug"
DEBUG_ACTIONS: Final = (
    ActionSpec("continue", DEBUG_MENU, "&Continue", "F5", "continue", "Go on to the next breakpoint, or let the machine run"),
    ActionSpec("continue_back", DEBUG_MENU, "Continue bac&kwards", "Shift+F5", "continue-back", "Back to the breakpoint before", ("Alt+F5",)),
    ActionSpec("interrupt", DEBUG_MENU, "&Interrupt", "F6", "pause", "Stop the machine, or the search that is under way", ("Pause",)),
    ActionSpec("step_over", DEBUG_MENU, "-Step &over", "F10", "step-over", "To the next line of this function"),
    ActionSpec("step_into", DEBUG_MENU, "Step &into", "F11", "step-into", "To the next call or line"),
    ActionSpec("step_out", DEBUG_MENU, "Step o&ut", "Shift+F11", "step-out", "Until this function returns"),
    ActionSpec("over_back", DEBUG_MENU, "Step over backwards", "Shift+F10", "over-back", "To the line of this function before", ("Alt+F10",)),
    ActionSpec("into_back", DEBUG_MENU, "Step into backwards", "Alt+F11", "", "To the call or line before"),
    ActionSpec("out_back", DEBUG_MENU, "Step out backwards", "Alt+Shift+F11", "", "To where this function was called"),
    ActionSpec("step", DEBUG_MENU, "-&Event", "F7", "step-event", "One event on: at the live end the machine makes it"),
    ActionSpec("step_packet", DEBUG_MENU, "&Packet", "F8", "step-packet", "To the next frame that the device sends or takes"),
    ActionSpec("step_kick", DEBUG_MENU, "Kic&k", "F12", "step-kick", "To the next kick of the driver"),
    ActionSpec("step_back", DEBUG_MENU, "Event backwards", "Shift+F7", "step-back", "One event back", ("Alt+F7",)),
    ActionSpec("packet_back", DEBUG_MENU, "Packet backwards", "Shift+F8", "", "To the frame before", ("Alt+F8",)),
    ActionSpec("kick_back", DEBUG_MENU, "Kick backwards", "Shift+F12", "", "To the kick before", ("Alt+F12",)),
    ActionSpec("run_until", DEBUG_MENU, "-Run u&ntil...", "Ctrl+U", "run-until", "Until a function, an event, a change, a time, a packet, an event number"),
    ActionSpec("break_here", DEBUG_MENU, "-&Breakpoint here", "F9", "breakpoint", "Set or delete a breakpoint where the selected call stands"),
    ActionSpec("break", DEBUG_MENU, "&Add breakpoint...", "Ctrl+B", "breakpoint-add", "Stop at a function, a line, an event, a change or a time"),
    ActionSpec("breakpoints", DEBUG_MENU, "Breakpoint &list", "Ctrl+Shift+B", "breakpoints", "Show the breakpoints"),
    ActionSpec("points_on", DEBUG_MENU, "Enable all breakpoints", "", "", "All of them count again"),
    ActionSpec("points_off", DEBUG_MENU, "Disable all breakpoints", "", "", "Keep them, but stop at none"),
    ActionSpec("console", DEBUG_MENU, "-C&onsole", "Ctrl+J", "palette", "Put the keyboard into the console, which takes gdb's words"),
    ActionSpec("source", DEBUG_MENU, "&Source", "Ctrl+Shift+J", "source", "Show the source at the selected call"),
    ActionSpec("match_backtrace", DEBUG_MENU, "&Match a gdb backtrace...", "", "compare", "Paste a backtrace of a real QEMU and see how it differs from ours"),
)
