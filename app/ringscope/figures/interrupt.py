"""Ctrl-C while Qt is at work: an exception that comes up inside one of Qt's calls ends the process, so it waits until the picture is done."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_EXIT: Final = 130


@contextmanager
def interrupt_later() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end instead of in the middle; a second Ctrl-C ends the process at once."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    asked = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(_EXIT)
        asked = True

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
