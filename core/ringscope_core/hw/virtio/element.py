"""VirtQueueElement: a chain the device has taken, as a flat list of buffers."""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64

from ringscope_core.memory.ram import GuestMemory


@final
class VirtQueueElement:
    """A popped chain: `out_num` readable buffers, then `in_num` writable ones.

    One object serves pop after pop, so that a packet costs no allocation; what must outlive the next pop (a frame the
    peer holds back) is copied out.
    """

    def __init__(self) -> None:
        self.index: i64 = 0
        """The head's descriptor index."""
        self.ndescs: i64 = 1
        """Descriptors that it takes of a packed ring."""
        self.out_num: i64 = 0
        self.in_num: i64 = 0
        self.out_len: i64 = 0
        """Readable bytes in all."""
        self.in_len: i64 = 0
        """Writable bytes in all."""
        self.addr: vec[i64] = vec[i64]([0] * 1024)
        """Guest address of each buffer."""
        self.length: vec[i64] = vec[i64]([0] * 1024)
        self.bounced: bool = False
        """One of the buffers is not RAM and holds QEMU's bounce buffer."""

    def read_out(self, memory: GuestMemory, skip: i64) -> bytes:
        """The readable bytes from offset `skip` on (iov_to_buf)."""
        if self.out_num == 1:
            return memory.read(self.addr[0] + skip, self.length[0] - skip) if skip < self.length[0] else b""
        if self.out_num == 2 and self.length[0] == skip:
            return memory.read(self.addr[1], self.length[1])
        parts: list[bytes] = []
        i: i64 = 0
        while i < self.out_num:
            length = self.length[i]
            if skip >= length:
                skip -= length
            else:
                parts.append(memory.read(self.addr[i] + skip, length - skip))
                skip = 0
            i += 1
        return b"".join(parts)

    def read_some(self, memory: GuestMemory, skip: i64, length: i64) -> bytes:
        """At most `length` of the readable bytes from offset `skip` on: a guest may describe terabytes."""
        parts: list[bytes] = []
        i: i64 = 0
        while i < self.out_num and length > 0:
            here = self.length[i]
            if skip >= here:
                skip -= here
            else:
                n = min(here - skip, length)
                parts.append(memory.read(self.addr[i] + skip, n))
                length -= n
                skip = 0
            i += 1
        return b"".join(parts)

    def write_in(self, memory: GuestMemory, offset: i64, data: bytes) -> i64:
        """Put `data` into the writable buffers from `offset` bytes on; returns how many bytes fitted (iov_from_buf)."""
        total: i64 = len(data)
        done: i64 = 0
        i = self.out_num
        end = self.out_num + self.in_num
        while i < end and done < total:
            length = self.length[i]
            if offset >= length:
                offset -= length
            else:
                room = length - offset
                n = total - done
                if n <= room and done == 0:
                    memory.write(self.addr[i] + offset, data)
                else:
                    if n > room:
                        n = room
                    memory.write(self.addr[i] + offset, data[done : done + n])
                done += n
                offset = 0
            i += 1
        return done
