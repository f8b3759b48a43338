"""Travelling in time over a recording: one door to the searches.

Values (`watch`, `watch_words`), who wrote them and when they change (`changes`), steps both ways (`steps`), moments by words (`seek`) and
causes (`causes`).  All of them take a `Recording` and event numbers, read it only, and raise SessionError for a damaged file.
"""

from ringscope_core.query.causes import why
from ringscope_core.query.changes import Found, find_last_write, find_next_change, last_write, next_change, value_at
from ringscope_core.query.seek import seek
from ringscope_core.query.steps import BACKWARD, FORWARD, STEP_KINDS, next_event, step
from ringscope_core.query.watch import Watch, counter_watch, field_watch, object_watch, ring_watch, run_watch
from ringscope_core.query.watch_words import parse_watch, value_text, watch_text

__all__ = [
    "BACKWARD",
    "FORWARD",
    "STEP_KINDS",
    "Found",
    "Watch",
    "counter_watch",
    "field_watch",
    "find_last_write",
    "find_next_change",
    "last_write",
    "next_change",
    "next_event",
    "object_watch",
    "parse_watch",
    "ring_watch",
    "run_watch",
    "seek",
    "step",
    "value_at",
    "value_text",
    "watch_text",
    "why",
]
