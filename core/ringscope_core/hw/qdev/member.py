"""Where a static property keeps its value: a path of attributes from the device, and the field that its events name."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from ringscope_core.qom.object import Object
from ringscope_core.qom.world import World
from ringscope_core.trace.fields import field
from ringscope_core.trace.kinds import EV_FIELD

_I64_MAX = (1 << 63) - 1


def to_signed(value: int) -> int:
    """The signed twin of a 64 bit unsigned value."""
    return value - (1 << 64) if value > _I64_MAX else value


def field_value(world: World, value: object) -> i64:
    """What an event says of a value: bool as 0 or 1, text by its string id, bytes as a big-endian number."""
    if isinstance(value, bool):
        return 1 if value else 0
    if isinstance(value, int):
        return to_signed(value)
    if isinstance(value, str):
        return world.log.text(value)
    if isinstance(value, bytes):
        return int.from_bytes(value, "big")
    return 0


@final
class Member:
    """The C structure member a property stands for: `path` from the device, `full` as ``Struct.field`` of `trace.fields` ("" for none)."""

    def __init__(self, path: str, full: str = "", unit: str = "") -> None:
        self.parts: list[str] = path.split(".")
        self.field_id: i64 = field(full, unit) if full else -1

    def _owner(self, obj: Object) -> object:
        owner: object = obj
        for part in self.parts[:-1]:
            owner = getattr(owner, part)
        return owner

    def get(self, obj: Object) -> object:
        """The member's value."""
        return getattr(self._owner(obj), self.parts[-1])

    def put(self, obj: Object, value: object) -> None:
        """Store a value and record it."""
        owner = self._owner(obj)
        if self.field_id >= 0:
            world = obj.world
            old = field_value(world, getattr(owner, self.parts[-1]))
            world.log.emit(EV_FIELD, obj.oid, self.field_id, field_value(world, value), old)
        setattr(owner, self.parts[-1], value)

    def snapshot(self, obj: Object, fields: dict[int, int]) -> None:
        """Put the member's value into a keyframe."""
        if self.field_id >= 0:
            fields[self.field_id] = field_value(obj.world, self.get(obj))
