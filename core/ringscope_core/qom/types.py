"""TypeInfo, TypeImpl and the type table: registration, inheritance, and lazy initialisation of classes in QEMU's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from mypy_extensions import i64

from ringscope_core.qom.heap import ARENA_CLASSES, ARENA_TYPES, Heap
from ringscope_core.qom.klass import InterfaceClass, ObjectClass
from ringscope_core.trace.kinds import EV_CLASS_INIT
from ringscope_core.trace.log import EventLog

if TYPE_CHECKING:
    from ringscope_core.qom.object import Object

TYPE_IMPL_SIZE = 368


@final
class TypeInfo:
    """What a type registers with.  Hooks come with the name QEMU's function has; a size of 0 is inherited or, for an abstract root, unknown.

    `instance_new` and `class_new` make the Python object that stands for the C structure (g_malloc and memset 0), hooks run afterwards.
    `size_unknown` says that the structure's size is not known, so that it is not inherited either.
    """

    def __init__(
        self,
        name: str,
        parent: str = "",
        *,
        instance_size: int = 0,
        class_size: int = 0,
        abstract: bool = False,
        interfaces: tuple[str, ...] = (),
        instance_struct: str = "",
        class_struct: str = "",
        file_line: str = "",
        instance_new: Callable[[], Object] | None = None,
        class_new: Callable[[], ObjectClass] | None = None,
        instance_init: Callable[[Object], None] | None = None,
        instance_init_name: str = "",
        instance_post_init: Callable[[Object], None] | None = None,
        instance_post_init_name: str = "",
        instance_finalize: Callable[[Object], None] | None = None,
        instance_finalize_name: str = "",
        class_init: Callable[[ObjectClass], None] | None = None,
        class_init_name: str = "",
        class_base_init: Callable[[ObjectClass], None] | None = None,
        class_base_init_name: str = "",
        instance_size_unknown: bool = False,
        class_size_unknown: bool = False,
    ) -> None:
        self.name: str = name
        self.parent: str = parent
        self.instance_size: int = instance_size
        self.class_size: int = class_size
        self.abstract: bool = abstract
        self.interfaces: tuple[str, ...] = interfaces
        self.instance_struct: str = instance_struct
        self.class_struct: str = class_struct
        self.file_line: str = file_line
        self.instance_new: Callable[[], Object] | None = instance_new
        self.class_new: Callable[[], ObjectClass] | None = class_new
        self.instance_init: Callable[[Object], None] | None = instance_init
        self.instance_init_name: str = instance_init_name
        self.instance_post_init: Callable[[Object], None] | None = instance_post_init
        self.instance_post_init_name: str = instance_post_init_name
        self.instance_finalize: Callable[[Object], None] | None = instance_finalize
        self.instance_finalize_name: str = instance_finalize_name
        self.class_init: Callable[[ObjectClass], None] | None = class_init
        self.class_init_name: str = class_init_name
        self.class_base_init: Callable[[ObjectClass], None] | None = class_base_init
        self.class_base_init_name: str = class_base_init_name
        self.instance_size_unknown: bool = instance_size_unknown
        self.class_size_unknown: bool = class_size_unknown


@final
class TypeImpl:
    """A registered type (qom/object.c: struct TypeImpl)."""

    def __init__(self, table: TypeTable, info: TypeInfo, addr: i64) -> None:
        self.table: TypeTable = table
        self.info: TypeInfo = info
        self.addr: i64 = addr
        self.name_addr: i64 = 0
        """Where the copy of the type's name lives."""
        self.parent_addr: i64 = 0
        """Where the copy of the parent's name lives, 0 for a root."""
        self.klass: ObjectClass | None = None
        """None until something needs the class."""
        self.instances: int = 0
        """Live objects of exactly this type."""

    @property
    def name(self) -> str:
        """The type's name."""
        return self.info.name

    @property
    def abstract(self) -> bool:
        """Whether no object of exactly this type can be made."""
        return self.info.abstract

    def parent_impl(self) -> TypeImpl | None:
        """The parent's type (type_get_parent), None for a root; raises AssertionError when it is not registered."""
        if not self.info.parent:
            return None
        found = self.table.lookup(self.info.parent)
        assert found is not None, f"Type '{self.name}' is missing its parent '{self.info.parent}'"
        return found

    def chain(self) -> list[TypeImpl]:
        """This type and its ancestors, nearest first."""
        out: list[TypeImpl] = []
        here: TypeImpl | None = self
        while here is not None:
            out.append(here)
            here = here.parent_impl()
        return out

    def is_ancestor(self, target: TypeImpl) -> bool:
        """Whether `target` is this type or an ancestor of it (type_is_ancestor)."""
        return target in self.chain()

    def is_ancestor_named(self, name: str) -> bool:
        """As `is_ancestor`, by name."""
        return any(impl.name == name for impl in self.chain())

    def instance_size(self) -> int | None:
        """Bytes of an instance, inherited when the type gives none; None when unknown (type_object_get_size)."""
        for impl in self.chain():
            if impl.info.instance_size_unknown:
                return None
            if impl.info.instance_size:
                return impl.info.instance_size
        return 0

    def class_size(self) -> int | None:
        """Bytes of the class, inherited when the type gives none; None when unknown (type_class_get_size)."""
        for impl in self.chain():
            if impl.info.class_size_unknown:
                return None
            if impl.info.class_size:
                return impl.info.class_size
        return None

    def instance_struct(self) -> str:
        """The C structure of an instance, inherited."""
        for impl in self.chain():
            if impl.info.instance_struct:
                return impl.info.instance_struct
        return ""

    def class_struct(self) -> str:
        """The C structure of the class, inherited."""
        for impl in self.chain():
            if impl.info.class_struct:
                return impl.info.class_struct
        return ""

    def new_instance(self) -> Object:
        """Memory for an instance, zeroed: the nearest `instance_new` of the chain."""
        for impl in self.chain():
            make = impl.info.instance_new
            if make is not None:
                return make()
        raise AssertionError(f"type '{self.name}' has no instances")

    def _new_class(self) -> ObjectClass:
        for impl in self.chain():
            make = impl.info.class_new
            if make is not None:
                return make()
        return ObjectClass()

    def initialize(self) -> ObjectClass:
        """The type's class, made at first use (type_initialize, object.c:272)."""
        if self.klass is not None:
            return self.klass
        klass = self._new_class()
        table = self.table
        klass.addr = table.heap.alloc(f"class:{self.name}", self.class_size() or 0, ARENA_CLASSES)
        self.klass = klass
        parent = self.parent_impl()
        if parent is not None:
            parent_class = parent.initialize()
            klass.copy_from(parent_class)
            klass.type_impl = self
            self._initialize_interfaces(klass, parent_class)
        klass.type_impl = self
        self._run_class_hooks(klass)
        return klass

    def _initialize_interfaces(self, klass: ObjectClass, parent_class: ObjectClass) -> None:
        for iface in parent_class.interfaces:
            assert iface.interface_type is not None
            self._initialize_interface(klass, iface.interface_type, iface.type)
        for name in self.info.interfaces:
            target = self.table.lookup(name)
            assert target is not None, f"missing interface '{name}' for object '{self.name}'"
            target.initialize()
            inherited = [i.interface_type for i in klass.interfaces if i.interface_type is not None]
            if not any(i.is_ancestor(target) for i in inherited):
                self._initialize_interface(klass, target, target)

    def _initialize_interface(self, klass: ObjectClass, interface_type: TypeImpl, parent: TypeImpl) -> None:
        """Make the class ``TYPE::INTERFACE`` (type_initialize_interface, object.c:238)."""
        info = TypeInfo(f"{self.name}::{interface_type.name}", parent.name, abstract=True)
        impl = self.table.make(info)
        iface = impl.initialize()
        assert isinstance(iface, InterfaceClass)
        iface.concrete_class = klass
        iface.interface_type = interface_type
        klass.interfaces.append(iface)

    def _run_class_hooks(self, klass: ObjectClass) -> None:
        log = self.table.log
        name = log.text(self.name)
        for ancestor in self.chain()[1:]:
            base_init = ancestor.info.class_base_init
            if base_init is not None:
                log.emit(EV_CLASS_INIT, 0, name, log.text(ancestor.info.class_base_init_name))
                base_init(klass)
        class_init = self.info.class_init
        if class_init is not None:
            log.emit(EV_CLASS_INIT, 0, name, log.text(self.info.class_init_name))
            class_init(klass)


