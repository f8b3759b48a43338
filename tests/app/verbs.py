"""What the fixture `verb` gives: a verb and its words, then exit code, stdout, stderr."""

from __future__ import annotations

from collections.abc import Callable

Verb = Callable[..., tuple[int, str, str]]
