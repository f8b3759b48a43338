"""The tutorial: both languages show the same things, its transcripts run, and they print what the text says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ringscope.figures.recordings import Recordings
from ringscope.figures.spec import TextSpec
from ringscope.figures.transcript import transcript

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENGLISH = DOCS / "tutorial"
CHINESE = DOCS / "zh" / "tutorial"
PAGES = sorted(path.name for path in ENGLISH.glob("*.md"))
WORDS = ("callout", "caption")
"""Options that are said in the language of the page."""
_FENCE = re.compile(r"^```\{(ringscope-[a-z]+)\} ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Shown(NamedTuple):
    """One directive of a page."""

    kind: str
    source: str
    options: dict[str, str]
    lines: tuple[str, ...]


def shown(page: Path) -> list[Shown]:
    found = []
    for kind, source, body in _FENCE.findall(page.read_text(encoding="utf-8")):
        lines, key = body.splitlines(), ""
        options: dict[str, str] = {}
        if lines and lines[0] == "---":
            end = lines.index("---", 1)
            for line in lines[1:end]:
                if line.startswith(" "):
                    options[key] += f"\n{line.strip()}"
                else:
                    key, _, value = line.partition(":")
                    options[key] = value.strip()
            lines = lines[end + 1 :]
        while lines and lines[0].startswith(":"):
            _, key, value = lines.pop(0).split(":", 2)
            options[key] = value.strip()
        found.append(Shown(kind, source, options, tuple(line for line in lines if line.strip())))
    return found


def commands(page: Path) -> list[str]:
    """The shell's lines of a page, without the remarks behind them."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.partition("   #")[0].strip() for block in blocks for line in block.splitlines()]


def targets(options: dict[str, str]) -> list[str]:
    return [":".join(line.split(":")[:2]) for line in options.get("callout", "").splitlines() if ":" in line]


def test_every_page_has_its_twin() -> None:
    assert sorted(path.name for path in CHINESE.glob("*.md")) == PAGES
    assert len(PAGES) == 11


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_show_the_same(name: str) -> None:
    english, chinese = shown(ENGLISH / name), shown(CHINESE / name)
    assert [(one.kind, one.source) for one in english] == [(one.kind, one.source) for one in chinese]
    for one, other in zip(english, chinese, strict=True):
        assert {key: value for key, value in one.options.items() if key not in WORDS} == {
            key: value for key, value in other.options.items() if key not in WORDS
        }
        assert targets(one.options) == targets(other.options)
        if one.kind == "ringscope-transcript":
            assert one.lines == other.lines
    assert commands(ENGLISH / name) == commands(CHINESE / name)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recordings]:
    with Recordings(tmp_path_factory.mktemp("tutorial")) as opened:
        yield opened


CLAIMS = (
    ("01_command_line.md", "realize", ("size=42096", "data=0x55555729b2b0", "= 33136")),
    ("02_realized.md", "realize", ("disable_legacy = 2 (was 0)", "devfn = 0x10", "virtio_pci_dc_realize", "object_property_set_bool")),
    ("03_proxy_to_device.md", "realize", ("free = 0x0", "ref = 2", "instance_size = 8960", "virtio-net.c:2658", "virtio-net-pci.c:55")),
    ("04_device_realize.md", "realize", ("config_size = 8 B (was 17 B)", "device_id = 1", "New value = 1", "virtio-net.c:2782")),
    (
        "05_queues.md",
        "realize",
        ("virtio_net_handle_rx", "virtio_net_handle_tx_bh", "virtio_net_handle_ctrl", "queue_size=64", "vector = 65535", "virtio-net.c:2743"),
    ),
    ("06_bus.md", "realize", ("0x39000000", "0x179000000", "0x179bf8064", "= 0x98", "= 64", "DeviceState.realized = true")),
    ("07_driver.md", "ping", ("0xe0000000", "val=0x1)", "val=0x3)", "val=0xb)", "val=0xf)", "0x130af8020", "= 12", "= 0x103000", "= 0x104000", "= 0x105000")),
    ("08_transmit.md", "ping", ("0x0011c000", "0x00000036", "offset=0x3004", "used_idx=1", "guest_irq", "num_free = 256")),
    ("09_receive.md", "ping", ("shadow_avail_idx=256", "len=72 B", "guest_irq", "num_free = 1")),
    ("09_receive.md", "offloads", ("len=32054 B", "buffers=21", "= 21", "= 11", "= 32")),
    ("10_notifications.md", "ping", ("class=0  cmd=0", "ack=0", "0x0011b000", "0x00000004", "0x00010001", "0x00000002")),
    ("10_notifications.md", "bulk-tx", ("= 239", "signalled_used=180", "idx=179")),
)
"""A page, a scenario, and what its transcripts of that scenario print, which the text speaks of."""


@pytest.mark.parametrize(("name", "source", "said"), CLAIMS)
def test_transcripts_print_what_the_text_says(name: str, source: str, said: tuple[str, ...], recordings: Recordings) -> None:
    printed = ""
    for one in shown(ENGLISH / name):
        if one.kind == "ringscope-transcript" and one.source == source:
            for entry in transcript(TextSpec(source, one.lines, at=one.options.get("at", "")), recordings.open(source)):
                printed += f"{entry.command}\n{entry.output}\n"
    assert [words for words in said if words not in printed] == []
