"""A driver that does anything: programs of memory writes, register writes, kicks and frames, and what may never happen meanwhile."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

from tests.core.rig import BUFFERS_AT, EVENT_IDX, INDIRECT, MRG, NEXT, PACKED, RAM, RING_AT, RING_SPAN, V1, WRITE, Rig

Action = tuple[Any, ...]
SIZE = 8
CTRL_VQ = 1 << 17
FEATURES = [V1 | MRG, V1 | MRG | CTRL_VQ, V1, MRG, 0, V1 | MRG | EVENT_IDX, 1 << 24 | MRG]
PACKED_FEATURES = [V1 | MRG | CTRL_VQ | PACKED, V1 | PACKED, V1 | MRG | PACKED | EVENT_IDX]
ADDRESSES = [0, 8, BUFFERS_AT, BUFFERS_AT + 64, BUFFERS_AT + 4096, RING_AT, RING_AT + 0x4000, RING_AT + 0x8000, RAM - 16, RAM - 1, RAM, RAM + 4096]
ADDRESSES += [0xFE000000, 0xFE003000, 0xFEB00000, 0xFEB00800, 0xC000, 2**63 - 8, 2**63, 2**64 - 16, 2**64 - 1]
LENGTHS = [0, 1, 9, 10, 11, 12, 13, 16, 32, 60, 72, 128, 4096, 4097, 65535, 69632, 1 << 20, RAM, 2**31, 2**32 - 16, 2**32 - 1]
FLAGS = [0, NEXT, WRITE, WRITE | NEXT, INDIRECT, INDIRECT | WRITE, 0x80, 0x81, 0x82, 0x83, 0x84, 0x8000, 0x8080, 0x8082, 0xFFFF]
COMMON_OFFSETS = [0, 4, 8, 12, 16, 18, 20, 21, 22, 24, 26, 28, 30, 32, 36, 40, 44, 48, 52, 58]
VALUES = [0, 1, 2, 3, 4, 7, 8, 11, 15, 0x40, 0x80, 0xFF, 0x100, 0x3FF, 0x400, 0xFFFF, 0x10000, RING_AT, BUFFERS_AT, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def ring_memory(action: Action) -> int:
    """The address that a memory action means."""
    queue, part, offset = action[1], action[2], action[3]
    return int(RING_AT + queue * RING_SPAN + part * 0x4000 + offset)


def perform(rig: Rig, action: Action) -> None:
    """One step of the program."""
    what = action[0]
    if what == "mem":
        rig.write(ring_memory(action), action[4])
    elif what == "desc":
        _, queue, slot, addr, length, flags, following = action
        rig.desc(queue, slot, addr, length, flags, following)
    elif what == "packed":
        _, queue, slot, addr, length, flags, ident = action
        rig.write(rig.ring_at(queue) + 16 * slot, struct.pack("<QIHH", addr & 2**64 - 1, length, ident, flags))
    elif what == "table":
        _, offset, entries = action
        rig.write(BUFFERS_AT + offset, b"".join(struct.pack("<QIHH", addr & 2**64 - 1, length, flags, following) for addr, length, flags, following in entries))
    elif what == "avail":
        _, queue, idx, heads = action
        rig.write(rig.ring_at(queue) + 0x4000, struct.pack(f"<HH{len(heads)}H", 0, idx, *heads))
    elif what == "ctrl":
        control(rig, action[1], action[2], action[3])
    elif what == "kick":
        rig.kick(action[1], action[2])
    elif what == "bar":
        rig.bar_write(*action[1:])
    elif what == "read":
        rig.bar_read(*action[1:])
    elif what == "cfg":
        rig.cfg_write(*action[1:])
        rig.place_bars_as_they_were()
    elif what == "frame":
        from ringscope_core.net.net import qemu_send_packet_async

        qemu_send_packet_async(rig.peer, action[1])
    elif what == "hold":
        rig.peer.busy = action[1]
        if not action[1]:
            from ringscope_core.net.net import qemu_flush_queued_packets

            qemu_flush_queued_packets(rig.peer)
    elif what == "stop":
        rig.machine.stop()
    elif what == "cont":
        rig.machine.cont()
    elif what == "turns":
        rig.churn(action[1])
    else:
        raise ValueError(what)


def control(rig: Rig, klass: int, cmd: int, data: bytes) -> None:
    """A well-formed control command on the last queue, in the layout of the split ring; the kick is another action."""
    queue = last_queue(rig)
    if queue not in rig.sizes:
        return
    at = BUFFERS_AT + 0x8000
    rig.write(at, bytes([klass, cmd]) + data)
    rig.desc(queue, 0, at, 2 + len(data), NEXT, 1)
    rig.desc(queue, 1, at + 0x1000, 1, WRITE)
    rig.publish(queue, 0)


def last_queue(rig: Rig) -> int:
    """The control queue, if the device is as it was set up."""
    return max((index for index, vq in enumerate(rig.n.vq[:8]) if vq.counters is not None), default=2)


# -- programs by chance -----------------------------------------------------------------------------------------------
def random_action(choose: Random, packed: bool) -> Action:
    """One step, good or bad."""
    kind = choose.randrange(21)
    if kind == 20:
        klass, cmd = choose.choice([0, 1, 2, 3, 4, 4, 5, 77]), choose.randrange(4)
        rss = b"\xff\x01\0\0\1\0\0\0\1\0\0\0\2\0\x28" + bytes(40)
        return ("ctrl", klass, cmd, choose.choice([b"", b"\0", b"\1", b"\2\0", bytes(8), b"\1\0\0\0" + bytes(10), rss, choose.randbytes(60)]))
    queue = choose.randrange(3)
    address = choose.choice(ADDRESSES) if choose.random() < 0.4 else BUFFERS_AT + 256 * choose.randrange(64)
    length = choose.choice(LENGTHS) if choose.random() < 0.4 else choose.randrange(1, 256)
    flags = choose.choice(FLAGS)
    if kind < 5:
        if packed and choose.random() < 0.9:
            return ("packed", queue, choose.randrange(SIZE), address, length, flags, choose.choice([0, 1, 7, 8, 300, 0xFFFF]))
        return ("desc", queue, choose.randrange(SIZE), address, length, flags, choose.choice([0, 1, 2, 3, 7, 8, 0xFFFF]))
    if kind < 8:
        idx = choose.choice([1, 2, 3, 8, 9, 300, 0xFFFF]) if choose.random() < 0.5 else choose.randrange(20)
        return ("avail", queue, idx, [choose.choice([0, 1, 2, 3, 7, 8, 0xFFFF]) for _ in range(SIZE)])
    if kind < 11:
        return ("kick", choose.choice([0, 1, 2, 2, 1, 3, 1023]), choose.choice([1, 2, 4]))
    if kind == 11:
        table = [(choose.choice(ADDRESSES), choose.choice(LENGTHS), choose.choice(FLAGS), choose.randrange(6)) for _ in range(choose.randrange(1, 6))]
        return ("table", 16 * choose.randrange(8), table)
    if kind == 12:
        return ("mem", queue, choose.randrange(3), choose.randrange(64), choose.randbytes(choose.randrange(1, 24)))
    if kind == 13:
        return ("bar", 4, choose.choice(COMMON_OFFSETS), choose.choice([1, 2, 4, 8]), choose.choice(VALUES))
    if kind == 14:
        bar = choose.choice([0, 1, 4])
        return ("bar", bar, choose.randrange({0: 40, 1: 4096, 4: 0x3400}[bar]), choose.choice([1, 2, 4]), choose.choice(VALUES))
    if kind == 15:
        return ("cfg", choose.randrange(256), choose.choice([1, 2, 4]), choose.choice(VALUES))
    if kind == 16:
        return choose.choice([("hold", True), ("hold", False), ("stop",), ("cont",), ("cont",)])
    if kind < 19:
        return ("frame", choose.randbytes(choose.choice([0, 1, 13, 14, 60, 200, 1500])))
    return ("turns", choose.randrange(1, 4))


def random_program(seed: int, packed: bool) -> list[Action]:
    """A program that a seed stands for."""
    choose = Random(seed)
    return [random_action(choose, packed) for _ in range(40)]


# -- what may never happen --------------------------------------------------------------------------------------------
def _descriptors(rig: Rig, gpa: int, count: int) -> list[tuple[int, int, int, int]]:
    raw = rig.read(gpa, 16 * count)
    return [struct.unpack_from("<QIHH", raw, 16 * i) for i in range(count)]  # type: ignore[misc]


def given(rig: Rig) -> list[tuple[int, int]]:
    """Every range (address, length) that the driver gave the device to write, however it may read its rings; a little more than that."""
    out: list[tuple[int, int]] = []
    for vq in rig.n.vq[:8]:
        num = int(vq.vring_num)
        if num == 0:
            continue
        desc, used, avail = (int(at) & 2**64 - 1 for at in (vq.vring_desc, vq.vring_used, vq.vring_avail))
        out += [(used, 6 + 8 * num), (avail, 4)]
        if rig.n.packed:
            out.append((desc, 16 * num))
        if desc + 16 * num > RAM:
            continue
        for addr, length, third, fourth in _descriptors(rig, desc, num):
            out.append((addr, length))
            if (third | fourth) & INDIRECT and 0 < length <= RAM and addr + length <= RAM:
                out += [(a, n) for a, n, _, _ in _descriptors(rig, addr, min(length // 16, 2048))]
    msix = rig.proxy.msix
    if msix is not None:
        out += [(int(msix.address(v)) & 2**64 - 1, 4) for v in range(int(msix.entries_nr))]
    return out


def stray(before: bytes, after: bytes, allowed: list[tuple[int, int]]) -> list[int]:
    """Addresses of bytes that changed although nobody gave them."""
    if before == after:
        return []
    open_bytes = bytearray(len(before))
    for gpa, length in allowed:
        # an address may wrap around to the start of memory
        if gpa + length > 2**64:
            open_bytes[: gpa + length - 2**64] = b"\1" * min(len(before), gpa + length - 2**64)
        if gpa < len(before):
            end = min(len(before), gpa + length)
            open_bytes[gpa:end] = b"\1" * (end - gpa)
    out = []
    for page in range(0, len(before), 4096):
        if before[page : page + 4096] != after[page : page + 4096]:
            out += [page + i for i in range(4096) if before[page + i] != after[page + i] and not open_bytes[page + i]]
    return out


def check(rig: Rig) -> None:
    """The device's own books."""
    n = rig.n
    for vq in n.vq[:4]:
        if vq.counters is None:
            continue
        num = int(vq.vring_num)
        assert 0 < num <= 1024
        assert 0 <= int(vq.last_avail_idx) <= 0xFFFF and 0 <= int(vq.used_idx) <= 0xFFFF
        assert not vq.pending_num, "every turn publishes what it used"
    assert int(n.queue_sel) < 1024
    assert 1 <= int(n.curr_queues) <= int(n.max_queues)
    assert int(n.mac_table.in_use) <= 64 and len(n.mac_table.macs) == int(n.mac_table.in_use)
    assert not rig.machine.memory.bounce_busy or any(pair.element.bounced for pair in n.vqs), "the bounce buffer is held by someone"
    assert len(rig.log.frames) == 0 and int(rig.log.cause) == -1


def run_program(rig: Rig, program: list[Action], watch: bool = True) -> None:
    """Carry it out and look after each step."""
    for action in program:
        if action[0] == "ctrl":
            perform(rig, action)
            action = ("kick", last_queue(rig), 2)
        if not watch:
            perform(rig, action)
            continue
        before, allowed = rig.image(), []
        if action[0] not in ("mem", "desc", "packed", "table", "avail"):
            allowed = given(rig)
        perform(rig, action)
        if action[0] in ("mem", "desc", "packed", "table", "avail"):
            continue
        strays = stray(before, rig.image(), allowed + given(rig))
        assert not strays, f"{action}: {len(strays)} bytes at {strays[0]:#x} ff. were written"
        check(rig)
    rig.churn(20)
    check(rig)
