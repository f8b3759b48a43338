"""The language of what people see: every sentence stands in the sources in English, and `t` says it in the language in use.

English needs no catalogue and costs one look into an empty table.  Chinese is read from ``translations/zh.po`` when it is chosen
(some 30 ms with polib for 1,500 entries, once a process).  Names of QEMU and of the specifications are never translated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from ringscope_core.scenario.errors import InputError
from ringscope_resources import path

LANGUAGES: Final = ("en", "zh")
"""English and Simplified Chinese."""
_SIMPLIFIED: Final = ("zh_cn", "zh_sg", "zh_hans", "zh.", "zh_my")
"""How the names of locales begin whose readers expect Simplified Chinese."""


class _Words:
    """The language in use and its catalogue."""

    def __init__(self) -> None:
        self.language = "en"
        self.catalogue: dict[str, str] = {}


_WORDS: Final = _Words()


def t(text: str, /, **values: object) -> str:
    """`text` in the language in use, with `values` put in as `str.format` does; the English text itself when the catalogue has none.

    Without values the text is taken as it is: braces in it are braces.  Call it where a text is shown, never while a module is imported.
    """
    said = _WORDS.catalogue.get(text, text)
    return said.format(**values) if values else said


def later(text: str, /) -> str:
    """`text` itself: marks a text of a table for the catalogue, which is translated where it is shown, by ``t(row.title)``."""
    return text


def language() -> str:
    """The language in use: one of `LANGUAGES`."""
    return _WORDS.language


def set_language(name: str) -> None:
    """Speak `name` from now on; what was made before keeps its words.  Raises InputError for a language that there is not."""
    if name not in LANGUAGES:
        raise InputError("lang", name, f"one of {', '.join(LANGUAGES)}")
    _WORDS.language = name
    _WORDS.catalogue = {} if name == "en" else catalogue(name)


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Speak `name` within the block, and then what was spoken before.  Raises InputError as `set_language` does."""
    before = language()
    set_language(name)
    try:
        yield
    finally:
        set_language(before)


@cache
def catalogue(name: str) -> dict[str, str]:
    """English texts and what they are in the language `name`, from its .po file; entries without a translation are left out."""
    import polib

    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(path("translations", f"{name}.po")), encoding="utf-8") if entry.translated()}


def desktop_language() -> str:
    """The language of the desktop, from the environment as gettext reads it: Chinese for the locales written in Simplified Chinese, else English."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            break
    else:
        return "en"
    if value in ("C", "POSIX"):
        return "en"
    # LANGUAGE is a list of wishes; the first that there is counts
    for wish in (*os.environ.get("LANGUAGE", "").split(":"), value):
        lower = wish.lower().replace("-", "_")
        if lower == "zh" or lower.startswith(_SIMPLIFIED):
            return "zh"
        if lower.startswith("en"):
            return "en"
    return "en"
