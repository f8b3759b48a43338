"""Sizes to keep, as people write them, and what is said of what went."""

from __future__ import annotations

import pytest

from ringscope_core.scenario.errors import InputError
from ringscope_core.session.keep import KEEP_DEFAULT, keep_bytes, kept_words
from ringscope_core.session.rows import GapRow


@pytest.mark.parametrize(("text", "size"), [("2G", 2 << 30), ("512MiB", 512 << 20), ("8m", 8 << 20), ("all", 0), ("ALL", 0), (KEEP_DEFAULT, 2 << 30)])
def test_sizes(text: str, size: int) -> None:
    assert keep_bytes("keep", text) == size


@pytest.mark.parametrize("text", ["", "0", "1M", "-2G", "2 T", "much"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="at least 8M"):
        keep_bytes("keep", text)


def test_what_went_in_words() -> None:
    gap = GapRow(0, 2865, 12_302_865, 12_300_000, 1_500, "bound")
    assert kept_words(2 << 30, gap) == "keeps the last 2.0 GiB; 12.3 M older events were dropped"
    assert kept_words(2 << 30, gap, whole=True) == "keeps the last 2.0 GiB; 12.3 M older events and 1.5 k packets were dropped, all behind the building"
    assert kept_words(2 << 30, None) == ""
