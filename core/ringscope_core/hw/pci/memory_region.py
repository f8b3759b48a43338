"""MemoryRegion: a piece of address space that a device answers (memory.c), and how accesses reach it."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from ringscope_core.qom.calls import declare
from ringscope_core.qom.errp import AbortErrp, Errp
from ringscope_core.qom.object import Object, object_initialize_with_type
from ringscope_core.qom.property import LinkProperty, ObjectProperty
from ringscope_core.qom.types import TypeInfo, TypeTable
from ringscope_core.qom.visitor import PropValue
from ringscope_core.trace.bits import ones
from ringscope_core.trace.fields import field

F_NAME: Final[i64] = field("MemoryRegion.name", "str")
F_SIZE: Final[i64] = field("MemoryRegion.size", "bytes")
F_ADDR: Final[i64] = field("MemoryRegion.addr", "gpa")
F_CONTAINER: Final[i64] = field("MemoryRegion.container", "ptr")
F_ENABLED: Final[i64] = field("MemoryRegion.enabled", "bool")
F_OWNER: Final[i64] = field("MemoryRegion.owner", "ptr")

FN_INIT = declare("memory_region_init", "mr:ptr owner:ptr name:str size:bytes")
FN_ADD_SUBREGION = declare("memory_region_add_subregion", "mr:ptr offset:flags subregion:ptr")


class RegionOps:
    """What a region does with accesses (MemoryRegionOps).  Offsets count from the region's start."""

    def __init__(self, valid_min: i64 = 1, valid_max: i64 = 4) -> None:
        self.valid_min: i64 = valid_min
        """Smaller accesses are refused: they read 0 and write nothing."""
        self.valid_max: i64 = valid_max
        """Larger accesses are split."""

    def read(self, offset: i64, size: i64) -> i64:
        """Value at `offset`; `size` is 1, 2 or 4."""
        raise NotImplementedError

    def write(self, offset: i64, size: i64, value: i64) -> None:
        """Write at `offset`."""
        raise NotImplementedError


@final
class RomOps(RegionOps):
    """Memory that reads as zeros and takes no writes: an option ROM without its content."""

    def read(self, offset: i64, size: i64) -> i64:
        return 0

    def write(self, offset: i64, size: i64, value: i64) -> None:
        """Dropped."""


@final
class MemoryRegion(Object):
    """A region: either `ops` answer it, or it is a container of subregions."""

    def __init__(self) -> None:
        super().__init__()
        self.name: str = ""
        self.size: i64 = 0
        self.offset: i64 = 0
        """MemoryRegion.addr: where it starts in its container."""
        self.container: MemoryRegion | None = None
        self.enabled: bool = False
        self.ops: RegionOps | None = None
        self.subregions: list[MemoryRegion] = []
        self.owner_addr: i64 = 0
        self.hole: i64 = 0
        """What each byte of a container reads as where no subregion answers: 0 in memory space, 0xff in I/O space."""
        self._leaf_base: i64 = 0
        """Where, in this region, the leaf that `_leaf` found last starts."""
        self._part: i64 = 0
        """What `_read_step` read."""

    def snapshot(self, fields: dict[int, int]) -> None:
        container = self.container
        fields[F_NAME] = self.world.log.text(self.name)
        fields[F_SIZE] = self.size
        fields[F_ADDR] = self.offset
        fields[F_CONTAINER] = 0 if container is None else container.addr
        fields[F_ENABLED] = 1 if self.enabled else 0
        fields[F_OWNER] = self.owner_addr

    def set_enabled(self, enabled: bool) -> None:
        """memory_region_set_enabled."""
        self.world.log.field(self.oid, F_ENABLED, 1 if enabled else 0, 1 if self.enabled else 0)
        self.enabled = enabled

    def add_subregion(self, offset: i64, sub: MemoryRegion) -> None:
        """memory_region_add_subregion."""
        log = self.world.log
        FN_ADD_SUBREGION.enter(log, self.addr, offset, sub.addr)
        log.field(sub.oid, F_ADDR, offset, sub.offset)
        log.field(sub.oid, F_CONTAINER, self.addr, 0)
        sub.offset = offset
        sub.container = self
        self.subregions.append(sub)
        log.leave()

    def del_subregion(self, sub: MemoryRegion) -> None:
        """memory_region_del_subregion."""
        self.world.log.field(sub.oid, F_CONTAINER, 0, self.addr)
        sub.container = None
        self.subregions.remove(sub)

    def read(self, offset: i64, size: i64) -> i64:
        """Read 1, 2, 4 or 8 bytes at `offset`, split as the memory core splits."""
        if size > 4:
            return self._read_wide(offset, size)
        value: i64 = 0
        done: i64 = 0
        while done < size:
            step = self._read_step(offset + done, size - done)
            value |= self._part << (8 * done)
            done += step
        return value

    def _read_wide(self, offset: i64, size: i64) -> i64:
        """8 bytes, as a signed number."""
        total: int = 0
        done: i64 = 0
        while done < size:
            step = self._read_step(offset + done, size - done)
            total |= int(self._part) << int(8 * done)
            done += step
        return total - (1 << 64) if total >= 1 << 63 else total

    def _read_step(self, offset: i64, length: i64) -> i64:
        """Read as much as one access takes into `_part`; returns how many bytes that is."""
        leaf = self._leaf(offset)
        if leaf is None:
            self._part = self.hole
            return 1
        ops = leaf.ops
        assert ops is not None
        inner = offset - self._leaf_base
        step = access_size(length, inner, leaf.size - inner, ops.valid_max)
        self._part = ops.read(inner, step) & ones(step) if step >= ops.valid_min else 0
        return step

    def write(self, offset: i64, size: i64, value: i64) -> None:
        """Write up to 8 bytes at `offset`, split as the memory core splits."""
        done: i64 = 0
        while done < size:
            at = offset + done
            leaf = self._leaf(at)
            if leaf is None:
                done += 1
                continue
            ops = leaf.ops
            assert ops is not None
            inner = at - self._leaf_base
            step = access_size(size - done, inner, leaf.size - inner, ops.valid_max)
            if step >= ops.valid_min:
                ops.write(inner, step, value >> (8 * done) & ones(step))
            done += step

    def _leaf(self, offset: i64) -> MemoryRegion | None:
        """The region that answers at `offset`, None where none does."""
        if self.ops is not None:
            self._leaf_base = 0
            return self
        for sub in self.subregions:
            start = sub.offset
            if sub.ops is not None and offset >= start and offset - start < sub.size:
                self._leaf_base = start
                return sub
        return None


