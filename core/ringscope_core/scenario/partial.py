"""Single entries of a scenario, checked as the whole would be: what is done to a run outside its file."""

from __future__ import annotations

from typing import Any

import msgspec

from ringscope_core.guest.config import ActionSpec
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.load import check_action, check_traffic
from ringscope_core.scenario.model import Action, Scenario, Traffic
from ringscope_core.scenario.validate import check_struct


def checked_action(fields: dict[str, Any], scenario: Scenario) -> ActionSpec:
    """An ``[[action]]`` to do at once, from its fields (texts or values); raises InputError."""
    plain = check_struct("action", {"at": "0s", **fields}, Action, from_text=True)
    action = msgspec.convert(plain, Action)
    check_action("action", action, scenario)
    return action.spec()


def checked_traffic(number: int, fields: dict[str, Any], scenario: Scenario) -> Traffic:
    """``[[traffic]]`` entry `number` with some fields changed, or a new one behind the last; raises InputError."""
    path = f"traffic.{number}"
    if not 0 <= number <= len(scenario.traffic):
        raise InputError("traffic", number, f"an entry from 0 to {len(scenario.traffic)}; the last one is new")
    before = msgspec.to_builtins(scenario.traffic[number]) if number < len(scenario.traffic) else {}
    entry = msgspec.convert(check_struct(path, {**before, **fields}, Traffic, from_text=True), Traffic)
    if entry.kind == "bulk-rx" or before.get("kind") == "bulk-rx":
        raise InputError(f"{path}.kind", "bulk-rx", "traffic that the guest sends; what a backend sends is chosen at the start")
    check_traffic(path, entry, scenario)
    return entry
