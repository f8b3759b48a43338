"""The database's layout: one statement an object, an application id, and a version that `migrate` knows.

Base tables have singular names; the plural views are for people with the ``sqlite3`` shell.  All tables are checked
word for word when a file is opened, so nothing in a foreign file (a view in a table's place, a trigger) is ever run.
"""

from __future__ import annotations

from typing import Final

from ringscope_core.trace.counters import COUNTER_NAMES

APPLICATION_ID: Final = 0x52534350
"""``RSCP``."""
VERSION: Final = 2
"""PRAGMA user_version of the files this code writes."""
SUFFIX: Final = ".ringscope"

_COUNTERS: Final = ", ".join(f"{name} INTEGER NOT NULL" for name in COUNTER_NAMES)

TABLES: Final[dict[str, str]] = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "string": "CREATE TABLE string (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    "kind": (
        "CREATE TABLE kind (id INTEGER PRIMARY KEY, name TEXT NOT NULL, grp TEXT NOT NULL, level INTEGER NOT NULL, title TEXT NOT NULL, args TEXT NOT NULL)"
    ),
    "function": "CREATE TABLE function (id INTEGER PRIMARY KEY, name TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, args TEXT NOT NULL)",
    "field": (
        "CREATE TABLE field (id INTEGER PRIMARY KEY, struct TEXT NOT NULL, name TEXT NOT NULL, ctype TEXT NOT NULL, offset INTEGER NOT NULL,"
        " unit TEXT NOT NULL)"
    ),
    "type": "CREATE TABLE type (name TEXT PRIMARY KEY, spec TEXT NOT NULL) WITHOUT ROWID",
    "block": (
        "CREATE TABLE block (first_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, first_vt INTEGER NOT NULL, last_vt INTEGER NOT NULL,"
        " last_wall INTEGER NOT NULL, kinds TEXT NOT NULL)"
    ),
    "block_data": "CREATE TABLE block_data (first_seq INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "keyframe": "CREATE TABLE keyframe (seq INTEGER PRIMARY KEY, vt INTEGER NOT NULL, wall INTEGER NOT NULL)",
    "keyframe_data": "CREATE TABLE keyframe_data (seq INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "packet": (
        "CREATE TABLE packet (id INTEGER PRIMARY KEY, vt INTEGER NOT NULL, wall INTEGER NOT NULL, direction INTEGER NOT NULL, queue INTEGER NOT NULL,"
        " head INTEGER NOT NULL, seq INTEGER NOT NULL, length INTEGER NOT NULL, header INTEGER NOT NULL)"
    ),
    "packet_block": (
        "CREATE TABLE packet_block (first_id INTEGER PRIMARY KEY, count INTEGER NOT NULL, first_vt INTEGER NOT NULL, last_vt INTEGER NOT NULL,"
        " first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, bytes INTEGER NOT NULL)"
    ),
    "packet_data": "CREATE TABLE packet_data (first_id INTEGER PRIMARY KEY, rows BLOB NOT NULL, data BLOB NOT NULL)",
    "counter": (
        f"CREATE TABLE counter (sample INTEGER NOT NULL, vt INTEGER NOT NULL, wall INTEGER NOT NULL, oid INTEGER NOT NULL, {_COUNTERS},"
        " latency BLOB NOT NULL, PRIMARY KEY (sample, oid)) WITHOUT ROWID"
    ),
    "mark": "CREATE TABLE mark (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, vt INTEGER NOT NULL, name TEXT NOT NULL, note TEXT NOT NULL)",
    "event_count": "CREATE TABLE event_count (kind INTEGER PRIMARY KEY, count INTEGER NOT NULL)",
    "control": "CREATE TABLE control (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, vt INTEGER NOT NULL, name TEXT NOT NULL, arguments TEXT NOT NULL)",
    "breakpoint": "CREATE TABLE breakpoint (id INTEGER PRIMARY KEY, spec TEXT NOT NULL)",
    "log": "CREATE TABLE log (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, vt INTEGER NOT NULL, breakpoint INTEGER NOT NULL, text TEXT NOT NULL)",
    "note": "CREATE TABLE note (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, vt INTEGER NOT NULL, place TEXT NOT NULL, text TEXT NOT NULL)",
    "gap": (
        "CREATE TABLE gap (id INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, events INTEGER NOT NULL,"
        " packets INTEGER NOT NULL, reason TEXT NOT NULL)"
    ),
}

VIEWS: Final[dict[str, str]] = {
    "packets": (
        "CREATE VIEW packets AS SELECT id, vt / 1e9 AS seconds, CASE direction WHEN 0 THEN 'tx' WHEN 1 THEN 'rx' ELSE 'unknown' END AS direction,"
        " queue, head, length, seq FROM packet"
    ),
    "counters": (
        "CREATE VIEW counters AS SELECT vt / 1e9 AS seconds, (oid - 65536) / 1024 AS bdf, (oid - 65536) % 1024 AS queue,"
        f" {', '.join(COUNTER_NAMES)} FROM counter"
    ),
    "marks": "CREATE VIEW marks AS SELECT id, vt / 1e9 AS seconds, seq, name, note FROM mark",
    "event_counts": (
        'CREATE VIEW event_counts AS SELECT kind.name AS kind, kind.grp AS "group", count FROM event_count JOIN kind ON kind.id = event_count.kind'
    ),
    "blocks": (
        "CREATE VIEW blocks AS SELECT first_seq, count, first_vt / 1e9 AS first_seconds, last_vt / 1e9 AS last_seconds, length(data) AS bytes"
        " FROM block JOIN block_data USING (first_seq)"
    ),
    "packet_blocks": (
        "CREATE VIEW packet_blocks AS SELECT first_id, count, first_vt / 1e9 AS first_seconds, last_vt / 1e9 AS last_seconds, first_seq, last_seq, bytes"
        " FROM packet_block"
    ),
    "losses": "CREATE VIEW losses AS SELECT reason, events, packets, first_seq, last_seq FROM gap",
    "controls": "CREATE VIEW controls AS SELECT id, vt / 1e9 AS seconds, seq, name, arguments FROM control",
    "notes": "CREATE VIEW notes AS SELECT id, vt / 1e9 AS seconds, seq, text FROM note",
}

OBJECTS: Final[dict[str, str]] = {**TABLES, **VIEWS}
"""Everything a file of this version holds, name -> statement."""
