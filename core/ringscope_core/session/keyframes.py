"""A machine's whole state as a blob: msgpack, checked against a declared shape when it is read."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from ringscope_core.session.packing import pack, unpack
from ringscope_core.trace.state import MachineState

MAX_KEYFRAME: Final = 64 << 20
MAX_RING: Final = 32768

_Word = Annotated[int, msgspec.Meta(ge=-(2**63), lt=2**63)]
_Ring = Annotated[bytes, msgspec.Meta(max_length=8 * MAX_RING * 16)]


class _RingDoc(msgspec.Struct):
    num: Annotated[int, msgspec.Meta(ge=1, le=MAX_RING)]
    desc_gpa: int
    avail_gpa: int
    used_gpa: int
    desc: _Ring
    avail: _Ring
    used: _Ring
    indirect: dict[int, _Ring]
    packed: bool = False

    def __post_init__(self) -> None:
        """A ring's memory has the size that its layout and number of descriptors give it."""
        sizes = (16 * self.num, 4, 4) if self.packed else (16 * self.num, 6 + 2 * self.num, 6 + 8 * self.num)
        if (len(self.desc), len(self.avail), len(self.used)) != sizes:
            raise ValueError(f"ring memory of {len(self.desc)}, {len(self.avail)} and {len(self.used)} bytes for {self.num} descriptors")


class _StateDoc(msgspec.Struct):
    seq: int
    vt: int
    wall: int
    run_state: int
    level: int
    objects: dict[int, Annotated[list[int], msgspec.Meta(min_length=7, max_length=7)]]
    fields: dict[int, dict[int, int]]
    rings: dict[int, _RingDoc]
    stack: list[Annotated[list[int], msgspec.Meta(min_length=7, max_length=7)]]


_DECODER: Final = msgspec.msgpack.Decoder(_StateDoc)


def encode(plain: dict[str, Any]) -> bytes:
    """`MachineState.to_plain()` as a blob."""
    return pack(msgspec.msgpack.encode(plain))


def decode(blob: bytes) -> MachineState:
    """The inverse of `encode`; raises PackingError or msgspec.ValidationError for anything that is not a state."""
    doc = _DECODER.decode(unpack(blob, MAX_KEYFRAME))
    plain: dict[str, Any] = msgspec.structs.asdict(doc)
    plain["rings"] = {oid: msgspec.structs.asdict(ring) for oid, ring in doc.rings.items()}
    return MachineState.from_plain(plain)


def copy(state: MachineState) -> MachineState:
    """An independent copy, to fold further."""
    return MachineState.from_plain(state.to_plain())
