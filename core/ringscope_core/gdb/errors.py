"""What the console says instead of an answer."""

from __future__ import annotations


class ConsoleError(Exception):
    """One line for the person at the console, in gdb's words where gdb has some."""
