"""What mypyc compiles and when a build is stale.  Standard library only: every start of `make run` asks this."""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

COMPILED_PACKAGES = ("trace", "memory", "qom", "net", "hw", "guest")
"""The model packages of ``core/ringscope_core``; see ARCHITECTURE.md, "Compiled and not"."""

NOT_COMPILED = {
    "net/backends/dgram.py": "sockets: its time goes to the kernel",
    "net/backends/pcap_file.py": "files, and dpkt, which is not typed",
}
"""Exceptions inside the compiled packages, each with its reason.  Every ``__init__.py`` is one too: it only declares."""


def compiled_sources(root: Path) -> list[Path]:
    """The files that mypyc compiles, sorted, as absolute paths."""
    core = root / "core" / "ringscope_core"
    left_out = {core / name for name in NOT_COMPILED}
    return [path for package in COMPILED_PACKAGES for path in sorted((core / package).rglob("*.py")) if path.name != "__init__.py" and path not in left_out]


def compiled_modules(root: Path) -> list[Path]:
    """The extension modules that stand in the tree now, of whatever Python."""
    return sorted((root / "core").rglob("*.so"))


def core_digest(root: Path, requirements: list[str]) -> str:
    """Hash of everything the compiled modules depend on.

    That is their sources, the build scripts, the Python they are for and the `requirements` of the build (mypyc's version).  Contents
    and not times: a fresh clone, a touch or a change of branch and back rebuild nothing.
    """
    digest = hashlib.sha256()
    digest.update("\n".join([str(sysconfig.get_config_var("SOABI")), *requirements]).encode())
    for path in [root / "tools" / "core_sources.py", root / "tools" / "core_build.py", *compiled_sources(root)]:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
