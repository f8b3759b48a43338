"""Static properties: the tables that device classes carry (hw/core/qdev-properties.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from ringscope_core.hw.qdev.member import Member, to_signed
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.property import ObjectProperty, print_value
from ringscope_core.qom.visitor import PropValue, QObjectInputVisitor, Visitor

if TYPE_CHECKING:
    from ringscope_core.hw.qdev.device import DeviceState
    from ringscope_core.qom.object import Object

ON_OFF_AUTO: Final = ("auto", "on", "off")
ON_OFF_AUTO_AUTO: Final = 0
ON_OFF_AUTO_ON: Final = 1
ON_OFF_AUTO_OFF: Final = 2

EINVAL: Final = "doesn't take value '%s'"
ENOENT: Final = "can't find value '%s'"
EEXIST: Final = "can't take value '%s', it's in use"


class Property:
    """One static property (Property and its PropertyInfo): subclasses say how to parse, store and print."""

    def __init__(self, name: str, type_name: str, member: Member, default: PropValue, description: str = "") -> None:
        self.name: str = name
        self.type_name: str = type_name
        self.member: Member = member
        self.default: PropValue = default
        """None: the property has no default and the member stays as the instance was made."""
        self.description: str = description
        self.legacy_twin: bool = False
        """It prints in a form of its own, as ``legacy-NAME`` (PropertyInfo.print)."""

    def get(self, dev: DeviceState) -> PropValue:
        """The value as QOM shows it."""
        raise NotImplementedError

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        """Take a value from `visitor`; errors in QEMU's words."""
        raise NotImplementedError

    def print_legacy(self, dev: DeviceState) -> str | None:
        """The text of the ``legacy-`` twin, None for kinds that have none (PropertyInfo.print)."""
        return None

    def print_human(self, dev: DeviceState) -> str | None:
        """The text of ``info qtree``, None for kinds that print as any value of their QOM type."""
        return None

    def set_default_value(self, dev: DeviceState) -> None:
        """Store the default."""
        if self.default is not None:
            self.set(dev, QObjectInputVisitor(dev.world.log, self.default, dev.world.v7_2), self.name, AbortErrp())


def prop_error(dev: DeviceState, prop: Property, template: str, value: str, errp: Errp) -> None:
    """error_set_from_qdev_prop_error."""
    errp.set(dev.world.log, f"Property '{dev.typename}.{prop.name}' {template.replace('%s', value)}")


@final
class BitProperty(Property):
    """A bit of a 32 or 64 bit word (DEFINE_PROP_BIT, DEFINE_PROP_BIT64)."""

    def __init__(self, name: str, member: Member, bit: int, default: bool) -> None:
        super().__init__(name, "bool", member, default, "on/off")
        self.mask: int = 1 << bit

    def get(self, dev: DeviceState) -> PropValue:
        word = self.member.get(dev)
        assert isinstance(word, int)
        return (word & self.mask) != 0

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_bool(name, errp)
        if not errp.failed():
            word = self.member.get(dev)
            assert isinstance(word, int)
            word = word & 0xFFFFFFFFFFFFFFFF
            self.member.put(dev, to_signed(word | self.mask if value else word & ~self.mask))


@final
class BoolProperty(Property):
    """A bool of its own (DEFINE_PROP_BOOL)."""

    def __init__(self, name: str, member: Member, default: bool) -> None:
        super().__init__(name, "bool", member, default)

    def get(self, dev: DeviceState) -> PropValue:
        return bool(self.member.get(dev))

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_bool(name, errp)
        if not errp.failed():
            self.member.put(dev, value)


@final
class UintProperty(Property):
    """An unsigned integer of 8, 16, 32 or 64 bits (DEFINE_PROP_UINT8 .. DEFINE_PROP_UINT64)."""

    def __init__(self, name: str, member: Member, bits: int, default: int) -> None:
        super().__init__(name, f"uint{bits}", member, default)
        self.bits: int = bits

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        assert isinstance(value, int)
        return value & ((1 << self.bits) - 1)

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_uint(name, self.bits, errp)
        if not errp.failed():
            self.member.put(dev, to_signed(value))


@final
class Int32Property(Property):
    """A signed 32 bit integer (DEFINE_PROP_INT32, DEFINE_PROP_SIGNED)."""

    def __init__(self, name: str, member: Member, default: int) -> None:
        super().__init__(name, "int32", member, default)

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        assert isinstance(value, int)
        return value

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_int(name, 32, errp)
        if not errp.failed():
            self.member.put(dev, value)


@final
class StringProperty(Property):
    """A string; the member is ``str | None``, None for NULL (DEFINE_PROP_STRING)."""

    def __init__(self, name: str, member: Member) -> None:
        super().__init__(name, "str", member, None)

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        return value if isinstance(value, str) else ""

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_str(name, errp)
        if not errp.failed():
            self.member.put(dev, value)


