"""Writing a capture: a pcap file with ns times."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final

from dpkt import pcap

from ringscope_core.net.errors import NetOptionError

CHUNK: Final = 1 << 20
SNAPLEN: Final = 262144
NS_PER_S: Final = 1_000_000_000


class CaptureWriter:
    """Writes a pcap file with ns times.  The file appears under its name when it is closed, whole."""

    def __init__(self, path: str, field: str = "out") -> None:
        """Raises NetOptionError when the file cannot be made."""
        self.path: str = path
        self.frames: int = 0
        self._part: Path = Path(f"{path}.part")
        target = Path(path)
        if target.exists() and not target.is_file():
            raise NetOptionError(f"Could not create '{path}': not a regular file", field, path, "a file that can be written")
        try:
            self._file: BinaryIO = open(self._part, "wb", buffering=CHUNK)  # noqa: SIM115
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise NetOptionError(f"Could not create '{path}': {reason}", field, path, "a file that can be written") from error
        self._file.write(struct.pack("<IHHiIII", pcap.TCPDUMP_MAGIC_NANO, 2, 4, 0, 0, SNAPLEN, pcap.DLT_EN10MB))

    def write(self, time_ns: int, frame: bytes) -> None:
        """Append one frame."""
        seconds, rest = divmod(time_ns, NS_PER_S)
        self._file.write(struct.pack("<IIII", seconds & 0xFFFFFFFF, rest, len(frame), len(frame)))
        self._file.write(frame)
        self.frames += 1

    def close(self) -> None:
        """Give the file its name; closing again does nothing."""
        if not self._file.closed:
            self._file.close()
            self._part.replace(self.path)
