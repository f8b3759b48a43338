"""The library that plays the TUN driver inside QEMU, compiled once a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from ringscope_core.conform.live.errors import HarnessError
from ringscope_core.scenario.resources import resource_root

COMPILE_SECONDS = 60


def compiler() -> str | None:
    """The C compiler's path, None when there is none: then no tap can be played."""
    return shutil.which("cc")


@cache
def shim_fd() -> int:
    """A descriptor of the compiled library; nothing is left on disk."""
    cc = compiler()
    if cc is None:
        raise HarnessError("a tap needs a C compiler (cc)")
    with tempfile.TemporaryDirectory(prefix="ringscope-shim-") as folder:
        library = Path(folder) / "shim.so"
        command = [cc, "-O1", "-shared", "-fPIC", "-o", str(library), str(resource_root() / "conform" / "tap_shim.c"), "-ldl"]
        done = subprocess.run(command, check=False, capture_output=True, timeout=COMPILE_SECONDS)
        if done.returncode:
            raise HarnessError(f"the tap's library does not compile: {done.stderr.decode(errors='replace').strip()}")
        fd = os.memfd_create("ringscope-shim.so", 0)
        os.write(fd, library.read_bytes())
    return fd
