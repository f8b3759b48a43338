"""Object: identity, references, properties and a place in the composition tree (qom/object.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.hash_order import hash_table_order
from ringscope_core.qom.klass import ObjectClass, cast_cache_add, object_class_dynamic_cast
from ringscope_core.qom.property import ChildProperty, ObjectProperty
from ringscope_core.qom.visitor import PropValue, QObjectInputVisitor, StringInputVisitor, Visitor
from ringscope_core.trace.kinds import EV_INSTANCE_INIT, EV_OBJ_CHILD, EV_OBJ_FREE, EV_OBJ_NEW, EV_OBJ_REF, EV_OBJ_UNPARENT

if TYPE_CHECKING:
    from ringscope_core.qom.types import TypeImpl
    from ringscope_core.qom.world import World

FN_SET_BOOL = declare("object_property_set_bool", "obj:ptr value:entry_bool name:literal errp:ptr")
FN_SET_QOBJECT = declare("object_property_set_qobject", "obj:ptr value:opt name:cstr errp:ptr")
FN_SET = declare("object_property_set", "obj:ptr v:unknown name:cstr errp:ptr")
FN_PARSE = declare("object_property_parse", "obj:ptr string:str name:str errp:ptr")
FN_NEW = declare("object_new", "typename:str")
FN_INITIALIZE = declare("object_initialize_with_type", "data:ptr size:bytes type:ptr")
FN_INITIALIZE_CHILD = declare("object_initialize_child", "parentobj:ptr propname:str childobj:ptr size:bytes")
FN_ADD_CHILD = declare("object_property_add_child", "obj:ptr name:str child:ptr errp:ptr")
FN_UNPARENT = declare("object_unparent", "obj:ptr")
FN_FINALIZE = declare("object_finalize", "data:ptr")

_LINE_SET_BOOL_ENTRY = 1336
_LINE_SET_BOOL_CALL = 1337
_LINE_SET_QOBJECT_CALL = 26
_LINE_SET_CALL = 1271


class Object:
    """The root of all instances.  ``__init__`` is the zeroed memory; hooks of the type fill it in."""

    world: World
    """The process this object lives in."""
    klass: ObjectClass

    def __init__(self) -> None:
        self.oid: i64 = 0
        self.addr: i64 = 0
        self.ref_count: i64 = 0
        self.parent: Object | None = None
        self.properties: dict[str, ObjectProperty] = {}

    @property
    def typename(self) -> str:
        """object_get_typename."""
        return self.klass.name

    def snapshot(self, fields: dict[int, int]) -> None:
        """Put each field that this object logs (field id -> value)."""

    def bus_oid(self) -> i64:
        """Object id of the bus it sits on, 0 for none; devices override it."""
        return 0

    # -- references ---------------------------------------------------------------------------------------------------
    def ref(self) -> None:
        """object_ref."""
        self.ref_count += 1
        self.world.log.emit(EV_OBJ_REF, self.oid, self.ref_count)

    def unref(self) -> None:
        """object_unref: the last reference finalizes the object."""
        assert self.ref_count > 0
        self.ref_count -= 1
        self.world.log.emit(EV_OBJ_REF, self.oid, self.ref_count)
        if self.ref_count == 0:
            object_finalize(self)

    # -- composition tree ---------------------------------------------------------------------------------------------
    def leave_parent(self) -> None:
        """The parent's child property goes: run the class's unparent hook and drop the parent's reference."""
        hook = self.klass.unparent
        if hook is not None:
            hook(self)
        parent = self.parent
        if parent is not None:
            self.world.log.emit(EV_OBJ_UNPARENT, self.oid, parent.oid)
        self.parent = None
        self.unref()

    def unparent(self) -> None:
        """object_unparent: leave the composition tree."""
        parent = self.parent
        if parent is None:
            return
        log = self.world.log
        FN_UNPARENT.enter(log, self.addr)
        for prop in list(parent.properties.values()):
            if isinstance(prop, ChildProperty) and prop.child is self:
                prop.release(parent)
                del parent.properties[prop.name]
                break
        log.leave()

    def children(self) -> list[Object]:
        """The children in the composition tree, in the order they were added."""
        return [prop.child for prop in self.properties.values() if isinstance(prop, ChildProperty)]

    def path_component(self) -> str:
        """The name of the parent's property that holds this object."""
        parent = self.parent
        if parent is not None:
            for prop in parent.properties.values():
                if isinstance(prop, ChildProperty) and prop.child is self:
                    return prop.name
        return ""

    def canonical_path(self) -> str:
        """object_get_canonical_path: "" for an object outside the tree."""
        root = self.world.root
        parts: list[str] = []
        here: Object = self
        while here is not root:
            parent = here.parent
            if parent is None:
                return ""
            parts.append(here.path_component())
            here = parent
        return "/" + "/".join(reversed(parts))

    def resolve_path_component(self, part: str) -> Object | None:
        """object_resolve_path_component."""
        prop = self.property_find(part)
        return None if prop is None else prop.resolve(self, part)

    # -- properties ---------------------------------------------------------------------------------------------------
    def property_add(self, prop: ObjectProperty, errp: Errp) -> ObjectProperty | None:
        """object_property_add: ``name[*]`` becomes the first free ``name[N]``."""
        if prop.name.endswith("[*]"):
            stem = prop.name[:-3]
            index = 0
            while f"{stem}[{index}]" in self.properties:
                index += 1
            prop.name = f"{stem}[{index}]"
        if self.property_find(prop.name) is not None:
            errp.set(self.world.log, f"attempt to add duplicate property '{prop.name}' to object (type '{self.typename}')")
            return None
        self.properties[prop.name] = prop
        return prop

    def property_del(self, name: str) -> None:
        """object_property_del: release and forget."""
        prop = self.properties.get(name)
        if prop is not None:
            prop.release(self)
            del self.properties[name]

    def property_find(self, name: str) -> ObjectProperty | None:
        """The property `name`: a class property, nearest class first, or one of the object."""
        impl: TypeImpl | None = self.klass.type
        while impl is not None:
            found = impl.initialize().properties.get(name)
            if found is not None:
                return found
            impl = impl.parent_impl()
        return self.properties.get(name)

    def all_properties(self) -> list[ObjectProperty]:
        """Properties of the object, then of its classes, as ObjectPropertyIterator gives them; 7.2's in the order of its hash tables."""
        out = table_order(self.world, self.properties)
        for impl in self.klass.type.chain():
            out.extend(table_order(self.world, impl.initialize().properties))
        return out

    def _find_or_fail(self, name: str, errp: Errp) -> ObjectProperty | None:
        prop = self.property_find(name)
        if prop is None:
            errp.set(self.world.log, f"Property '{self.typename if self.world.v7_2 else ''}.{name}' not found")
        return prop

    def _no_access(self, name: str, what: str) -> str:
        return f"Property '{self.typename}.{name}' is not {what}" if self.world.v7_2 else "Insufficient permission to perform this operation"

    def property_get(self, name: str, errp: Errp) -> PropValue:
        """object_property_get."""
        prop = self._find_or_fail(name, errp)
        if prop is None:
            return None
        if not prop.readable:
            errp.set(self.world.log, self._no_access(name, "readable"))
            return None
        return prop.get(self, errp)

    def property_set(self, visitor: Visitor, name: str, errp: Errp) -> None:
        """object_property_set."""
        log = self.world.log
        FN_SET.enter(log, self.addr, self.world.literal(name), log.text(name), errp.addr)
        prop = self._find_or_fail(name, errp)
        if prop is not None:
            if prop.writable:
                log.at(_LINE_SET_CALL)
                prop.set(self, visitor, name, errp)
            else:
                errp.set(log, self._no_access(name, "writable"))
        log.leave()

    def property_set_qobject(self, value: PropValue, name: str, errp: Errp) -> None:
        """object_property_set_qobject."""
        log = self.world.log
        FN_SET_QOBJECT.enter(log, self.addr, self.world.literal(name), log.text(name), errp.addr)
        log.at(_LINE_SET_QOBJECT_CALL)
        self.property_set(QObjectInputVisitor(log, value, self.world.v7_2), name, errp)
        log.leave()

    def property_set_bool(self, value: bool, name: str, errp: Errp) -> None:
        """object_property_set_bool."""
        log = self.world.log
        FN_SET_BOOL.enter_at(log, _LINE_SET_BOOL_ENTRY, self.addr, 1 if value else 0, log.text(name), errp.addr)
        log.at(_LINE_SET_BOOL_CALL)
        self.property_set_qobject(value, name, errp)
        log.leave()

    def property_parse(self, string: str, name: str, errp: Errp) -> None:
        """object_property_parse: set from an option's text."""
        log = self.world.log
        FN_PARSE.enter(log, self.addr, log.text(string), log.text(name), errp.addr)
        self.property_set(StringInputVisitor(log, string, self.world.v7_2), name, errp)
        log.leave()

    def property_print(self, name: str, human: bool, errp: Errp) -> str:
        """object_property_print: the value as text, `human` as ``info qtree`` shows it."""
        prop = self._find_or_fail(name, errp)
        return "" if prop is None else prop.print(self, human, errp)

    def property_add_child(self, name: str, child: Object, errp: Errp) -> None:
        """object_property_add_child: `child` gets a parent, and the parent a reference to it."""
        log = self.world.log
        FN_ADD_CHILD.enter(log, self.addr, log.text(name), child.addr, errp.addr)
        if child.parent is not None:
            errp.set(log, "child object is already parented")
        else:
            prop = self.property_add(ChildProperty(name, child), errp)
            if prop is not None:
                child.ref()
                child.parent = self
                log.emit(EV_OBJ_CHILD, child.oid, self.oid, log.text(prop.name))
        log.leave()

    # -- casts --------------------------------------------------------------------------------------------------------
    def dynamic_cast(self, typename: str) -> Object | None:
        """The object when it is a `typename`, else None (object_dynamic_cast)."""
        return self if object_class_dynamic_cast(self.klass, typename) is not None else None

    def dynamic_cast_assert(self, typename: str, file: str, line: int, func: str) -> Object:
        """OBJECT_CHECK: remembers success in the class's cast cache; raises AssertionError with QEMU's text otherwise."""
        klass = self.klass
        if typename in klass.object_cast_cache:
            return self
        if self.dynamic_cast(typename) is None:
            raise AssertionError(f"{file}:{line}:{func}: Object {self.addr:#x} is not an instance of type {typename}")
        cast_cache_add(klass.object_cast_cache, typename)
        return self


