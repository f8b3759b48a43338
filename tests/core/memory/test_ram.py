"""Guest RAM: inside, across the end, and where there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringscope_core.memory.ram import PAGE, GuestMemory, RamRegion, anonymous_ram, pc_ram

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


def table_at(memory: GuestMemory, gpa: int, length: int) -> bytes:
    at = memory.find_table(gpa, length)
    return memory.table[at : at + length]


@given(
    places=st.lists(st.tuples(st.integers(0, 5 * PAGE - 64), st.integers(1, 4)), min_size=1, max_size=40),
    turns=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_a_table_is_what_memory_holds_in_this_turn(places: list[tuple[int, int]], turns: list[bool]) -> None:
    """Whichever tables are read in whichever order, across pages too; what is written meanwhile shows once the turn ends."""
    memory = anonymous_ram(8 * PAGE)
    for step, ((gpa, entries), ends) in enumerate(zip(places, turns, strict=False)):
        length = 16 * entries
        content = bytes([step + 1]) * length
        held = memory.held(gpa, length)
        memory.write(gpa, content)
        if held or ends:
            memory.turn += 1
        assert table_at(memory, gpa, length) == content


@given(gpa=st.integers(-(2**63), 2**63 - 1), length=st.integers(1, 3 * PAGE // 16))
def test_a_table_anywhere_is_read_whole(gpa: int, length: int) -> None:
    memory = pc_ram(1 << 21)
    for _ in range(3):
        assert len(table_at(memory, gpa, 16 * length)) == 16 * length


def test_what_is_remembered_is_held_until_the_turn_ends() -> None:
    memory = anonymous_ram(8 * PAGE)
    memory.hold(PAGE + 100, PAGE)
    assert [memory.held(page * PAGE, 1) for page in range(4)] == [False, True, True, False]
    assert memory.held(0, PAGE + 1)
    assert not memory.held(0, PAGE)
    assert not memory.held(PAGE, 0)
    memory.turn += 1
    assert not memory.held(PAGE, 2 * PAGE)


def test_outside_the_pages_that_are_counted_everything_counts_as_held() -> None:
    memory = two_regions()
    assert memory.held(0x10000, 1)
    assert memory.held(SIZE - 1, 2)
    assert not memory.held(0, SIZE)
    memory.hold(0x10000, 1)
    assert memory.held(0, 1)


def test_a_pcs_low_ram_is_ram() -> None:
    memory = pc_ram(1 << 21)
    for gpa in (0, 0x9F000, 0xE8000, 0x100000, 0x1FFFF0):
        memory.write(gpa, b"ringscope")
        assert memory.read(gpa, 9) == b"ringscope"
        memory.hold(gpa, 9)
        assert memory.held(gpa + 8, 1)
    assert bytes(memory.view[0x9F000:0x9F009]) == b"ringscope"
    memory.write(0xBFFFE, b"wxyz")
    assert memory.read(0xBFFFE, 4) == b"wx\0\0"
