"""What comparing one case with the real QEMU gave."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was observed; `expected` and `got` are texts fit to be printed (JSON for structured values)."""

    where: str
    """Step and field, such as ``op 17 status`` or ``info_qtree line 4``."""
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, got {self.got}"


@dataclass
class Outcome:
    """One case: equal when `differences` is empty and `skipped` is too."""

    case: str
    title: str = ""
    differences: list[Difference] = field(default_factory=list)
    skipped: str = ""
    """Why the case was not run."""
