"""What of Ringscope is a package, and how mypyc compiles the model.

`setup.py` uses it for the wheel, `tools/setup_env.py` for the checkout: both build the same extension modules.  The
modules of the model are one mypyc group: calls between them are C calls, and one C file lets the compiler inline across
modules.  The group's shared library is ``ringscope_core/model__mypyc.*.so``, inside the package, so that it is
found wherever the package is.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from setuptools import Extension
from setuptools.command.build_ext import build_ext

from tools.core_sources import compiled_sources

GROUP = "ringscope_core.model"
"""Name of the mypyc group; its library is this name and ``__mypyc``."""

RESOURCE_SUFFIXES_LEFT_OUT = (".pyc", ".pyo", ".so")


C_FLAGS = [
    "-fvisibility=hidden",  # mypyc's functions are global: without this no call between them may be inlined
    "-Wno-error",  # a newer compiler's new warning is no reason to stop a user
]


def package_dirs(root: Path) -> dict[str, str]:
    """Every import package and its folder relative to `root`, as setuptools' ``package_dir`` wants it."""
    found = {"ringscope_resources": "resources"}
    for base in ("core/ringscope_core", "app/ringscope"):
        for folder in sorted({path.parent for path in (root / base).rglob("*.py")}):
            relative = folder.relative_to((root / base).parent)
            found[".".join(relative.parts)] = folder.relative_to(root).as_posix()
    return found


def package_data(root: Path) -> dict[str, list[str]]:
    """Files that are not Python and belong into the wheel: the whole of ``resources/`` and the ``py.typed`` marks."""
    resources = root / "resources"
    files = [
        path.relative_to(resources).as_posix()
        for path in sorted(resources.rglob("*"))
        if path.is_file() and path.suffix not in RESOURCE_SUFFIXES_LEFT_OUT and "__pycache__" not in path.parts
    ]
    return {"ringscope_resources": files, "ringscope_core": ["py.typed"], "ringscope": ["py.typed"]}


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def _generate(root: Path, sources: list[Path], target: Path) -> list[Extension]:
    """Run mypy and mypyc over the model: Python in, C files and a list of extension modules out."""
    from mypyc.build import mypycify

    os.environ["MYPYPATH"] = str(root / "core")
    options = ["--config-file=", "--explicit-package-bases", "--namespace-packages", "--ignore-missing-imports", f"--cache-dir={target / 'mypy_cache'}"]
    extensions: list[Extension] = mypycify(
        [*options, *(str(path.relative_to(root)) for path in sources)],
        opt_level="3",
        debug_level="0",
        group_name=GROUP,
        target_dir=str(target),
    )
    return extensions


class BuildCore(build_ext):
    """``build_ext`` that runs mypyc when it builds (not when pip only asks for metadata), in parallel, and tells how far it is."""

    @staticmethod
    def placeholder() -> list[Extension]:
        """Stands for the extensions until they are known: it makes the wheel one of this platform."""
        return [Extension(f"{GROUP}__mypyc", [])]

    def run(self) -> None:
        """Generate the C, then compile and link every extension module."""
        root = Path(__file__).resolve().parent.parent
        previous = Path.cwd()
        os.chdir(root)
        try:
            self._generate_extensions(root)
            super().run()
        finally:
            os.chdir(previous)

    def _generate_extensions(self, root: Path) -> None:
        sources = compiled_sources(root)
        began = time.monotonic()
        _say(f"mypyc: {len(sources)} modules of the core to C")
        self.distribution.ext_modules = _generate(root, sources, root / "build" / "mypyc")
        _say(f"mypyc: done in {time.monotonic() - began:.0f} s")
        self.swig_opts = None  # finalized once for the placeholder; the second time expects what the command line gave: nothing
        self.finalize_options()

    def build_extensions(self) -> None:
        """Two extensions at a time or as many as there are processors; the big one first."""
        for extension in self.extensions:
            extension.extra_compile_args = [*extension.extra_compile_args, *C_FLAGS]
        self.parallel = self.parallel or len(os.sched_getaffinity(0))
        self._done = 0
        self._lock = threading.Lock()
        self._began = time.monotonic()
        size_kb = sum(Path(source).stat().st_size for extension in self.extensions for source in extension.sources) // 1024
        _say(f"C compiler: {len(self.extensions)} extension modules, {size_kb} KB of C, {self.parallel} at a time (the first is the long one)")
        super().build_extensions()

    def build_extension(self, ext: Any) -> None:
        """Build one, then say how many are done."""
        super().build_extension(ext)
        with self._lock:
            self._done += 1
            elapsed = time.monotonic() - self._began
            if sys.stdout.isatty() or self._done % 20 == 0 or self._done == len(self.extensions) or ext.name.endswith("__mypyc"):
                _say(f"C compiler: {self._done}/{len(self.extensions)} {ext.name} ({elapsed:.0f} s)")
