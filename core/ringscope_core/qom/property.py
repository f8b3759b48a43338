"""Dynamic properties of objects: a name, a type, a description, and the code behind get and set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from mypy_extensions import i64

from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import Errp
from ringscope_core.qom.visitor import PropValue, Visitor

if TYPE_CHECKING:
    from ringscope_core.qom.object import Object

FN_SET_BOOL = declare("property_set_bool", "obj:ptr v:opt name:opt opaque:ptr errp:ptr")
FN_SET_ALIAS = declare("property_set_alias", "obj:ptr v:unknown name:cstr opaque:unknown errp:ptr")
_LINE_SET_BOOL_CALL = 2079

BOOL_PROPERTY_SIZE = 16
"""sizeof(BoolProperty): two function pointers."""


def print_value(value: PropValue, human: bool) -> str:
    """What QEMU's string output visitor makes of a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value} ({value & 0xFFFFFFFFFFFFFFFF:#x})" if human else str(value)
    if isinstance(value, str):
        return f'"{value}"' if human else value
    return "<null>" if human else ""


class ObjectProperty:
    """One property of an object or a class (qom/object.h: struct ObjectProperty)."""

    def __init__(self, name: str, type_name: str, readable: bool, writable: bool, description: str = "") -> None:
        self.name: str = name
        self.type: str = type_name
        self.readable: bool = readable
        self.writable: bool = writable
        self.description: str = description
        self.default: PropValue = None
        """What device-list-properties shows as the default, None for none."""

    def get(self, obj: Object, errp: Errp) -> PropValue:
        """The value; only called when `readable`."""
        raise NotImplementedError

    def set(self, obj: Object, visitor: Visitor, name: str, errp: Errp) -> None:
        """Take a value from `visitor`; only called when `writable`."""
        raise NotImplementedError

    def print(self, obj: Object, human: bool, errp: Errp) -> str:
        """The value as text (object_property_print); `human` as ``info qtree`` shows it."""
        return print_value(self.get(obj, errp), human)

    def resolve(self, obj: Object, part: str) -> Object | None:
        """The object that a path's component of this name leads to."""
        return None

    def release(self, obj: Object) -> None:
        """Called when the property goes away."""


@final
class ChildProperty(ObjectProperty):
    """``child<TYPE>``: the parent's reference to a child of the composition tree."""

    def __init__(self, name: str, child: Object) -> None:
        super().__init__(name, f"child<{child.typename}>", True, False)
        self.child: Object = child
        self.released: bool = False

    def get(self, obj: Object, errp: Errp) -> PropValue:
        return self.child.canonical_path()

    def resolve(self, obj: Object, part: str) -> Object | None:
        return self.child

    def release(self, obj: Object) -> None:
        """object_finalize_child_property."""
        if not self.released:
            self.released = True
            self.child.leave_parent()


@final
class LinkProperty(ObjectProperty):
    """``link<TYPE>``: a pointer to another object, read through `target`.  `strong` links hold a reference that release drops."""

    def __init__(self, name: str, target_type: str, target: Callable[[Object], Object | None], strong: bool = False) -> None:
        super().__init__(name, f"link<{target_type}>", True, False)
        self.target: Callable[[Object], Object | None] = target
        self.strong: bool = strong

    def get(self, obj: Object, errp: Errp) -> PropValue:
        target = self.target(obj)
        return "" if target is None else target.canonical_path()

    def resolve(self, obj: Object, part: str) -> Object | None:
        return self.target(obj)

    def release(self, obj: Object) -> None:
        """object_release_link_property."""
        if self.strong:
            target = self.target(obj)
            if target is not None:
                target.unref()


@final
class AliasProperty(ObjectProperty):
    """A property that stands for one of another object (object_property_add_alias)."""

    def __init__(self, name: str, target: Object, target_property: ObjectProperty) -> None:
        super().__init__(name, target_property.type, True, True, target_property.description)
        self.default = target_property.default
        self.target: Object = target
        self.target_name: str = target_property.name

    def get(self, obj: Object, errp: Errp) -> PropValue:
        return self.target.property_get(self.target_name, errp)

    def set(self, obj: Object, visitor: Visitor, name: str, errp: Errp) -> None:
        log = obj.world.log
        FN_SET_ALIAS.enter(log, obj.addr, obj.world.literal(name), log.text(name), errp.addr)
        self.target.property_set(visitor, self.target_name, errp)
        log.leave()

    def resolve(self, obj: Object, part: str) -> Object | None:
        return self.target.resolve_path_component(self.target_name)


@final
class BoolObjectProperty(ObjectProperty):
    """A bool with a getter and a setter of its own (object_property_add_bool); `opaque` is its BoolProperty's address."""

    def __init__(
        self, name: str, opaque: i64, getter: Callable[[Object, Errp], bool], setter: Callable[[Object, bool, Errp], None] | None, default: PropValue = None
    ) -> None:
        super().__init__(name, "bool", True, setter is not None)
        self.opaque: i64 = opaque
        self.getter: Callable[[Object, Errp], bool] = getter
        self.setter: Callable[[Object, bool, Errp], None] | None = setter
        self.default = default

    def get(self, obj: Object, errp: Errp) -> PropValue:
        return self.getter(obj, errp)

    def set(self, obj: Object, visitor: Visitor, name: str, errp: Errp) -> None:
        log = obj.world.log
        FN_SET_BOOL.enter(log, obj.addr, self.opaque, errp.addr)
        value = visitor.type_bool(name, errp)
        setter = self.setter
        if not errp.failed() and setter is not None:
            log.at(_LINE_SET_BOOL_CALL)
            setter(obj, value, errp)
        log.leave()


@final
class StrObjectProperty(ObjectProperty):
    """A string with a getter and perhaps a setter (object_property_add_str)."""

    def __init__(self, name: str, getter: Callable[[Object, Errp], str], setter: Callable[[Object, str, Errp], None] | None = None) -> None:
        super().__init__(name, "string", True, setter is not None)
        self.getter: Callable[[Object, Errp], str] = getter
        self.setter: Callable[[Object, str, Errp], None] | None = setter

    def get(self, obj: Object, errp: Errp) -> PropValue:
        return self.getter(obj, errp)

    def set(self, obj: Object, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_str(name, errp)
        setter = self.setter
        if not errp.failed() and setter is not None:
            setter(obj, value, errp)
