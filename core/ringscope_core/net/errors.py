"""What goes wrong with network options, in QEMU's words where QEMU has the option."""

from __future__ import annotations


class NetOptionError(Exception):
    """A ``-netdev`` option, or a file or socket that it names, cannot be used.

    `text` is one line; `field` the option, `value` what was given, `allowed` what would have been right ("" where the text
    says it all); `hint` a second line that QEMU prints below some of its messages.
    """

    def __init__(self, text: str, field: str = "", value: str = "", allowed: str = "", hint: str = "") -> None:
        super().__init__(text)
        self.text: str = text
        self.field: str = field
        self.value: str = value
        self.allowed: str = allowed
        self.hint: str = hint
