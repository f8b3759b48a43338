"""Guest RAM: inside, across the end, and where there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.memory.ram import GuestMemory, RamRegion, anonymous_ram

SIZE = 8192


def two_regions() -> GuestMemory:
    """RAM at 0..8191 and at 0x10000..0x11fff."""
    return GuestMemory([RamRegion(0, SIZE, memoryview(bytearray(SIZE))), RamRegion(0x10000, SIZE, memoryview(bytearray(SIZE)))])


def test_what_is_written_is_read() -> None:
    memory = two_regions()
    memory.write(0x10010, b"abc")
    memory.write_u16(100, 0xBEEF)
    assert memory.read(0x1000F, 5) == b"\0abc\0"
    assert (memory.read_u16(100), memory.read(100, 2)) == (0xBEEF, b"\xef\xbe")


def test_beyond_ram_reads_zeros_and_drops_writes() -> None:
    memory = two_regions()
    memory.write(SIZE - 2, b"wxyz")
    assert memory.read(SIZE - 2, 4) == b"wx\0\0"
    assert memory.read(0x9000, 3) == bytes(3)


def test_the_mapped_length_ends_with_the_region() -> None:
    memory = two_regions()
    assert memory.mapped_length(0, SIZE) == SIZE
    assert memory.mapped_length(SIZE - 3, 10) == 3
    assert memory.mapped_length(0x9000, 10) == 0
    assert memory.mapped_length(-8, 4) == 0


def test_a_section_ends_with_what_it_is_of() -> None:
    memory = two_regions()
    memory.add_rom(0x30000, b"rom")
    assert memory.section_length(SIZE - 3, 10) == 3
    assert memory.section_length(SIZE, 1 << 20) == 0x10000 - SIZE
    assert memory.section_length(0x30001, 10) == 2
    assert memory.section_length(1 << 62, 1 << 20) == 1 << 20
    assert memory.section_length(-0x10, 0x100) == 0x10
    assert memory.section_length(-(2**63), 0x100) == 0x100


def test_a_table_that_nobody_has_is_read_at_its_offset() -> None:
    memory = two_regions()
    memory.write(0, bytes(range(64)))
    nobody = 1 << 40
    assert memory.cached_table(nobody, 32) == bytes(4) + bytes(range(4, 16)) + bytes(4) + bytes(range(20, 32))
    assert memory.cached_table(nobody + 1, 16) == bytes(1) + bytes(range(1, 16))
    memory.cached_write(nobody, 36, b"\xaa" * 8)
    assert memory.read(36, 12) == bytes(range(36, 40)) + b"\xaa" * 4 + bytes(range(44, 48))


@given(gpa=st.integers(-(2**63), 2**63 - 1), data=st.binary(max_size=64))
def test_no_address_harms(gpa: int, data: bytes) -> None:
    memory = two_regions()
    memory.write(gpa, data)
    assert len(memory.read(gpa, len(data))) == len(data)


@pytest.mark.parametrize("size", [0, 100, -4096])
def test_odd_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4096"):
        anonymous_ram(size)
