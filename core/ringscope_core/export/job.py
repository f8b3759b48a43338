"""One export at work: what is selected, the format's options, progress, and the count of what was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ringscope_core.export.request import Summary

if TYPE_CHECKING:
    from ringscope_core.export.request import Meter
    from ringscope_core.export.selection import Selection
    from ringscope_core.query.recording import Recording


@dataclass
class Job:
    """What a format's writer gets."""

    selection: Selection
    whats: tuple[str, ...]
    options: Mapping[str, str]
    meter: Meter
    summary: Summary = field(default_factory=Summary)

    @property
    def recording(self) -> Recording:
        """The session with its words."""
        return self.selection.recording


@dataclass(frozen=True)
class Option:
    """A choice that a format gives; the first of `values` is what is taken without one.  Empty `values`: free text, `default` without one."""

    name: str
    title: str
    values: tuple[str, ...]
    default: str = ""
    check: Callable[[str], object] | None = None
    """Raises InputError for a free text that is none."""
    means: str = ""
    """What it and its values do, for the documentation."""

    @property
    def preset(self) -> str:
        """What is taken when nothing is said."""
        return self.values[0] if self.values else self.default


@dataclass(frozen=True)
class Format:
    """A format: what the dialog and the command line offer, and who writes it.  `folder`: it makes a folder of files."""

    name: str
    title: str
    suffix: str
    whats: tuple[str, ...]
    """What it can hold; the first is what it holds when nothing is said."""
    write: Callable[[Job, Path], None]
    steps: Callable[[Job], int]
    """How many steps of progress it counts."""
    options: tuple[Option, ...] = ()
    many: bool = False
    """Whether it holds several of `whats` at once."""
    folder: bool = False
