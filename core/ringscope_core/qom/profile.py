"""Which QEMU is modelled, and the machine types that it knows.

Profile ``4.1`` is QEMU 4.1.0 with the two backports of the known build; ``7.2`` is QEMU 7.2.22 as Debian builds it.  A machine type
names the release whose properties it keeps: on ``pc-i440fx-4.1`` 7.2 offers what 4.1 offered.
"""

from __future__ import annotations

from typing import Final

PROFILE_4_1: Final = "4.1"
PROFILE_7_2: Final = "7.2"
PROFILES: Final = (PROFILE_4_1, PROFILE_7_2)
DEFAULT_MACHINE: Final = "pc-i440fx-4.1"

_NEWER: Final = ("7.2", "7.1", "7.0", "6.2", "6.1", "6.0", "5.2", "5.1", "5.0", "4.2")
_SINCE_2_4: Final = ("4.1", "4.0", "3.1", "3.0", "2.12", "2.11", "2.10", "2.9", "2.8", "2.7", "2.6", "2.5", "2.4")
_OLDER: Final = ("2.3", "2.2", "2.1", "2.0", "1.7", "1.6", "1.5", "1.4")
MACHINES: Final[dict[str, tuple[str, ...]]] = {
    PROFILE_4_1: ("pc-i440fx-4.1", "pc-q35-4.1"),
    PROFILE_7_2: tuple(f"pc-i440fx-{version}" for version in _NEWER + _SINCE_2_4 + _OLDER)
    + tuple(f"pc-q35-{version}" for version in (*_NEWER, "4.1", "4.0.1", *_SINCE_2_4[1:])),
}
"""Machine types of each profile."""
ALIASES: Final[dict[str, str]] = {"pc": "pc-i440fx", "q35": "pc-q35"}
"""Short names of each profile's newest machine types."""


def machine_of(profile: str, name: str) -> str:
    """The machine type that `name`, perhaps an alias, stands for; raises ValueError, with what is allowed, when the profile has none of that name."""
    if profile not in PROFILES:
        raise ValueError(f"profile '{profile}': must be one of {', '.join(PROFILES)}")
    full = f"{ALIASES[name]}-{profile}" if name in ALIASES else name
    if full not in MACHINES[profile]:
        raise ValueError(f"machine '{name}': profile {profile} has {', '.join((*ALIASES, *MACHINES[profile]))}")
    return full


def machine_version(machine_type: str) -> tuple[int, ...]:
    """The release that a machine type is named after, such as (4, 1)."""
    return tuple(int(part) for part in machine_type.rpartition("-")[2].split("."))


def is_q35(machine_type: str) -> bool:
    """Whether the board has PCI Express."""
    return machine_type.startswith("pc-q35-")
