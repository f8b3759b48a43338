"""What a filter's words mean: the declarations and names of a recording, or of a run that is not recorded yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ringscope_core.trace.fields import FieldSpec
    from ringscope_core.trace.functions import FunctionSpec
    from ringscope_core.trace.kinds import KindSpec


class Names(Protocol):
    """Names of objects (see `names.ObjectNames`)."""

    def name(self, oid: int) -> str:
        """A short name."""
        ...

    def known(self) -> list[int]:
        """Every object and ring that did anything."""
        ...

    def knows(self, oid: int) -> bool:
        """Whether `oid` is among them."""
        ...

    def path(self, oid: int) -> str:
        """The path in the composition tree."""
        ...

    def type_name(self, oid: int) -> str:
        """The QOM type, ``virtqueue`` for a ring."""
        ...


class Vocabulary(Protocol):
    """Tables by number."""

    @property
    def kinds(self) -> Mapping[int, KindSpec]:
        """Kinds of events."""
        ...

    @property
    def functions(self) -> Mapping[int, FunctionSpec]:
        """QEMU's functions."""
        ...

    @property
    def fields(self) -> Mapping[int, FieldSpec]:
        """Fields of structures."""
        ...

    @property
    def strings(self) -> Sequence[str]:
        """Interned texts."""
        ...

    @property
    def names(self) -> Names:
        """Names of objects."""
        ...

    def event_counts(self) -> Mapping[int, int]:
        """Events so far by kind."""
        ...
