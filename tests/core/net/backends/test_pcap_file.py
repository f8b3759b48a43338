"""Capture files of every kind are read whole, in order, with their times; what is no capture is refused in one line."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringscope_core.net.backends.pcap_file import Capture
from ringscope_core.net.backends.pcap_writer import CaptureWriter
from ringscope_core.net.errors import NetOptionError
from tests.core.net.backends.captures import Frame, block, enhanced, interface, obsolete, option, pcap, section, simple

FRAMES: list[Frame] = [
    (1_700_000_000_123_456_789, b"\x01"),
    (1_700_000_000_123_457_000, bytes(range(60))),
    (1_700_000_001_000_000_001, b"jumbo" * 13045),
    (1_700_000_000_999_999_999, b"x" * 70000),
]


def load(path: Path, data: bytes) -> Capture:
    path.write_bytes(data)
    return Capture.open(str(path))


def frames_of(capture: Capture) -> list[Frame]:
    found = [(capture.time_ns(index), capture.frame(index)) for index in range(len(capture))]
    assert [capture.length(index) for index in range(len(capture))] == [len(frame) for _, frame in found]
    capture.close()
    return found


def in_us(frames: list[Frame]) -> list[Frame]:
    return [(time_ns // 1000 * 1000, frame) for time_ns, frame in frames]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_in_both_byte_orders_and_units(tmp_path: Path, order: str) -> None:
    assert frames_of(load(tmp_path / "a", pcap(FRAMES, order))) == in_us(FRAMES)
    assert frames_of(load(tmp_path / "b", pcap(FRAMES, order, 0xA1B23C4D))) == FRAMES
    assert frames_of(load(tmp_path / "c", pcap(FRAMES, order, 0xA1B2CD34))) == in_us(FRAMES)


def test_frames_can_be_read_in_any_order(tmp_path: Path) -> None:
    capture = load(tmp_path / "a", pcap(FRAMES * 20))
    assert [len(capture.frame(index)) for index in (79, 0, 42, 1, 3)] == [70000, 1, 65225, 60, 70000]
    capture.close()


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_sections_interfaces_and_resolutions(tmp_path: Path, order: str) -> None:
    other = "<" if order == ">" else ">"
    nanoseconds = option(9, b"\x09", order)
    binary = option(9, bytes((0x80 | 20,)), order) + option(14, struct.pack(order + "q", 1000), order) + option(0, b"", order)
    data = (
        section(order)
        + interface(order)
        + interface(order, options=nanoseconds)
        + block(order, 5, bytes(12))
        + enhanced(b"us", 1_500_000, 0, order)
        + enhanced(b"ns!", 1_500_000_001, 1, order)
        + interface(order, options=binary)
        + enhanced(b"bin", 3 << 19, 2, order)
        + simple(b"simple", order=order)
        + obsolete(b"old", 7, 0, order)
        + section(other)
        + interface(other, options=option(2, b"eth0\0", other))
        + enhanced(b"second section", 2**40, 0, other)
    )
    assert frames_of(load(tmp_path / "a", data)) == [
        (1_500_000_000, b"us"),
        (1_500_000_001, b"ns!"),
        (1_001_500_000_000, b"bin"),
        (1_001_500_000_000, b"simple"),
        (7_000, b"old"),
        (2**40 * 1000, b"second section"),
    ]


def test_interfaces_that_are_not_ethernet_are_left_out_with_a_warning(tmp_path: Path) -> None:
    capture = load(tmp_path / "a", section() + interface(linktype=113) + interface() + enhanced(b"sll") + enhanced(b"eth", 0, 1))
    assert capture.warnings == [f"capture '{tmp_path / 'a'}': 1 frames of interfaces that are not Ethernet are left out"]
    assert [frame for _, frame in frames_of(capture)] == [b"eth"]


def test_snapped_and_empty_records_are_told(tmp_path: Path) -> None:
    data = section() + interface(snaplen=4) + simple(b"four", 9) + enhanced(b"") + enhanced(b"ok")
    capture = load(tmp_path / "a", data)
    assert [frame for _, frame in frames_of(capture)] == [b"four", b"ok"]
    name = tmp_path / "a"
    assert capture.warnings == [
        f"capture '{name}': 1 frames are cut by its snap length; what was captured of them is replayed",
        f"capture '{name}': 1 records without a byte are left out",
    ]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_file_cut_anywhere_keeps_its_whole_records_and_warns(tmp_path: Path, kind: str) -> None:
    frames = [(1000 * n, bytes((n,)) * (n + 1)) for n in range(4)]
    if kind == "pcap":
        head, records = 24, [16 + n + 1 for n in range(4)]
        data = pcap(frames)
    else:
        start = section() + interface()
        blocks = [enhanced(frame, time_ns // 1000) for time_ns, frame in frames]
        head, records = len(start), [len(one) for one in blocks]
        data = start + b"".join(blocks)
    ends = [head + sum(records[: n + 1]) for n in range(4)]
    for length in range(ends[0], len(data)):
        capture = load(tmp_path / "cut", data[:length])
        whole = sum(end <= length for end in ends)
        assert frames_of(capture) == frames[:whole]
        told = [] if length in ends else [f"its {whole} whole records are used"]
        assert [line.rsplit(": ", 1)[1] for line in capture.warnings] == told


def refused(path: Path, data: bytes) -> str:
    with pytest.raises(NetOptionError) as caught:
        load(path, data)
    assert "\n" not in caught.value.text and caught.value.field == "file" and caught.value.value == str(path)
    assert str(path) in caught.value.text
    return caught.value.text.replace(str(path), "F")


def test_what_is_no_capture_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    needed = "a pcap or pcapng capture of link type Ethernet is needed"
    frame = [(0, b"frame")]
    assert refused(path, b"") == f"file 'F' is empty: {needed}"
    assert refused(path, b"\xd4\xc3") == f"file 'F' is not a capture: {needed}"
    assert refused(path, b"#!/bin/sh\n" * 9) == f"file 'F' is not a capture: {needed}"
    assert refused(path, b"\x1f\x8b\x08\0" + bytes(50)) == f"file 'F' is compressed with gzip: {needed}"
    assert refused(path, b"snoop\0\0\0" + bytes(50)) == f"file 'F' is a snoop capture: {needed}"
    assert refused(path, pcap(frame)[:23]) == "capture 'F' ends inside its header"
    assert refused(path, section()[:20]) == "capture 'F' ends inside its header"
    assert refused(path, pcap([])) == "capture 'F' holds no frame: a pcap or pcapng capture of link type Ethernet with frames is needed"
    assert refused(path, pcap(frame)[:-1]).startswith("capture 'F' holds no frame")
    assert refused(path, section() + interface()).startswith("capture 'F' holds no frame")
    assert refused(path, section() + interface(linktype=101) + enhanced(b"ip")).startswith("capture 'F' holds only frames that are not Ethernet")
    assert refused(path, pcap(frame, linktype=276)) == "capture 'F' has link type 276 (Linux cooked v2): 1 (Ethernet) is needed"
    assert refused(path, pcap(frame, version=(1, 0))) == "capture 'F' has pcap version 1.0: 2.4 is needed"
    assert refused(path, section(major=2)) == "capture 'F' has pcapng version 2.0: 1.0 is needed"


def test_damage_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x"
    whole = pcap([(0, b"frame")])
    assert refused(path, whole + struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 5)) == "capture 'F' is damaged at byte 45: a frame of 2147483647 bytes"
    start = section() + interface()
    at = len(start)
    assert refused(path, start + enhanced(b"x", number=3)) == f"capture 'F' is damaged at byte {at}: a packet of interface 3, which was not described"
    assert refused(path, start + enhanced(b"x", captured=9)) == f"capture 'F' is damaged at byte {at}: a frame of 9 bytes in a block with room for 4"
    assert refused(path, start + block("<", 6, b"tiny")) == f"capture 'F' is damaged at byte {at}: a block with 4 bytes inside, 20 are needed"
    assert refused(path, start + struct.pack("<III", 6, 13, 0)) == f"capture 'F' is damaged at byte {at}: a block of 13 bytes"
    assert refused(path, start + enhanced(b"x")[:-4] + b"\0\0\0\0") == f"capture 'F' is damaged at byte {at}: a block of 36 bytes that ends as one of 0"
    assert refused(path, section()[:8] + b"\0\0\0\0" + section()[12:]) == "capture 'F' is damaged at byte 0: a section without byte order"
    assert refused(path, section() + interface(options=struct.pack("<HH", 2, 99))) == "capture 'F' is damaged at byte 28: an option that leaves its block"


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, text in (
        (str(tmp_path / "none"), f"Could not open '{tmp_path / 'none'}': No such file or directory"),
        (str(tmp_path), f"'{tmp_path}' is not a regular file"),
        (str(fifo), f"'{fifo}' is not a regular file"),
        ("a\0b", "Could not open 'a\\x00b': embedded null byte"),
    ):
        with pytest.raises(NetOptionError) as caught:
            Capture.open(path)
        assert caught.value.text == text


def test_a_capture_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    capture = load(tmp_path / "a", pcap([(0, b"f" * 60000)] * 40))
    os.truncate(tmp_path / "a", 100)
    with pytest.raises(NetOptionError, match="was cut while it was being replayed"):
        for index in range(40):
            capture.frame(index)
    capture.close()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "pcap", "pcapng"]), st.integers(0, 300), st.integers(0, 255))
def test_any_bytes_are_a_capture_or_one_clear_error(tmp_path_factory: pytest.TempPathFactory, tail: bytes, kind: str, at: int, value: int) -> None:
    start = {"": b"", "pcap": pcap(FRAMES[:2]), "pcapng": section() + interface() + enhanced(b"x" * 9)}[kind]
    data = bytearray(start + tail)
    if data:
        data[at % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "fuzz"
    try:
        capture = load(path, bytes(data))
    except NetOptionError as error:
        assert "\n" not in error.text and len(error.text) < 400 + len(str(path))
    else:
        assert all(len(frame) > 0 for _, frame in frames_of(capture))


def test_what_is_written_appears_when_it_is_whole_and_dpkt_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    writer = CaptureWriter(str(path))
    for time_ns, frame in FRAMES:
        writer.write(time_ns, frame)
    assert not path.exists()
    writer.close()
    writer.close()
    assert [one.name for one in tmp_path.iterdir()] == ["out.pcap"]
    with path.open("rb") as file:
        assert [frame for _, frame in dpkt.pcap.Reader(file)] == [frame for _, frame in FRAMES]
    assert frames_of(Capture.open(str(path))) == FRAMES


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(NetOptionError, match="No such file or directory"):
        CaptureWriter(str(tmp_path / "no" / "out.pcap"))
    with pytest.raises(NetOptionError, match="not a regular file"):
        CaptureWriter(str(tmp_path))


@pytest.mark.skipif(shutil.which("mergecap") is None or shutil.which("text2pcap") is None, reason="needs Wireshark's tools")
def test_files_of_wiresharks_tools(tmp_path: Path) -> None:
    frames = [bytes((n + k) & 0xFF for k in range(n)) for n in (1, 2, 13, 14, 60, 1514, 65535, 69632)]
    dump = "".join(f"{at:06x} {frame[at : at + 16].hex(' ')}\n" for frame in frames for at in range(0, len(frame), 16))
    (tmp_path / "dump").write_text(dump)
    for name, arguments in (("a", ["-F", "pcap"]), ("b", ["-F", "nsecpcap"]), ("c", ["-F", "pcapng"])):
        subprocess.run(["text2pcap", "-q", *arguments, str(tmp_path / "dump"), str(tmp_path / name)], check=True, capture_output=True)
        assert [frame for _, frame in frames_of(Capture.open(str(tmp_path / name)))] == frames
    merged = tmp_path / "merged"
    subprocess.run(["mergecap", "-a", "-I", "none", "-w", str(merged), *(str(tmp_path / name) for name in "abc")], check=True, capture_output=True)
    merged.write_bytes(merged.read_bytes() * 2)
    assert [frame for _, frame in frames_of(Capture.open(str(merged)))] == frames * 6