def table_order(world: World, table: dict[str, ObjectProperty]) -> list[ObjectProperty]:
    """A table of properties as its iterator goes through it."""
    return [table[name] for name in hash_table_order(list(table))] if world.v7_2 else list(table.values())


def _init_with_type(obj: Object, impl: TypeImpl) -> None:
    """Run instance_init hooks, the root's first."""
    log = obj.world.log
    for ancestor in reversed(impl.chain()):
        hook = ancestor.info.instance_init
        if hook is not None:
            log.emit(EV_INSTANCE_INIT, obj.oid, log.text(ancestor.name), log.text(ancestor.info.instance_init_name))
            hook(obj)


def _post_init_with_type(obj: Object, impl: TypeImpl) -> None:
    """Run instance_post_init hooks, the leaf's first."""
    log = obj.world.log
    for ancestor in impl.chain():
        hook = ancestor.info.instance_post_init
        if hook is not None:
            log.emit(EV_INSTANCE_INIT, obj.oid, log.text(ancestor.name), log.text(ancestor.info.instance_post_init_name))
            hook(obj)


def object_initialize_with_type(world: World, impl: TypeImpl, addr: i64) -> Object:
    """Make an object of type `impl` in the memory at `addr` (0: allocate) and run its instance hooks; it has one reference."""
    klass = impl.initialize()
    assert not impl.abstract, f"type '{impl.name}' is abstract"
    log = world.log
    obj = impl.new_instance()
    size = impl.instance_size() or 0
    obj.world = world
    obj.klass = klass
    obj.oid = log.new_oid()
    obj.addr = addr or world.heap.alloc(f"object:{impl.name}", size)
    obj.ref_count = 1
    impl.instances += 1
    world.objects[obj.oid] = obj
    FN_INITIALIZE.enter(log, obj.addr, size, impl.addr)
    log.emit(EV_OBJ_NEW, obj.oid, log.text(impl.name), obj.addr, size)
    _init_with_type(obj, impl)
    _post_init_with_type(obj, impl)
    log.leave()
    return obj


