"""The language of what people see: which one, and what it says."""

from __future__ import annotations

import pytest

from ringscope.core_words import heard
from ringscope.words import desktop_language, language, later, set_language, speaking, t
from ringscope_core.scenario.errors import InputError


def test_english_is_what_stands_in_the_sources() -> None:
    assert language() == "en"
    assert t("Rings") == "Rings"
    assert t("{n} events", n=5) == "5 events"
    assert later("Rings") == "Rings"


def test_chinese_is_read_when_it_is_chosen() -> None:
    set_language("zh")
    assert t("Rings") == "环"
    assert t("{n} events", n=5) == "5 个事件"
    assert later("Rings") == "Rings"
    assert t("virtio_net_device_realize") == "virtio_net_device_realize"


def test_braces_are_braces_without_values() -> None:
    for name in ("en", "zh"):
        set_language(name)
        assert "{value}" in t("stop; or a message to log instead, such as  status is {value}")


def test_a_language_that_there_is_not() -> None:
    with pytest.raises(InputError, match="lang: 'fr' is not allowed; one of en, zh"):
        set_language("fr")
    assert language() == "en"


def test_another_language_for_a_while() -> None:
    set_language("zh")
    with pytest.raises(ValueError, match="whatever"), speaking("en"):
        assert t("Rings") == "Rings"
        raise ValueError("whatever")
    assert t("Rings") == "环"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_SG"}, "zh"),
        ({"LANG": "zh_Hans_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr:zh_CN:en"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh_CN"}, "en"),
    ],
)
def test_the_desktop_tells_its_language_as_gettext_reads_it(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert desktop_language() == expected


def test_sentences_of_the_core_are_recognised() -> None:
    assert heard("breakpoint 3") == "breakpoint 3"
    set_language("zh")
    assert heard("breakpoint 3") == "断点 3"
    assert heard("step line back") == "反向单步 line"
    assert heard("step line") == "单步 line"
    assert heard("VirtIODevice.status = 0x7 (was 0x3)") == "VirtIODevice.status = 0x7 (原为 0x3)"
    # a name is a name, even where there is a word like it
    assert heard("until function device") == "直到 function device"
    # a sentence in a sentence
    wrong = str(InputError("keep", "1M", "a size of at least 8M, such as 512M or 2G, or all"))
    assert heard(wrong) == "keep：不允许 '1M'；至少 8M 的大小，例如 512M 或 2G，或 all"
    assert heard("Failed to initialize vhost-user") == "Failed to initialize vhost-user"


def test_templates_fit_what_the_core_says() -> None:
    """Texts made by the core itself: a changed one there would fall back to English unnoticed."""
    from ringscope_core.gdb.pasted import EQUAL, MISSING, ONLY_HERE, OTHER_ARGUMENTS, OTHER_LINE
    from ringscope_core.hw.virtio.packed import BEYOND
    from ringscope_core.hw.virtio.virtqueue import JUMPED
    from ringscope_core.hw.virtio_net.rx import SHORT_BUFFER
    from ringscope_core.hw.virtio_net.tx import SHORT_CHAIN
    from ringscope_core.session.keep import KEEP_ALLOWED, kept_words
    from ringscope_core.session.rows import GapRow

    gap = GapRow(1, 10, 20, 11, 3, "bound")
    said = [
        EQUAL,
        MISSING,
        ONLY_HERE,
        OTHER_ARGUMENTS,
        OTHER_LINE,
        KEEP_ALLOWED,
        f"warning: {JUMPED}",
        f"error: {BEYOND}",
        f"error: {SHORT_BUFFER}",
        f"error: {SHORT_CHAIN}",
        kept_words(8 << 20, gap),
        kept_words(8 << 20, gap, whole=True),
    ]
    set_language("zh")
    assert [text for text in said if heard(text) == text] == []
