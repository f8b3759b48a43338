"""The type table as plain data: what ``ringscope types --json`` prints and the Types view shows."""

from __future__ import annotations

from ringscope_core.qom.types import TypeImpl
from ringscope_core.qom.world import World

TypeRow = dict[str, str | int | bool | list[str] | None]


def _row(impl: TypeImpl, of_4_1: bool) -> TypeRow:
    info = impl.info
    return {
        "name": info.name,
        "parent": info.parent or None,
        "abstract": info.abstract,
        "interfaces": list(info.interfaces),
        "instance_struct": impl.instance_struct() or None,
        "instance_size": impl.instance_size() if of_4_1 else None,
        "class_struct": impl.class_struct() or None,
        "class_size": impl.class_size() if of_4_1 else None,
        "instance_init": info.instance_init_name or None,
        "instance_post_init": info.instance_post_init_name or None,
        "instance_finalize": info.instance_finalize_name or None,
        "class_init": info.class_init_name or None,
        "class_base_init": info.class_base_init_name or None,
        "file": (info.file_line or None) if of_4_1 else None,
        "instances": impl.instances,
        "addr": int(impl.addr),
        "name_addr": int(impl.name_addr),
        "parent_addr": int(impl.parent_addr),
        "class_addr": int(impl.klass.addr) if impl.klass is not None else 0,
    }


def types_json(world: World) -> list[TypeRow]:
    """Every registered type in the order of registration.

    Structures and sizes are inherited where the type gives none, null where they are not known; hooks are the type's own.
    Sizes and places in the source are known of 4.1.0 alone, so profile 7.2 has none.
    `instances` counts live objects of exactly this type; `addr`, `name_addr`, `parent_addr` and `class_addr` are where the TypeImpl, its
    copies of the names and the class lie, 0 when there is none yet.
    """
    return [_row(impl, not world.v7_2) for impl in world.types.all()]
