"""Build script: where the packages lie, and which modules mypyc compiles.  Everything else is in `pyproject.toml`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tools.core_build import BuildCore, package_data, package_dirs  # noqa: E402

WITHOUT_CORE = os.environ.get("RINGSCOPE_SKIP_COMPILE", "") not in ("", "0")
"""The development set-up installs the project first and compiles after, to show its progress."""

packages = package_dirs(ROOT)
setup(
    packages=sorted(packages),
    package_dir=packages,
    package_data=package_data(ROOT),
    ext_modules=[] if WITHOUT_CORE else BuildCore.placeholder(),
    cmdclass={} if WITHOUT_CORE else {"build_ext": BuildCore},
)
