"""QEMU's ``Error **``: a place where a callee leaves an error, with the address that call frames show."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64, mypyc_attr

from ringscope_core.trace.log import EventLog


@final
class Error:
    """An error object: its text, and the hint QEMU prints on the lines after it."""

    def __init__(self, text: str, hint: str = "") -> None:
        self.text: str = text
        self.hint: str = hint


@mypyc_attr(allow_interpreted_subclasses=True)
class Errp:
    """Where an error goes.  A caller that must notice failure passes one of its own and propagates it."""

    def __init__(self, addr: i64 = 0) -> None:
        self.addr: i64 = addr
        """Host address of the ``Error *`` variable, 0 when unknown."""
        self.error: Error | None = None

    def failed(self) -> bool:
        """Whether an error is here.

        Ask this way, not ``errp.error is None``: mypy holds what it once learnt of an attribute across the calls that change it,
        and compiled code then trusts it.
        """
        return self.error is not None

    def set(self, log: EventLog, text: str, hint: str = "") -> None:
        """Make an error object here (error_setg, error_append_hint).  Raises AssertionError when one is here already, as QEMU aborts."""
        assert not self.failed(), f"error set twice: {text}"
        log.error_set(text, self.addr)
        self.error = Error(text, hint)

    def propagate_to(self, other: Errp) -> None:
        """Hand the error on (error_propagate); `other` keeps its first one."""
        error = self.error
        if error is not None and not other.failed():
            other.receive(error)
        self.error = None

    def receive(self, error: Error) -> None:
        """Take an error that a callee propagates."""
        self.error = error

    def local(self, distance: i64) -> Errp:
        """The ``Error *`` on the stack of a function called with this one, `distance` bytes further down."""
        return Errp(self.addr - distance if self.addr else 0)

    def prepend(self, text: str) -> None:
        """Put `text` in front of the error's text (error_prepend)."""
        error = self.error
        if error is not None:
            self.error = Error(text + error.text, error.hint)


@final
class AbortErrp(Errp):
    """``&error_abort``: an error here is a defect of ours."""

    def set(self, log: EventLog, text: str, hint: str = "") -> None:
        """Raises AssertionError."""
        raise AssertionError(f"unexpected error: {text}")

    def receive(self, error: Error) -> None:
        """Raises AssertionError."""
        raise AssertionError(f"unexpected error: {error.text}")
