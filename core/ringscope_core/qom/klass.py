"""ObjectClass: what all instances of a type share, made by copying the parent's class and running class hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mypy_extensions import i64

if TYPE_CHECKING:
    from ringscope_core.qom.object import Object
    from ringscope_core.qom.property import ObjectProperty
    from ringscope_core.qom.types import TypeImpl

CAST_CACHE_SLOTS = 4
"""OBJECT_CLASS_CAST_CACHE."""


def cast_cache_add(cache: list[str], typename: str) -> None:
    """Remember a successful cast: the cache shifts left, the newest stands last (object.c: object_dynamic_cast_assert)."""
    del cache[0]
    cache.append(typename)


class ObjectClass:
    """The class of a type.  A subclass adds hooks and overrides `copy_from` to inherit them."""

    def __init__(self) -> None:
        self.type_impl: TypeImpl | None = None
        self.addr: i64 = 0
        self.interfaces: list[InterfaceClass] = []
        self.object_cast_cache: list[str] = [""] * CAST_CACHE_SLOTS
        self.class_cast_cache: list[str] = [""] * CAST_CACHE_SLOTS
        self.unparent: Callable[[Object], None] | None = None
        """Called when an instance leaves the composition tree."""
        self.properties: dict[str, ObjectProperty] = {}
        """Class properties, shared by all instances."""

    @property
    def type(self) -> TypeImpl:
        """The type this is the class of."""
        found = self.type_impl
        assert found is not None
        return found

    @property
    def name(self) -> str:
        """object_class_get_name."""
        return self.type.name

    def copy_from(self, parent: ObjectClass) -> None:
        """Inherit every hook, as QEMU's memcpy of the parent's class does; interfaces and properties are not inherited this way."""
        self.unparent = parent.unparent


class InterfaceClass(ObjectClass):
    """The class of an interface, one for each type that implements it."""

    def __init__(self) -> None:
        super().__init__()
        self.concrete_class: ObjectClass | None = None
        self.interface_type: TypeImpl | None = None

    def copy_from(self, parent: ObjectClass) -> None:
        super().copy_from(parent)


def object_class_get_parent(klass: ObjectClass) -> ObjectClass | None:
    """The class of the type's parent, None for a root."""
    parent = klass.type.parent_impl()
    return None if parent is None else parent.initialize()


def object_class_dynamic_cast(klass: ObjectClass, typename: str) -> ObjectClass | None:
    """The class seen as `typename`: itself, the class of an interface it has, or None (object.c:808)."""
    type_impl = klass.type
    if type_impl.name == typename:
        return klass
    target = type_impl.table.lookup(typename)
    if target is None:
        return None
    if klass.interfaces and target.is_ancestor_named("interface"):
        found = [iface for iface in klass.interfaces if iface.interface_type is not None and iface.interface_type.is_ancestor(target)]
        # more than one match is ambiguous, which counts as none
        return found[0] if len(found) == 1 else None
    return klass if type_impl.is_ancestor(target) else None


def object_class_dynamic_cast_assert(klass: ObjectClass, typename: str, file: str, line: int, func: str) -> ObjectClass:
    """As `object_class_dynamic_cast`; raises AssertionError with QEMU's text where QEMU aborts (object.c:856)."""
    if typename in klass.class_cast_cache:
        return klass
    found = object_class_dynamic_cast(klass, typename)
    if found is None:
        raise AssertionError(f"{file}:{line}:{func}: Object {klass.addr:#x} is not an instance of type {typename}")
    if found is klass:
        cast_cache_add(klass.class_cast_cache, typename)
    return found
