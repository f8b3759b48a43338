"""What the tests of damaged files share: everything that a session tells, as plain data, to compare with the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ringscope_core.session.reader import SessionReader
from ringscope_core.session.salvage import reading
from ringscope_core.trace.state import MachineState


def contents(reader: SessionReader) -> dict[str, Any]:
    """Everything, by what and number."""
    found: dict[str, Any] = {f"meta {key}": value for key, value in reader.meta.items() if key not in ("closed", "damage")}
    found |= {f"string {number}": text for number, text in enumerate(reader.strings)}
    found |= {f"kind {number}": spec for number, spec in reader.kinds.items()}
    found |= {f"function {number}": spec for number, spec in reader.functions.items()}
    found |= {f"field {number}": spec for number, spec in reader.fields.items()}
    found |= {f"type {spec['name']}": spec for spec in reader.types}
    found |= {f"event {row[0]}": row for row in reader.events(0, max(reader.last_seq, 0)).tolist()}
    found |= {f"keyframe {seq}": (vt, wall, reader.keyframe_state(seq).to_plain()) for seq, vt, wall in reader.keyframes().tolist()}
    for row in reader.packets(1, reader.packet_count):
        found[f"packet {row.id}"] = (row, reader.packet_bytes(row.id))
    series = reader.counters(-(1 << 62), 1 << 62)
    found |= {f"counters {vt}": values for vt, values in zip(series.vt.tolist(), series.values.tolist(), strict=True)}
    found |= {f"latency {vt}": values for vt, values in zip(series.vt.tolist(), series.latency.tolist(), strict=True)}
    for name in ("marks", "controls", "breakpoints", "logs", "notes"):
        found |= {f"{name} {row.id}": row for row in getattr(reader, name)()}
    found |= {f"gap {row.id}": row for row in reader.gaps() if row.reason != "damaged"}
    found |= {f"state {seq}": _form(reader.state_at(seq)) for seq in _some(reader)}
    found["counts"] = reader.event_counts()
    return found


def _some(reader: SessionReader) -> list[int]:
    """Moments that exist: states elsewhere would be of the events before."""
    seqs = reader.events(0, max(reader.last_seq, 0))["seq"]
    return [int(seq) for seq in seqs[seqs % 197 == 0]]


def _form(state: MachineState) -> dict[str, Any]:
    return state.comparable()


def outcome(path: Path, truth: dict[str, Any]) -> str:
    """ "same", or "partial" with what is missing; AssertionError when something is told that is not true, or a loss is not."""

    def look(reader: SessionReader) -> str:
        found = contents(reader)
        if found == truth:
            return "same"
        for name, value in found.items():
            if name != "counts":
                assert value == truth[name] or value == "<lost>", f"{name}: {value!r:.200}, not {truth[name]!r:.200} ({reader.damage})"
        assert reader.damage, f"missing without a word: {sorted(truth.keys() - found.keys())[:5]}"
        return f"partial: {reader.damage}"

    return reading(path, look)
