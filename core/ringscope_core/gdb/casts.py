"""The cast caches of a class, where they are known.

A class remembers its last four successful casts (facts: object_dynamic_cast_assert shifts left and puts the newest last).  Of
virtio-net-device it is known which casts there are and what comes first, and a gdb session on a real 4.1.0 confirms both; of other types
it is not, and nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringscope_core.trace.kinds import EV_FRAME_ENTER, EV_INSTANCE_INIT

if TYPE_CHECKING:
    from ringscope_core.gdb.moment import Moment

SLOTS: Final = 4
_KNOWN: Final = "virtio-net-device"
_CLASS_CASTS: Final = ("device", "virtio-device")
"""device_class_init casts first, in the parent's class that is copied; virtio_device_class_init second."""
_BY_HOOK: Final = (("device", "device"), ("virtio-net-device", "virtio-net-device"))
"""(type whose instance_init casts, what to)."""
_BY_FUNCTION: Final = ("virtio_device_realize", "virtio-device")
_SOON: Final = 100_000
"""Events in which a first object of the type is realized."""


def _filled(names: list[str]) -> list[str]:
    return [""] * (SLOTS - len(names)) + names[-SLOTS:]


def class_casts(typename: str) -> list[str] | None:
    """ObjectClass.class_cast_cache of a class that has been initialised, None when it is not known."""
    return _filled(list(_CLASS_CASTS)) if typename == _KNOWN else None


def object_casts(moment: Moment, typename: str) -> list[str] | None:
    """ObjectClass.object_cast_cache at a moment, None when it is not known."""
    reader, decoder = moment.recording.reader, moment.recording.decoder
    if typename != _KNOWN or reader.first_seq > 0:
        return None
    inits = reader.find_events([int(EV_INSTANCE_INIT)], 0, moment.seq, 10_000)
    hooks = [(int(row["obj"]), decoder.text(int(row["a0"]))) for row in inits]
    # the hooks of an object run root first: its "device" hook may have run when its own has not
    made = next((oid for oid, name in hooks if name == "virtio-device" or name == _KNOWN), 0)
    names = [target for hook, target in _BY_HOOK if (made, hook) in hooks]
    number = next((number for number, spec in moment.recording.functions.items() if spec.name == _BY_FUNCTION[0]), -1)
    if names and number >= 0:
        first = int(inits[0]["seq"])
        calls = reader.find_events([int(EV_FRAME_ENTER)], first, min(moment.seq, first + _SOON), _SOON)
        if len(calls) and bool((calls["a0"] == number).any()):
            names.append(_BY_FUNCTION[1])
    return _filled(names)
