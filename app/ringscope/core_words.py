"""Sentences that the core writes and the window shows, as templates: the core knows no languages, so they are recognised where they are shown.

`heard` says such a sentence in the language in use.  What no template knows stays as it is: QEMU's own messages, names, values.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from ringscope.words import language, later, t

_PLACE: Final = re.compile(r"\\\{([a-z]+)\\\}")
"""A place of a template, as `re.escape` leaves it."""

STOPS: Final = (
    later("breakpoint {number}"),
    later("step {kind} back"),
    later("step {kind}"),
    later("until {what} {where}"),
    later("the end of the recording"),
    later("the beginning of the recording"),
)
"""Why things stand still."""
EXPERTS: Final = (
    later("warning: avail.idx is further ahead than the ring is long: entries count twice, which QEMU notices on mergeable receive only; virtio 1.x, 2.7.13.3"),
    later(
        "error: QEMU 7.2 aborts: a descriptor behind the packed ring's memory is read (address_space_read_cached, assertion addr < cache->len); virtio 1.x, 2.8"
    ),
    later("error: QEMU 7.2 aborts: an indirect table of no bytes (address_space_cache_init, assertion len > 0); virtio 1.x, 2.8.7"),
    later(
        "error: QEMU aborts: a chain to send is shorter than the virtio_net_hdr (iov_copy, assertion offset == 0; QEMU 9.1 reports an error); "
        "virtio 1.x, 5.1.6.2"
    ),
    later(
        "error: QEMU aborts: the first receive buffer is shorter than the virtio_net_hdr (iov_copy or iov_from_buf_full, assertion offset == 0); "
        "virtio 1.x, 5.1.6.3.1"
    ),
    later("error: QEMU 4.1.0 aborts: a ring whose memory is not mapped is read (vring_get_region_caches, assertion caches != NULL)"),
)
"""Entries of the expert list, as events describe them."""
BACKTRACES: Final = (
    later("equal"),
    later("other line"),
    later("other arguments"),
    later("missing here"),
    later("only here"),
    later("line {theirs} there, {ours} here"),
    later("{theirs} there, {ours} here"),
    later("{name} only there"),
    later("{name} only here"),
)
"""How a pasted backtrace compares."""
FILTERS: Final = (
    later("column {column}: {text} is not understood"),
    later("column {column}: {text} stands where a field or a word belongs"),
    later("column {column}: {text} is no value"),
    later("column {column}: {text} is too much; join with and / or"),
    later("something to compare is missing"),
    later("a value is missing behind {words}"),
    later("a ')' is missing"),
    later("a '}' is missing"),
    later("'in' takes A..B or {a, b}"),
    later("there is no field {name}"),
    later("{name} is compared with a number"),
    later("there is no kind {name}"),
    later("there is no group {name}"),
)
"""What is wrong with a filter."""
RECORDINGS: Final = (
    later("keeps the last {size}; {events} older events and {packets} packets were dropped, all behind the building"),
    later("keeps the last {size}; {events} older events and {packets} packets were dropped"),
    later("keeps the last {size}; {events} older events were dropped, all behind the building"),
    later("keeps the last {size}; {events} older events were dropped"),
    later("the first recording ends after {common} common events, the other goes on"),
    later("the second recording ends after {common} common events, the other goes on"),
    later("a size of at least 8M, such as 512M or 2G, or all"),
    later("{path} is no folder"),
    later("{path} is no QEMU source tree: hw/net/virtio-net.c is missing"),
    later("{function} is no function that the model knows"),
    later("it was not emulated here: its source is {source}"),
)
"""What a recording kept, how two of them part, and what a folder is not."""
OTHERS: Final = (
    later("{field} = {value} (was {old})"),
    later("{field}: {value} is not allowed; {allowed}"),
)
"""A written field, and what is wrong with something typed."""
STATES: Final = (later("starting"), later("emulated"), later("capture"), later("session"))
"""How a run stands and where a recording comes from."""
TEMPLATES: Final = (*STOPS, *EXPERTS, *BACKTRACES, *FILTERS, *RECORDINGS, *OTHERS)
"""The first that matches counts: longer ones stand before shorter ones."""


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Templates with places and what matches them, in their order."""
    return tuple((text, re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(text)) + r"\Z", re.DOTALL)) for text in TEMPLATES if _PLACE.search(re.escape(text)))


def heard(text: str) -> str:
    """A sentence of the core in the language in use."""
    if language() == "en" or not text:
        return text
    said = t(text)
    return _fitted(text) or text if said == text else said


def _fitted(text: str) -> str:
    """`text` by the first template that it fits; what stands at its places may be a sentence too.  Empty when it fits none."""
    for template, pattern in _patterns():
        found = pattern.match(text)
        if found is not None:
            return t(template, **{name: _sentence(value) for name, value in found.groupdict().items()})
    return ""


def _sentence(text: str) -> str:
    """A value is a sentence only when it has blanks: a name is a name, even where there is a word like it."""
    return heard(text) if " " in text else text