@final
class OnOffAutoProperty(Property):
    """``on``, ``off`` or ``auto``; the member is an integer of `ON_OFF_AUTO` (DEFINE_PROP_ON_OFF_AUTO)."""

    def __init__(self, name: str, member: Member, default: str) -> None:
        super().__init__(name, "OnOffAuto", member, default, "on/off/auto")

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        assert isinstance(value, int)
        return ON_OFF_AUTO[value]

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_enum(name, ON_OFF_AUTO, errp)
        if not errp.failed():
            self.member.put(dev, value)


@final
class EnumProperty(Property):
    """One of `names`; the member is its place among them (PropertyInfo.enum_table)."""

    def __init__(self, name: str, type_name: str, member: Member, names: tuple[str, ...], default: str) -> None:
        super().__init__(name, type_name, member, default, "/".join(names))
        self.names: tuple[str, ...] = names

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        assert isinstance(value, int)
        return self.names[value]

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        value = visitor.type_enum(name, self.names, errp)
        if not errp.failed():
            self.member.put(dev, value)


SIZE_SUFFIXES: Final = {"B": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60}
SIZE_UNITS: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def size_to_str(value: int) -> str:
    """A number of bytes in the largest unit that leaves it above 1000 of the next smaller (size_to_str)."""
    place = 0
    scaled = float(value)
    while scaled >= 1000.0 and place < len(SIZE_UNITS) - 1:
        scaled /= 1024.0
        place += 1
    return f"{scaled:.3g} {SIZE_UNITS[place]}B"


@final
class SizeProperty(Property):
    """A number of bytes, 64 bits (DEFINE_PROP_SIZE); options may end in K, M, G, ..."""

    def __init__(self, name: str, member: Member, default: int) -> None:
        super().__init__(name, "size", member, default)

    def get(self, dev: DeviceState) -> PropValue:
        value = self.member.get(dev)
        assert isinstance(value, int)
        return value & 0xFFFFFFFFFFFFFFFF

    def set(self, dev: DeviceState, visitor: Visitor, name: str, errp: Errp) -> None:
        if isinstance(visitor, QObjectInputVisitor):
            value = visitor.type_uint64(name, errp)
        else:
            text = visitor.type_str(name, errp)
            shift = SIZE_SUFFIXES.get(text[-1:].upper(), -1)
            digits = text[:-1] if shift >= 0 else text
            if not digits.isdigit():
                visitor.bad_value(name, "size", errp)
                return
            value = int(digits) << max(shift, 0)
        if not errp.failed():
            self.member.put(dev, to_signed(value))

    def print_human(self, dev: DeviceState) -> str | None:
        value = self.get(dev)
        assert isinstance(value, int)
        return f"{value} ({size_to_str(value)})"


@final
class QdevObjectProperty(ObjectProperty):
    """The QOM property that stands for a static one (qdev_property_add_static)."""

    def __init__(self, prop: Property) -> None:
        super().__init__(prop.name, prop.type_name, True, True, prop.description)
        self.prop: Property = prop
        self.default = prop.default

    def get(self, obj: Object, errp: Errp) -> PropValue:
        return self.prop.get(as_device(obj))

    def set(self, obj: Object, visitor: Visitor, name: str, errp: Errp) -> None:
        dev = as_device(obj)
        if dev.realized:
            qdev_prop_set_after_realize(dev, name, errp)
            return
        self.prop.set(dev, visitor, name, errp)


@final
class LegacyObjectProperty(ObjectProperty):
    """The read-only ``legacy-`` twin of a property that prints in a form of its own (qdev_property_add_legacy)."""

    def __init__(self, prop: Property) -> None:
        super().__init__(f"legacy-{prop.name}", "str", True, False)
        self.prop: Property = prop

    def get(self, obj: Object, errp: Errp) -> PropValue:
        return self.prop.print_legacy(as_device(obj)) or ""

    def print(self, obj: Object, human: bool, errp: Errp) -> str:
        # info qtree shows these without quotes
        return print_value(self.get(obj, errp), False)


def as_device(obj: Object) -> DeviceState:
    """The object as a device."""
    from ringscope_core.hw.qdev.device import DeviceState

    assert isinstance(obj, DeviceState)
    return obj


def qdev_prop_set_after_realize(dev: DeviceState, name: str, errp: Errp) -> None:
    """The error of a static property that is set too late."""
    where = f"device '{dev.id}'" if dev.id else "anonymous device"
    errp.set(dev.world.log, f"Attempt to set property '{name}' on {where} (type '{dev.typename}') after it was realized")
