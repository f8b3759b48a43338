"""What of Ringscope is a package, and how mypyc compiles the model.

`setup.py` uses it for the wheel, `tools/setup_env.py` for the checkout: both build the same extension modules.  The
modules of the model are one mypyc group, so calls between them are C calls; each is a C file of its own, so that all
processors can compile.  (One C file for all runs as fast and takes twice as long to build.)  The group's shared library is
``ringscope_core/model__mypyc.*.so``, inside the package, so that it is found wherever the package is.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from setuptools import Extension
from setuptools.command.build_ext import build_ext

from tools.core_sources import compiled_sources

GROUP = "ringscope_core.model"
"""Name of the mypyc group; its library is this name and ``__mypyc``."""

TARGET = Path("build", "mypyc")
"""Where the C goes, relative to the checkout."""

TELL_EVERY_S = 3.0

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


def _generate(root: Path, sources: list[Path]) -> list[Extension]:
    """Run mypy and mypyc over the model: Python in, C files and a list of extension modules out."""
    from mypyc.build import mypycify

    os.environ["MYPYPATH"] = str(root / "core")
    options = ["--config-file=", "--explicit-package-bases", "--namespace-packages", "--ignore-missing-imports", f"--cache-dir={TARGET / 'mypy_cache'}"]
    extensions: list[Extension] = mypycify(
        [*options, *(str(path.relative_to(root)) for path in sources)],
        opt_level="3",
        multi_file=True,
        debug_level="0",
        group_name=GROUP,
        target_dir=str(TARGET),
    )
    _refuse_known_fault(extensions)
    return extensions


def _refuse_known_fault(extensions: list[Extension]) -> None:
    """Stop at the check that mypyc 2.4 generates the wrong way round: it raises NameError when the constant is first used."""
    for source in {source for extension in extensions for source in extension.sources}:
        found = re.search(
            r"!= -113 && PyErr_Occurred\(\)\)\).*\n\s*PyErr_SetString\(PyExc_NameError, \"value for final name \\\"(\w+)", Path(source).read_text()
        )
        if found:
            raise SystemExit(f"{source}: mypyc cannot compile a Final tuple of native ints: annotate {found[1]} as Final[tuple[i64, ...]]")


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
        self.distribution.ext_modules = _generate(root, sources)
        _say(f"mypyc: done in {time.monotonic() - began:.0f} s")
        self.swig_opts = None  # finalized once for the placeholder; the second time expects what the command line gave: nothing
        self.finalize_options()

    def build_extensions(self) -> None:
        """Compile and link every extension module, several C files at a time."""
        for extension in self.extensions:
            extension.extra_compile_args = [*extension.extra_compile_args, *C_FLAGS]
            extension.include_dirs = [*extension.include_dirs, str(TARGET / Path(*GROUP.split(".")[:-1]))]  # where the group's headers are
        jobs = self.parallel if isinstance(self.parallel, int) and self.parallel > 1 else len(os.sched_getaffinity(0))
        self.parallel = None  # our own pool: setuptools' runs over extensions, and nearly all of ours is one
        compile_all = ParallelCompile(self.compiler, sum(len(extension.sources) for extension in self.extensions), jobs)
        self.compiler.compile = compile_all
        super().build_extensions()
        compile_all.finish()


class ParallelCompile:
    """Stands in for a compiler object's ``compile``: the same arguments, but several files at a time.

    An object file made from the same C, headers and options is kept, so that a small change costs seconds.  It tells how far it is.
    """

    def __init__(self, compiler: Any, total: int, jobs: int) -> None:
        self._compiler = compiler
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._began = self._told = time.monotonic()
        self._pool = ThreadPoolExecutor(jobs)
        _say(f"C compiler: {total} files, {jobs} at a time")

    def __call__(
        self,
        sources: list[str],
        output_dir: str | None = None,
        macros: Any = None,
        include_dirs: Any = None,
        debug: bool = False,
        extra_preargs: Any = None,
        extra_postargs: Any = None,
        depends: Any = None,
    ) -> list[str]:
        """Compile `sources`; the object files, in order.  Raises what the compiler raises, after the others have ended."""
        compiler = self._compiler
        macros, objects, extra_postargs, options, build = compiler._setup_compile(output_dir, macros, include_dirs, sources, depends, extra_postargs)
        arguments = compiler._get_cc_args(options, debug, extra_preargs)
        common = self._headers() + repr(sorted([*arguments, *extra_postargs, *options])).encode()  # mypyc gives the folders in any order
        jobs = [self._pool.submit(self._one, common, name, *build[name], arguments, extra_postargs, options) for name in objects if name in build]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            self._pool.shutdown(cancel_futures=True)
            raise
        return list(objects)

    @staticmethod
    def _headers() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(TARGET.rglob("*.h")))

    def _one(self, common: bytes, target: str, source: str, *rest: Any) -> None:
        digest = hashlib.sha256(common + Path(source).read_bytes()).hexdigest()
        made_from = Path(f"{target}.sha256")
        if not (Path(target).exists() and made_from.exists() and made_from.read_text() == digest):
            self._compiler._compile(target, source, *rest)
            made_from.write_text(digest)
        with self._lock:
            self._done += 1
            now = time.monotonic()
            if now - self._told > TELL_EVERY_S:
                self._told = now
                _say(f"C compiler: {self._done}/{self._total} files ({now - self._began:.0f} s)")

    def finish(self) -> None:
        """Everything is compiled and linked."""
        self._pool.shutdown()
        _say(f"C compiler: done in {time.monotonic() - self._began:.0f} s")
