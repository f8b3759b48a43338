"""docs/security.md: every known CVE around the modelled parts has a row, and every test that a row names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "security.md"
HERE = Path(__file__).parent

ATTEMPTED = [
    "2010-0741",
    "2011-2212",
    "2011-2512",
    "2013-2016",
    "2013-4148",
    "2013-4149",
    "2013-4150",
    "2013-4151",
    "2013-4535",
    "2013-4536",
    "2013-6399",
    "2014-0150",
    "2014-0182",
    "2015-7295",
    "2015-7549",
    "2016-5403",
    "2016-6490",
    "2016-7422",
    "2017-17381",
    "2018-17963",
    "2020-13659",
    "2020-13754",
    "2020-16092",
    "2020-27617",
    "2020-27821",
    "2021-3416",
    "2021-3748",
    "2022-26353",
    "2022-26354",
    "2023-3019",
    "2023-3301",
    "2023-6693",
    "2024-3446",
    "2024-3567",
    "2024-4693",
    "2024-6505",
    "2025-12464",
]
"""Those of virtio core, virtio-net, virtio-pci, MSI-X, the memory core and the network core."""
ELSEWHERE = ["2011-1750", "2011-4127", "2013-4542", "2015-5745", "2019-14378", "2019-15890", "2020-1983", "2020-7039", "2020-10756", "2023-3180", "2025-14876"]


def rows() -> dict[str, list[str]]:
    """Test names by the first cell of each row."""
    out = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[1] != "test":
            out[cells[0]] = re.findall(r"`(test_\w+)`", cells[1])
    return out


def attempts() -> set[str]:
    """Every test function of this folder."""
    return {name for path in HERE.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)}


def test_every_cve_has_a_row_and_a_test_of_its_name() -> None:
    table = rows()
    assert {name for name in table if name.startswith("CVE-")} == {f"CVE-{number}" for number in ATTEMPTED}
    for number in ATTEMPTED:
        found = table[f"CVE-{number}"]
        assert found, number
        assert all("cve_" + number.replace("-", "_") in name for name in found), number
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"CVE-{number}" in text for number in ELSEWHERE)


def test_every_test_is_in_the_table_and_the_other_way_round() -> None:
    named = {name for names in rows().values() for name in names}
    assert named == attempts() - {"test_every_cve_has_a_row_and_a_test_of_its_name", "test_every_test_is_in_the_table_and_the_other_way_round"}
