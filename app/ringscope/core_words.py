"""Sentences that the core writes and the window shows, as templates: the core knows no languages, so they are recognised where they are shown.

`heard` says such a sentence in the language in use.  What no template knows stays as it is: QEMU's own messages, names, values.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from ringscope.words import language, later, t

STOPS: Final = (
    later("breakpoint {number}"),
    later("step {kind} back"),
    later("step {kind}"),
    later("until {what} {where}"),
    later("the end of the recording"),
    later("the beginning of the recording"),
)
"""Why things stand still."""
TEMPLATES: Final = STOPS


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Templates and what matches them, in their order."""
    return tuple((text, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(text)) + r"\Z", re.DOTALL)) for text in TEMPLATES)


def heard(text: str) -> str:
    """A sentence of the core in the language in use."""
    if language() == "en" or not text:
        return text
    for template, pattern in _patterns():
        found = pattern.match(text)
        if found is not None:
            values = found.groupdict()
            return t(template, **values) if values else t(template)
    return t(text)
