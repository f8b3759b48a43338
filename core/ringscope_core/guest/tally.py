"""What passed a point, and the digest that proves it passed unchanged and in order."""

from __future__ import annotations

import hashlib
from typing import final

from mypy_extensions import i64


@final
class FrameTally:
    """Counts frames and bytes; with `digesting` also the SHA-256 over all frames' bytes in order."""

    def __init__(self, digesting: bool) -> None:
        self.count: i64 = 0
        self.bytes: i64 = 0
        self.digesting: bool = digesting
        self._sha = hashlib.sha256()

    def add(self, frame: bytes) -> None:
        """One more frame."""
        self.count += 1
        self.bytes += len(frame)
        if self.digesting:
            self._sha.update(frame)

    def sha256(self) -> str:
        """The digest so far in hexadecimal, empty when digests are off."""
        return self._sha.hexdigest() if self.digesting else ""
