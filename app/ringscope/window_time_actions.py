"""The commands of time: the Time menu.  Playing, going to moments, and asking who wrote a value."""

from __future__ import annotations

from typing import Final

from ringscope.sources.playback import FACTORS
from ringscope.window_spec import ActionSpec

TIME_MENU: Final = "&Time"
SPEED_MENU: Final = "&Time/S&peed"
SPEED_ACTIONS: Final = tuple(
    ActionSpec(f"speed_{place}", SPEED_MENU, f"Speed {factor:g} times virtual time", str(place), "", "How fast to play, or to run")
    for place, factor in enumerate(FACTORS, 1)
)
TIME_ACTIONS: Final = (
    ActionSpec("play", TIME_MENU, "&Play", "P", "play", "Play what is recorded from here on; again: stand still"),
    ActionSpec("play_back", TIME_MENU, "Play bac&kwards", "Shift+P", "play-back", "Play what is recorded back from here; again: stand still"),
    ActionSpec("loop", TIME_MENU, "&Loop", "L", "loop", "Play the range, or the whole recording, over and over"),
    ActionSpec("range_first", TIME_MENU, "-Range &begins here", "I", "", "The range for loops and exports begins at this moment", ("[",)),
    ActionSpec("range_last", TIME_MENU, "Range &ends here", "O", "", "The range for loops and exports ends at this moment", ("]",)),
    ActionSpec("range_clear", TIME_MENU, "&Clear range", "Shift+L", "", "The range is the whole recording again"),
    *SPEED_ACTIONS,
    ActionSpec("seek", TIME_MENU, "-&Go to...", "Ctrl+G", "seek", "A time, an event's number, a mark or a packet"),
    ActionSpec("previous_kind", TIME_MENU, "Previous event of this kind", "Shift+K", "", "The event before of the kind that the one in focus has"),
    ActionSpec("next_kind", TIME_MENU, "Next event of this kind", "K", "", "The next event of the kind that the one in focus has"),
    ActionSpec("previous_object", TIME_MENU, "Previous event on this object", "Shift+J", "", "The event before on the object in focus"),
    ActionSpec("next_object", TIME_MENU, "Next event on this object", "J", "", "The next event on the object in focus"),
    ActionSpec("previous_packet", TIME_MENU, "Previous packet", "<", "", "The frame before that passed the device"),
    ActionSpec("next_packet", TIME_MENU, "Next packet", ">", "", "The next frame that passed the device"),
    ActionSpec("last_write", TIME_MENU, "-Back to the last &write", "W", "last-write", "Where the value in hand was written last"),
    ActionSpec("next_change", TIME_MENU, "On to the next c&hange", "Shift+W", "next-change", "Where the value in hand is another one"),
    ActionSpec("give_up", TIME_MENU, "Give up the search", "Esc", "", "End a search for a write or a change that takes long"),
    ActionSpec("why", TIME_MENU, "Wh&y?", "Y", "why", "The chain of events that led to this one"),
    ActionSpec("edit_mark", TIME_MENU, "-&Edit mark...", "Shift+M", "", "Rename, annotate or remove the mark nearest to this moment"),
    ActionSpec("note", TIME_MENU, "&Note this place", "N", "note", "Put this moment and what is looked at into the notebook"),
    ActionSpec("notebook", TIME_MENU, "Note&book", "Ctrl+Shift+N", "note", "Show the notebook"),
)
