"""VIRTIO_F_IN_ORDER from the driver's side (virtio 1.1, 2.6.9 and 2.7.9).

The device uses buffers in the order they were made available, so it may complete a batch by one element that names the batch's last
buffer.  The buffers before that one count as used to their full length.
"""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64


@final
class InOrder:
    """The outstanding buffers of one ring in their order.  Numbers count every buffer since the ring was made."""

    def __init__(self, num: i64) -> None:
        n: int = num
        self.num: i64 = num
        self.ids: vec[i64] = vec[i64]([0] * n)
        """Ids by number modulo `num`."""
        self.lengths: vec[i64] = vec[i64]([0] * n)
        """What the device may write into each; from its completion on what it has written."""
        self.first: i64 = 0
        """The oldest buffer not taken."""
        self.done: i64 = 0
        """The oldest buffer not completed."""
        self.end: i64 = 0
        """The number the next buffer gets."""

    def posted(self, ident: i64, writable: i64) -> None:
        """A buffer was given to the device, which may write `writable` bytes of it."""
        place = self.end % self.num
        self.ids[place] = ident
        self.lengths[place] = writable
        self.end += 1

    def complete(self, ident: i64, length: i64) -> i64:
        """The device names `ident` with `length` bytes written; returns how many buffers that completes, 0 when it is not outstanding."""
        number = self.done
        while number < self.end:
            place = number % self.num
            if self.ids[place] == ident:
                self.lengths[place] = length
                count = number + 1 - self.done
                self.done = number + 1
                return count
            number += 1
        return 0
