"""Reads the events of a session with what the format's description says, and nothing of Ringscope.

Usage: read_session.py FILE.ringscope [COUNT].  Needs the library zstandard.
"""

import json
import sqlite3
import struct
import sys

import zstandard

COLUMNS = ("object", "cause", "a0", "a1", "a2", "a3", "a4", "a5")
WIDTHS = {1: "b", 2: "h", 3: "i", 4: "q"}


def wrapped(value, code):
    """`value` as a signed number of the width that `code` stands for."""
    bits = 4 << code
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


class Block:
    """The bytes of a block, taken from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, letters):
        found = struct.unpack_from("<" + letters, self.data, self.at)
        self.at += struct.calcsize("<" + letters)
        return found

    def times(self, rows):
        """A time of each row: it says where it changes and by how much."""
        (changes,) = self.take("I")
        (now,) = self.take("q")
        distances = self.take(f"{changes}H")
        differences = self.take(f"{changes}q")
        out, place = [], 0
        for distance, difference in zip(distances, differences, strict=True):
            out += [now] * (place + distance + 1 - len(out))
            place += distance
            now += difference
        return out + [now] * (rows - len(out))


def events_of(first_seq, data):
    """The events of a block of form 2, as dictionaries."""
    block = Block(zstandard.ZstdDecompressor().decompress(data))
    form, rows, flags, groups = block.take("BIBH")
    assert form == 2
    kinds = block.take(f"{groups}i")
    widths = [block.take(f"{groups}B") for _ in COLUMNS]
    firsts = [block.take(f"{groups}q") for _ in COLUMNS]
    steps = [block.take(f"{groups}q") for _ in COLUMNS]
    vt, wall = block.times(rows), block.times(rows)
    places = block.take(f"{rows}B")
    values = {name: [] for name in COLUMNS}
    for column, name in enumerate(COLUMNS):
        for group in range(groups):
            count, code = places.count(group), widths[column][group]
            if code:
                total, made = 0, []
                for difference in block.take(f"{count}{WIDTHS[code]}"):
                    total = wrapped(total + difference, code)
                    made.append(total)
            else:
                made = [wrapped(firsts[column][group] + steps[column][group] * i, 4) for i in range(count)]
            values[name].append(iter(made))
    for row in range(rows):
        group = places[row]
        event = {"seq": first_seq + row, "vt": vt[row], "wall": wall[row], "kind": kinds[group]}
        event |= {name: next(values[name][group]) for name in COLUMNS}
        if flags & 1:
            event["cause"] = event["seq"] - event["cause"] if event["cause"] else -1
        yield event


def main(path, most):
    """Print the first events with the names of their arguments."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    kinds = {number: (name, json.loads(args)) for number, name, args in database.execute("SELECT id, name, args FROM kind")}
    left = most
    for first_seq, data in database.execute("SELECT first_seq, data FROM block_data ORDER BY first_seq"):
        for event in events_of(first_seq, data):
            name, args = kinds[event["kind"]]
            print(event["seq"], event["vt"], name, *(f"{arg}={event[f'a{place}']}" for place, (arg, _) in enumerate(args)))
            left -= 1
            if not left:
                return


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10)