def access_size(length: i64, offset: i64, room: i64, largest: i64) -> i64:
    """The next step of an access: a power of two, at most `largest`, aligned at `offset`, within `room` (memory_access_size)."""
    step = largest
    alignment = offset & -offset
    if alignment != 0 and alignment < step:
        step = alignment
    if length < step:
        step = length
    if room < step:
        step = room
    power: i64 = 1
    while power * 2 <= step:
        power *= 2
    return power


# -- QOM --------------------------------------------------------------------------------------------------------------
def region_of(obj: Object) -> MemoryRegion:
    """MEMORY_REGION."""
    assert isinstance(obj, MemoryRegion)
    return obj


def _container(obj: Object) -> Object | None:
    return region_of(obj).container


@final
class RegionNumber(ObjectProperty):
    """The read-only properties ``addr``, ``priority`` and ``size``."""

    def __init__(self, name: str, type_name: str) -> None:
        super().__init__(name, type_name, True, False)

    def get(self, obj: Object, errp: Errp) -> PropValue:
        region = region_of(obj)
        if self.name == "addr":
            return int(region.offset)
        if self.name == "size":
            return int(region.size) & 0xFFFFFFFFFFFFFFFF
        return 0


def memory_region_initfn(obj: Object) -> None:
    """instance_init of "memory-region"."""
    region = region_of(obj)
    obj.property_add(LinkProperty("container", "memory-region", _container), AbortErrp())
    obj.property_add(RegionNumber("addr", "uint64"), AbortErrp())
    obj.property_add(RegionNumber("priority", "uint32"), AbortErrp())
    obj.property_add(RegionNumber("size", "uint64"), AbortErrp())
    region.set_enabled(True)


def memory_region_finalize(obj: Object) -> None:
    """instance_finalize of "memory-region": subregions leave it."""
    region = region_of(obj)
    assert region.container is None, "a mapped region is finalized"
    for sub in list(region.subregions):
        region.del_subregion(sub)


def memory_region_init(owner: Object, addr: i64, name: str, size: i64, ops: RegionOps | None = None) -> MemoryRegion:
    """A region inside its owner's memory at `addr`, held by the owner's child property ``name[N]`` alone."""
    world = owner.world
    log = world.log
    FN_INIT.enter(log, addr, owner.addr, log.text(name), size)
    region = region_of(object_initialize_with_type(world, world.types.get("memory-region"), addr))
    log.field(region.oid, F_NAME, log.text(name), 0)
    log.field(region.oid, F_SIZE, size, 0)
    log.field(region.oid, F_OWNER, owner.addr, 0)
    region.name = name
    region.size = size
    region.owner_addr = owner.addr
    region.ops = ops
    owner.property_add_child(f"{name}[*]", region, AbortErrp())
    region.unref()
    log.leave()
    return region


def register_memory_types(table: TypeTable) -> None:
    """Register "memory-region"."""
    table.register(
        TypeInfo(
            "memory-region",
            "object",
            instance_struct="MemoryRegion",
            instance_size=240,
            instance_new=MemoryRegion,
            instance_init=memory_region_initfn,
            instance_init_name="memory_region_initfn",
            instance_finalize=memory_region_finalize,
            instance_finalize_name="memory_region_finalize",
            file_line="memory.c:3245",
        )
    )
