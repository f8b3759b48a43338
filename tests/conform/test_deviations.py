"""The list of deliberate differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringscope_core.conform.deviations import Deviations, load_deviations, shipped_deviations
from ringscope_core.conform.outcome import Difference, Outcome
from ringscope_core.scenario.errors import InputError
from tests.oracle.cases import FOLDER

DIED = Difference("op 3 died", "QEMU aborts: iov_copy", "goes on")
OTHER = Difference("op 2 isr", "1", "0")


def listed(tmp_path: Path, text: str) -> Deviations:
    path = tmp_path / "deviations.toml"
    path.write_text(text)
    return load_deviations(path)


def test_the_shipped_list_and_the_one_of_the_tests_are_one() -> None:
    assert (FOLDER / "deviations.toml").samefile(shipped_deviations())
    assert load_deviations().entries


def test_a_difference_is_listed_when_every_pattern_matches(tmp_path: Path) -> None:
    deviations = listed(tmp_path, '[[deviation]]\nname = "a"\nwhere = "died$"\ngot = "^goes"\nwhy = "w"\n')
    assert deviations.unlisted(Outcome("c", "", [DIED]), "", "7.2") == []
    assert deviations.unlisted(Outcome("c", "", [DIED, OTHER]), "", "7.2") == [OTHER]
    assert deviations.unused({"7.2"}) == []


def test_one_pattern_that_does_not_match_is_enough_to_leave_it(tmp_path: Path) -> None:
    deviations = listed(tmp_path, '[[deviation]]\nname = "a"\nwhere = "died$"\ngot = "exit"\nwhy = "w"\n')
    assert deviations.unlisted(Outcome("c", "", [DIED]), "", "7.2") == [DIED]
    assert deviations.unused({"7.2"}) == ["a"]


def test_an_entry_of_another_profile_does_not_count(tmp_path: Path) -> None:
    deviations = listed(tmp_path, '[[deviation]]\nname = "a"\nprofile = "4.1"\nwhere = "died$"\nwhy = "w"\n')
    assert deviations.unlisted(Outcome("c", "", [DIED]), "", "7.2") == [DIED]
    assert deviations.unused({"7.2"}) == []
    assert deviations.unused({"4.1"}) == ["a"]


def test_the_rest_can_be_a_consequence(tmp_path: Path) -> None:
    deviations = listed(tmp_path, '[[deviation]]\nname = "a"\ncase = "burst"\nwhere = "isr"\nrest = true\nwhy = "w"\n')
    assert deviations.unlisted(Outcome("c", "x burst x", [OTHER, DIED]), "", "7.2") == []
    assert deviations.unlisted(Outcome("c", "x burst x", [DIED, OTHER]), "", "7.2") == []
    assert deviations.unlisted(Outcome("c", "x burst x", [DIED]), "", "7.2") == [DIED]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[deviation]", "TOML is needed"),
        ("deviation = 3", "a list of tables"),
        ('[[deviation]]\nname = "a"\nwhere = "x"', "why"),
        ('[[deviation]]\nwhy = "a"\nwhere = "x"', "name"),
        ('[[deviation]]\nname = "a"\nwhy = "w"', "at least one of"),
        ('[[deviation]]\nname = "a"\nwhy = "w"\nwhere = "("', "regular expression"),
        ('[[deviation]]\nname = "a"\nwhy = "w"\nwhere = 3', "a string"),
        ('[[deviation]]\nname = "a"\nwhy = "w"\nwhere = "x"\nid = "7"', "one of name"),
    ],
)
def test_a_bad_list_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match="deviation") as error:
        listed(tmp_path, text)
    assert said in str(error.value)
