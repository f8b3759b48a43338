"""Profiles and the machine types they have."""

from __future__ import annotations

import pytest

from ringscope_core.qom.profile import MACHINES, PROFILE_4_1, PROFILE_7_2, is_q35, machine_of, machine_version


@pytest.mark.parametrize(
    ("profile", "name", "full"),
    [
        (PROFILE_4_1, "pc", "pc-i440fx-4.1"),
        (PROFILE_4_1, "q35", "pc-q35-4.1"),
        (PROFILE_7_2, "pc", "pc-i440fx-7.2"),
        (PROFILE_7_2, "q35", "pc-q35-7.2"),
        (PROFILE_7_2, "pc-q35-4.0.1", "pc-q35-4.0.1"),
        (PROFILE_7_2, "pc-i440fx-1.4", "pc-i440fx-1.4"),
    ],
)
def test_names_and_short_names(profile: str, name: str, full: str) -> None:
    assert machine_of(profile, name) == full


@pytest.mark.parametrize(("profile", "name"), [(PROFILE_4_1, "pc-i440fx-7.2"), (PROFILE_7_2, "microvm"), (PROFILE_7_2, ""), (PROFILE_7_2, "pc-q35-2.3")])
def test_what_a_profile_does_not_have_is_refused_with_what_it_has(profile: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"machine '{name}': profile {profile} has pc, q35, pc-i440fx-"):
        machine_of(profile, name)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="profile '5.0': must be one of 4.1, 7.2"):
        machine_of("5.0", "pc")


def test_versions_compare() -> None:
    assert machine_version("pc-q35-4.0.1") > machine_version("pc-q35-4.0")
    assert machine_version("pc-i440fx-2.12") > machine_version("pc-i440fx-2.4")
    assert [is_q35(name) for name in MACHINES[PROFILE_4_1]] == [False, True]
