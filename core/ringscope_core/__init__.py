"""Ringscope's headless core: a virtio-net-pci device, its driver, its network and their recorder.

The model packages (`trace`, `memory`, `qom`, `net`, `hw`, `guest`) are compiled with mypyc.  With the environment
variable ``RINGSCOPE_PURE=1`` the same sources run uncompiled.
"""

from __future__ import annotations

import os

__version__ = "0.1.0"

PURE = os.environ.get("RINGSCOPE_PURE", "") not in ("", "0")
"""True when the sources run uncompiled even where compiled modules are installed."""

if PURE:
    from ringscope_core._pure import prefer_sources

    prefer_sources()
