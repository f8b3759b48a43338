"""Commands that change the machine of a run: what a row of a session's ``control`` table stands for.

One list serves who sends them (the control protocol), who repeats them (a replay) and who runs on with something changed (a
branch), so that what was done once can be done again.  Every one takes effect between turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ringscope_core.engine.feature_bits import mask_of
from ringscope_core.engine.setting import apply_set
from ringscope_core.hw.pci.device import PCIDevice
from ringscope_core.hw.qdev.opts import split_options
from ringscope_core.net.backends import inject
from ringscope_core.net.net import NET_BUFSIZE
from ringscope_core.scenario.errors import InputError
from ringscope_core.scenario.partial import checked_action, checked_traffic

if TYPE_CHECKING:
    from ringscope_core.engine.run import Run
    from ringscope_core.guest.virtio_net import VirtnetInfo

Arguments = Mapping[str, Any]

UNDONE: Final = (InputError,)
"""What `apply_control` raises when a command cannot be done; NetOptionError besides."""


def apply_control(run: Run, name: str, arguments: Arguments) -> None:
    """Carry out a command of `CHANGING` on the run's machine; between turns.

    Raises InputError or NetOptionError when it cannot be done; what it did until then stays done.
    """
    run.disturbed = True
    CHANGING[name](run, arguments)


# -- QEMU's -----------------------------------------------------------------------------------------------------------
def _set_link(run: Run, a: Arguments) -> None:
    run.machine.set_link(str(a["name"]), bool(a["up"]))


def _announce_self(run: Run, a: Arguments) -> None:
    run.machine.announce_self(a["initial"], a["max"], a["rounds"], a["step"], a.get("interfaces"), a.get("id", ""))


def option_text(arguments: Arguments) -> str:
    """QMP's arguments of device_add as an option string."""
    parts = [str(arguments["driver"])]
    for name, value in arguments.items():
        if name != "driver":
            word = ("on" if value else "off") if isinstance(value, bool) else str(value)
            parts.append(f"{name}={word.replace(',', ',,')}")
    return ",".join(parts)


def _device_add(run: Run, a: Arguments) -> None:
    _plug(run, option_text(a))


def _device_del(run: Run, a: Arguments) -> None:
    _unplug(run, str(a["id"]))


def _plug(run: Run, text: str) -> None:
    if run.machine.device_add(text, errp_report=False) is None:
        raise InputError("device", text, f"QEMU says: {run.machine.last_error}")
    run.guest.rescan()


def _unplug(run: Run, ident: str) -> None:
    error = run.machine.device_del(ident)
    if error:
        raise InputError("device", ident, f"QEMU says: {error}")
    run.guest.rescan()


# -- ours -------------------------------------------------------------------------------------------------------------
def _inject(run: Run, a: Arguments) -> None:
    nc = run.machine.net.find_netdev(str(a["netdev"]))
    if nc is None:
        raise InputError("netdev", a["netdev"], f"one of {', '.join(backends(run)) or 'none: the run has no backend'}")
    inject(nc, frame_of(str(a["frame"])))


def frame_of(text: str) -> bytes:
    """A frame from hexadecimal digits; raises InputError."""
    try:
        frame = bytes.fromhex(text)
    except ValueError:
        raise InputError("frame", text, "bytes in hexadecimal") from None
    if not 1 <= len(frame) <= NET_BUFSIZE:
        raise InputError("frame", f"{len(frame)} bytes", f"1 to {NET_BUFSIZE} bytes")
    return frame


def backends(run: Run) -> list[str]:
    """Names of the network backends, each once."""
    return list(dict.fromkeys(nc.name for nc in run.machine.net.clients if nc.kind != "nic"))


def _feature(run: Run, a: Arguments) -> None:
    info = interface_of(run, str(a["device"]))
    if info.transport is None:
        raise InputError("device", a["device"], "a device that a driver drives at that moment")
    info.renegotiate(mask_of(a.get("off", [])), mask_of(a.get("on", [])))


def interface_of(run: Run, device: str) -> VirtnetInfo:
    """The driver's interface of the device with id (or place among the interfaces) `device`; raises InputError."""
    interfaces = run.guest.interfaces
    if device.isdecimal() and int(device) < len(interfaces):
        return interfaces[int(device)]
    found = run.world.resolve_path(f"/machine/peripheral/{device}") if device else None
    if isinstance(found, PCIDevice):
        for info in interfaces:
            if info.function.ring_bdf == found.ring_bdf():
                return info
    raise InputError("device", device, f"the id of a network card that the guest drives, or its place: 0 to {len(interfaces) - 1}")


def _action(run: Run, a: Arguments) -> None:
    spec = checked_action(dict(a), run.scenario)
    if not run.guest.program.perform(run.guest, spec):
        raise InputError("action", spec.do, "an action that the guest's driver can do at that moment")


def _traffic(run: Run, a: Arguments) -> None:
    number = int(a["entry"])
    fields = {name: value for name, value in a.items() if name != "entry"}
    entry = checked_traffic(number, fields, run.scenario)
    if not run.guest.change_traffic(number, entry.spec()):
        raise InputError(f"traffic.{number}.device", entry.device, "an interface that is up at that moment")
    if number < len(run.scenario.traffic):
        run.scenario.traffic[number] = entry
    else:
        run.scenario.traffic.append(entry)


def _option(run: Run, a: Arguments) -> None:
    """Unplug the device and plug it in again with other options, in the same place."""
    device = str(a["device"])
    if device in backends(run):
        raise InputError("device", device, "a device; what a backend is can only change from the start (from=start)")
    place = device_place(run.scenario.device, device)
    text = with_options(run.scenario.device[place], a["options"])
    ident = option_value(text, "id")
    _unplug(run, ident or f"/machine/peripheral-anon/device[{place}]")
    _plug(run, text)
    run.scenario.device[place] = text


def device_place(options: list[str], device: str) -> int:
    """The place of the ``-device`` string whose id (or place) is `device`; raises InputError."""
    for place, text in enumerate(options):
        if device == option_value(text, "id") or device == str(place):
            return place
    known = [option_value(text, "id") or str(place) for place, text in enumerate(options)]
    raise InputError("device", device, f"one of {', '.join(known)}" if known else "nothing: the scenario has no devices")


def option_value(text: str, name: str) -> str:
    """The value of ``name=`` in an option string, "" when it has none."""
    return next((part[len(name) + 1 :] for part in split_options(text) if part.startswith(f"{name}=")), "")


def with_options(text: str, options: Mapping[str, object]) -> str:
    """An option string with some values changed, and new ones at the end."""
    left = {name: str(value) for name, value in options.items()}
    parts = []
    for part in split_options(text):
        name, sign, _ = part.partition("=")
        parts.append(f"{name}={left.pop(name)}" if sign and name in left else part)
    parts += [f"{name}={value}" for name, value in left.items()]
    return ",".join(part.replace(",", ",,") for part in parts)


CHANGING: Final[dict[str, Callable[[Run, Arguments], None]]] = {
    "set_link": _set_link,
    "announce-self": _announce_self,
    "device_add": _device_add,
    "device_del": _device_del,
    "x-ringscope-inject": _inject,
    "x-ringscope-feature": _feature,
    "x-ringscope-option": _option,
    "x-ringscope-action": _action,
    "x-ringscope-traffic": _traffic,
    "x-ringscope-set": apply_set,
}
"""Every command that changes the machine.  Others of a session's ``control`` table (steps, stops, speeds, trace levels) leave it as it is."""
