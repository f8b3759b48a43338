"""The ``bootindex`` property and the boot order it enters a device in (bootdevice.c)."""

from __future__ import annotations

from typing import final

from ringscope_core.hw.qdev.device import device_of
from ringscope_core.hw.qdev.member import Member
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.object import Object
from ringscope_core.qom.property import ObjectProperty
from ringscope_core.qom.visitor import PropValue, QObjectInputVisitor, Visitor


@final
class BootIndexProperty(ObjectProperty):
    """Place in the boot order, -1 for none; each place is taken once."""

    def __init__(self, name: str, member: Member, suffix: str) -> None:
        super().__init__(name, "int32", True, True)
        self.member: Member = member
        self.suffix: str = suffix

    def get(self, obj: Object, errp: Errp) -> PropValue:
        value = self.member.get(obj)
        assert isinstance(value, int)
        return value

    def set(self, obj: Object, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_int(name, 32, errp)
        if errp.failed():
            return
        order = obj.world.boot_order
        if value >= 0 and value in order:
            errp.set(obj.world.log, f"The bootindex {value} has already been used")
            return
        self._leave(obj)
        self.member.put(obj, value)
        if value >= 0:
            order[value] = obj.oid

    def _leave(self, obj: Object) -> None:
        order = obj.world.boot_order
        for index in [index for index, oid in order.items() if oid == obj.oid]:
            del order[index]

    def release(self, obj: Object) -> None:
        self._leave(obj)


def device_add_bootindex_property(obj: Object, member: Member, name: str, suffix: str) -> None:
    """Give a device its place in the boot order, at first none (device_add_bootindex_property)."""
    prop = BootIndexProperty(name, member, suffix)
    device_of(obj).property_add(prop, AbortErrp())
    prop.set(obj, QObjectInputVisitor(obj.world.log, -1), name, AbortErrp())