@final
class TypeTable:
    """Every registered type by name, in the order of registration."""

    def __init__(self, log: EventLog, heap: Heap, v7_2: bool = False) -> None:
        self.log: EventLog = log
        self.heap: Heap = heap
        self.v7_2: bool = v7_2
        """The types are those of profile 7.2; class_init hooks ask."""
        self._types: dict[str, TypeImpl] = {}
        self._interface_impls: dict[str, TypeImpl] = {}

    def make(self, info: TypeInfo) -> TypeImpl:
        """A TypeImpl outside the table, as the classes of interfaces have (type_new); `lookup` finds it as a parent all the same."""
        impl = TypeImpl(self, info, self.heap.alloc(f"type:{info.name}", TYPE_IMPL_SIZE, ARENA_TYPES))
        impl.name_addr = self.heap.alloc(f"name:{info.name}", len(info.name) + 1, ARENA_TYPES)
        if info.parent:
            impl.parent_addr = self.heap.alloc(f"parent-name:{info.name}", len(info.parent) + 1, ARENA_TYPES)
        if "::" in info.name:
            self._interface_impls[info.name] = impl
        return impl

    def register(self, info: TypeInfo) -> TypeImpl:
        """Register a type; no class is made yet.  Raises AssertionError for a name that is taken, as QEMU aborts (type_register)."""
        assert info.name not in self._types, f"Registering `{info.name}' which already exists"
        impl = self.make(info)
        self._types[info.name] = impl
        return impl

    def lookup(self, name: str) -> TypeImpl | None:
        """The type `name`, None when nobody registered it (type_table_lookup)."""
        return self._types.get(name) or self._interface_impls.get(name)

    def get(self, name: str) -> TypeImpl:
        """The type `name`; raises AssertionError with QEMU's text when it is missing."""
        found = self.lookup(name)
        assert found is not None, f"missing object type '{name}'"
        return found

    def class_by_name(self, name: str) -> ObjectClass | None:
        """The class of type `name`, initialised; None when there is no such type (object_class_by_name)."""
        found = self.lookup(name)
        return None if found is None else found.initialize()

    def all(self) -> list[TypeImpl]:
        """Every registered type, in the order of registration."""
        return list(self._types.values())

    def initialize_all(self) -> None:
        """Make every class, as listing the machine classes does at start-up (vl.c:3857: object_class_get_list).

        QEMU walks a hash table; the order here is the order of registration.
        """
        for impl in self.all():
            impl.initialize()


def object_class_get_list(table: TypeTable, implements: str, include_abstract: bool) -> list[ObjectClass]:
    """Classes that are `implements` or below it, in the order of registration (object_class_get_list)."""
    target = table.lookup(implements)
    out: list[ObjectClass] = []
    for impl in table.all():
        klass = impl.initialize()
        if impl.abstract and not include_abstract:
            continue
        if target is None or impl.is_ancestor(target) or any(i.type.is_ancestor(target) for i in klass.interfaces):
            out.append(klass)
    return out
