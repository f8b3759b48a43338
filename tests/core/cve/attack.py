"""What every attack is measured by: no byte outside what was given, no exception, an end, nothing left behind, and a device that serves the next driver."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

from ringscope_core.trace.levels import LEVEL_FULL
from tests.core.life.inventory import inventory
from tests.core.rig import MRG, V1, Rig
from tests.core.virtio.hostile import given, stray

CTRL = 1 << 17
FRAME = bytes(range(60))
CANARY = b"\xc5\x3a" * 2048
MAX_MEMORY = 48 << 20
"""Bytes of the host that an attack may make the model allocate at a time."""


def victim(profile: str, option: str = "", features: int = V1 | MRG | CTRL, size: int = 256, **kwargs: object) -> Rig:
    """A device that a driver has set up, with canaries in the memory around its buffers."""
    rig = Rig(option, profile=profile, **kwargs)  # type: ignore[arg-type]
    for at in range(0x100000, 0x400000, 4096):
        rig.machine.memory.write(at, CANARY)
    rig.start(features, size, pairs=int(kwargs.get("peers", 1)) if features >> 22 & 1 else 1)  # type: ignore[call-overload]
    rig.settle()
    return rig


@contextmanager
def attacked(rig: Rig, again: bool = True) -> Iterator[None]:
    """The attack goes inside."""
    before, allowed, held = rig.image(), given(rig), inventory(rig.machine)
    tracemalloc.start()
    try:
        yield
        rig.settle()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MAX_MEMORY, "a guest's claim was allocated"
    guest = rig.guest_writes
    strays = [at for at in stray(before, rig.image(), allowed + given(rig)) if not any(start <= at < end for start, end in guest)]
    assert not strays, f"{len(strays)} bytes from {strays[0]:#x} on were overwritten"
    assert not rig.log.frames and int(rig.log.cause) == -1
    if not again:
        return
    rig.common(20, 1, 0)
    rig.settle()
    now = inventory(rig.machine)
    assert {key: now[key] for key in now if key not in ("objects", "clients")} == {key: held[key] for key in held if key not in ("objects", "clients")}
    rig.machine.set_link("net0", True)
    rig.peer.busy = False
    rig.peer.frames.clear()
    rig.start_again()
    rig.send(FRAME)
    rig.give(3)
    rig.arrive(FRAME)
    assert rig.peer.frames == [FRAME], "the next driver is served"
    assert rig.used(0)[-1] == (3, len(FRAME) + 12)
    if rig.log.level == LEVEL_FULL:
        rig.assert_fold()


def broke(rig: Rig, message: str) -> None:
    """The device reported `message` and asks for a reset."""
    assert rig.messages()[-1] == message
    assert rig.n.broken and rig.status() & 0x40


def expert(rig: Rig) -> list[str]:
    """The expert list."""
    return [rig.log.strings.texts[row[6]] for row in rig.events("expert")]
