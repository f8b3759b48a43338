"""Compression with a bound: a file decides neither how much memory nor how much time reading it takes."""

from __future__ import annotations

import threading
from typing import Final

import zstandard

LEVEL: Final = 1
"""The fastest ordinary level: the writer shares two cores with the run."""


class _Compressor(threading.local):
    """One a thread: making one costs as much as a small block does."""

    def __init__(self) -> None:
        self.zstd: zstandard.ZstdCompressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)


_COMPRESSOR: Final = _Compressor()


class PackingError(ValueError):
    """A compressed blob is damaged or claims an absurd size."""


def pack(data: bytes) -> bytes:
    """Compress `data`; its size stands in the frame, where `unpack` looks first, and its checksum, so that no wrong byte goes unseen."""
    return _COMPRESSOR.zstd.compress(data)


def unpack(blob: bytes, limit: int) -> bytes:
    """Decompress a blob of at most `limit` bytes; raises PackingError, before allocating, for anything else."""
    try:
        size = zstandard.get_frame_parameters(blob).content_size
        if size > limit:
            raise PackingError(f"a blob claims {size} bytes, at most {limit} are allowed")
        data = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompress(blob, max_output_size=limit)
    except zstandard.ZstdError as error:
        raise PackingError(f"a blob does not decompress ({error})") from None
    if len(data) != size:
        raise PackingError(f"a blob holds {len(data)} bytes and claims {size}")
    return data
