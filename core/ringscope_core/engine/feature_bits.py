"""Feature bits by name, as people write them: ``VIRTIO_NET_F_MRG_RXBUF``, ``MRG_RXBUF``, or the bit's number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ringscope_core.hw.monitor_virtio import feature_names
from ringscope_core.scenario.errors import InputError

_PREFIXES: Final = ("VIRTIO_NET_F_", "VIRTIO_RING_F_", "VIRTIO_F_")


def _texts() -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for bit in range(64):
        info = feature_names(1 << bit)
        for group in (info["transports"], info["dev-features"]):
            assert isinstance(group, list)
            for text in group:
                name, _, words = str(text).partition(": ")
                if name.startswith(_PREFIXES):
                    found.setdefault(bit, (name, words))
    # newer than the monitor's list
    found.setdefault(40, ("VIRTIO_F_RING_RESET", "Single queues can be reset"))
    return found


FEATURES: Final[dict[int, tuple[str, str]]] = _texts()
"""Bit -> its name and what it means, as the monitor words it."""
_BITS: Final[dict[str, int]] = {name: bit for bit, (name, _) in FEATURES.items()}


def feature_bit(text: str) -> int:
    """The bit that `text` names; raises InputError."""
    word = text.strip().upper()
    if word.isdecimal() and int(word) < 64:
        return int(word)
    for name in (word, *(prefix + word for prefix in _PREFIXES)):
        if name in _BITS:
            return _BITS[name]
    raise InputError("feature", text, f"a bit from 0 to 63 or one of {', '.join(_BITS)}")


def feature_name(bit: int) -> str:
    """The name of a bit, or ``bit 41``."""
    return FEATURES[bit][0] if bit in FEATURES else f"bit {bit}"


def mask_of(names: Iterable[str]) -> int:
    """The word with the bits of these names set; raises InputError."""
    word = 0
    for name in names:
        word |= 1 << feature_bit(str(name))
    return word
