"""What can go wrong between us and a real QEMU."""

from __future__ import annotations


class HarnessError(Exception):
    """QEMU did not do what the harness asked for: a time-out, a refused command."""
