"""Where the files that ship with Ringscope are: installed as the package `ringscope_resources`, or in a checkout's ``resources/``."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

CAPTURE_PREFIX = "capture:"
"""In an option string, ``file=capture:NAME`` is a capture that ships with Ringscope."""


def resource_root() -> Path:
    """The folder of the shipped files."""
    checkout = Path(__file__).resolve().parents[3] / "resources"
    if (checkout / "scenarios").is_dir():
        return checkout
    return Path(str(resources.files("ringscope_resources")))


def shipped_capture(name: str) -> Path:
    """The path of the shipped capture `name`."""
    return resource_root() / "captures" / name


def resolve_captures(option: str) -> str:
    """`option` with ``=capture:NAME`` replaced by the shipped file's path."""
    parts = option.split(",")
    for place, part in enumerate(parts):
        key, sign, value = part.partition("=")
        if sign and value.startswith(CAPTURE_PREFIX):
            # in QEMU's option strings a comma inside a value is doubled
            path = str(shipped_capture(value[len(CAPTURE_PREFIX) :])).replace(",", ",,")
            parts[place] = f"{key}={path}"
    return ",".join(parts)