def object_new(world: World, typename: str) -> Object:
    """An object of its own, with one reference (object_new); raises AssertionError for a type that is missing or abstract."""
    log = world.log
    FN_NEW.enter(log, log.text(typename))
    obj = object_initialize_with_type(world, world.types.get(typename), 0)
    log.leave(obj.addr)
    return obj


def object_initialize_child(parent: Object, propname: str, addr: i64, typename: str) -> Object:
    """An object inside its parent's memory, held by the parent's child property alone (object_initialize_child)."""
    world = parent.world
    log = world.log
    impl = world.types.get(typename)
    FN_INITIALIZE_CHILD.enter(log, parent.addr, log.text(propname), addr, impl.instance_size() or 0)
    obj = object_initialize_with_type(world, impl, addr)
    parent.property_add_child(propname, obj, AbortErrp())
    # the parent's property keeps it alive from here on
    obj.unref()
    log.leave()
    return obj


def object_finalize(obj: Object) -> None:
    """The last reference is gone: drop properties, run finalize hooks leaf first, free (object_finalize)."""
    log = obj.world.log
    FN_FINALIZE.enter(log, obj.addr)
    while obj.properties:
        name = next(iter(obj.properties))
        prop = obj.properties.pop(name)
        prop.release(obj)
    impl = obj.klass.type
    for ancestor in impl.chain():
        hook = ancestor.info.instance_finalize
        if hook is not None:
            hook(obj)
    assert obj.ref_count == 0, "object revived by its finalizer"
    impl.instances -= 1
    del obj.world.objects[obj.oid]
    log.emit(EV_OBJ_FREE, obj.oid)
    log.leave()


def object_resolve_path(world: World, path: str) -> Object | None:
    """The object at an absolute path, or the only one whose path ends so (object_resolve_path)."""
    parts = [part for part in path.split("/") if part]
    if path.startswith("/"):
        return _resolve_abs(world.root, parts)
    found = _resolve_partial(world.root, parts)
    return found[0] if len(found) == 1 else None


def _resolve_abs(start: Object, parts: list[str]) -> Object | None:
    here: Object | None = start
    for part in parts:
        if here is None:
            return None
        here = here.resolve_path_component(part)
    return here


def _resolve_partial(start: Object, parts: list[str]) -> list[Object]:
    found: list[Object] = []
    direct = _resolve_abs(start, parts)
    if direct is not None:
        found.append(direct)
    for child in start.children():
        found.extend(other for other in _resolve_partial(child, parts) if other not in found)
    return found
