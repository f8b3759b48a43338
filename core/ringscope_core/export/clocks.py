"""Which clock an export's times are of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringscope_core.export.request import Summary


def wall_base_ns(meta: dict[str, object], summary: Summary) -> int:
    """ns since 1970 at which the run began, from what the session says; 0, with a remark, when it does not say."""
    exact = meta.get("started_ns")
    if isinstance(exact, int):
        return exact
    try:
        began = datetime.strptime(str(meta.get("started", "")), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        summary.remark("the session does not say when it began: wall times count from 1970")
        return 0
    return int(began.timestamp()) * 1_000_000_000
