"""The words that the reference itself brings (headings of columns and sections), in the language of the documentation."""

from __future__ import annotations

from ringscope import words

from .zh import EN, ZH

_language = "en"


def use_language(language: str) -> None:
    """Write in `language` (Sphinx's name of it) from now on; what is neither English nor Chinese is English."""
    global _language
    _language = "zh" if language.lower().startswith("zh") else "en"
    words.set_language(_language)


def language() -> str:
    """``en`` or ``zh``."""
    return _language


def w(text: str) -> str:
    """`text` in the language of the documentation."""
    return (ZH if _language == "zh" else EN).get(text, text)


def window(text: str) -> str:
    """A text of the window as it reads in the language of the documentation."""
    return words.t(text)
