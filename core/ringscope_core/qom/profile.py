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
MACHINES: Final = {
    PROFILE_4_1: ("pc-i440fx-4.1", "pc-q35-4.1"),
    PROFILE_7_2: ("pc-i440fx-4.1", "pc-q35-4.1", "pc-i440fx-7.2", "pc-q35-7.2"),
}
"""Machine types of each profile."""


def check_profile(profile: str, machine_type: str) -> None:
    """Raise ValueError, with what is allowed, when there is no such profile or the profile has no such machine type."""
    if profile not in PROFILES:
        raise ValueError(f"profile '{profile}': must be one of {', '.join(PROFILES)}")
    machines = MACHINES[profile]
    if machine_type not in machines:
        raise ValueError(f"machine '{machine_type}': profile {profile} has {', '.join(machines)}")
