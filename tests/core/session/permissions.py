"""Commands that run under limits: folders that cannot be written, files that cannot grow.  Each begins as a small program that limits itself."""

from __future__ import annotations

import sys
from typing import Final

_OBEY: Final = """
import ctypes, os, sys
if os.geteuid() == 0:
    # the superuser writes everywhere unless it gives that right up: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        libc.prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
_LIMIT: Final = """
import os, resource, sys
room = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
os.execv(sys.argv[2], sys.argv[2:])
"""


def obeying(command: list[str]) -> list[str]:
    """`command` (its program with its path), for which permissions count, for the superuser too."""
    return [sys.executable, "-c", _OBEY, *command]


def with_room(room: int, command: list[str]) -> list[str]:
    """`command`, for which no file may grow beyond `room` bytes: what SQLite then hears is that the disk is full."""
    return [sys.executable, "-c", _LIMIT, str(room), *command]
