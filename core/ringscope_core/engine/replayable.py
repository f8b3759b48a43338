"""Whether a recording can be run again, and what it takes to begin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ringscope_core.engine.compare import ReplayError
from ringscope_core.engine.control import CHANGING
from ringscope_core.hw.qdev.opts import split_options
from ringscope_core.qom.profile import PROFILES
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.load import parse_scenario
from ringscope_core.scenario.model import Scenario
from ringscope_core.session.rows import GAP_SLOW
from ringscope_core.trace.fields import field_table
from ringscope_core.trace.functions import function_table
from ringscope_core.trace.kinds import KIND_BY_NUMBER
from ringscope_core.trace.levels import LEVEL_FULL, LEVEL_NAMES

if TYPE_CHECKING:
    from ringscope_core.session.reader import SessionReader

_OUTSIDE: Final = ("dgram",)
"""Backends to which frames come from outside: nobody can send them again."""


def can_branch(reader: SessionReader) -> str:
    """Why this recording cannot be run again, "" when it can."""
    meta = reader.meta
    if meta.get("source") != "emulated":
        return f"it was not emulated here: its source is {meta.get('source', 'unknown')!s}"
    if not isinstance(meta.get("scenario_data"), dict):
        return "it does not hold its scenario"
    if meta.get("time") != "deterministic":
        return "its time went with the wall clock ([time] mode = realtime): nobody can run that again exactly"
    if meta.get("profile") not in PROFILES or meta.get("trace") not in LEVEL_NAMES:
        return "its profile or its trace level is unknown here"
    try:
        scenario = parse_scenario(_copy(meta["scenario_data"]))
    except InputError as error:
        return f"its scenario cannot be read any more: {error}"
    return _outside(scenario) or _declarations(reader) or _unknown_places(reader) or _unclear_turns(reader, scenario)


def _outside(scenario: Scenario) -> str:
    for option in scenario.netdev:
        parts = split_options(option)
        kind = parts[0].removeprefix("type=")
        if kind in _OUTSIDE:
            return f"frames came from outside through its backend {kind}"
        for part in parts[1:]:
            if kind == "pcap" and part.startswith("file=") and not Path(part[5:]).is_file():
                return f"the capture that it replayed is gone: {part[5:]}"
    return ""


def _declarations(reader: SessionReader) -> str:
    """Numbers in events mean what they mean here."""
    functions, fields = function_table(), field_table()
    same = (
        all(number in functions and functions[number].name == spec.name for number, spec in reader.functions.items())
        and all(number in fields and (fields[number].struct, fields[number].name) == (spec.struct, spec.name) for number, spec in reader.fields.items())
        and all(number in KIND_BY_NUMBER for number in reader.kinds)
    )
    return "" if same else f"it was recorded by another version ({reader.meta.get('program', 'unknown')!s}) whose events have other numbers"


def _unknown_places(reader: SessionReader) -> str:
    """Below level full there are events whose places only the recording knows: it must hold them all.

    While a disk is too slow no sample is taken, so such a gap says nothing.
    """
    seqs = reader.keyframes()["seq"]
    ends = [gap.last_seq for gap in reader.gaps() if gap.reason != GAP_SLOW]
    if reader.first_seq > 0:
        ends.append(reader.first_seq - 1)
    for end in ends:
        place = int(np.searchsorted(seqs, end, "right"))
        if place < len(seqs) and reader.keyframe_state(int(seqs[place])).level < LEVEL_FULL:
            return "a part of it is gone, and below trace level full only that would tell where its samples were taken"
    return ""


def _unclear_turns(reader: SessionReader, scenario: Scenario) -> str:
    free = scenario.time.guest_turn_ns == 0 or scenario.time.device_turn_ns == 0
    if free and any(row.name in CHANGING for row in reader.controls()):
        return "commands changed it while its turns cost no virtual time ([time]): nobody knows between which of them"
    return ""


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data


def writes_capture(option: str) -> bool:
    """Whether a ``-netdev`` string names a file to write frames to."""
    parts = split_options(option)
    return parts[0].removeprefix("type=") == "pcap" and any(part.startswith("out=") for part in parts)


def without_output(option: str, folder: Path) -> str:
    """A ``-netdev`` string whose capture file, if it writes one, lies in `folder`: the file of the first run stays as it is."""
    if not writes_capture(option):
        return option
    parts = split_options(option)
    changed = [f"out={folder / Path(part[4:]).name}" if part.startswith("out=") else part for part in parts]
    return ",".join(part.replace(",", ",,") for part in changed)


def scenario_of(reader: SessionReader, settings: list[str] | None = None) -> Scenario:
    """The scenario that was run, with settings applied; raises ReplayError when the recording cannot be run again, InputError for a setting."""
    reason = can_branch(reader)
    if reason:
        raise ReplayError(str(reader.path), f"cannot be run again: {reason}")
    return parse_scenario(_copy(reader.meta["scenario_data"]), settings)


def seed_of(reader: SessionReader) -> int:
    """The seed that the run had."""
    seed = reader.meta.get("seed", 1)
    return seed if isinstance(seed, int) else 1


def start_level(reader: SessionReader) -> int:
    """The trace level that the run began with."""
    return LEVEL_NAMES.index(str(reader.meta["trace"]))
