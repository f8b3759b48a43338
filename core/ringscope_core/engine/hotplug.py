"""The monitor's device_add and device_del of a run: the machine gets or loses a device, then the guest looks at its bus again.

The guest is taken to agree at once, as the machine's hotplug handler takes it; DEVICE_DELETED tells when the device is gone.
"""

from __future__ import annotations

from typing import Any

from ringscope_core.engine.live import LiveRun
from ringscope_core.engine.qmp import DEVICE_NOT_FOUND, GENERIC, QmpError


def _word(name: str, value: object) -> str:
    """A property's value as an option string has it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value.replace(",", ",,")
    if isinstance(value, int | float):
        return str(value)
    raise QmpError(f"Invalid parameter type for '{name}', expected: string")


def _between_turns(live: LiveRun) -> None:
    if live.debugger.inside_turn:
        raise QmpError("The run stands inside a turn: a device can come or go between turns only")


def device_add(live: LiveRun, arguments: dict[str, Any]) -> object:
    """``driver``, and any of its properties; QEMU's messages."""
    driver = arguments["driver"]
    text = ",".join([_word("driver", driver), *(f"{name}={_word(name, value)}" for name, value in arguments.items() if name != "driver")])
    _between_turns(live)
    run = live.run
    problem: list[str] = []

    def plug() -> None:
        if run.machine.device_add(text, errp_report=False) is None:
            problem.append(run.machine.last_error)
        else:
            run.guest.rescan()

    live.control("device_add", arguments, plug)
    if problem:
        raise QmpError(problem[0])
    return {}


def device_del(live: LiveRun, arguments: dict[str, Any]) -> object:
    """The device with an id, or at a path; frames on their way go with it."""
    _between_turns(live)
    run = live.run
    problem: list[str] = []

    def unplug() -> None:
        error = run.machine.device_del(arguments["id"])
        if error:
            problem.append(error)
        else:
            run.guest.rescan()

    live.control("device_del", arguments, unplug)
    if problem:
        raise QmpError(problem[0], DEVICE_NOT_FOUND if problem[0].endswith("not found") else GENERIC)
    return {}
