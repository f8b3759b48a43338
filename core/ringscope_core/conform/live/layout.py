"""What a driver learns of a device before it starts: where its structures lie, what it offers, how many queues there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from ringscope_core.conform.case import CaseConfig
from ringscope_core.conform.machine_target import MachineTarget

CAP_VENDOR: Final = 9
CAP_MSIX: Final = 0x11
COMMON, NOTIFY, ISR, DEVICE, WINDOW = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class Layout:
    """Places in the function; a missing structure is None."""

    common: tuple[int, int] | None
    isr: tuple[int, int] | None
    device: tuple[int, int] | None
    notify: tuple[int, int, int] | None
    """BAR, offset, multiplier."""
    window: int
    """Where the configuration access window is, 0 for nowhere."""
    msix: int
    """Where the MSI-X capability is, 0 for nowhere."""
    vectors: int
    legacy: bool
    """There is a legacy I/O BAR."""
    features: int
    queues: int
    config_length: int
    bars: dict[int, int] = field(default_factory=dict)
    """Bytes by BAR."""

    @property
    def isr_at(self) -> tuple[int, int]:
        """BAR and offset of the ISR byte."""
        return self.isr or (0, 0x13)

    @property
    def status_at(self) -> tuple[int, int]:
        """BAR and offset of device_status."""
        return (self.common[0], self.common[1] + 0x14) if self.common else (0, 0x12)


_CACHE: Final = 4096


def layout_of(config: CaseConfig, profile: str) -> Layout:
    """Ask our machine; raises TargetError when it refuses the configuration."""
    key = (config.machine, config.device, tuple(config.props.items()), config.peer, config.ram, profile)
    return _layout(key)


@lru_cache(maxsize=_CACHE)
def _layout(key: tuple[str, str, tuple[tuple[str, str], ...], object, int, str]) -> Layout:
    machine, device, props, peer, ram, profile = key
    target = MachineTarget(CaseConfig(machine, device, dict(props), peer, ram), profile, 0)  # type: ignore[arg-type]
    try:
        return _walk(target)
    finally:
        target.close()


def _walk(target: MachineTarget) -> Layout:
    found: dict[int, tuple[int, int, int]] = {}
    msix = vectors = 0
    place = target.cfg_read(0x34, 1) if target.cfg_read(6, 2) & 0x10 else 0
    seen: set[int] = set()
    while place and place not in seen:
        seen.add(place)
        kind = target.cfg_read(place, 1)
        if kind == CAP_VENDOR:
            what = target.cfg_read(place + 3, 1)
            found.setdefault(what, (target.cfg_read(place + 4, 1), target.cfg_read(place + 8, 4), place))
        elif kind == CAP_MSIX:
            msix, vectors = place, (target.cfg_read(place + 2, 2) & 0x7FF) + 1
        place = target.cfg_read(place + 1, 1)
    dev = target.machine.function_at(target.bdf)
    assert dev is not None
    bars = {bar: int(dev.io_regions[bar].size) for bar in (0, 1, 2, 4) if dev.io_regions[bar].size}
    n = target.device()
    legacy = 0 in bars
    common = found.get(COMMON)
    notify = found.get(NOTIFY)
    if common:
        bar, at = common[:2]
        features = 0
        for word in (0, 1):
            target.bar_write(bar, at, 4, word)
            features |= target.bar_read(bar, at + 4, 4) << 32 * word
        queues = target.bar_read(bar, at + 0x12, 2)
    else:
        features = target.bar_read(0, 0, 4)
        queues = sum(1 for vq in n.vq if vq.vring_num)
    return Layout(
        common=common[:2] if common else None,
        isr=found[ISR][:2] if ISR in found else None,
        device=found[DEVICE][:2] if DEVICE in found else None,
        notify=(*notify[:2], target.cfg_read(notify[2] + 16, 4)) if notify else None,
        window=found[WINDOW][2] if WINDOW in found else 0,
        msix=msix,
        vectors=vectors,
        legacy=legacy,
        features=features,
        queues=queues,
        config_length=int(n.config_len),
        bars=bars,
    )
