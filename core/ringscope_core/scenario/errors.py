"""Bad input from people: one sentence that names the field, the value, and what is allowed."""

from __future__ import annotations


class InputError(Exception):
    """A field of a scenario, an option or a file holds what it may not.  The command line prints it and exits 2."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        """`field` is a path such as ``traffic.0.rate_pps``; `allowed` says what would be right."""
        self.field: str = field
        self.value: object = value
        self.allowed: str = allowed
        super().__init__(f"{field}: {_shown(value)} is not allowed; {allowed}")


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    if len(text) > 80:
        text = text[:77] + "..."
    return f"'{text}'" if isinstance(value, str) else text
