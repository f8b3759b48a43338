"""Takes out of a PDF document what differs from one writing to the next: dates and identifiers."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_DATES: Final = re.compile(rb"/(?:CreationDate|ModDate) \(D:[^)]*\)\n")
_ID: Final = re.compile(rb"/ID \[[^\]]*\]")


def fixed(document: bytes) -> bytes:
    """The same document without dates, its identifier made of its content; the table of its objects is written anew.

    For documents as Qt writes them: one cross-reference table, objects of generation 0.
    """
    start = int(document[document.rindex(b"startxref") + 9 :].split()[0])
    table, trailer = document[start : document.index(b"trailer", start)], document[document.index(b"trailer", start) : document.rindex(b"startxref")]
    words = table.split()
    assert words[:2] == [b"xref", b"0"], "one table from object 0 on"
    offsets = {number: int(words[3 + 3 * number]) for number in range(int(words[2])) if words[5 + 3 * number] == b"n"}
    ends = dict(zip(sorted(offsets.values()), [*sorted(offsets.values())[1:], start], strict=True))
    written = bytearray(document[: min(ends)])
    places: dict[int, int] = {}
    for number in sorted(offsets, key=offsets.__getitem__):
        body = document[offsets[number] : ends[offsets[number]]]
        places[number] = len(written)
        written += _DATES.sub(b"", body)
    digest = hashlib.sha256(bytes(written)).hexdigest()[:32].encode()
    begin = len(written)
    written += b"xref\n0 %d\n" % int(words[2])
    for number in range(int(words[2])):
        written += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
    written += _ID.sub(b"/ID [ <%b> <%b> ]" % (digest, digest), trailer)
    written += b"startxref\n%d \n%%%%EOF\n" % begin
    return bytes(written)
