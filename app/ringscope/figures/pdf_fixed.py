"""Takes out of a PDF document what differs from one writing to the next: dates, identifiers, and the order of its objects.

Qt writes fonts in the order of a hash table.  Here every object gets the number and the place of its first mention, going from the
trailer through the document, so that equal documents become equal files.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_DATES: Final = re.compile(rb"/(?:CreationDate|ModDate) \(D:[^)]*\)\n")
_ID: Final = re.compile(rb"/ID \[[^\]]*\]")
_REFERENCE: Final = re.compile(rb"(?<![\d.])(\d+) 0 R\b")
_TAG: Final = re.compile(rb"/([A-Z]{6})\+")
"""What a subset's name begins with: made of its object's number."""
_STREAM: Final = re.compile(rb"\bstream\r?\n")


def fixed(document: bytes) -> bytes:
    """The same document with nothing in it that depends on when and where it was written; its identifier is made of its content.

    For documents as Qt writes them: one cross-reference table, objects of generation 0.
    """
    start = int(document[document.rindex(b"startxref") + 9 :].split()[0])
    trailer = document[document.index(b"trailer", start) : document.rindex(b"startxref")]
    bodies = _bodies(document, start)
    order = _order(trailer, bodies)
    numbers = {old: new for new, old in enumerate(order, 1)}
    tags: dict[bytes, bytes] = {}
    written = bytearray(document[: document.index(b"1 0 obj")])
    places: list[int] = []
    for old in order:
        head, stream = _parts(_DATES.sub(b"", bodies[old]))
        head = _TAG.sub(lambda found: b"/" + tags.setdefault(found[1], _tag(len(tags))) + b"+", _renumbered(head, numbers))
        places.append(len(written))
        written += b"%d 0 obj\n%b%b" % (numbers[old], head, stream)
    digest = hashlib.sha256(bytes(written)).hexdigest()[:32].encode()
    begin = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(order) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = re.sub(rb"/Size \d+", b"/Size %d" % (len(order) + 1), _renumbered(trailer, numbers))
    written += _ID.sub(b"/ID [ <%b> <%b> ]" % (digest, digest), trailer)
    written += b"startxref\n%d \n%%%%EOF\n" % begin
    return bytes(written)


def _bodies(document: bytes, start: int) -> dict[int, bytes]:
    """What stands between ``N 0 obj`` and the next object, by N."""
    words = document[start : document.index(b"trailer", start)].split()
    assert words[:2] == [b"xref", b"0"], "one table from object 0 on"
    offsets = {number: int(words[3 + 3 * number]) for number in range(int(words[2])) if words[5 + 3 * number] == b"n"}
    begins = sorted(offsets.values())
    ends = dict(zip(begins, [*begins[1:], start], strict=True))
    return {number: document[document.index(b"obj\n", offset) + 4 : ends[offset]] for number, offset in offsets.items()}


def _order(trailer: bytes, bodies: dict[int, bytes]) -> list[int]:
    """Every object that is mentioned, in the order of first mention, depth first."""
    order: list[int] = []
    seen: set[int] = set()
    waiting = _mentioned(trailer)[::-1]
    while waiting:
        number = waiting.pop()
        if number not in seen and number in bodies:
            seen.add(number)
            order.append(number)
            waiting += _mentioned(_parts(bodies[number])[0])[::-1]
    return order


def _mentioned(text: bytes) -> list[int]:
    return [int(found) for found in _REFERENCE.findall(text)]


def _parts(body: bytes) -> tuple[bytes, bytes]:
    """An object's words, and its stream, which is not to be read as words."""
    found = _STREAM.search(body)
    return (body[: found.start()], body[found.start() :]) if found else (body, b"")


def _renumbered(text: bytes, numbers: dict[int, int]) -> bytes:
    return _REFERENCE.sub(lambda found: b"%d 0 R" % numbers[int(found[1])], text)


def _tag(number: int) -> bytes:
    letters = bytearray()
    for _ in range(6):
        number, rest = divmod(number, 26)
        letters.append(ord("A") + rest)
    return bytes(letters)
