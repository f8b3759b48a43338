"""What a session is: everything that `ringscope info` prints, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from ringscope_core.query.recording import Recording

_META: Final = ("id", "scenario", "title", "profile", "seed", "trace", "time", "source", "fidelity", "program", "started", "ended", "branch")


def about(recording: Recording) -> dict[str, Any]:
    """The session in numbers and words; times in ns, sizes in bytes.  Raises SessionError."""
    reader = recording.reader
    stored = reader.stored_bytes()
    events = reader.event_count
    return {
        "file": str(reader.origin),
        "size": file_size(reader.origin),
        "damage": reader.damage or None,
        **{key: reader.meta.get(key) for key in _META},
        "closed": reader.meta.get("closed") is True,
        "virtual_ns": reader.last_vt,
        "wall_ns": reader.last_wall,
        "events": events,
        "first_event": reader.first_seq,
        "last_event": reader.last_seq,
        "bytes_per_event": round(stored["events"] / events, 3) if events else None,
        "stored": stored,
        "kinds": _kinds(recording),
        "packets": reader.packet_count,
        "keyframes": len(reader.keyframes()),
        "samples": reader.sample_count,
        "rings": [recording.names.path(oid) for oid in reader.counters(0, reader.last_vt).oids],
        "marks": [{"seq": mark.seq, "vt": mark.vt, "name": mark.name, "note": mark.note} for mark in reader.marks()],
        "controls": [{"seq": row.seq, "vt": row.vt, "name": row.name, "arguments": row.arguments} for row in reader.controls()],
        "breakpoints": [row.spec for row in reader.breakpoints()],
        "logs": len(reader.logs()),
        "notes": len(reader.notes()),
        "losses": losses(recording),
    }


def losses(recording: Recording) -> list[dict[str, Any]]:
    """Every loss: which events and how many packets, and why.  What a file of version 1 tells by events is a slow disk's."""
    reader = recording.reader
    found: list[dict[str, Any]] = [
        {"first": gap.first_seq, "last": gap.last_seq, "events": gap.events, "packets": gap.packets, "reason": gap.reason} for gap in reader.gaps()
    ]
    if not found and any(reader.dropped):
        events, packets = reader.dropped
        found.append({"first": None, "last": None, "events": events, "packets": packets, "reason": "slow disk"})
    return found


def file_size(path: Path) -> int:
    """Bytes of the file and of the log beside it."""
    return _size(path) + _size(path.with_name(path.name + "-wal"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _kinds(recording: Recording) -> dict[str, dict[str, int]]:
    """Counts of events by group and kind."""
    out: dict[str, dict[str, int]] = {}
    for number, count in recording.event_counts().items():
        spec = recording.kinds.get(number)
        out.setdefault(spec.group if spec else "unknown", {})[spec.name if spec else str(number)] = count
    return out
