"""The types at the root of everything: object, interface, container (qom/object.c, qom/container.c)."""

from __future__ import annotations

from ringscope_core.qom.errp import Errp
from ringscope_core.qom.klass import InterfaceClass, ObjectClass
from ringscope_core.qom.object import Object
from ringscope_core.qom.property import StrObjectProperty
from ringscope_core.qom.types import TypeInfo, TypeTable


def _get_type(obj: Object, errp: Errp) -> str:
    return obj.typename


def object_class_init(klass: ObjectClass) -> None:
    """The class property ``type`` (object.c:2521)."""
    klass.properties["type"] = StrObjectProperty("type", _get_type)


def register_base_types(table: TypeTable) -> None:
    """Register what every other type hangs from."""
    table.register(
        TypeInfo(
            "interface",
            class_size=112,
            class_struct="InterfaceClass",
            abstract=True,
            class_new=InterfaceClass,
            file_line="qom/object.c:2529",
        )
    )
    table.register(
        TypeInfo(
            "object",
            instance_size=40,
            instance_struct="Object",
            class_size=96,
            class_struct="ObjectClass",
            abstract=True,
            instance_new=Object,
            class_new=ObjectClass,
            class_init=object_class_init,
            class_init_name="object_class_init",
            file_line="qom/object.c:2535",
        )
    )
    table.register(TypeInfo("container", "object", file_line="qom/container.c"))
