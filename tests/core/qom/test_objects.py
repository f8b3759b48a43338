"""Objects: references, the composition tree, properties, casts."""

from __future__ import annotations

import pytest

from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.object import Object, object_new
from ringscope_core.qom.property import StrObjectProperty
from ringscope_core.qom.types import TypeInfo
from ringscope_core.qom.world import World
from ringscope_core.trace.clock import Clock
from ringscope_core.trace.log import EventLog


@pytest.fixture
def world() -> World:
    return World(EventLog(Clock()))


def container(world: World) -> Object:
    return object_new(world, "container")


def test_a_child_is_held_by_its_parent_alone(world: World) -> None:
    child = container(world)
    world.root.property_add_child("kid", child, AbortErrp())
    assert child.ref_count == 2
    child.unref()
    assert child.canonical_path() == "/kid"
    assert world.resolve_path("/kid") is child
    child.unparent()
    assert child.ref_count == 0
    assert child.oid not in world.objects
    assert world.resolve_path("/kid") is None


def test_finalizing_a_parent_finalizes_its_children(world: World) -> None:
    parent, child = container(world), container(world)
    parent.property_add_child("kid", child, AbortErrp())
    child.unref()
    before = len(world.objects)
    parent.unref()
    assert len(world.objects) == before - 2


def test_array_names_take_the_first_free_number(world: World) -> None:
    for _ in range(3):
        child = container(world)
        world.root.property_add_child("part[*]", child, AbortErrp())
        child.unref()
    assert [child.path_component() for child in world.root.children()] == ["part[0]", "part[1]", "part[2]"]
    world.root.children()[1].unparent()
    child = container(world)
    world.root.property_add_child("part[*]", child, AbortErrp())
    assert child.path_component() == "part[1]"


def test_errors_of_properties_are_qemu_s(world: World) -> None:
    obj = container(world)
    errp = Errp()
    obj.property_get("nosuch", errp)
    assert errp.error is not None and errp.error.text == "Property '.nosuch' not found"
    errp = Errp()
    obj.property_set_qobject("x", "type", errp)
    assert errp.error is not None and errp.error.text == "Insufficient permission to perform this operation"
    errp = Errp()
    obj.property_add(StrObjectProperty("type", lambda o, e: ""), errp)
    assert errp.error is not None and errp.error.text == "attempt to add duplicate property 'type' to object (type 'container')"
    errp = Errp()
    world.root.property_add_child("kid", obj, AbortErrp())
    world.root.property_add_child("again", obj, errp)
    assert errp.error is not None and errp.error.text == "child object is already parented"


def test_partial_paths_resolve_when_unambiguous(world: World) -> None:
    outer, inner = container(world), container(world)
    world.root.property_add_child("outer", outer, AbortErrp())
    outer.property_add_child("inner", inner, AbortErrp())
    assert world.resolve_path("inner") is inner
    twin = container(world)
    world.root.property_add_child("inner", twin, AbortErrp())
    assert world.resolve_path("inner") is None
    assert world.resolve_path("outer/inner") is inner


def test_a_failed_cast_says_what_qemu_says(world: World) -> None:
    obj = container(world)
    assert obj.dynamic_cast("object") is obj
    assert obj.dynamic_cast("nosuch") is None
    with pytest.raises(AssertionError, match=rf"^a\.c:7:f: Object {obj.addr:#x} is not an instance of type interface$"):
        obj.dynamic_cast_assert("interface", "a.c", 7, "f")


def test_the_cast_cache_shifts_left(world: World) -> None:
    world.types.register(TypeInfo("middle", "container"))
    world.types.register(TypeInfo("leaf", "middle"))
    obj = object_new(world, "leaf")
    for name in ("container", "leaf", "container", "middle"):
        obj.dynamic_cast_assert(name, "a.c", 1, "f")
    assert obj.klass.object_cast_cache == ["", "container", "leaf", "middle"]


def test_an_error_is_set_once(world: World) -> None:
    errp = Errp(0x1000)
    local = errp.local(0x60)
    assert local.addr == 0xFA0
    local.set(world.log, "first", "try again")
    with pytest.raises(AssertionError):
        local.set(world.log, "second")
    other = Errp()
    local.propagate_to(other)
    assert not local.failed()
    assert other.error is not None and (other.error.text, other.error.hint) == ("first", "try again")
    with pytest.raises(AssertionError, match="unexpected error: first"):
        other.propagate_to(AbortErrp())


def test_addresses_that_are_facts_are_given_once(world: World) -> None:
    first = world.heap.alloc("object:virtio-net-pci", 42096)
    second = world.heap.alloc("object:virtio-net-pci", 42096)
    assert first == 0x555557293140
    assert second != first
    assert second in world.heap.modelled and first not in world.heap.modelled
    assert world.symbol("device_unparent") == 0x55555599AE70
    assert world.symbol("nosuch") == 0
