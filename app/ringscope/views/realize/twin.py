"""The nested timeline of calls as text: the calls in sight, indented by depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ringscope.views.realize.model import Call
from ringscope.words import t
from ringscope_core.trace.functions import FunctionSpec


def calls_text(calls: Sequence[Call], functions: Mapping[int, FunctionSpec], seq: int) -> str:
    """A line a call: name and line after event `seq`, its events, how much it did itself, what it set wrong."""
    head = (t("call"), t("file and line"), t("first event"), t("last event"), t("checkpoints"), t("fields written"), t("errors and messages"))
    least = min((call.depth for call in calls), default=0)
    rows = [head]
    for call in calls:
        spec = functions.get(call.fn)
        rows.append(
            (
                "  " * (call.depth - least) + (spec.name if spec else f"<function {call.fn}>"),
                f"{spec.file if spec else ''}:{call.line_at(max(seq, call.seq))}",
                str(call.seq),
                str(call.end) if call.end >= 0 else t("still open"),
                str(len(call.checkpoints)),
                str(len(call.fields)),
                ", ".join(trouble.text for trouble in call.troubles),
            )
        )
    return "\n".join("\t".join(" ".join(cell.split("\t")).replace("\n", " ") for cell in row) for row in rows)
